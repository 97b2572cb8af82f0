import {
  cpuDedicated,
  cpuSeconds,
  deviceIrq,
  deviceRps,
  interrupts,
  kernelFeature,
  processCpu,
  processLastCpu,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
} from '../../src/metrics/catalogue/index.ts';
import { softirqSaturation } from '../../src/rules/softirq-saturation.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const cpu = (name: string, softirq: number, seconds = 10): Cell[] => [
  [cpuSeconds, { cpu: name, mode: 'softirq' }, 5, 5 + softirq * seconds],
  [cpuSeconds, { cpu: name, mode: 'idle' }, 5, 5 + (1 - softirq) * seconds],
];
const packets = (name: string, perSecond: number): Cell => [softnetProcessed, { cpu: name }, 0, perSecond * 10];
/** A CPU whose programs take what softirq and idle leave. */
const shared = (softirq: number, idle: number, perSecond: number, dropped: number): Cell[] => [
  [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, softirq * 10],
  [cpuSeconds, { cpu: '0', mode: 'user' }, 0, (1 - softirq - idle) * 10],
  [cpuSeconds, { cpu: '0', mode: 'idle' }, 0, idle * 10],
  packets('0', perSecond),
  [softnetDropped, { cpu: '0' }, 0, dropped * 10],
];
const irq = (type: string, device: string, cpuName: string, perSecond: number): Cell[] => [
  [deviceIrq, { device, type, affinity: cpuName, effective_affinity: cpuName }, 1, 1],
  [interrupts, { cpu: cpuName, type, info: 'PCI-MSI', devices: device }, 0, perSecond * 10],
];
const napi = { pid: '50', comm: 'napi/eth0-8193', role: 'napi' };
const ksoftirqd = { pid: '12', comm: 'ksoftirqd/0', role: 'ksoftirqd' };

ruleCases(softirqSaturation, [
  {
    name: 'saturated: names the queues, and moves all but the busiest to a CPU with room that is not set apart',
    cells: [
      ...cpu('0', 0.95),
      ...cpu('1', 0.5),
      ...cpu('2', 0),
      ...cpu('3', 0.1),
      [cpuDedicated, { cpu: '2', by: 'isolcpus' }, 1, 1],
      packets('0', 400_000),
      ...irq('41', 'eth0', '0', 9000),
      ...irq('42', 'eth0', '0', 20_000),
    ],
    outcome: 'critical',
    certainty: 'measured',
    message: 'saturated',
    args: { cpu: '0', share: 0.95, feeders: 'eth0 IRQ 42 (20000/s), eth0 IRQ 41 (9000/s)' },
    command: /^echo 3 > \/proc\/irq\/41\/smp_affinity_list$/,
  },
  {
    name: 'one queue: more queues, or RPS over the CPUs with room',
    cells: [...cpu('0', 0.8), ...cpu('1', 0), ...cpu('2', 0), packets('0', 400_000), ...irq('42', 'eth0', '0', 20_000)],
    outcome: 'warning',
    command: /ethtool -L eth0 combined 2\necho 6 > \/sys\/class\/net\/eth0\/queues\/rx-0\/rps_cpus/,
  },
  {
    name: 'fed by RPS',
    cells: [
      ...cpu('0', 0.8),
      ...cpu('1', 0),
      packets('0', 400_000),
      [deviceRps, { device: 'eth0', queue: '0', cpus: '0' }, 1, 1],
    ],
    outcome: 'warning',
    args: { feeders: 'RPS of eth0 rx-0 to CPUs 0' },
    command: /echo 2 > \/sys\/class\/net\/eth0\/queues\/rx-0\/rps_cpus/,
  },
  { name: 'just below the warning', cells: [...cpu('0', 0.69), packets('0', 400_000)], outcome: 'ok' },
  { name: 'just below critical', cells: [...cpu('0', 0.89), packets('0', 400_000)], outcome: 'warning' },
  {
    name: 'threaded NAPI: the time is system, and is found in the thread',
    cells: [
      ...cpu('0', 0.05),
      ...cpu('1', 0),
      packets('0', 400_000),
      [processCpu, napi, 0, 9],
      [processLastCpu, napi, 0, 0],
    ],
    alertDiffers: 'threads',
    outcome: 'critical',
    certainty: 'correlated',
    args: { share: 0.95 },
    command: /for t in 50; do taskset -pc 1 \$t; done/,
  },
  {
    name: 'a thread that ran elsewhere last is not this CPU',
    cells: [...cpu('0', 0.05), packets('0', 400_000), [processCpu, napi, 0, 9], [processLastCpu, napi, 1, 1]],
    outcome: 'ok',
  },
  {
    name: 'ksoftirqd is in softirq already and is not added',
    cells: [...cpu('0', 0.5), packets('0', 400_000), [processCpu, ksoftirqd, 0, 5], [processLastCpu, ksoftirqd, 0, 0]],
    outcome: 'ok',
  },
  {
    name: 'a window of 40 ticks tells nothing',
    seconds: 0.5,
    cells: [...cpu('0', 0.8, 0.5), packets('0', 400_000)],
    alertDiffers: 'ticks',
    outcome: 'not-measured',
    missing: /ticks/,
  },
  {
    name: 'with IRQ_TIME_ACCOUNTING the same window does',
    seconds: 0.5,
    cells: [...cpu('0', 0.8, 0.5), packets('0', 400_000), [kernelFeature, { feature: 'irq_time_accounting' }, 1, 1]],
    outcome: 'warning',
  },
  {
    name: '1,000 packets a second are the network',
    cells: [...cpu('0', 0.95), packets('0', 1000)],
    outcome: 'critical',
    message: 'saturated',
  },
  {
    name: 'just below that they are not',
    cells: [...cpu('0', 0.95), packets('0', 999)],
    outcome: 'warning',
    message: 'other',
  },
  {
    name: 'one busy queue of many: fewer queues are no cure',
    cells: [
      ...cpu('0', 0.95),
      ...cpu('1', 0),
      packets('0', 400_000),
      ...irq('42', 'eth0', '0', 20_000),
      ...['43', '44', '45'].flatMap((type) => irq(type, 'eth0', '1', 10)),
    ],
    outcome: 'critical',
    command: /^ethtool -x eth0; ethtool -S eth0 \| grep -iE 'rx\.\*\(packets\|pkts\)'$/,
  },
  {
    name: 'packets that XDP drops never get into the stack, and are the network all the same',
    cells: [...cpu('0', 0.95), packets('0', 10), [softirqFunctions, { cpu: '0', type: 'NET_RX' }, 0, 30_000]],
    outcome: 'critical',
    message: 'unseen',
    args: { runs: 3000, packets: 10 },
  },
  {
    name: 'a run for each of few packets is no sign of it',
    cells: [...cpu('0', 0.95), packets('0', 999), [softirqFunctions, { cpu: '0', type: 'NET_RX' }, 0, 19_900]],
    outcome: 'warning',
    message: 'other',
  },
  {
    name: 'softirq without packets is not the network',
    cells: [...cpu('0', 0.95), packets('0', 100)],
    outcome: 'warning',
    message: 'other',
  },
  {
    // Seen at a load average of 5, with three programs on the CPU.
    name: 'ksoftirqd gets no more than its part beside programs, and packets are dropped: no time left',
    cells: shared(0.43, 0, 5600, 7730),
    outcome: 'warning',
    certainty: 'measured',
    message: 'starved',
    args: { share: 0.43, dropped: 7730, idle: 0 },
    command: /\$1 == 0'/,
  },
  { name: 'a fifth is enough', cells: shared(0.2, 0.1, 5600, 7730), outcome: 'warning', message: 'starved' },
  { name: 'less than a fifth is the programs', cells: shared(0.19, 0, 5600, 7730), outcome: 'ok' },
  { name: 'a CPU with time to spare drops for another reason', cells: shared(0.43, 0.11, 5600, 7730), outcome: 'ok' },
  { name: 'one in a hundred dropped', cells: shared(0.43, 0, 9900, 100), outcome: 'warning', message: 'starved' },
  { name: 'fewer may be a burst', cells: shared(0.43, 0, 9900, 99), outcome: 'ok' },
  { name: 'a busy CPU that drops nothing', cells: shared(0.6, 0, 400_000, 0), outcome: 'ok' },
  { name: 'too few packets to speak of', cells: shared(0.43, 0, 999, 7730), outcome: 'ok' },
  {
    name: 'too few ticks for a share, while PKT0502 tells of the drops',
    seconds: 1,
    cells: [
      [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 0.43],
      [cpuSeconds, { cpu: '0', mode: 'idle' }, 0, 0],
      [softnetProcessed, { cpu: '0' }, 0, 5600],
      [softnetDropped, { cpu: '0' }, 0, 7730],
    ],
    alertDiffers: 'ticks',
    outcome: 'ok',
  },
  {
    name: 'no /proc/stat: not measured',
    cells: [packets('0', 400_000)],
    failed: { cpu: { path: '/proc/stat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'a CPU that came back with its counters at zero is no spike',
    cells: [
      [cpuSeconds, { cpu: '0', mode: 'softirq' }, 5000, 1],
      [cpuSeconds, { cpu: '0', mode: 'idle' }, 5000, 9],
      packets('0', 400_000),
    ],
    outcome: 'ok',
  },
]);
