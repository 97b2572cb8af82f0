import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-rules-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function exported(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await pktcost(['rules', 'export', ...args]);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

const stricter = file('limits.json', '{"thresholds":{"PKT0401":{"attemptsPerSecond":50,"attempts":0}}}');

describe('pktcost rules export', () => {
  it('says what is not exported, and why', async () => {
    const head = (await exported()).split('groups:')[0]!;
    assert.match(head, /^# {3}PKT0101 af-packet-tap-cost: its times are measured by the probe/m);
    assert.match(head, /^# {3}PKT0603 hugepages: it never warns/m);
  });

  it('is the same file every time, and takes limits and range from the flags', async () => {
    assert.equal(await exported(), await exported());
    const changed = await exported('--config', stricter, '--range', '90s');
    assert.match(changed, /rate\(node_netstat_TcpExt_ListenOverflows\[90s\]\) >= 50\b/);
    assert.doesNotMatch(changed, /\[5m\]/);
  });

  it('writes a file that Prometheus may read, over the one from before', async () => {
    const path = file('rules.yml', 'old\n');
    assert.equal(await exported('--output', path), '');
    assert.equal(readFileSync(path, 'utf8'), await exported());
    assert.equal(statSync(path).mode & 0o777, 0o644);
  });

  it('refuses what is no range with one line', async () => {
    for (const range of ['5', '5x', '', '0s', '9s', '31d', '5m]))\nor vector(1)', '1m1h']) {
      const { status, stdout, stderr } = await pktcost(['rules', 'export', '--range', range]);
      assert.equal(status, 2, range);
      assert.equal(stdout, '');
      assert.match(stderr, /^pktcost: --range [^\n]*(no duration of PromQL|out of range)[^\n]*\n$/);
    }
  });
});

interface Series {
  readonly series: string;
  readonly values: string;
}

interface Fired {
  readonly exp_labels: Readonly<Record<string, string>>;
  readonly exp_annotations: Readonly<Record<string, string>>;
}

const at = 'instance="web-1:9100",job="node"';
/** A counter or gauge that begins at a number and rises each minute. */
const series = (metric: string, from: number, perMinute: number, labels = ''): Series => ({
  series: `${metric}{${at}${labels}}`,
  values: `${from}+${perMinute}x30`,
});
const conntrack = (entries: number, drops: number, labels = ''): Series[] => [
  series('node_nf_conntrack_entries', entries, 0, labels),
  series('node_nf_conntrack_entries_limit', 1000, 0, labels),
  series('node_nf_conntrack_stat_drop', 7, drops, labels),
  series('node_nf_conntrack_stat_early_drop', 0, 0, labels),
  series('node_nf_conntrack_stat_insert_failed', 3, 0, labels),
];
const overflows = (perMinute: number): Series => series('node_netstat_TcpExt_ListenOverflows', 40, perMinute);

function told(
  code: string,
  severity: string,
  summary: string,
  description: string,
  labels: Readonly<Record<string, string>> = {},
): Fired {
  return {
    exp_labels: { severity, code, instance: 'web-1:9100', job: 'node', ...labels },
    exp_annotations: { summary, description, runbook: `docs/rules/${code}.md` },
  };
}

const refused = (severity: string, count: number): Fired =>
  told(
    'PKT0401',
    severity,
    'Connections time out at a listener: its accept queue is full (web-1:9100)',
    `${count} connection attempts were dropped in 5m because an accept queue was full.`,
  );

const TABLE = 'PktcostConntrackTableFull';
const NEARLY = 'PktcostConntrackTablePressure';
const LISTEN = 'PktcostListenQueueOverflow';

let page: string | undefined;

describe('promtool', { skip: lacking({ tools: ['promtool'] }) }, () => {
  const run = (...args: readonly string[]): void => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
  };

  it('accepts the rules, with limits of zero and with any range', async () => {
    const zeros = file(
      'zeros.json',
      '{"thresholds":{"PKT0201":{"refused":0,"usage":0},"PKT0404":{"max":0},"PKT0502":{"share":0,"lost":0}}}',
    );
    for (const args of [[], ['--range', '1w2d3h4m5s'], ['--config', zeros]]) {
      run('check', 'rules', file('checked.yml', await exported(...args)));
    }
  });

  const cases: Readonly<
    Record<string, { input: readonly Series[]; minute: number; fires: Readonly<Record<string, readonly Fired[]>> }>
  > = {
    'a full table that drops is critical, in the namespace that has it': {
      input: [...conntrack(200, 0), ...conntrack(1000, 100, ',netns="blue"')],
      minute: 12,
      fires: {
        [TABLE]: [
          told(
            'PKT0201',
            'critical',
            'The conntrack table is full: packets of new flows are dropped (web-1:9100, namespace blue)',
            '500 packets of new flows were dropped in 5m because the table is full.',
            { netns: 'blue' },
          ),
        ],
      },
    },
    'a table that is full and calm is a warning, once it lasts': {
      input: conntrack(980, 0),
      minute: 12,
      fires: {
        [NEARLY]: [
          told(
            'PKT0202',
            'warning',
            'The conntrack table is nearly full: flows are evicted or soon refused (web-1:9100)',
            'The table is 98% full at its fullest in 5m, or flows are evicted so that new ones fit.',
          ),
        ],
      },
    },
    'which takes ten minutes': { input: conntrack(980, 0), minute: 8, fires: {} },
    'refused connections are critical, and the warning holds as well': {
      input: [overflows(120)],
      minute: 12,
      fires: { [LISTEN]: [refused('critical', 600), refused('warning', 600)] },
    },
    'a few are a warning': {
      input: [overflows(2)],
      minute: 12,
      fires: { [LISTEN]: [refused('warning', 10)] },
    },
    'a burst is told while it is in the range, and no warning comes after it': {
      input: [{ series: `node_netstat_TcpExt_ListenOverflows{${at}}`, values: '40x4 640x30' }],
      minute: 9,
      fires: { [LISTEN]: [refused('critical', 600)] },
    },
    'a quiet host fires nothing': {
      input: [
        ...conntrack(200, 0),
        overflows(0),
        ...['softirq', 'idle'].map((mode, index) =>
          series('node_cpu_seconds_total', 5, [1, 59][index]!, `,cpu="0",mode="${mode}"`),
        ),
        series('node_softnet_processed_total', 9, 60_000, ',cpu="0"'),
        series('node_softnet_dropped_total', 9, 0, ',cpu="0"'),
        ...['RcvbufErrors', 'SndbufErrors'].map((field) => series(`node_netstat_Udp_${field}`, 9, 0)),
        ...['InDatagrams', 'OutDatagrams'].map((field) => series(`node_netstat_Udp_${field}`, 9, 6000)),
        series('node_pressure_memory_waiting_seconds_total', 9, 0.6),
      ],
      minute: 20,
      fires: {},
    },
  };

  for (const [name, { input, minute, fires }] of Object.entries(cases)) {
    it(name, async () => {
      const rules = (page ??= await exported());
      file('tested.yml', rules);
      // None of the others fires.
      const names = [...new Set([...rules.matchAll(/- alert: (\w+)/g)].map(([, alert]) => alert!))];
      for (const alert of Object.keys(fires)) assert.ok(names.includes(alert), alert);
      // JSON is YAML.
      const test = {
        rule_files: ['tested.yml'],
        evaluation_interval: '1m',
        tests: [
          {
            interval: '1m',
            input_series: input,
            alert_rule_test: names.map((alertname) => ({
              eval_time: `${minute}m`,
              alertname,
              exp_alerts: fires[alertname] ?? [],
            })),
          },
        ],
      };
      run('test', 'rules', file('test.yml', JSON.stringify(test)));
    });
  }
});
