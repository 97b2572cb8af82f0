import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { judgeFleet, tokenIn, type FleetOptions } from '../../../src/jobs/fleet.ts';
import type { Fleet } from '../../../src/generated/fleet.ts';
import { renderFleetMarkdown } from '../../../src/report/fleet/markdown.ts';
import { renderFleetText } from '../../../src/report/fleet/text.ts';
import { parseMatch } from '../../../src/sources/pages/selector.ts';
import { parseTime } from '../../../src/commands/arguments.ts';
import { pktcost } from '../../support/command.ts';
import { serve, type Served } from '../../support/http.ts';

const END = 1_770_000_000;
const SECONDS = 300;

type Labels = Readonly<Record<string, string>>;
type Samples = readonly (readonly [number, number])[];
interface Series {
  readonly labels: Labels;
  readonly samples: Samples;
}

/** Values at scrapes of 60 s, the last at the end of the window. */
const at = (...values: readonly number[]): Samples =>
  values.map((value, index) => [END - (values.length - 1 - index) * 60, value] as const);
const flat = (value: number): Samples => at(...Array<number>(6).fill(value));

/** A host whose conntrack table is full, and what its drops did. */
function host(labels: Labels, drops: Samples = at(0, 10, 20, 30, 40, 3000)): readonly Series[] {
  const of = (name: string, samples: Samples): Series => ({ labels: { __name__: name, ...labels }, samples });
  return [
    of('up', flat(1)),
    of('node_boot_time_seconds', flat(1000)),
    of('node_nf_conntrack_entries', flat(1000)),
    of('node_nf_conntrack_entries_limit', flat(1000)),
    of('node_nf_conntrack_stat_drop', drops),
    of('node_nf_conntrack_stat_early_drop', flat(0)),
    of('node_nf_conntrack_stat_insert_failed', flat(0)),
  ];
}

interface Api {
  readonly served: Served;
  readonly queries: string[];
  mostAtOnce: number;
}

type Reply = { readonly status?: number; readonly type?: string; readonly body: string; readonly headers?: Labels };

/** As much of the API as pktcost asks: selectors of names and instances over these series. */
async function api(
  series: readonly Series[],
  instead: (query: string, request: IncomingMessage) => Reply | undefined = () => undefined,
): Promise<Api> {
  const queries: string[] = [];
  let open = 0;
  const state = { mostAtOnce: 0 };
  const served = await serve((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    const query = url.searchParams.get('query') ?? '';
    queries.push(query);
    open += 1;
    state.mostAtOnce = Math.max(state.mostAtOnce, open);
    const reply = instead(query, request) ?? {
      body: JSON.stringify({ status: 'success', data: dataOf(series, query) }),
    };
    setTimeout(() => {
      open -= 1;
      response
        .writeHead(reply.status ?? 200, { 'content-type': reply.type ?? 'application/json', ...reply.headers })
        .end(reply.body);
    }, 5);
  });
  return Object.assign(state, { served, queries });
}

function dataOf(series: readonly Series[], query: string): unknown {
  if (query === 'time()') return { resultType: 'scalar', result: [END, String(END)] };
  if (query.startsWith('timestamp(')) {
    const seen = series.filter(({ labels }) => labels['__name__'] === 'node_boot_time_seconds');
    return {
      resultType: 'vector',
      result: seen.map(({ labels, samples }) => ({
        metric: Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__')),
        value: [END, String(samples.at(-1)![0])],
      })),
    };
  }
  const matchers = [...query.matchAll(/(\w+)(=~|=)"((?:[^"\\]|\\.)*)"/g)].map(([, label = '', operator, raw = '']) => {
    const value = JSON.parse(`"${raw}"`) as string;
    return { label, matches: new RegExp(`^(?:${operator === '=' ? value.replace(/[^\w]/g, '\\$&') : value})$`) };
  });
  const named = query.startsWith('up') ? [{ label: '__name__', matches: /^up$/ }, ...matchers] : matchers;
  return {
    resultType: 'matrix',
    result: series
      .filter(({ labels }) => named.every(({ label, matches }) => matches.test(labels[label] ?? '')))
      .map(({ labels, samples }) => ({
        metric: labels,
        values: samples.filter(([time]) => time >= END - SECONDS).map(([time, value]) => [time, String(value)]),
      }))
      .filter(({ values }) => values.length > 0),
  };
}

const open: Served[] = [];
after(async () => {
  await Promise.all(open.map((served) => served.close()));
});

async function judged(
  series: readonly Series[],
  options: Partial<FleetOptions> = {},
  instead?: Parameters<typeof api>[1],
): Promise<{ fleet: Fleet; api: Api }> {
  const server = await api(series, instead);
  open.push(server.served);
  const fleet = await judgeFleet({
    url: server.served.url,
    seconds: SECONDS,
    at: undefined,
    match: undefined,
    token: undefined,
    tenant: undefined,
    timeoutSeconds: 20,
    stop: new AbortController().signal,
    top: Infinity,
    overrides: {},
    version: '0',
    ...options,
  });
  return { fleet, api: server };
}

const reasonsOf = ({ hosts }: Fleet): string =>
  hosts.flatMap(({ notMeasured }) => notMeasured.map(({ reason }) => reason)).join('\n');

const told = ({ hosts }: Fleet): readonly unknown[] =>
  hosts.map(({ instance, labels, verdict }) => [instance, labels, verdict.principal]);

const node = (instance: string, more: Labels = {}): Labels => ({ job: 'node', instance, ...more });

describe('the hosts of a server', () => {
  it('are told apart by their cluster where job and instance are the same', async () => {
    const series = [
      ...host(node('a:9100', { cluster: 'x', region: 'eu' })),
      ...host(node('a:9100', { cluster: 'y', region: 'eu' }), flat(7)),
    ];
    const { fleet } = await judged(series);
    assert.deepEqual(told(fleet), [
      ['a:9100', { cluster: 'x' }, 'PKT0201'],
      ['a:9100', { cluster: 'y' }, 'PKT0202'],
    ]);
  });

  it('are one host where an exporter came after another, as with a new pod', async () => {
    const [first, second] = ['pod-1', 'pod-2'].map((pod) => host(node('a:9100', { pod }))) as [Series[], Series[]];
    const series = [
      ...first.map(({ labels, samples }) => ({ labels, samples: samples.slice(0, 3) })),
      ...second.map(({ labels, samples }) => ({ labels, samples: samples.slice(3) })),
    ];
    const { fleet } = await judged(series);
    assert.deepEqual(told(fleet), [['a:9100', {}, 'PKT0201']]);
    assert.equal(fleet.hosts[0]?.findings[0]?.impact.lostPerSecond, 10);
  });

  it('one scrape tells its levels, and what to do about them is a number', async () => {
    const once = host(node('a:9100')).map(({ labels, samples }) => ({ labels, samples: samples.slice(-1) }));
    const { fleet } = await judged(once);
    assert.deepEqual(told(fleet), [['a:9100', {}, 'PKT0202']]);
    assert.match(fleet.headline, /raise the table from 1000 to 2048 entries/);
    assert.doesNotMatch(JSON.stringify(fleet), /NaN|Infinity/);
  });

  it('a counter that was reset between two scrapes has no rise, however high it is at the end', async () => {
    const { fleet } = await judged(host(node('a:9100'), at(100, 200, 5, 300, 4000, 9000)));
    // That the table is full is told by its gauges, and no more than that.
    assert.deepEqual(told(fleet), [['a:9100', {}, 'PKT0202']]);
    const reasons = reasonsOf(fleet);
    assert.match(reasons, /went from 200 back to 5 at 2026-02-02T02:37:00Z: reset/);
  });

  it('a series that went away in the window is not there at its end', async () => {
    const { fleet } = await judged(host(node('a:9100'), at(0, 1000, 2000, 3000, 4000, 5000).slice(0, 3)));
    assert.equal(fleet.hosts[0]?.verdict.principal, 'PKT0202');
    assert.match(reasonsOf(fleet), /no samples of it in the window/);
  });

  it('one scrape in the window is no window', async () => {
    const series = host(node('a:9100')).map(({ labels, samples }) => ({ labels, samples: samples.slice(-1) }));
    const { fleet } = await judged(series);
    // A level stands in one sample; a rise does not.
    assert.deepEqual(told(fleet), [['a:9100', {}, 'PKT0202']]);
    assert.match(reasonsOf(fleet), /one sample only in the window/);
  });

  it('are asked for some at a time, with few questions at once, and all are judged', async () => {
    const names = Array.from({ length: 130 }, (_, index) => `h${index}.example(x):9100`);
    const { fleet, api: server } = await judged(names.flatMap((name) => host(node(name))));
    assert.equal(fleet.counts.critical, names.length);
    assert.ok(server.mostAtOnce <= 2, `${server.mostAtOnce} questions at once`);
    assert.ok(server.queries.length < names.length, `${server.queries.length} questions`);
    assert.ok(server.queries.every((query) => query.length < 4000));
  });

  it('are asked for in halves when the server says that it is too much', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `h${index}:9100`);
    const { fleet } = await judged(
      names.flatMap((name) => host(node(name))),
      {},
      (query) => {
        const asked = /instance=~?"([^"]*)"/.exec(query)?.[1]?.split('|').length ?? 0;
        if (asked <= 3) return undefined;
        const error = 'query processing would load too many samples into memory in query execution';
        return { status: 422, body: JSON.stringify({ status: 'error', errorType: 'execution', error }) };
      },
    );
    assert.equal(fleet.counts.critical, names.length);
  });

  it('one that the server cannot answer for is said, and the others are judged', async () => {
    const series = [...host(node('a:9100')), ...host({ job: 'other', instance: 'b:9100' })];
    const { fleet } = await judged(series, {}, (query) =>
      query.includes('job="other"')
        ? { status: 503, body: '{"status":"error","error":"store is\\nillness"}' }
        : undefined,
    );
    assert.deepEqual(
      fleet.hosts.map(({ instance, state }) => [instance, state]),
      [
        ['a:9100', 'up'],
        ['b:9100', 'unanswered'],
      ],
    );
    assert.match(fleet.hosts[1]?.reason ?? '', /^the server cannot answer now \(HTTP 503\): store is illness$/);
    assert.equal(fleet.counts.gone, 1);
  });

  it('what the server warns of is passed on', async () => {
    const { fleet } = await judged(host(node('a:9100')), {}, (query) => {
      if (!query.startsWith('up')) return undefined;
      return {
        body: JSON.stringify({
          status: 'success',
          data: dataOf(host(node('a:9100')), query),
          warnings: ['no store for eu'],
        }),
      };
    });
    assert.deepEqual(fleet.warnings, ['no store for eu']);
    assert.match(
      renderFleetText(fleet, { colour: false, width: 100, unicode: true }),
      /The server warns: no store for eu/,
    );
  });

  it('what a server calls them is text, in whatever form', async () => {
    const { fleet } = await judged(host(node('a\u001b[31m<b>|`:9100')));
    const text = renderFleetText(fleet, { colour: false, width: 100, unicode: true });
    const markdown = renderFleetMarkdown(fleet);
    assert.ok(!`${text}${markdown}`.includes('\u001b'));
    assert.match(markdown, /``a\\x1b\[31m<b>\\\|`:9100``/);
  });

  it('are found without anything up, when they were asked for by name', async () => {
    const down = [{ labels: { __name__: 'up', ...node('a:9100') }, samples: flat(0) }];
    const { fleet } = await judged(down, { match: '{job="node"}' });
    assert.deepEqual(
      fleet.hosts.map(({ state }) => state),
      ['down'],
    );
    await assert.rejects(judged(down), /has no host: no node_boot_time_seconds within 1h/);
  });
});

describe('a server that gives no answer is one line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-fleet-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const json = (status: number, error: string): Reply => ({
    status,
    body: JSON.stringify({ status: 'error', errorType: 'x', error }),
  });

  for (const [name, reply, line] of [
    ['a query it does not take', json(422, 'too many\nchunks'), /refuses \(HTTP 422\): too many chunks/],
    ['not now', json(503, 'shutting down'), /cannot answer now \(HTTP 503\): shutting down/],
    ['a tenant it wants', json(401, 'no org id'), /refuses \(HTTP 401\): --token-file names .*--tenant.*: no org id/],
    [
      'a login',
      { type: 'text/html', body: '<html>' },
      /answers with an HTML page \(a login\?\) and not with JSON \(HTTP 200\)/,
    ],
    [
      'another path',
      { status: 404, type: 'text/plain', body: '' },
      /has no \/api\/v1\/query there \(HTTP 404\): .*\/prometheus for Mimir/,
    ],
    [
      'another place',
      { status: 302, body: '', headers: { location: 'https://login/?next=1' } },
      /redirects to https:\/\/login\/: give the address/,
    ],
    ['half an answer', { body: '{"status":"succ' }, /answers with what is not JSON: /],
    [
      'another API',
      { body: '{"status":"success","data":{"resultType":"streams","result":[]}}' },
      /JSON that is not of the Prometheus API/,
    ],
    ['no object', { body: 'null' }, /refuses \(HTTP 200\)/],
    [
      'too much',
      { body: `{"status":"success","data":"${'x'.repeat(17 * 2 ** 20)}"}` },
      /answers with more than 16 MiB/,
    ],
  ] as const) {
    it(name, async () => {
      const server = await api([], () => reply);
      open.push(server.served);
      const { status, stdout, stderr } = await pktcost(['fleet', '--prometheus', server.served.url]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, line);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    });
  }

  it('with a token from a file, and a tenant; neither is shown', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const server = await api(host(node('a:9100')), (_, request) => void seen.push(request.headers));
    open.push(server.served);
    const file = join(folder, 'token');
    writeFileSync(file, 's3cr3t\n');
    const args = ['fleet', '--prometheus', `${server.served.url}/`, '--token-file', file, '--tenant', 'ops'];
    const { status, stdout, stderr } = await pktcost(args);
    assert.equal(status, 3, stderr);
    assert.ok(seen.length > 0);
    assert.ok(seen.every((headers) => headers.authorization === 'Bearer s3cr3t' && headers['x-scope-orgid'] === 'ops'));
    assert.ok(!`${stdout}${stderr}`.includes('s3cr3t'));
  });

  it('in time that is bounded', async () => {
    const server = await serve(() => undefined);
    open.push(server);
    const { status, stderr } = await pktcost(['fleet', '--prometheus', server.url, '--timeout', '1s']);
    assert.equal(status, 2);
    assert.match(stderr, /was not asked to the end: time is up/);
  });

  for (const [args, line] of [
    [[], /prometheus/],
    [['--prometheus', 'prometheus:9090'], /begins with neither/],
    [['--prometheus', 'http://h/?a=b'], /http:\/\/h\/\?\.\.\.: give it without a query/],
    [['--prometheus', 'http://h', '--match', 'job=node'], /--match: not like \{job="node"\}/],
    [['--prometheus', 'http://h', '--match', '{__name__="up"}'], /leave out __name__/],
    [['--prometheus', 'http://h', '--at', 'yesterday'], /--at "yesterday" is not a time/],
    [['--prometheus', 'http://h', '--top', '0'], /top/],
    [['--prometheus', 'http://h', '--timeout', '0s'], /--timeout 0s is out of range/],
    [
      ['--prometheus', 'http://h', '--token-file', '/nonexistent'],
      /--token-file \/nonexistent: cannot be read: no such file or directory \(ENOENT\)/,
    ],
    [['--prometheus', 'http://h', '--format', 'html'], /format/],
  ] as const) {
    it(`bad usage: ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await pktcost(['fleet', ...args]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, line);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    });
  }
});

describe('what is asked for', () => {
  it('--match takes label matchers, with or without braces', () => {
    for (const [text, matchers] of [
      ['', []],
      ['{}', []],
      ['{job="node"}', ['job="node"']],
      [' job = "a,}" , env!~"x|y" ', ['job="a,}"', 'env!~"x|y"']],
      ["{job='a\"b'}", ["job='a\"b'"]],
      ['{a="b",}', ['a="b"']],
    ] as const) {
      assert.deepEqual(parseMatch(text), { ok: true, value: matchers }, text);
    }
    for (const text of ['job', 'job="a" env="b"', '{job="a"', 'up{job="a"}', 'job=="a"', ',', '{job="a"} or up']) {
      assert.ok(!parseMatch(text).ok, text);
    }
  });

  it('--at takes a time with its zone, or Unix seconds', () => {
    assert.equal(parseTime('--at', '2026-03-01T09:30:00Z'), 1_772_357_400);
    assert.equal(parseTime('--at', '2026-03-01T10:30:00.5+01:00'), 1_772_357_400.5);
    assert.equal(parseTime('--at', '1772357400'), 1_772_357_400);
    for (const text of ['2026-03-01', '2026-03-01T09:30:00', '2026-13-01T09:30:00Z', 'now', '1e9', '']) {
      assert.throws(() => parseTime('--at', text), /is not a time/, text);
    }
  });

  it('a token is one word of the first line', () => {
    assert.deepEqual(tokenIn('abc.def\nmore'), { ok: true, value: 'abc.def' });
    for (const content of ['', '\nabc', 'two words', 'é']) assert.ok(!tokenIn(content).ok);
  });
});
