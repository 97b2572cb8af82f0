import {
  cpuDedicated,
  cpuIsolated,
  cpuSeconds,
  deviceIrq,
  deviceRps,
  interrupts,
  processCpu,
  processLastCpu,
  softnetProcessed,
} from '../../src/metrics/catalogue/index.ts';
import { isolatedCpuPacketWork } from '../../src/rules/isolated-cpu-packet-work.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const cpu = (name: string, softirq: number, perSecond: number): Cell[] => [
  [cpuSeconds, { cpu: name, mode: 'softirq' }, 0, softirq * 10],
  [cpuSeconds, { cpu: name, mode: 'user' }, 0, (1 - softirq) * 10],
  [softnetProcessed, { cpu: name }, 0xffffff00, (0xffffff00 + perSecond * 10) % 2 ** 32],
];
const host = (perSecond: number, softirq = 0.01): Cell[] => [
  ...cpu('0', 0.3, 50_000),
  ...cpu('1', 0.3, 50_000),
  ...cpu('2', softirq, perSecond),
  [cpuDedicated, { cpu: '2', by: 'isolcpus' }, 1, 1],
];
const irq: Cell[] = [
  [deviceIrq, { device: 'eth0', type: '41', affinity: '0-2', effective_affinity: '2' }, 1, 1],
  [interrupts, { cpu: '2', type: '41', info: 'PCI-MSI', devices: 'eth0-rx-0' }, 0, 5000],
];

ruleCases(isolatedCpuPacketWork, [
  {
    name: 'a poll-mode core at 1 % softirq that takes packets: told by the rate, moved to the housekeeping CPUs',
    cells: [...host(2000), ...irq],
    outcome: 'warning',
    certainty: 'measured',
    args: { cpu: '2', by: ' (isolcpus)', packets: 2000, housekeeping: '0-1', feeders: 'eth0 IRQ 41 (500/s)' },
    command: / \| tee pktcost-undo-irqs\.sh; echo 0-1 > \/proc\/irq\/41\/smp_affinity_list$/,
  },
  { name: 'a tenth of its time is critical', cells: [...host(50_000, 0.1), ...irq], outcome: 'critical' },
  {
    name: 'RPS: the mask is computed without it',
    cells: [...host(2000), [deviceRps, { device: 'eth0', queue: '3', cpus: '0-2' }, 1, 1]],
    outcome: 'warning',
    command: /^echo 3 > \/sys\/class\/net\/eth0\/queues\/rx-3\/rps_cpus$/,
  },
  {
    name: 'a NAPI thread on it, whose time is not softirq',
    cells: [
      ...host(2000),
      [processCpu, { pid: '77', comm: 'napi/eth0-1', role: 'napi' }, 0, 2],
      [processLastCpu, { pid: '77', comm: 'napi/eth0-1', role: 'napi' }, 2, 2],
    ],
    alertDiffers: 'threads',
    outcome: 'critical',
    args: { feeders: 'thread napi/eth0-1' },
    command: / \| tee pktcost-undo-threads\.sh; for t in 77; do taskset -pc 0-1 \$t; done$/,
  },
  {
    name: 'neither interrupt nor RPS: a program on it that sends',
    cells: host(2000),
    outcome: 'warning',
    command: /ps -eLo psr/,
  },
  {
    name: 'known to node_exporter only as isolated',
    cells: [...cpu('0', 0, 0), ...cpu('2', 0, 5000), [cpuIsolated, { cpu: '2' }, 1, 1]],
    outcome: 'warning',
  },
  { name: 'at the rate', cells: host(100), outcome: 'warning' },
  { name: 'just below the rate', cells: host(99), outcome: 'ok' },
  {
    name: 'packets on CPUs that are not set apart are their job',
    cells: [...cpu('0', 0.9, 500_000), [cpuDedicated, { cpu: '2', by: 'nohz_full' }, 1, 1], ...cpu('2', 0, 0)],
    outcome: 'ok',
  },
  { name: 'no CPU set apart', cells: cpu('0', 0.9, 500_000), ran: ['nodeconfig'], outcome: 'not-applicable' },
  {
    name: 'softnet_stat unread',
    cells: [[cpuDedicated, { cpu: '2', by: 'isolcpus' }, 1, 1]],
    failed: { softnet: { path: '/proc/net/softnet_stat', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /softnet_processed.*ENOENT/,
  },
  {
    name: 'a reset counter is no rate',
    cells: [
      [softnetProcessed, { cpu: '2' }, 1_000_000_000, 5],
      [softnetProcessed, { cpu: '0' }, 0, 5],
      [cpuDedicated, { cpu: '2', by: 'isolcpus' }, 1, 1],
      [cpuDedicated, { cpu: '0', by: 'isolcpus' }, 1, 1],
    ],
    outcome: 'ok',
  },
]);
