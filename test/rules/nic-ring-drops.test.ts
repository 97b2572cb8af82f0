import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { runCollector } from '../../src/collectors/collector.ts';
import type { Reader } from '../../src/collectors/reader.ts';
import { nics } from '../../src/collectors/nics.ts';
import {
  cpuSeconds,
  deviceInfo,
  deviceIrq,
  driverCounters,
  interrupts,
  receiveDrop,
  receiveFifo,
  receiveMissed,
  receivePackets,
  receiveRingLost,
  skbDrops,
  skbDropsCounted,
  unameInfo,
} from '../../src/metrics/catalogue/index.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { nicRingDrops } from '../../src/rules/nic-ring-drops.ts';
import { ruleCases } from '../support/cases.ts';
import { fakeReader } from '../support/reader.ts';
import { windowOf, type Cell } from '../support/window.ts';

const nic = (driver: string, kind = 'physical'): Cell => [
  deviceInfo,
  { device: 'eth0', ifindex: '2', driver, kind, pci: '0000:3b:00.0', master: '' },
  1,
  1,
];
const packets: Cell = [receivePackets, { device: 'eth0' }, 0, 1_000_000];
const missed = (after: number): Cell => [receiveMissed, { device: 'eth0' }, 0, after];
const droppedBy = (count: number): Cell => [receiveDrop, { device: 'eth0' }, 7, 7 + count];
const own = (counter: string, count: number): Cell => [receiveRingLost, { device: 'eth0', counter }, 5, 5 + count];
const asked = (driver: string, counters = 0): Cell[] =>
  ['ring', 'card'].map((kind) => [driverCounters, { device: 'eth0', driver, kind }, counters, counters]);
const counted: Cell = [skbDropsCounted, {}, 5, 5];
const kernel = (release: string): Cell => [
  unameInfo,
  { sysname: 'Linux', release, version: '', machine: 'x86_64', nodename: 'web-1', domainname: '(none)' },
  1,
  1,
];
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
    command: /^ethtool -g eth0 \| awk .* \| tee pktcost-undo-ring\.sh; ethtool -G eth0 rx /,
  },
  {
    name: 'the same share and rate where the files of the device are read over twice the time',
    cells: [nic('mlx5_core'), packets, missed(2000), ...served(0.3)],
    readAfter: { [receiveMissed.collector]: 20 },
    outcome: 'warning',
    message: 'ring',
    args: { lost: 2000, rate: 100, cpus: '3', share: 1000 / 1_001_000 },
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
  {
    name: 'just below one in 10,000',
    cells: [nic('ixgbe'), packets, missed(100)],
    outcome: 'info',
    args: { lost: 100 },
  },
  { name: 'just below one in a hundred', cells: [nic('ixgbe'), packets, missed(10_100)], outcome: 'warning' },
  {
    name: 'ten frames, one in 10,000',
    cells: [nic('ixgbe'), [receivePackets, { device: 'eth0' }, 0, 99_990], missed(10)],
    outcome: 'warning',
  },
  {
    name: 'nine frames are mentioned, whatever their share',
    cells: [nic('ixgbe'), [receivePackets, { device: 'eth0' }, 0, 50], missed(9)],
    outcome: 'info',
    message: 'unplaced',
    args: { lost: 9 },
  },
  { name: 'none', cells: [nic('ixgbe'), packets, missed(0), own('rx_no_dma_resources', 0)], outcome: 'ok' },
  {
    name: 'virtio does not count: 0 says nothing',
    cells: [nic('virtio_net'), packets, missed(0), ...asked('virtio_net')],
    outcome: 'not-applicable',
  },
  {
    name: 'unless what it counts could not be read',
    cells: [nic('virtio_net'), packets, missed(0)],
    failed: { nics: { path: 'ring_losses', reason: 'operation not permitted (EPERM)' } },
    outcome: 'not-measured',
    missing: /EPERM/,
  },
  {
    name: 'a driver that is not known may count by names of its own, which could not be read',
    cells: [nic('xyz'), packets, missed(0)],
    failed: { nics: { path: 'ring_losses', reason: 'operation not permitted (EPERM)' } },
    outcome: 'not-measured',
    missing: /EPERM/,
  },
  {
    name: 'what the statistics show is told all the same',
    cells: [nic('xyz'), packets, missed(1000)],
    failed: { nics: { path: 'ring_losses', reason: 'operation not permitted (EPERM)' } },
    outcome: 'warning',
    args: { lost: 1000 },
  },
  {
    name: 'a driver that is not known was asked, and has no counter of it',
    cells: [nic('xyz'), packets, missed(0), ...asked('xyz')],
    outcome: 'ok',
  },
  {
    name: 'of a driver that keeps to the statistics nothing is missing without them',
    cells: [nic('mlx5_core'), packets, missed(0)],
    failed: { nics: { path: 'ring_losses', reason: 'operation not permitted (EPERM)' } },
    outcome: 'ok',
  },
  {
    name: 'vmxnet3 was asked, and lost nothing',
    cells: [nic('vmxnet3'), packets, missed(0), ...asked('vmxnet3', 1), own('pkts rx OOB', 0)],
    outcome: 'ok',
  },
  {
    name: 'nor do those of other hypervisors and virtual functions: where the driver has a name for it, it is told',
    cells: [nic('gve'), packets, missed(0), ...asked('gve')],
    outcome: 'not-applicable',
    args: {
      reason:
        'gve does not count frames lost in the ring in the statistics of eth0: 0 says nothing; `ethtool -S eth0` may have it as ' +
        'rx_queue_drop_cnt[N] or rx_no_buffers_posted[N]',
    },
  },
  {
    name: 'ena has it in rx_dropped',
    cells: [nic('ena'), packets, missed(0), droppedBy(1000), counted],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'dropped',
    args: { lost: 1000, share: 1000 / 1_001_000, beside: '' },
    command: /ethtool -S eth0 \| grep -E '\^ \*\(rx_drops\|queue_\[0-9\]\+_rx_/,
    alertDiffers: 'dropped',
  },
  {
    name: 'what nobody wanted is counted there too, and is no loss',
    cells: [
      nic('ena'),
      packets,
      missed(0),
      droppedBy(1000),
      counted,
      [skbDrops, { reason: 'UNHANDLED_PROTO', location: 'f', device: 'eth0' }, 0, 990],
      [skbDrops, { reason: 'CPU_BACKLOG', location: 'f', device: 'eth0' }, 0, 10],
      [skbDrops, { reason: 'NO_SOCKET', location: 'f', device: 'eth0' }, 0, 999],
      [skbDrops, { reason: 'UNHANDLED_PROTO', location: 'f', device: 'eth1' }, 0, 999],
    ],
    outcome: 'ok',
  },
  {
    name: 'how much of it nobody wanted is not known where drops were not counted: mentioned',
    cells: [nic('sfc'), packets, missed(0), droppedBy(1000)],
    outcome: 'info',
    certainty: 'possible',
    message: 'dropped',
    args: { lost: 1000, beside: ', and packets that nobody wants besides: how many of each is not known' },
  },
  { name: 'none dropped by such a driver', cells: [nic('rvu_nicpf'), packets, missed(0), droppedBy(0)], outcome: 'ok' },
  {
    name: 'nothing is known where it was not read',
    cells: [nic('nicvf'), packets, missed(0)],
    outcome: 'not-measured',
    missing: /nicvf counts frames lost in the ring in rx_dropped/,
  },
  {
    name: 'what the driver counts by names of its own only',
    cells: [nic('ixgbe'), packets, missed(0), own('rx_no_dma_resources', 1000), own('rx_missed_errors', 0)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'own',
    args: { lost: 1000, share: 1000 / 1_001_000, counter: 'rx_no_dma_resources', of: ' (ixgbe)' },
    alertDiffers: 'own',
  },
  {
    name: 'none of them, of a driver whose statistics have nothing',
    cells: [nic('virtio_net'), packets, missed(0), own('rxN_hw_drop_overruns', 0)],
    outcome: 'ok',
  },
  {
    name: 'the same loss in the statistics and by the name of the driver is told by the statistics',
    cells: [nic('mlx5_core'), packets, missed(1000), own('rx_out_of_buffer', 1000)],
    outcome: 'warning',
    message: 'unplaced',
    args: { lost: 1000 },
  },
  {
    name: 'what the driver counts itself has nothing of what nobody wanted',
    cells: [nic('ena'), packets, missed(0), droppedBy(1500), own('rx_drops', 1000)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'own',
    args: { lost: 1000, counter: 'rx_drops' },
    alertDiffers: 'own',
  },
  {
    name: 'a driver that nobody named is left out',
    cells: [nic(''), packets, missed(1000)],
    outcome: 'warning',
    message: 'unplaced',
    args: { of: '' },
  },
  {
    name: 'i40e had it there up to 6.7',
    cells: [nic('i40e'), packets, missed(0), droppedBy(1000), counted, kernel('6.1.0-44-amd64')],
    outcome: 'warning',
    message: 'dropped',
    alertDiffers: 'dropped',
  },
  {
    name: 'and has it in rx_missed_errors since',
    cells: [nic('i40e'), packets, missed(0), droppedBy(1000), counted, kernel('6.12.107')],
    outcome: 'ok',
  },
  {
    name: 'rx_dropped of other drivers is what nobody wanted (LLDP), and stays quiet',
    cells: [nic('ixgbe'), packets, missed(0), droppedBy(1000), counted, own('rx_no_dma_resources', 0)],
    outcome: 'ok',
  },
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
    name: 'a card in another namespace, beside one of the same name that lost nothing',
    cells: [
      ...[nic('ixgbe'), packets, missed(0), ...served(0.95)],
      ...[nic('ixgbe'), packets, missed(1000)].map(([metric, labels, ...values]): Cell => [
        metric,
        { ...labels, netns: 'pod' },
        ...values,
      ]),
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'unplaced',
    args: { lost: 1000, device: 'eth0', driver: 'ixgbe' },
    command: /^ip netns exec pod ethtool -g eth0$/m,
  },
  {
    name: 'a namespace whose devices are all virtual: the statistics of a ring are asked of none',
    cells: [nic('', 'veth'), packets],
    outcome: 'not-applicable',
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

describe('cards of other namespaces', () => {
  it('that could not be listed are not measured, whatever our own are', () => {
    for (const cells of [
      [nic('ixgbe'), packets, missed(0), ...asked('ixgbe')],
      [nic('', 'veth'), packets],
    ]) {
      const window = windowOf({ cells });
      const reader: Reader = { ...fakeReader({}), dump: () => refusal('EPERM') };
      for (const end of [window.before, window.after]) {
        end.add(receivePackets, { device: 'eth0', netns: 'pod' }, end.at, end.at);
        runCollector(nics, reader, end, 'pod');
      }
      const findings = evaluateRules(window, [nicRingDrops]);
      const unseen = findings.find(({ outcome }) => outcome === 'not-measured');
      assert.deepEqual(unseen?.at, { netns: 'pod' }, JSON.stringify(findings));
      assert.match(unseen.missing[0]?.reason ?? '', /EPERM/);
    }
  });
});
