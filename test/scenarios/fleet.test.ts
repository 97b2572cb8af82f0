import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { collectors } from '../../src/collectors/index.ts';
import type { Fleet, FleetHost } from '../../src/generated/fleet.ts';
import type { Report, ReportFinding } from '../../src/generated/report.ts';
import { validateFleet } from '../../src/generated/validate-fleet.ts';
import { judgeWindow } from '../../src/jobs/judge.ts';
import { describePage } from '../../src/metrics/page.ts';
import type { Snapshot } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';
import { liveReader } from '../../src/sources/live-reader.ts';
import { takeSample } from '../../src/sources/take-sample.ts';
import { pktcost } from '../support/command.ts';
import { fleetSchema, orderErrors } from '../report/schema.ts';
import { PREFIX } from './kit/programs.ts';
import { writeImage, type HostImage } from './kit/image.ts';
import { servePrometheus, withoutPrometheus, type Server, type Stored } from './kit/prometheus.ts';

const SECONDS = 300;
const INTERVAL = 15;
/** On a scrape, so that the window begins and ends with one. */
const END = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL - 3600;

/** A recorded host, and what is different about it: files before and after. */
interface Made {
  readonly image?: Partial<HostImage>;
  readonly files?: Files;
  /** Only what node_exporter shows by default; else all of a page of `pktcost metrics`. */
  readonly exporter?: true;
  /** Labels besides job and instance. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The seconds before the end of the window with a scrape, and whether it went well; 15 s apart through all of it, if not given. */
  readonly scrapes?: readonly Scrape[];
}

const hex = (value: number): string => value.toString(16).padStart(8, '0');

type Files = Readonly<Record<string, readonly [string, string]>>;

function conntrack(count: number, drop: readonly [number, number]): Files {
  const header =
    'entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n';
  const row = (dropped: number): string =>
    [count, 0, 0, 0, 0, 0, 0, 0, 0, 0, dropped, 0, 0, 0, 0, 0, 0].map(hex).join(' ') + '\n';
  const always = (text: string): readonly [string, string] => [text, text];
  return {
    'proc/sys/net/netfilter/nf_conntrack_count': always(`${count}\n`),
    'proc/sys/net/netfilter/nf_conntrack_max': always('65536\n'),
    'proc/sys/net/netfilter/nf_conntrack_buckets': always('65536\n'),
    'proc/net/stat/nf_conntrack': [header + row(drop[0]), header + row(drop[1])],
  };
}

function overflows(count: number): Files {
  const names = [
    ...['SyncookiesSent', 'PruneCalled', 'RcvPruned', 'OfoPruned', 'ListenOverflows', 'ListenDrops', 'TCPBacklogDrop'],
    ...['TCPReqQFullDoCookies', 'TCPReqQFullDrop', 'TCPMemoryPressures', 'TCPRcvQDrop', 'TCPFromZeroWindowAdv'],
    ...['TCPToZeroWindowAdv', 'TCPWantZeroWindowAdv', 'TCPAbortOnMemory', 'TCPSynRetrans'],
  ];
  const row = (lost: number): string =>
    `TcpExt: ${names.join(' ')}\nTcpExt: ${names.map((name) => (name.startsWith('Listen') ? lost : 0)).join(' ')}\n`;
  return { 'proc/net/netstat': [row(7), row(7 + count)] };
}

/** Every kernel has it. */
const udpMemory = { 'proc/sys/net/ipv4/udp_mem': ['190000\t260000\t380000\n', '190000\t260000\t380000\n'] } as const;

type Scrape = readonly [number, boolean];

const every = (seconds: number, went: (before: number) => boolean = () => true): readonly Scrape[] =>
  Array.from({ length: seconds / INTERVAL + 1 }, (_, index) => {
    const before = seconds - index * INTERVAL;
    return [before, went(before)] as const;
  });

const fleetOf: Readonly<Record<string, Made>> = {
  'calm:9100': { files: conntrack(900, [5, 5]), exporter: true },
  'db:9100': { files: conntrack(65_536, [10, 9010]), exporter: true },
  'db-full-page:9100': { files: { ...conntrack(65_536, [10, 4510]), ...udpMemory } },
  'web:9100': { files: { ...conntrack(900, [0, 0]), ...overflows(3000) }, exporter: true },
  'calm-full-page:9100': { image: { nicNode: 1, receivingCpus: [0, 1] }, files: udpMemory },
  'down:9100': { exporter: true, scrapes: every(1800, (before) => before > 900) },
  'died-in-the-window:9100': {
    files: conntrack(65_536, [10, 9010]),
    exporter: true,
    scrapes: every(1800, (before) => before >= 150),
  },
  'silent:9100': { exporter: true, scrapes: every(1800).filter(([before]) => before > 200) },
  'gone:9100': { exporter: true, scrapes: every(1800).filter(([before]) => before > 900) },
};

interface Written {
  readonly stored: readonly Stored[];
  readonly local: Report;
}

const byDefault =
  /^node_(cpu_|softnet_|network_|nf_conntrack_(entries|stat_(found|invalid|ignore|insert|insert_failed|drop|early_drop|search_restart)$)|pressure_|sockstat_|memory_[A-Z]|uname|boot|context|intr_)|^node_netstat_(.*_InErrors|Tcp_(InSegs|PassiveOpens|CurrEstab)|TcpExt_Listen|Udp6?_)/;

/** The host's two samples, as stored by scrapes, and what is said of them where they were taken. */
function write(folder: string, instance: string, made: Made): Written {
  const at = join(folder, instance.replace(':', '-'));
  const image: HostImage = { nicNode: 0, receivingCpus: [0, 1], ...made.image };
  const { root, after: later } = writeImage(at, image);
  for (const [path, contents] of Object.entries(made.files ?? {})) {
    for (const [moment, content] of contents.entries()) {
      const file = join(at, `${moment}`, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }
  const live = liveReader({ procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root });
  const scrapes = made.scrapes ?? every(SECONDS);
  const well = scrapes.filter(([, went]) => went).map(([seconds]) => END - seconds);
  const inWindow = well.filter((time) => time >= END - SECONDS);
  const [from, to] = [inWindow[0] ?? 0, inWindow.at(-1) ?? 0];
  const sample = (time: number): Snapshot => {
    const reader = {
      read: (path: string) => live.read(path),
      list: (path: string) => live.list(path),
      link: (path: string) => live.link(path),
      dump: (name: Parameters<typeof live.dump>[0]) => live.dump(name),
      lastReadAt: time,
    };
    const taken = { takenAt: new Date(time * 1000).toISOString(), at: time };
    return describePage(takeSample({ reader, collectors, taken }));
  };
  const first = sample(from);
  later();
  const second = sample(to);
  const local = judgeWindow({
    window: new Window(first, second),
    requestedSeconds: SECONDS,
    cutShort: false,
    version: '0',
    overrides: {},
    self: () => ({ cpuSeconds: null, peakMemoryBytes: null }),
  });
  const target = { instance, job: 'node', ...made.labels };
  const up: Stored = {
    name: 'up',
    labels: target,
    samples: scrapes.map(([seconds, went]) => [END - seconds, went ? 1 : 0] as const),
  };
  const stored = second.metrics().flatMap((metric) =>
    made.exporter === true && !byDefault.test(metric.name)
      ? []
      : second.series(metric).map(({ labels, value }): Stored => {
          const earlier = first.get(metric, labels)?.value ?? value;
          // Each scrape but the last finds what the first did.
          return {
            name: metric.name,
            labels: { ...labels, ...target },
            samples: well.map((time) => [time, time === to ? value : earlier] as const),
          };
        }),
  );
  return { stored: [up, ...stored], local };
}

/** What a finding says. */
function said({ code, at, outcome, certainty, message, args, impact }: ReportFinding): unknown {
  return { code, at, outcome, certainty, message, args, impact };
}

function rulesThat(report: Report, outcome: ReportFinding['outcome']): readonly string[] {
  return [...new Set(report.findings.filter((each) => each.outcome === outcome).map(({ code }) => code))].sort();
}

describe('A fleet on a real Prometheus', { skip: withoutPrometheus }, () => {
  const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const local = new Map<string, Report>();
  let server: Server | undefined;
  let fleet: Fleet;

  const ask = async (...args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> =>
    pktcost(['fleet', '--prometheus', server!.url, '--at', String(END), ...args]);

  before(async () => {
    const stored: Stored[] = [];
    for (const [instance, made] of Object.entries(fleetOf)) {
      const written = write(folder, instance, made);
      local.set(instance, written.local);
      stored.push(...written.stored);
    }
    // Another job of the same server is no host.
    stored.push({ name: 'up', labels: { job: 'app', instance: 'app:80' }, samples: [[END, 1]] });
    server = await servePrometheus(folder, stored);
    const { status, stdout, stderr } = await ask('--json');
    assert.equal(status, 3, stderr);
    assert.equal(stderr, '');
    fleet = JSON.parse(stdout) as Fleet;
  });

  after(() => {
    server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const hostOf = (instance: string): FleetHost => fleet.hosts.find((host) => host.instance === instance)!;

  it('ranks the hosts: what loses most first, and those that are gone before those with nothing found', () => {
    assert.deepEqual(
      fleet.hosts.map(({ instance, state, verdict }) => [instance, state, verdict.outcome, verdict.principal]),
      [
        ['died-in-the-window:9100', 'down', 'critical', 'PKT0201'],
        ['db:9100', 'up', 'critical', 'PKT0201'],
        ['db-full-page:9100', 'up', 'critical', 'PKT0201'],
        ['web:9100', 'up', 'critical', 'PKT0401'],
        ['down:9100', 'down', 'not-measured', null],
        ['gone:9100', 'gone', 'not-measured', null],
        ['silent:9100', 'stale', 'not-measured', null],
        ['calm-full-page:9100', 'up', 'not-measured', null],
        ['calm:9100', 'up', 'not-measured', null],
      ],
    );
    assert.deepEqual(fleet.counts, { hosts: 9, critical: 4, warning: 0, gone: 3, notMeasured: 2, ok: 0 });
    assert.match(fleet.headline, /^9 hosts: 4 critical, 3 down, gone or without an answer, 2 with nothing found by/);
  });

  it('says why a host is not up, and when it was seen last', () => {
    assert.match(hostOf('down:9100').reason ?? '', /up is 0 at .*no samples in the window, the latest is of /);
    assert.match(hostOf('died-in-the-window:9100').reason ?? '', /up is 0 at .*; its latest samples are of /);
    assert.match(hostOf('silent:9100').reason ?? '', /latest samples are of .*, 210 s before the end of the window/);
    assert.match(hostOf('gone:9100').reason ?? '', /^no samples in the window; the latest is of /);
    for (const instance of ['silent:9100', 'gone:9100', 'down:9100']) {
      const host = hostOf(instance);
      assert.match(host.verdict.headline, /^Not judged: /);
      assert.ok(Date.parse(host.lastSampleAt ?? '') < END * 1000, instance);
    }
  });

  it('says of each host what the local verdict says of the same samples', () => {
    const checked = Object.entries(fleetOf).flatMap(([instance, { exporter }]) => {
      const [host, report] = [hostOf(instance), local.get(instance)!];
      if (host.seconds === null) return [];
      assert.ok(Math.abs(host.seconds - report.window.seconds) < 1e-6, instance);
      const lacking = new Set(host.notMeasured.flatMap(({ rules }) => rules));
      const fired = report.findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning');
      if (exporter === true) {
        // What node_exporter does not show takes words from a finding, and rules from the list, but turns no verdict round.
        assert.deepEqual(
          host.findings.map(({ code, outcome, certainty, impact }) => ({ code, outcome, certainty, impact })),
          fired
            .filter(({ code }) => !lacking.has(code))
            .map(({ code, outcome, certainty, impact }) => ({ code, outcome, certainty, impact })),
          instance,
        );
        assert.ok(
          fired.every(({ code }) => !lacking.has(code)),
          `${instance} hides what is the matter`,
        );
        return [];
      }
      assert.deepEqual(host.findings.map(said), fired.map(said), instance);
      assert.deepEqual([...lacking].sort(), [...rulesThat(report, 'not-measured')].sort(), instance);
      const { critical, warning, info, ok, notApplicable } = host.checks;
      assert.deepEqual(
        [critical, warning, info, ok, notApplicable],
        (['critical', 'warning', 'info', 'ok', 'not-applicable'] as const).map(
          (each) => rulesThat(report, each).length,
        ),
        instance,
      );
      assert.equal(host.verdict.outcome, report.verdict.outcome);
      return [instance];
    });
    assert.deepEqual(checked, ['db-full-page:9100', 'calm-full-page:9100']);
  });

  it('has the form of its schema, and the same bytes each time', async () => {
    assert.ok(validateFleet(fleet), JSON.stringify(validateFleet.errors));
    assert.deepEqual(orderErrors(fleet, fleetSchema), []);
    const [one, two] = await Promise.all([ask('--json'), ask('--json')]);
    assert.equal(one.stdout, two.stdout);
  });

  it('prints what an operator reads first, and as many hosts as were asked for', async () => {
    const { status, stdout } = await ask('--top', '2', '--match', '{instance!="died-in-the-window:9100"}');
    assert.equal(status, 3);
    assert.match(stdout, /8 hosts: 3 critical/);
    assert.match(stdout, / 1  db:9100 +critical +PKT0201 The conntrack table/);
    assert.match(stdout, /and 6 more below them/);
    assert.match(stdout, /sysctl -w net\.netfilter\.nf_conntrack_max=/);
    assert.doesNotMatch(stdout, /web:9100/);
    const markdown = await ask('--format', 'markdown', '--fail-on', 'never');
    assert.equal(markdown.status, 0);
    assert.match(markdown.stdout, /\| 4 \| `web:9100` \| critical \| PKT0401/);
  });

  it('exits with 0 where nothing was found, and says so of nobody', async () => {
    const { status, stdout } = await ask('--match', 'instance=~"calm.*"');
    assert.equal(status, 0);
    assert.match(stdout, /2 hosts: 2 with nothing found by the checks that could be made/);
    assert.match(stdout, /calm:9100 +not fully measured/);
  });

  it('a configuration of your own is in force', async () => {
    const config = join(folder, 'limits.json');
    writeFileSync(config, '{"thresholds": {"PKT0201": {"usage": 1.01}}}');
    const { stdout } = await ask('--json', '--config', config, '--match', 'instance="db:9100"');
    const other = JSON.parse(stdout) as Fleet;
    assert.deepEqual(
      other.thresholds.map(({ code, name, value }) => [code, name, value]),
      [['PKT0201', 'usage', 1.01]],
    );
    assert.ok(!other.hosts[0]!.findings.some(({ code }) => code === 'PKT0201'));
  });

  it('a match that selects nobody, or a time without samples, is one line', async () => {
    for (const [args, line] of [
      [['--at', String(END), '--match', '{job="nobody"}'], /no node_boot_time_seconds within 1h that --match selects$/],
      [['--at', '2001-09-09T01:46:40Z'], /has no host: no node_boot_time_seconds within 1h$/],
    ] as const) {
      const { status, stdout, stderr } = await pktcost(['fleet', '--prometheus', server!.url, ...args]);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr.trimEnd(), line);
    }
  });
});
