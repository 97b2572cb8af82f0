import type { Bucket, Span } from '../../generated/report.ts';
import { formats } from '../words/formats.ts';
import { change, type Change } from './noise.ts';

/** Both distributions over the same bounds, and where they part most. */
export interface Shift {
  /** The bound at which the two differ most. */
  readonly aboveNs: number;
  /** The share of the packets that took longer than that. */
  readonly share: Change;
  /** Shares of the packets, not cumulative; empty ends are cut off. */
  readonly buckets: readonly ShiftedBucket[];
}

export interface ShiftedBucket {
  /** Null for the last, which has no bound. */
  readonly leNs: number | null;
  readonly before: number;
  readonly after: number;
}

/**
 * Two distributions of one sample size each lie no further apart than this over the root of that size, in 95 of 100
 * pairs of windows of the same kind (Kolmogorov and Smirnov).
 */
const SUPREMUM = 1.36;

/** Where a histogram went, or null where there is nothing to hold side by side. */
export function shiftOf(before: Span, after: Span): Shift | null {
  const [from, to] = [upTo(before.histogram), upTo(after.histogram)];
  const [ofBefore, ofAfter] = [countOf(before.histogram), countOf(after.histogram)];
  // Versions may differ in their bounds: what they have in common is coarser, and true of both.
  const bounds = [...from.keys()].filter((bound) => to.has(bound)).sort((a, b) => a - b);
  if (bounds.length === 0 || ofBefore === 0 || ofAfter === 0) return null;
  const steps = bounds.map((bound) => ({
    bound,
    before: from.get(bound)! / ofBefore,
    after: to.get(bound)! / ofAfter,
  }));
  const apart = ({ before: was, after: is }: (typeof steps)[number]): number => Math.abs(was - is);
  // Where they are alike everywhere, the median says so best.
  const start = steps.find((step) => step.before >= 0.5) ?? steps[0]!;
  const most = steps.reduce((best, step) => (apart(step) > apart(best) ? step : best), start);
  const above = (share: number, samples: number): { value: number; error: number } => ({
    value: 1 - share,
    error: SUPREMUM / Math.sqrt(samples),
  });
  return {
    aboveNs: most.bound,
    share: change(
      'longerThan',
      `took longer than ${formats.ns(most.bound)}`,
      'percent',
      above(most.before, ofBefore),
      above(most.after, ofAfter),
    ),
    buckets: cut([...steps, { bound: null, before: 1, after: 1 }]),
  };
}

/** Samples up to each bound, it included. */
function upTo(histogram: readonly Bucket[]): ReadonlyMap<number, number> {
  let passed = 0;
  const found = new Map<number, number>();
  for (const { leNs, count } of histogram) {
    passed += count;
    if (leNs !== null) found.set(leNs, passed);
  }
  return found;
}

function countOf(histogram: readonly Bucket[]): number {
  return histogram.reduce((sum, { count }) => sum + count, 0);
}

function cut(
  steps: readonly { readonly bound: number | null; readonly before: number; readonly after: number }[],
): ShiftedBucket[] {
  const buckets = steps.map(({ bound, before, after }, index) => ({
    leNs: bound,
    before: before - (steps[index - 1]?.before ?? 0),
    after: after - (steps[index - 1]?.after ?? 0),
  }));
  const filled = ({ before, after }: ShiftedBucket): boolean => before > 0 || after > 0;
  // One empty bucket is kept in front: its bound is where the first one begins.
  return buckets.slice(Math.max(0, buckets.findIndex(filled) - 1), buckets.findLastIndex(filled) + 1);
}
