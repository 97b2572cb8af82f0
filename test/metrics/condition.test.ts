import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackDrop,
  conntrackEarlyDrop,
  cpuNode,
  deviceNumaNode,
  meminfo,
  netRxNanoseconds,
  netstat,
  receiveFifo,
  receiveMissed,
} from '../../src/metrics/catalogue/index.ts';
import {
  byValue,
  clampMin,
  largest,
  multiply,
  orZero,
  total,
  unlessOn,
  where,
  type Comparator,
} from '../../src/metrics/condition.ts';
import { increase, rate, ratio, scale, subtract, sumBy, value, type Expression } from '../../src/metrics/expression.ts';
import { windowOf, type Cell } from '../support/window.ts';

const v4 = netstat.member('Udp_RcvbufErrors');
const v6 = netstat.member('Udp6_RcvbufErrors');
const errors = increase(v4);
const errors6 = increase(v6);
const cells: Cell[] = [
  [v4, {}, 0, 5],
  [v4, { netns: 'blue' }, 0, 7],
  [v6, {}, 0, 10],
  [v6, { netns: 'red' }, 0, 1],
];

function evaluate(of: Expression, from: readonly Cell[] = cells): Record<string, number> {
  const { points } = of.evaluate(windowOf({ cells: from }));
  return Object.fromEntries(points.map(({ labels, value: amount }) => [Object.values(labels).join(' '), amount]));
}

describe('conditions', () => {
  it('keep the points that compare so with a limit, and their values', () => {
    const kept: Readonly<Record<Comparator, Record<string, number>>> = {
      '>': { blue: 7 },
      '>=': { '': 5, blue: 7 },
      '<': {},
      '<=': { '': 5 },
      '==': { '': 5 },
      '!=': { blue: 7 },
    };
    for (const [compare, expected] of Object.entries(kept) as [Comparator, Record<string, number>][]) {
      assert.deepEqual(evaluate(where(errors, compare, 5)), expected, compare);
      assert.equal(where(errors, compare, 5).promql('5m'), `increase(node_netstat_Udp_RcvbufErrors[5m]) ${compare} 5`);
    }
    // Pages have seconds; limits of times are nanoseconds.
    assert.equal(
      ratio(rate(netRxNanoseconds), scale(increase(netRxNanoseconds), 2)).promql('5m'),
      '(rate(pktcost_net_rx_seconds_total[5m]) * 1e9) / on (instance, job, cpu) ((increase(pktcost_net_rx_seconds_total[5m]) * 1e9) * 2 > 0)',
    );
    assert.match(where(errors, '<=', Infinity).promql('5m'), / <= \+Inf$/);
  });

  it('hold unless another does, in the same namespace', () => {
    const alone = unlessOn([], errors, where(errors6, '>', 0));
    assert.deepEqual(evaluate(alone), { blue: 7 });
    assert.match(alone.promql('5m'), /^increase\(.*\) unless on \(instance, job, netns\) \(increase\(.*\) > 0\)$/);
    assert.ok(
      alone.speaks((metric) => metric === v4),
      'what takes away is not needed',
    );
  });

  it('take a counter that is not there for zero, where one is that goes with it', () => {
    const filled = orZero(errors6, errors);
    assert.deepEqual(evaluate(filled), { '': 10, red: 1, blue: 0 });
    assert.ok(filled.speaks((metric) => metric === v4));
    assert.ok(!filled.speaks((metric) => metric === v6));
    assert.deepEqual(evaluate(subtract(errors, filled)), { '': -5, blue: 7 });
  });

  it('add up, and take the largest of, the terms that are there', () => {
    assert.deepEqual(evaluate(total(errors, errors6)), { '': 15, blue: 7, red: 1 });
    assert.deepEqual(evaluate(largest(errors, errors6)), { '': 10, blue: 7, red: 1 });
    assert.equal(
      total(errors, errors6).promql('5m'),
      'sum by (instance, job, netns) (increase(node_netstat_Udp_RcvbufErrors[5m]) or ' +
        'label_replace(increase(node_netstat_Udp6_RcvbufErrors[5m]), "term", "1", "", ""))',
    );
    for (const one of [v4, v6]) assert.ok(total(errors, errors6).speaks((metric) => metric === one));
    assert.ok(!total(errors, errors6).speaks(() => false));
  });

  it('multiply, and clamp', () => {
    assert.deepEqual(evaluate(multiply(errors, errors)), { '': 25, blue: 49 });
    assert.deepEqual(evaluate(clampMin(errors, 6)), { '': 6, blue: 7 });
  });

  it('turn values into a label, to be compared with the label of another metric', () => {
    const nodes: Cell[] = [
      [deviceNumaNode, { device: 'eth0' }, 1, 1],
      [deviceNumaNode, { device: 'eth1' }, 1, 1],
      [deviceNumaNode, { device: 'eth2' }, -1, -1],
      [cpuNode, { cpu: '0', node: '0' }, 1, 1],
    ];
    assert.deepEqual(evaluate(byValue('node', value(deviceNumaNode)), nodes), { 1: 2, '-1': 1 });
    assert.equal(
      byValue('node', value(deviceNumaNode)).promql('5m'),
      'count_values by (instance, job) ("node", pktcost_device_numa_node)',
    );
  });

  it('are denominators in parentheses of their own: a comparison binds closer than what joins', () => {
    const share = ratio(increase(receiveMissed), orZero(increase(receiveFifo), increase(receiveMissed)));
    assert.match(share.promql('5m'), / \/ on \(instance, job, netns, device\) \(\(increase\(.* or on .*\) > 0\)$/);
    const mixed = ratio(increase(conntrackDrop), where(increase(conntrackEarlyDrop), '<', 9));
    assert.match(mixed.promql('5m'), /\(\(increase\(\S+\) < 9\) > 0\)$/);
  });
});

describe('parentheses', () => {
  const used = value(meminfo.member('MemTotal_bytes'));

  it('are left away around a selector, whatever letters its name has', () => {
    assert.equal(
      subtract(used, used).promql('5m'),
      'node_memory_MemTotal_bytes - on (instance, job) node_memory_MemTotal_bytes',
    );
  });

  it('keep together what binds less tightly than where it stands', () => {
    assert.match(ratio(errors, where(errors6, '>', 1)).promql('5m'), / \/ on \(.*\) \(\(increase\(.*\) > 1\) > 0\)$/);
    assert.match(ratio(errors, orZero(errors6, errors)).promql('5m'), / \(\(increase\(.*\) or on .* \* 0\)\) > 0\)$/);
    assert.match(ratio(errors, subtract(errors6, errors)).promql('5m'), / \(increase\([^()]*\) - on [^>]* > 0\)$/);
  });

  it('are not asked for by what stands within an operand', () => {
    const nested = sumBy([], where(errors6, '>', 1));
    assert.match(ratio(errors, nested).promql('5m'), / \(sum by \(.*\) \(increase\(.*\) > 1\) > 0\)$/);
  });
});
