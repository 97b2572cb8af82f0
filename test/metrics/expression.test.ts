import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackEntries,
  conntrackLimit,
  cpuIsolated,
  cpuNode,
  cpuSeconds,
  netstat,
  softnetProcessed,
} from '../../src/metrics/catalogue/index.ts';
import { above } from '../../src/metrics/condition.ts';
import {
  acrossNetns,
  add,
  andOn,
  either,
  increase,
  maxBy,
  peak,
  rate,
  ratio,
  renamed,
  scale,
  subtract,
  sumBy,
  value,
  withLabels,
  type Expression,
} from '../../src/metrics/expression.ts';
import { windowOf, type WindowSpec } from '../support/window.ts';

const softirqShare = ratio(sumBy(['cpu'], rate(cpuSeconds, { mode: 'softirq' })), sumBy(['cpu'], rate(cpuSeconds)));

const cpus: WindowSpec = {
  seconds: 10,
  cells: [
    [cpuSeconds, { cpu: '0', mode: 'softirq' }, 100, 109.4],
    [cpuSeconds, { cpu: '0', mode: 'idle' }, 50, 50.6],
    [cpuSeconds, { cpu: '1', mode: 'softirq' }, 1, 1],
    [cpuSeconds, { cpu: '1', mode: 'idle' }, 50, 60],
    [cpuIsolated, { cpu: '0' }, 1, 1],
    [cpuNode, { cpu: '0', node: '0' }, 1, 1],
    [cpuNode, { cpu: '1', node: '1' }, 1, 1],
    [softnetProcessed, { cpu: '0' }, 0, 500],
    [softnetProcessed, { cpu: '1' }, 0, 0],
  ],
};

function evaluate(of: Expression, spec: WindowSpec = cpus): Record<string, number> {
  const { points } = of.evaluate(windowOf(spec));
  return Object.fromEntries(
    points.map(({ labels, value: amount }) => [Object.values(labels).join(' '), Number(amount.toFixed(6))]),
  );
}

describe('expressions', () => {
  it('softirq share: evaluates, prints PromQL that Prometheus accepts, and names its readings', () => {
    assert.deepEqual(evaluate(softirqShare), { 0: 0.94, 1: 0 });
    assert.equal(
      softirqShare.promql('5m'),
      '(sum by (instance, job, cpu) (rate(node_cpu_seconds_total{mode="softirq"}[5m]))) / on (instance, job, cpu) ' +
        '(sum by (instance, job, cpu) (rate(node_cpu_seconds_total[5m])) > 0)',
    );
    const [point] = softirqShare.evaluate(windowOf(cpus)).points;
    assert.deepEqual(
      point?.readings.map(({ labels, before, after }) => [labels['mode'], before, after]),
      [
        ['softirq', 100, 109.4],
        ['softirq', 100, 109.4],
        ['idle', 50, 50.6],
      ],
    );
  });

  it('keeps points above a limit, and those for which another expression has a point', () => {
    const isolated = andOn(['cpu'], above(softirqShare, 0.9), value(cpuIsolated));
    assert.deepEqual(evaluate(isolated), { 0: 0.94 });
    assert.match(isolated.promql('5m'), /> 0\.9\) and on \(instance, job, cpu\) \(node_cpu_isolated\)$/);
  });

  it('joins the node of each CPU from an info series', () => {
    const byNode = sumBy(['node'], withLabels(rate(softnetProcessed), ['cpu'], cpuNode, ['node']));
    assert.deepEqual(evaluate(byNode), { 0: 50, 1: 0 });
    assert.equal(
      byNode.promql('1m'),
      'sum by (instance, job, node) ((rate(node_softnet_processed_total[1m])) * on (instance, job, cpu) group_left (node) pktcost_cpu_node_info)',
    );
  });

  it('peak takes the fuller end of the window; ratio leaves a zero denominator out', () => {
    const usage = ratio(peak(conntrackEntries), peak(conntrackLimit));
    const full = [conntrackLimit, {}, 100, 100] as const;
    assert.deepEqual(evaluate(usage, { cells: [[conntrackEntries, {}, 90, 40], full] }), { '': 0.9 });
    assert.deepEqual(
      evaluate(usage, {
        cells: [
          [conntrackEntries, {}, 90, 40],
          [conntrackLimit, {}, 0, 0],
        ],
      }),
      {},
    );
    assert.match(usage.promql('5m'), /max_over_time\(node_nf_conntrack_entries\[5m\]\)/);
  });

  it('keeps namespaces apart without being told to', () => {
    const overflows = netstat.member('TcpExt_ListenOverflows');
    const spec: WindowSpec = {
      cells: [
        [overflows, {}, 1, 2],
        [overflows, { netns: 'blue' }, 10, 50],
      ],
    };
    assert.deepEqual(evaluate(sumBy([], increase(overflows)), spec), { '': 1, blue: 40 });
    assert.equal(
      sumBy([], increase(overflows)).promql('5m'),
      `sum by (instance, job, netns) (increase(${overflows.name}[5m]))`,
    );
  });

  it('fixes the namespace, or adds the namespaces up, for figures of the whole host', () => {
    const pressures = netstat.member('TcpExt_TCPMemoryPressures');
    const spec: WindowSpec = {
      cells: [
        [pressures, {}, 1, 2],
        [pressures, { netns: 'blue' }, 10, 50],
      ],
    };
    const own = increase(pressures, { netns: '' });
    assert.deepEqual(evaluate(own, spec), { '': 1 });
    assert.equal(own.perNetns, false);
    assert.equal(own.promql('5m'), `increase(${pressures.name}{netns=""}[5m])`);
    const all = acrossNetns(increase(pressures));
    assert.deepEqual(evaluate(all, spec), { '': 41 });
    assert.equal(all.promql('5m'), `sum by (instance, job) (increase(${pressures.name}[5m]))`);
  });

  it('leaves a point out that two info series agree with, as PromQL refuses to, and says so', () => {
    const byNode = sumBy(['node'], withLabels(rate(softnetProcessed), ['cpu'], cpuNode, ['node']));
    const spec: WindowSpec = { cells: [...cpus.cells, [cpuNode, { cpu: '0', node: '7' }, 1, 1]] };
    assert.deepEqual(evaluate(byNode, spec), { 1: 0 });
    assert.deepEqual(
      byNode.evaluate(windowOf(spec)).missing.map(({ metric, reason }) => [metric, reason]),
      [['pktcost_cpu_node_info', 'says more than one thing about {"cpu":"0"}']],
    );
  });

  it('adds, subtracts, scales and takes maxima', () => {
    const total = rate(softnetProcessed);
    assert.deepEqual(evaluate(add(total, total)), { 0: 100, 1: 0 });
    assert.deepEqual(evaluate(subtract(total, total)), { 0: 0, 1: 0 });
    assert.deepEqual(evaluate(scale(total, 2)), { 0: 100, 1: 0 });
    assert.deepEqual(evaluate(maxBy([], total)), { '': 50 });
  });

  it('matches any of several label values', () => {
    const busy = sumBy(['cpu'], increase(cpuSeconds, { mode: ['softirq', 'irq'] }));
    assert.deepEqual(evaluate(busy), { 0: 9.4, 1: 0 });
    assert.match(busy.promql('5m'), /\{mode=~"softirq\|irq"\}/);
  });

  it('renames a label, so that a rule of one CPU can see the others', () => {
    const others = renamed(rate(softnetProcessed), 'cpu', 'on');
    assert.deepEqual(others.labels, ['on']);
    assert.deepEqual(
      others.evaluate(windowOf(cpus)).points.map(({ labels }) => labels),
      [{ on: '0' }, { on: '1' }],
    );
    assert.equal(
      others.promql('5m'),
      'sum without (cpu) (label_replace(rate(node_softnet_processed_total[5m]), "on", "$1", "cpu", "(.*)"))',
    );
  });

  it('takes either of two: missing only when neither could be read', () => {
    const isolated = either(sumBy(['cpu'], value(cpuIsolated)), sumBy(['cpu'], value(cpuNode)));
    assert.deepEqual(evaluate(isolated), { 0: 1, 1: 1 });
    assert.match(isolated.promql('5m'), /^\(sum .*\) or on \(instance, job, cpu\) \(sum .*\)$/);
    const gap = { path: '/sys/devices/system/cpu/isolated', reason: 'permission denied (EACCES)' };
    const one = windowOf({ cells: [[cpuNode, { cpu: '1', node: '1' }, 1, 1]], failed: { cpu: gap } });
    assert.deepEqual(isolated.evaluate(one).missing, []);
    const none = windowOf({ cells: [], failed: { cpu: gap, numa: { ...gap, path: '/sys/devices/system/node' } } });
    assert.equal(isolated.evaluate(none).missing.length, 2);
  });

  it('says why it has no points', () => {
    const window = windowOf({ cells: [], ran: ['conntrack'] });
    const { points, missing } = value(conntrackEntries).evaluate(window);
    assert.equal(points.length, 0);
    assert.match(missing[0]!.reason, /this kernel does not provide it/);
  });
});
