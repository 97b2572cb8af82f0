import {
  cpuSeconds,
  softirqFunctions,
  softnetDropped,
  softnetFlowLimit,
  softnetProcessed,
  softnetSqueezed,
  sysctl,
} from '../../src/metrics/catalogue/index.ts';
import { backlogDrops } from '../../src/rules/backlog-drops.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const cpu = (processed: number, dropped: number, squeezed = 0, runs = 100_000): Cell[] => [
  [softnetProcessed, { cpu: '0' }, 10, 10 + processed],
  [softnetDropped, { cpu: '0' }, 10, 10 + dropped],
  [softnetSqueezed, { cpu: '0' }, 10, 10 + squeezed],
  [softirqFunctions, { cpu: '0', type: 'NET_RX' }, 10, 10 + runs],
];
const tunables: Cell[] = [
  [sysctl, { name: 'net.core.netdev_max_backlog' }, 1000, 1000],
  [sysctl, { name: 'net.core.netdev_budget' }, 300, 300],
  [sysctl, { name: 'net.core.netdev_budget_usecs' }, 2000, 2000],
  [sysctl, { name: 'net.core.somaxconn', netns: 'pod' }, 128, 128],
];

ruleCases(backlogDrops, [
  {
    name: 'overflow: the backlog is sized by what arrives',
    cells: [...cpu(3_000_000, 3000), ...tunables],
    outcome: 'warning',
    certainty: 'measured',
    message: 'full',
    args: { lost: 3000, rate: 300, limit: 1000 },
    command: /^sysctl -w net\.core\.netdev_max_backlog=4096$/,
  },
  {
    name: 'on a saturated CPU a longer queue is not the advice',
    cells: [...cpu(3_000_000, 3000), ...tunables, [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 9.8]],
    outcome: 'warning',
    command: /^(?![^]*max_backlog)[^]*rps_cpus/,
  },
  {
    name: 'nor is it where programs leave the CPU no time',
    cells: [
      ...cpu(3_000_000, 3000),
      ...tunables,
      [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 5],
      [cpuSeconds, { cpu: '0', mode: 'idle' }, 0, 1],
    ],
    outcome: 'warning',
    command: /^(?![^]*max_backlog)[^]*rps_cpus/,
  },
  {
    name: 'with a little more time to spare it is',
    cells: [...cpu(3_000_000, 3000), ...tunables, [cpuSeconds, { cpu: '0', mode: 'idle' }, 0, 1.1]],
    outcome: 'warning',
    command: /max_backlog=4096/,
  },
  {
    name: 'a limit that is not known may be higher: none is written',
    cells: cpu(3_000_000, 3000),
    outcome: 'warning',
    command: /^sysctl net\.core\.netdev_max_backlog$/,
  },
  {
    name: 'nor is a budget that is not known',
    cells: cpu(3_000_000, 0, 10_000),
    outcome: 'info',
    command: /^sysctl net\.core\.netdev_budget /,
  },
  { name: 'one in a hundred is critical', cells: cpu(990_000, 10_000), outcome: 'critical' },
  {
    name: 'the flow limit',
    cells: [...cpu(3_000_000, 3000), [softnetFlowLimit, { cpu: '0' }, 0, 2000]],
    outcome: 'warning',
    message: 'flow',
  },
  {
    name: 'just below one in 10,000',
    cells: cpu(3_000_000, 299),
    outcome: 'info',
    message: 'full',
    args: { lost: 299 },
  },
  { name: 'ten packets, one in 10,000', cells: cpu(99_990, 10), outcome: 'warning' },
  { name: 'nine packets', cells: cpu(50, 9), outcome: 'info', message: 'full', args: { lost: 9 } },
  {
    name: 'what is lost is told before what is squeezed',
    cells: cpu(3_000_000, 9, 10_000),
    outcome: 'info',
    message: 'full',
  },
  {
    name: 'squeezed without a drop is a remark, with the budget',
    cells: [...cpu(3_000_000, 0, 10_000), ...tunables],
    outcome: 'info',
    message: 'squeezed',
    args: { squeezeShare: 0.1, budget: 300, usecs: 2000 },
    command: /netdev_budget=600 net\.core\.netdev_budget_usecs=4000/,
  },
  { name: 'squeezed in fewer than one run in ten', cells: cpu(3_000_000, 0, 9999), outcome: 'ok' },
  { name: 'squeezed ten times a second', cells: cpu(3_000_000, 0, 100, 1000), outcome: 'info', message: 'squeezed' },
  { name: 'squeezed just below ten times a second', cells: cpu(3_000_000, 0, 99, 500), outcome: 'ok' },
  {
    name: 'a counter that wrapped at 2^32 counts what was added',
    cells: [
      [softnetProcessed, { cpu: '0' }, 0xffffff00, 1_000_000],
      [softnetDropped, { cpu: '0' }, 0xfffffff0, 0x10f0],
    ],
    outcome: 'warning',
    args: { lost: 4352 },
  },
  {
    name: 'unread',
    cells: [],
    failed: { softnet: { path: '/proc/net/softnet_stat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'a reset inside the window',
    cells: [
      [softnetProcessed, { cpu: '0' }, 0, 1_000_000],
      [softnetDropped, { cpu: '0' }, 1_000_000_000, 5],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
