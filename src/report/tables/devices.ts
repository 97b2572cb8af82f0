import type { DeviceCost } from '../../generated/report.ts';
import { placed } from '../words/phrases.ts';
import type { Cell, Table } from './table.ts';

/** The devices that received packets. */
export const deviceTable: Table<DeviceCost> = [
  { label: 'Device', unit: 'name', cell: ({ device, netns }) => placed(device, netns) },
  { label: 'Driver', unit: 'words', cell: ({ driver, kind }) => filled(driver) ?? filled(kind) },
  { label: 'Kind', unit: 'words', cell: ({ kind }) => filled(kind), detail: true },
  { label: 'Node', unit: 'number', cell: ({ numaNode }) => numaNode },
  { label: 'Frames', unit: 'rate', cell: ({ packetsPerSecond }) => packetsPerSecond },
  { label: 'In the window', unit: 'count', cell: ({ packets }) => packets, detail: true },
  { label: 'Bytes', unit: 'bytes', cell: ({ bytes }) => bytes, detail: true },
  { label: 'Dropped', unit: 'count', cell: ({ dropped }) => dropped },
  { label: 'NIC lost', unit: 'count', cell: lostByCard },
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
