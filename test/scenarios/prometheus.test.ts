import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { refusedByLevel } from '../../src/facts/datagrams.ts';
import { dropsOwnedBy, unnamedDropsOwnedBy } from '../../src/facts/drop-reasons.ts';
import { collectors } from '../../src/collectors/index.ts';
import { udpMem } from '../../src/metrics/catalogue/index.ts';
import type { Expression } from '../../src/metrics/expression.ts';
import { exposedAs, type Labels, type Metric } from '../../src/metrics/metric.ts';
import { labelKey, Snapshot } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';
import { raisedBy } from '../../src/rules/alerts.ts';
import { rules } from '../../src/rules/index.ts';
import { liveReader } from '../../src/sources/live-reader.ts';
import { takeSample } from '../../src/sources/take-sample.ts';
import { PREFIX } from './kit/programs.ts';
import { writeImage } from './kit/image.ts';
import { servePrometheus, withoutPrometheus, type Server } from './kit/prometheus.ts';

/** Both ends of the range `[5m]` that the PromQL of the rules is printed with. */
const SECONDS = 300;

interface Pair {
  readonly metric: Metric;
  readonly labels: Labels;
  readonly from: number;
  readonly to: number;
}

/** The series that are there at both ends: what began in between has no rate for Prometheus. */
function pairsOf(first: Snapshot, second: Snapshot): Pair[] {
  return second.metrics().flatMap((metric) =>
    second.series(metric).flatMap(({ labels, value }) => {
      const earlier = first.get(metric, labels)?.value;
      // A counter that stepped back is a reset for Prometheus; here it is clamped, wrapped or told.
      if (earlier === undefined || (metric.type === 'counter' && value < earlier)) return [];
      return [{ metric, labels, from: earlier, to: value }];
    }),
  );
}

function windowOf(pairs: readonly Pair[]): Window {
  const [first, second] = [0, SECONDS].map((at) => new Snapshot(new Date(at * 1000).toISOString(), at));
  for (const { metric, labels, from, to } of pairs) {
    first!.add(metric, labels, from, 0);
    second!.add(metric, labels, to, SECONDS);
  }
  return new Window(first!, second!);
}

/** The recorded host of two nodes: interrupts that two ports share, nodes, threads and their joins. */
function recorded(folder: string): Pair[] {
  const { root, after } = writeImage(folder, {
    nicNode: 1,
    receivingCpus: [0, 1, 4, 5],
    foreign: 5000,
    other: 700,
    secondPort: true,
    pmd: { allowed: '2-3', cpu: 2 },
  });
  const sample = (): Snapshot =>
    takeSample({
      reader: liveReader({ procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root }),
      collectors,
    });
  const first = sample();
  after();
  return pairsOf(first, sample());
}

/** The rules that speak of what the kernel dropped: a reason of each, and a function of each where there is no reason. */
const ofLosses = ['PKT0409', 'PKT0504', 'PKT0701', 'PKT0702', 'PKT0703', 'PKT0704', 'PKT0705', 'PKT0708'];

/** What the recorded host lacks, by the names of the labels: every series that a rule asks for has to be there. */
const values: Readonly<Record<string, readonly string[]>> = {
  device: ['eth0', 'eth1', 'any'],
  cpu: ['0', '4'],
  node: ['0', '1'],
  span: ['taps', 'stack'],
  mode: ['tracepoint', 'softirq', 'irq', 'idle', 'user', 'steal', 'native'],
  protocol: ['ALL', '0003'],
  quantile: ['0.5', '0.99', '1'],
  state: ['populated', 'empty', 'unknown'],
  role: ['napi', 'backlog', 'ovs', 'vhost'],
  feature: ['irq_time_accounting', 'per_netns_taps', 'btf'],
  limit: ['min', 'pressure', 'max'],
  kind: ['physical', 'bridge', 'xdp'],
  direction: ['receive', 'transmit'],
  part: ['a part', 'tap-transmit'],
  reason: [
    'NOT_SPECIFIED',
    'QDISC_DROP',
    'CPU_BACKLOG',
    ...ofLosses.flatMap((code) => dropsOwnedBy(code).reason.slice(0, 1)),
    'PROTO_MEM',
  ],
  location: ofLosses.flatMap((code) => unnamedDropsOwnedBy(code).location.slice(0, 1)),
};

/** What others are joined with says one thing for each key, which no invention would; the recorded host has it. */
const joined = new Set(['pktcost_cpu_node_info']);

/**
 * Series of our own for a metric, over every combination of such values; other labels have one value each.
 * @param still which of them stand still
 */
function invented(metric: Metric, still: (seed: number) => boolean = () => false): Pair[] {
  const names = metric.perNetns ? [...metric.labels, 'netns'] : metric.labels;
  const combinations = names.reduce<Labels[]>(
    (all, name) =>
      (name === 'netns' ? ['', 'blue'] : (values[name] ?? [`a ${name}`])).flatMap((value) =>
        all.map((labels) => (value === '' ? labels : { ...labels, [name]: value })),
      ),
    [{}],
  );
  return combinations.map((labels) => {
    const seed = Buffer.from(`${metric.name}${labelKey(labels)}`).reduce((sum, byte) => (sum * 31 + byte) % 9973, 7);
    const from = metric.unit === 'none' ? 1 : seed;
    return { metric, labels, from, to: metric.unit === 'none' ? 1 : still(seed) ? seed : seed * 3 + 11 };
  });
}

/** A Prometheus over the two samples, a name apart for each set of them. */
async function serve(folder: string, sets: Readonly<Record<string, readonly Pair[]>>, end: number): Promise<Server> {
  const series = Object.entries(sets).flatMap(([job, pairs]) =>
    pairs.map(({ metric, labels, from, to }) => {
      const { name, per } = exposedAs(metric);
      return {
        name,
        labels: { ...labels, job },
        samples: [[end - SECONDS, from / per] as const, [end, to / per] as const],
      };
    }),
  );
  return servePrometheus(folder, series);
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly metric: Labels; readonly value: readonly [number, string] }[];
  };
}

async function ask(server: Server, query: string, time: number): Promise<Answer> {
  const parameters = new URLSearchParams({ query, time: `${time}` });
  const response = await fetch(`${server.url}/api/v1/query?${parameters.toString()}`);
  return (await response.json()) as Answer;
}

/** Values by their labels, without the ones that tell the sets apart. */
function byLabels(points: Iterable<readonly [Labels, number]>): Map<string, number> {
  return new Map(
    [...points].map(([labels, value]) => {
      const own = Object.entries(labels).filter(([name, text]) => !['__name__', 'job'].includes(name) && text !== '');
      return [labelKey(Object.fromEntries(own)), value];
    }),
  );
}

describe(
  'The PromQL of every signal and every alert says what the local evaluation says',
  { skip: withoutPrometheus },
  () => {
    const folder = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`));
    const end = Math.floor(Date.now() / 1000) - 3600;
    const sets: Record<string, readonly Pair[]> = {};
    let server: Server | undefined;

    before(async () => {
      const needed = new Set(
        rules.flatMap((rule) => Object.values(rule.signals).flatMap((spec) => ofSpec(spec).metrics)),
      );
      sets['recorded'] = recorded(folder);
      const roots = { procfs: '/proc', sysfs: '/sys', rootfs: '/' };
      const first = takeSample({ reader: liveReader(roots), collectors });
      sets['live'] = pairsOf(first, takeSample({ reader: liveReader(roots), collectors }));
      const own = [...needed].filter(({ name }) => !joined.has(name));
      sets['invented'] = own.flatMap((metric) => invented(metric));
      sets['half still'] = own.flatMap((metric) => invented(metric, (seed) => seed % 2 === 0));
      sets['mostly still'] = own.flatMap((metric) => invented(metric, (seed) => seed % 3 !== 1));
      // A level that is reached, which no invention hits.
      sets['UDP at its limit'] = refusedByLevel.metrics.flatMap((metric) =>
        invented(metric).map((pair) => (metric === udpMem ? { ...pair, from: 1, to: 1 } : pair)),
      );
      server = await serve(folder, sets, end);
    });

    after(() => {
      server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const agrees = async (name: string, expression: Expression): Promise<void> => {
      const query = expression.promql('5m');
      for (const [job, pairs] of Object.entries(sets)) {
        const expected = byLabels(
          expression.evaluate(windowOf(pairs)).points.map(({ labels, value }) => [labels, value] as const),
        );
        const answer = await ask(server!, query, end);
        assert.equal(answer.status, 'success', `${name}: ${query}: ${answer.error ?? ''}`);
        const actual = byLabels(
          (answer.data?.result ?? [])
            .filter(({ metric }) => metric['job'] === job)
            .map(({ metric, value: [, text] }) => [metric, Number(text)] as const),
        );
        assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort(), `${name} of ${job}: ${query}`);
        for (const [labels, value] of expected) {
          const told = actual.get(labels) ?? NaN;
          const near = Math.abs(told - value) <= 1e-9 * Math.max(Math.abs(value), 1e-300);
          assert.ok(near, `${name} of ${job} ${labels}: Prometheus ${told}, here ${value}: ${query}`);
        }
      }
    };

    for (const rule of rules) {
      it(`${rule.code} ${rule.id}`, async () => {
        for (const [name, spec] of Object.entries(rule.signals)) await agrees(name, ofSpec(spec));
      });
    }

    for (const { code, alerts } of alertsOfAll()) {
      it(`${code} as an alert, at these limits and at others`, async () => {
        for (const [name, expression] of alerts) await agrees(name, expression);
      });
    }

    it('every alert fires in one of the samples', () => {
      const silent = alertsOfAll()
        .filter(({ alerts }) =>
          alerts.every(([, expression]) =>
            Object.values(sets).every((pairs) => expression.evaluate(windowOf(pairs)).points.length === 0),
          ),
        )
        .map(({ code }) => code);
      assert.deepEqual(silent, []);
    });

    it('every signal has a value in one of the samples', () => {
      const empty = rules.flatMap((rule) =>
        Object.entries(rule.signals)
          .filter(([, spec]) =>
            Object.values(sets).every((pairs) => ofSpec(spec).evaluate(windowOf(pairs)).points.length === 0),
          )
          .map(([name]) => `${rule.code} ${name}`),
      );
      assert.deepEqual(empty, []);
    });
  },
);

function ofSpec(spec: (typeof rules)[number]['signals'][string]): Expression {
  return 'kind' in spec ? spec.of : spec;
}

/** The alerts of each rule that has some: at its limits, with all of them lowered, raised, and some of each. */
function alertsOfAll(): readonly {
  readonly code: string;
  readonly alerts: readonly (readonly [string, Expression])[];
}[] {
  const changes = {
    'as it is': () => 1,
    lowered: () => 0.001,
    raised: () => 1000,
    'raised, then lowered': (place) => (place < 0.5 ? 1000 : 0.001),
  } satisfies Readonly<Record<string, (place: number) => number>>;
  return rules.flatMap((rule) => {
    const limits = Object.entries(rule.thresholds);
    const alerts = Object.entries(changes).flatMap(([change, factor]) => {
      const changed = limits.map(([name, { value }], index) => [name, value * factor(index / limits.length)] as const);
      const raised = raisedBy(rule, { [rule.code]: Object.fromEntries(changed) });
      return Object.entries(raised).map(([severity, { when }]) => [`${severity}, limits ${change}`, when] as const);
    });
    return alerts.length === 0 ? [] : [{ code: rule.code, alerts }];
  });
}
