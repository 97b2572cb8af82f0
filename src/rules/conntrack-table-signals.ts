/** What PKT0201 and PKT0202 have in common: how full the table is, what it refused, and how to enlarge it. */
import { letInPerRefusal, refusals, tableUsage } from '../facts/conntrack.ts';
import type { Signal } from '../facts/signal.ts';
import { conntrackBuckets, conntrackEntries, conntrackLimit, meminfo } from '../metrics/catalogue/index.ts';
import { peak, value } from '../metrics/expression.ts';
import type { Advice } from './finding.ts';
import { raiseConntrackMax } from './remedies/conntrack.ts';
import { optional } from './rule.ts';

export const levelSignals = {
  usage: optional(tableUsage),
  entries: peak(conntrackEntries),
  limit: peak(conntrackLimit),
} as const;

export const refusalSignals = {
  refused: optional(refusals),
  letIn: optional(letInPerRefusal),
} as const;

export const sizeSignals = {
  buckets: optional(peak(conntrackBuckets)),
  total: optional(value(meminfo.member('MemTotal_bytes'))),
} as const;

interface TableReadings {
  readonly entries: Signal;
  readonly limit: Signal;
  readonly buckets: Signal | undefined;
  readonly total: Signal | undefined;
}

/** @param refusedPerSecond flows that found no room, or only by evicting another */
export function enlargeTable(
  { entries, limit, buckets, total }: TableReadings,
  netns: string,
  refusedPerSecond: number,
): Advice[] {
  return raiseConntrackMax({
    netns,
    entries: entries.value,
    limit: limit.value,
    refusedPerSecond,
    buckets: buckets?.value,
    totalBytes: total?.value,
  });
}
