import type { DeviceCost, Span } from '../../generated/report.ts';
import { formats } from '../words/formats.ts';
import { few, placed } from '../words/phrases.ts';
import type { Cell, Table } from './table.ts';

const spanKinds = ['taps', 'stack', 'forward'] as const;

/** A span of a device. */
export interface SpanRow {
  readonly device: DeviceCost;
  readonly kind: (typeof spanKinds)[number];
  readonly span: Span;
}

/** How long packets took, by device and span. */
export const spanTable: Table<SpanRow> = [
  { label: 'Device', unit: 'name', cell: ({ device: { device, netns } }) => placed(device, netns) },
  { label: 'Span', unit: 'words', cell: ({ kind }) => kind, whole: true },
  { label: 'Mode', unit: 'words', cell: ({ span }) => span.mode, whole: true },
  { label: 'Floor', unit: 'ns', cell: floor },
  { label: 'p50', unit: 'ns', cell: median },
  { label: 'p90', unit: 'ns', cell: ({ span }) => span.p90Ns, detail: true },
  { label: 'p99', unit: 'ns', cell: ({ span }) => span.p99Ns },
  { label: 'p99.9', unit: 'ns', cell: ({ span }) => span.p999Ns, detail: true },
  { label: 'Max', unit: 'ns', cell: ({ span }) => span.maxNs },
  { label: 'Mean', unit: 'ns', cell: ({ span }) => span.avgNs },
  { label: 'Timed', unit: 'count', cell: ({ span }) => span.count },
  { label: 'Lost', unit: 'count', cell: ({ span }) => span.lost },
];

function floor({ span: { floorNs, floorMethod } }: SpanRow): Cell {
  return floorNs === null ? null : { figure: floorNs, also: floorMethod === null ? [] : [floorMethod] };
}

function median({ span: { p50Ns, floorNs } }: SpanRow): Cell {
  if (p50Ns === null) return null;
  const above = floorNs === null || p50Ns <= floorNs ? [] : [`${formats.ns(p50Ns - floorNs)} above the floor`];
  return { figure: p50Ns, also: above };
}

export function spansOf(device: DeviceCost): SpanRow[] {
  return spanKinds.flatMap((kind) => {
    const span = device.spans?.[kind] ?? null;
    return span === null ? [] : [{ device, kind, span }];
  });
}

/** Of the devices without spans why, each reason once. */
export function untimedWords(devices: readonly DeviceCost[]): string[] {
  const untimed = new Map<string, string[]>();
  for (const { device, netns, reason } of devices)
    if (reason !== null) untimed.set(reason, [...(untimed.get(reason) ?? []), placed(device, netns)]);
  return [...untimed].map(([reason, names]) => `Per-packet latency not measured on ${few(names, 6)}: ${reason}.`);
}
