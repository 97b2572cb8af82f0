import { cpuSeconds } from '../../src/metrics/catalogue/index.ts';
import { steal } from '../../src/rules/steal.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

/** A CPU over 10 s: what it ran, what was taken from it, and idle for the rest. */
const cpu = (number: string, ran: number, taken: number): Cell[] => [
  [cpuSeconds, { cpu: number, mode: 'user' }, 100, 100 + ran / 2],
  [cpuSeconds, { cpu: number, mode: 'softirq' }, 100, 100 + ran / 2],
  [cpuSeconds, { cpu: number, mode: 'steal' }, 100, 100 + taken],
  [cpuSeconds, { cpu: number, mode: 'idle' }, 100, 110 - ran - taken],
];

ruleCases(steal, [
  {
    name: 'a tenth of the time in which the guest wanted to run',
    cells: [...cpu('0', 3, 0), ...cpu('1', 6, 1)],
    outcome: 'warning',
    certainty: 'measured',
    args: { share: 0.1, stretch: 1 / 9, cpus: 'CPU 1' },
    command: /proc\/stat/,
  },
  { name: 'just below it is mentioned', cells: cpu('0', 4.6, 0.5), outcome: 'info', message: 'stretched' },
  { name: 'just enough to be mentioned', cells: cpu('0', 9.8, 0.2), outcome: 'info' },
  { name: 'less than repeated runs differ by', cells: cpu('0', 9.81, 0.19), outcome: 'ok' },
  { name: 'much of next to nothing', cells: cpu('0', 0.1, 0.09), outcome: 'ok' },
  { name: 'just above next to nothing', cells: cpu('0', 0.1, 0.11), outcome: 'info' },
  { name: 'a nearly idle host: a few ticks are a large share of little', cells: cpu('0', 3, 0.99), outcome: 'info' },
  { name: 'a host of its own', cells: cpu('0', 5, 0), outcome: 'ok' },
  {
    name: 'several CPUs, the dearest named first',
    cells: ['0', '1', '2', '3', '4'].flatMap((number) => cpu(number, 5, 1 + Number(number) / 10)),
    outcome: 'warning',
    args: { cpus: 'CPU 4, 3, 2, 1 and others' },
  },
  {
    name: 'unreadable /proc/stat',
    cells: [],
    failed: { cpu: { path: '/proc/stat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'all counters fell: no time passed that could be shared',
    cells: [
      [cpuSeconds, { cpu: '0', mode: 'user' }, 500, 1],
      [cpuSeconds, { cpu: '0', mode: 'softirq' }, 500, 1],
      [cpuSeconds, { cpu: '0', mode: 'steal' }, 500, 1],
    ],
    outcome: 'not-measured',
  },
]);
