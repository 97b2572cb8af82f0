import {
  pressureCpuWaiting,
  pressureIoWaiting,
  pressureIrqStalled,
  pressureMemoryStalled,
  pressureMemoryWaiting,
} from '../../src/metrics/catalogue/index.ts';
import { pressure } from '../../src/rules/pressure.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const waited = (memory: number, stalled = 0): Cell[] => [
  [pressureMemoryWaiting, {}, 100, 100 + memory * 10],
  [pressureMemoryStalled, {}, 100, 100 + stalled * 10],
];

ruleCases(pressure, [
  {
    name: 'memory',
    cells: waited(0.12, 0.01),
    outcome: 'warning',
    certainty: 'measured',
    args: { what: 'tasks waited for memory for 12% of the time' },
    command: /memory\.pressure/,
  },
  { name: 'all tasks at once weigh more', cells: waited(0.06, 0.05), outcome: 'warning' },
  {
    name: 'interrupts',
    cells: [...waited(0), [pressureIrqStalled, {}, 0, 1.5]],
    outcome: 'warning',
    args: { what: 'the tasks of a CPU stood still for interrupts for 15% of the time' },
  },
  {
    name: 'I/O and CPU are remarks',
    cells: [...waited(0), [pressureIoWaiting, {}, 0, 6], [pressureCpuWaiting, {}, 0, 7]],
    outcome: 'info',
    args: { what: 'tasks waited for I/O for 60% of the time, tasks waited for a CPU for 70% of the time' },
  },
  {
    name: 'just below each',
    cells: [
      ...waited(0.099, 0.049),
      [pressureIrqStalled, {}, 0, 0.99],
      [pressureIoWaiting, {}, 0, 4.9],
      [pressureCpuWaiting, {}, 0, 4.9],
    ],
    outcome: 'ok',
  },
  {
    name: 'psi=0',
    cells: [],
    failed: { pressure: { path: '/proc/pressure', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /ENOENT/,
  },
  {
    name: 'a reset inside the window',
    cells: [
      [pressureMemoryWaiting, {}, 5000, 3],
      [pressureCpuWaiting, {}, 5000, 3],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
