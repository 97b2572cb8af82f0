import type { DeviceCost, Span } from '../../generated/report.ts';
import { placed, timed } from '../words/phrases.ts';
import type { Cell, Table } from './table.ts';

/** The devices that received packets. */
export const deviceTable: Table<DeviceCost> = [
  { label: 'Device', unit: 'name', cell: ({ device, netns }) => placed(device, netns) },
  { label: 'Driver', unit: 'words', cell: ({ driver, kind }) => filled(driver) ?? filled(kind) },
  { label: 'Kind', unit: 'words', cell: ({ kind }) => filled(kind), only: ['html'] },
  { label: 'Node', unit: 'number', cell: ({ numaNode }) => numaNode, only: ['text', 'html'] },
  { label: 'Frames', unit: 'rate', cell: ({ packetsPerSecond }) => packetsPerSecond },
  { label: 'In the window', unit: 'count', cell: ({ packets }) => packets, only: ['html'] },
  { label: 'Bytes', unit: 'bytes', cell: ({ bytes }) => bytes, only: ['html'] },
  { label: 'Dropped', unit: 'count', cell: ({ dropped }) => dropped },
  { label: 'NIC lost', unit: 'count', cell: lostByCard },
  { label: 'Timed span', unit: 'words', cell: timedSpan, only: ['markdown'] },
  { label: 'Floor', unit: 'ns', cell: (device) => mostTimed(device)?.floorNs ?? null, only: ['markdown'] },
  { label: 'p50', unit: 'ns', cell: (device) => mostTimed(device)?.p50Ns ?? null, only: ['markdown'] },
  { label: 'p99', unit: 'ns', cell: (device) => mostTimed(device)?.p99Ns ?? null, only: ['markdown'] },
  { label: 'Max', unit: 'ns', cell: (device) => mostTimed(device)?.maxNs ?? null, only: ['markdown'] },
  { label: 'Not timed because', unit: 'words', cell: whyNotTimed, only: ['html'] },
];

/** By the counter that the finding goes by. A report of an earlier version knows one of them only. */
function lostByCard({ missed, cardLost, cardLostBy }: DeviceCost): Cell {
  if (cardLost === undefined) return missed;
  if (cardLost === null) return null;
  const also = cardLost > 0 && cardLost !== missed && cardLostBy ? [`by ${cardLostBy}`] : [];
  return { figure: cardLost, also };
}

function filled(text: string | null): string | null {
  return text === '' ? null : text;
}

function timedSpan(device: DeviceCost): string {
  const span = mostTimed(device);
  return span === undefined ? (device.reason ?? 'no packet came by') : `${span.kind} (${span.mode})`;
}

function whyNotTimed(device: DeviceCost): string {
  return device.reason ?? (timed(device) ? '' : 'no packet came by');
}

/** The taps span where there is one: it is the one that prices what can be removed. */
function mostTimed(device: DeviceCost): (Span & { readonly kind: string }) | undefined {
  for (const kind of ['taps', 'stack', 'forward'] as const) {
    const span = device.spans?.[kind] ?? null;
    if (span !== null && span.count > 0) return { ...span, kind };
  }
  return undefined;
}
