import {
  baselineSpanQuantile,
  spanEvery,
  spanLost,
  spanQuantile,
  spanSamples,
  spanStamped,
} from '../../src/metrics/catalogue/index.ts';
import { stackLatency } from '../../src/rules/stack-latency.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const quantiles = (p50: number, p99: number, mode = 'generic', span = 'stack', max = p99 * 2): Cell[] => {
  const labels = { device: 'eth0', span, mode };
  return [
    [spanQuantile, { ...labels, quantile: '0.5' }, null, p50],
    [spanQuantile, { ...labels, quantile: '0.99' }, null, p99],
    [spanQuantile, { ...labels, quantile: '0' }, null, 100],
    [spanQuantile, { ...labels, quantile: '1' }, null, max],
    [spanSamples, labels, 0, 5000],
  ];
};
const baseline = (p50: number, p99: number, mode = 'generic'): Cell[] => [
  [baselineSpanQuantile, { device: 'eth0', span: 'stack', mode, quantile: '0.5' }, p50, p50],
  [baselineSpanQuantile, { device: 'eth0', span: 'stack', mode, quantile: '0.99' }, p99, p99],
];

const stack = { device: 'eth0', span: 'stack', mode: 'generic' };

ruleCases(stackLatency, [
  {
    name: 'median above the limit',
    cells: quantiles(5000, 9000),
    outcome: 'warning',
    message: 'slow',
    args: { p50: 5000 },
  },
  {
    name: 'one in a hundred above the limit',
    cells: quantiles(400, 100_000, 'tracepoint', 'taps'),
    outcome: 'warning',
  },
  { name: 'a millisecond for one in a hundred is critical', cells: quantiles(400, 1_000_000), outcome: 'critical' },
  { name: 'just below each limit', cells: quantiles(4999, 99_999), outcome: 'ok' },
  {
    name: 'one outlier of 20 ms in a native span is GRO hold or an interrupt, no finding',
    cells: quantiles(28_000, 900_000, 'native', 'stack', 20_000_000),
    outcome: 'ok',
  },
  { name: 'but a native median of 100 µs is', cells: quantiles(100_000, 900_000, 'native'), outcome: 'warning' },
  {
    name: 'twice the baseline',
    cells: [...quantiles(1600, 5000), ...baseline(800, 4500)],
    outcome: 'warning',
    message: 'risen',
    args: { baseP50: 800, baseP99: 4500 },
  },
  { name: 'just below twice', cells: [...quantiles(1590, 5000), ...baseline(800, 4500)], outcome: 'ok' },
  {
    name: 'twice a floor, within what the floor moves',
    cells: [...quantiles(600, 900), ...baseline(200, 450)],
    outcome: 'ok',
  },
  {
    name: 'a native span is not held against a generic baseline',
    cells: [...quantiles(20_000, 40_000, 'native'), ...baseline(500, 900, 'generic')],
    outcome: 'ok',
  },
  {
    name: 'too few samples for a quantile of a busy device',
    cells: [
      ...quantiles(9000, 900_000).slice(0, 4),
      [spanSamples, { device: 'eth0', span: 'stack', mode: 'generic' }, 0, 199],
      [spanEvery, {}, 64, 64],
    ],
    outcome: 'not-measured',
    missing: /fewer than 200/,
  },
  {
    name: 'just enough samples',
    cells: [
      ...quantiles(9000, 900_000).slice(0, 4),
      [spanSamples, { device: 'eth0', span: 'stack', mode: 'generic' }, 0, 200],
    ],
    outcome: 'warning',
  },
  {
    name: 'few samples because few packets came: nobody waits for them',
    cells: [
      ...quantiles(9000, 900_000).slice(0, 4),
      [spanSamples, { device: 'eth0', span: 'stack', mode: 'generic' }, 0, 199],
      [spanEvery, {}, 16, 16],
    ],
    outcome: 'not-applicable',
  },
  {
    name: 'as many samples lost as measured: those that are left say nothing',
    cells: [...quantiles(9000, 900_000), [spanLost, { ...stack, reason: 'foreignIfindex' }, 0, 5000]],
    outcome: 'not-measured',
    missing: /5000 of 10000 samples were lost/,
  },
  {
    name: 'just fewer lost than measured',
    cells: [...quantiles(9000, 900_000), [spanLost, { ...stack, reason: 'foreignIfindex' }, 0, 4999]],
    outcome: 'warning',
  },
  {
    name: 'losses of another mode are not those of this one',
    cells: [...quantiles(9000, 900_000), [spanLost, { ...stack, mode: 'native', reason: 'badMagic' }, 0, 9000]],
    outcome: 'warning',
  },
  {
    name: 'stamps that never arrived, all of them',
    cells: [...quantiles(9000, 900_000).slice(0, 4), [spanSamples, stack, 0, 0], [spanStamped, stack, 0, 4000]],
    outcome: 'not-measured',
    missing: /4000 of 4000 samples were lost/,
  },
  {
    name: 'no packet at all',
    cells: [[spanSamples, { device: 'eth0', span: 'stack', mode: 'generic' }, 7, 7]],
    outcome: 'not-applicable',
  },
  { name: 'no probe', cells: [], outcome: 'not-measured', missing: /collector ebpf did not run/ },
  {
    name: 'a probe that could not attach says why',
    cells: [],
    failed: { ebpf: { path: 'probe', reason: 'needs CAP_BPF' } },
    outcome: 'not-measured',
    missing: /CAP_BPF/,
  },
  {
    name: 'a probe that started anew in the window',
    cells: [
      ...quantiles(9000, 900_000).slice(0, 4),
      [spanSamples, { device: 'eth0', span: 'stack', mode: 'generic' }, 5000, 10],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
