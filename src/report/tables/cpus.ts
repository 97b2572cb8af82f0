import type { CpuCost } from '../../generated/report.ts';
import { interruptTime } from '../words/phrases.ts';
import type { Table } from './table.ts';

/** What each CPU did for packets. */
export const cpuTable: Table<CpuCost> = [
  { label: 'CPU', unit: 'words', cell: ({ cpu }) => cpu },
  { label: 'Node', unit: 'number', cell: ({ numaNode }) => numaNode },
  {
    label: 'Set apart by',
    unit: 'words',
    cell: ({ dedicatedBy }) => (dedicatedBy.length === 0 ? null : dedicatedBy.join(', ')),
    unlessEmpty: ['text'],
  },
  { label: 'Softirq, irq, NAPI', unit: 'percent', cell: interruptTime },
  { label: 'Packets', unit: 'rate', cell: ({ packetsPerSecond }) => packetsPerSecond },
  { label: 'Per packet', unit: 'ns', cell: ({ nsPerPacket }) => nsPerPacket },
  { label: 'In NET_RX', unit: 'ns', cell: ({ netRxNsPerPacket }) => netRxNsPerPacket },
  {
    label: 'Driver',
    unit: 'ns',
    cell: ({ breakdown }) => breakdown.find(({ part }) => part === 'driver-gro')?.ns ?? null,
    detail: true,
  },
  { label: 'Taps', unit: 'percent', cell: ({ tapShare }) => tapShare },
  { label: 'Drops', unit: 'count', cell: ({ dropped }) => dropped },
  { label: 'Squeezed', unit: 'count', cell: ({ squeezed }) => squeezed },
];

/** Those with packet work, busiest first. */
export function busyCpus(cpus: readonly CpuCost[]): CpuCost[] {
  return cpus
    .filter(({ softirqSeconds, packets }) => (softirqSeconds ?? 0) > 0 || (packets ?? 0) > 0)
    .sort((a, b) => (interruptTime(b) ?? 0) - (interruptTime(a) ?? 0));
}
