import {
  cpuSeconds,
  deviceInfo,
  deviceIrq,
  interrupts,
  receiveFifo,
  receiveMissed,
  receivePackets,
} from '../../src/metrics/catalogue/index.ts';
import { nicRingDrops } from '../../src/rules/nic-ring-drops.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const nic = (driver: string, kind = 'physical'): Cell => [
  deviceInfo,
  { device: 'eth0', ifindex: '2', driver, kind, pci: '0000:3b:00.0', master: '' },
  1,
  1,
];
const packets: Cell = [receivePackets, { device: 'eth0' }, 0, 1_000_000];
const missed = (after: number): Cell => [receiveMissed, { device: 'eth0' }, 0, after];
const served = (softirq: number, idle = 1 - softirq): Cell[] => [
  [deviceIrq, { device: 'eth0', type: '41', affinity: '3', effective_affinity: '3' }, 1, 1],
  [interrupts, { cpu: '3', type: '41', info: 'PCI-MSI', devices: 'eth0-rx-0' }, 0, 90_000],
  [cpuSeconds, { cpu: '3', mode: 'softirq' }, 0, softirq * 10],
  [cpuSeconds, { cpu: '3', mode: 'idle' }, 0, idle * 10],
  [cpuSeconds, { cpu: '7', mode: 'softirq' }, 0, 9.9],
];

ruleCases(nicRingDrops, [
  {
    name: 'lost while the CPU has room: the ring is too small',
    cells: [nic('mlx5_core'), packets, missed(1000), ...served(0.3)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'ring',
    args: { lost: 1000, rate: 100, cpus: '3', share: 1000 / 1_001_000 },
    command: /^ethtool -g eth0; ethtool -G eth0 rx /,
  },
  {
    name: 'lost while the CPU is saturated: the CPU first',
    cells: [nic('mlx5_core'), packets, missed(1000), ...served(0.95)],
    outcome: 'warning',
    message: 'slow',
    args: { hot: '3' },
    command: /^ethtool -l eth0/,
  },
  {
    name: 'lost while programs leave the CPU no time: no larger ring either',
    cells: [nic('mlx5_core'), packets, missed(1000), ...served(0.5, 0.1)],
    outcome: 'warning',
    message: 'starved',
    args: { hot: '3' },
    command: /^ethtool -l eth0/,
  },
  {
    name: 'with a little more time to spare it is the ring',
    cells: [nic('mlx5_core'), packets, missed(1000), ...served(0.5, 0.11)],
    outcome: 'warning',
    message: 'ring',
  },
  { name: 'one in a hundred is critical', cells: [nic('ixgbe'), packets, missed(10_102)], outcome: 'critical' },
  {
    name: 'the same loss under two names is counted once',
    cells: [nic('ixgbe'), packets, missed(1000), [receiveFifo, { device: 'eth0' }, 0, 1000]],
    outcome: 'warning',
    args: { lost: 1000 },
  },
  { name: 'just below one in 10,000', cells: [nic('ixgbe'), packets, missed(100)], outcome: 'ok' },
  { name: 'just below one in a hundred', cells: [nic('ixgbe'), packets, missed(10_100)], outcome: 'warning' },
  {
    name: 'ten frames, one in 10,000',
    cells: [nic('ixgbe'), [receivePackets, { device: 'eth0' }, 0, 99_990], missed(10)],
    outcome: 'warning',
  },
  {
    name: 'nine frames are a burst, whatever their share',
    cells: [nic('ixgbe'), [receivePackets, { device: 'eth0' }, 0, 50], missed(9)],
    outcome: 'ok',
  },
  {
    name: 'virtio does not count: 0 says nothing',
    cells: [nic('virtio_net'), packets, missed(0)],
    outcome: 'not-applicable',
  },
  {
    name: 'nor do those of other hypervisors and virtual functions',
    cells: [nic('vmxnet3'), packets, missed(0)],
    outcome: 'not-applicable',
  },
  { name: 'ena does not either', cells: [nic('ena'), packets, missed(0)], outcome: 'not-applicable' },
  {
    name: 'a driver that fetches its counters every second or two, in a short window',
    seconds: 1,
    cells: [nic('bnxt_en'), packets, missed(0)],
    outcome: 'not-measured',
    missing: /bnxt_en fetches/,
  },
  {
    name: 'virtual devices have no ring',
    cells: [nic('', 'bridge'), packets, missed(1000)],
    outcome: 'not-applicable',
  },
  {
    name: 'a pod device of the same name is not mixed in',
    cells: [nic('ixgbe'), packets, missed(1000), [receivePackets, { device: 'eth0', netns: 'pod' }, 0, 10]],
    outcome: 'warning',
    args: { lost: 1000 },
  },
  {
    name: 'statistics unread',
    cells: [packets],
    failed: { device: { path: '/sys/class/net', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /ENOENT/,
  },
  {
    name: 'a driver that was reset in the window',
    cells: [nic('ixgbe'), packets, [receiveMissed, { device: 'eth0' }, 70_000, 3]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
