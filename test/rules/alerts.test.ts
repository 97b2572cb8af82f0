import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { collectors } from '../../src/collectors/index.ts';
import { cpuSeconds, deviceNumaNode, netstat, sysctl } from '../../src/metrics/catalogue/index.ts';
import type { Labels, Metric } from '../../src/metrics/metric.ts';
import { Window } from '../../src/metrics/window.ts';
import { alertRules, raisedBy } from '../../src/rules/alerts.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { liveReader } from '../../src/sources/live-reader.ts';
import { takeSample } from '../../src/sources/take-sample.ts';
import { host, sockets, spans } from '../report/cases.ts';
import { writeImage } from '../scenarios/kit/image.ts';
import { assertAgreement } from '../support/alerts.ts';
import { windowOf, type Cell } from '../support/window.ts';

const said = rules.filter(({ alert }) => alert !== undefined && 'raise' in alert);

describe('every rule', () => {
  for (const { code, id, alert } of rules) {
    it(`${code} ${id} is exported, or says why it is not`, () => {
      assert.ok(alert !== undefined);
      if ('none' in alert) assert.match(alert.none, /^[a-z].{20,}[^.]$/);
    });
  }
});

describe('alerts', () => {
  it('are made of the limits, which a configuration changes', () => {
    const [critical] = alertRules(rules, { PKT0401: { attemptsPerSecond: 77 } }, '10m').exported.filter(
      ({ code }) => code === 'PKT0401',
    );
    assert.match(critical?.promql ?? '', /\[10m\]\) >= 77/);
  });

  it('say what they need beyond a node_exporter as it comes', () => {
    const exported = alertRules(rules, {}, '5m').exported;
    const needs = (code: string): readonly string[][] =>
      exported
        .filter((rule) => rule.code === code)
        .map((rule) => [...rule.needs, ...rule.needsOne].map(({ name }) => name));
    assert.deepEqual(needs('PKT0201'), [[]]);
    assert.deepEqual(needs('PKT0401'), [[], []]);
    assert.deepEqual(needs('PKT0501'), [['pktcost_device_info'], ['pktcost_device_info']]);
    assert.deepEqual(needs('PKT0402')[0], ['node_netstat_TcpExt_TCPReqQFullDrop']);
    assert.deepEqual(needs('PKT0404')[0], ['node_netstat_TcpExt_TCPAbortOnMemory', 'pktcost_tcp_mem_pages']);
  });

  it('fire where the verdict does on hosts made by hand', () => {
    for (const cells of [
      host(),
      [...host({ packets: 200_000, frames: 500_000, softirq: 0.5 }), ...sockets, ...spans],
      host({ packets: 900_000, frames: 900_000, softirq: 9.5 }),
    ]) {
      const window = windowOf({ cells });
      for (const rule of said) assertAgreement(rule, window, evaluateRules(window, [rule]));
    }
  });

  it('fire where the verdict does on a recorded host of two nodes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pktcost-alerts-'));
    try {
      const { root, after } = writeImage(folder, {
        nicNode: 1,
        receivingCpus: [0, 1, 4, 5],
        foreign: 50_000,
        other: 700,
      });
      const reader = liveReader({ procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root });
      const before = takeSample({ reader, collectors });
      after();
      const window = new Window(before, takeSample({ reader, collectors }));
      for (const rule of said) assertAgreement(rule, window, evaluateRules(window, [rule]));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Values of labels: two of CPUs and nodes, and those that the alert asks for; any other label has one. */
function valuesFor(rule: Rule): ReadonlyMap<string, readonly string[]> {
  const { critical, warning } = raisedBy(rule);
  const asked = [critical, warning].flatMap((alert) => (alert === undefined ? [] : [alert.when]));
  const values = new Map([
    ['cpu', new Set(['0', '1'])],
    ['node', new Set(['0', '1'])],
  ]);
  for (const each of asked)
    for (const [, label = '', list = ''] of each.promql('5m').matchAll(/\b(\w+)=~?"([^"$()*]+)"/g))
      values.set(label, new Set([...(values.get(label) ?? []), ...list.split('|')]));
  return new Map([...values].map(([label, all]) => [label, [...all]]));
}

/** Left out, since the alert knowingly differs by it. */
const differing: ReadonlySet<Metric> = new Set<Metric>(
  ['Udp_SndbufErrors', 'Udp6_SndbufErrors'].map((field) => netstat.member(field)),
);

const SECONDS = 300;

/** One metric, at every combination of such labels, rising by amounts below, around and above the limits. */
function cellsOf(
  metric: Metric,
  required: boolean,
  values: ReadonlyMap<string, readonly string[]>,
): fc.Arbitrary<Cell[]> {
  const combinations = [...metric.labels, ...(metric.perNetns ? ['netns'] : [])].reduce<Labels[]>(
    (all, name) =>
      (name === 'netns' ? ['', 'blue'] : (values.get(name) ?? ['x'])).flatMap((text) =>
        all.map((labels) => (text === '' ? labels : { ...labels, [name]: text })),
      ),
    [{}],
  );
  const amount =
    metric === cpuSeconds || metric.unit === 'seconds'
      ? fc.constantFrom(0, 0.04, 0.1, 0.2, 0.5, 0.7, 0.9, 1).map((share) => share * SECONDS)
      : metric === deviceNumaNode || metric === sysctl
        ? fc.constantFrom(-1, 0, 1, 2)
        : fc.constantFrom(0, 1, 4, 5, 9, 10, 99, 100, 290, 300, 3000, 5e5, 9e5, 1e9, 2.5e9, 8e9, 6e9);
  const counts = metric.type === 'counter' || 'countsUp' in metric;
  const cell = (labels: Labels): fc.Arbitrary<Cell> =>
    amount.map((to): Cell => {
      const rise = metric.width === 'u64' ? to : Math.min(to, 2 ** 31);
      if (metric.width === 'u32-per-cpu') return [metric, labels, [0], [rise]];
      return [metric, labels, counts ? 0 : rise, rise];
    });
  const all = fc.tuple(...combinations.map(cell));
  return required ? all : fc.oneof({ arbitrary: all, weight: 4 }, { arbitrary: fc.constant<Cell[]>([]), weight: 1 });
}

function hostsFor(rule: Rule): fc.Arbitrary<Cell[]> {
  const required = new Set(
    Object.values(rule.signals).flatMap((spec): readonly Metric[] => {
      const of = 'kind' in spec ? spec.of : spec;
      return !('kind' in spec) || (spec.kind === 'list' && spec.required) ? of.metrics : [];
    }),
  );
  // In the same file as the others, whatever the kernel.
  required.add(netstat.member('Tcp_InSegs'));
  const { critical, warning } = raisedBy(rule);
  const metrics = new Set([...required, ...(critical?.when.metrics ?? []), ...(warning?.when.metrics ?? [])]);
  const generated = [...metrics].filter((metric) => !differing.has(metric));
  const values = valuesFor(rule);
  return fc
    .tuple(...generated.map((metric) => cellsOf(metric, required.has(metric), values)))
    .map((cells) => cells.flat());
}

function shown(cells: readonly Cell[]): string {
  return cells.map(([{ name }, labels, , to]) => `${name} ${JSON.stringify(labels)} ${String(to)}`).join('\n');
}

describe('on any host the alert fires where the verdict does', () => {
  for (const rule of said) {
    it(`${rule.code} ${rule.id}`, () => {
      let fired = 0;
      fc.assert(
        fc.property(hostsFor(rule), (cells) => {
          const ran = Object.values(rule.signals).flatMap((spec) => ('kind' in spec ? spec.of : spec).metrics);
          const window = windowOf({ seconds: SECONDS, cells, ran: ran.map(({ collector }) => collector) });
          const findings = evaluateRules(window, [rule]);
          fired += findings.filter(({ outcome }) => outcome === 'critical' || outcome === 'warning').length;
          assertAgreement(rule, window, findings, shown(cells));
        }),
        { numRuns: 300, seed: 20260101, includeErrorInReport: true },
      );
      assert.ok(fired > 0, 'none of these hosts lets it fire');
    });
  }
});
