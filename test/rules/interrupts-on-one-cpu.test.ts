import { cpuSeconds, deviceIrq, interrupts, receivePackets } from '../../src/metrics/catalogue/index.ts';
import { interruptsOnOneCpu } from '../../src/rules/interrupts-on-one-cpu.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const nic = ({ frames = 200_000, each = 5000, stray = 0, softirq = 0.65, next = 0.05 } = {}): Cell[] => [
  [receivePackets, { device: 'eth0' }, 0, frames * 10],
  ...['30', '31', '32', '33'].flatMap((type): Cell[] => [
    [deviceIrq, { device: 'eth0', type, affinity: '0-1', effective_affinity: '0' }, 1, 1],
    [interrupts, { cpu: '0', type, info: 'PCI-MSI', devices: 'eth0-rx' }, 0, each * 10],
    [interrupts, { cpu: '1', type, info: 'PCI-MSI', devices: 'eth0-rx' }, 0, stray * 10],
  ]),
  [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, softirq * 10],
  [cpuSeconds, { cpu: '1', mode: 'softirq' }, 0, next * 10],
];

ruleCases(interruptsOnOneCpu, [
  {
    name: 'four queues, one CPU',
    cells: nic(),
    outcome: 'warning',
    certainty: 'measured',
    args: { cpu: '0', device: 'eth0', queues: 4, share: 1 },
    command: /irqbalance/,
  },
  {
    name: 'one queue',
    cells: nic().filter(([metric, labels]) => metric !== deviceIrq || labels['type'] === '30'),
    outcome: 'warning',
    command: /rps_cpus/,
  },
  { name: 'a CPU with room', cells: nic({ softirq: 0.4 }), outcome: 'ok' },
  { name: 'the others work as well', cells: nic({ next: 0.3 }), outcome: 'ok' },
  { name: 'interrupts that are spread', cells: nic({ stray: 2000 }), outcome: 'ok' },
  { name: 'few frames', cells: nic({ frames: 10_000 }), outcome: 'ok' },
  { name: 'a card that is polled', cells: nic({ each: 5 }), outcome: 'ok' },
  {
    name: 'interrupts that could not be read',
    cells: nic().filter(([metric]) => metric !== interrupts),
    failed: { interrupts: { path: '/proc/interrupts', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'counters that began anew',
    cells: [...nic().filter(([metric]) => metric !== receivePackets), [receivePackets, { device: 'eth0' }, 1e9, 5]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
