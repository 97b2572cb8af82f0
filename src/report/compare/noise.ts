import { Z95 } from '../../facts/chance.ts';
import type { Bucket, Span } from '../../generated/report.ts';

/** Load is never twice the same: a shift smaller than this share is taken for noise, however well it was measured. */
export const LEAST_SHIFT = 0.05;

/** How `noise` of a change came about, for the reader. */
export const NOISE_METHOD =
  'noise is the larger of the sampling error of the two windows (95 %) and 5 % of the larger figure. Sampling error: ' +
  'counted events as Poisson, CPU time by the number of clock ticks it was sampled with (exact with irq time ' +
  'accounting), a quantile by the ranks around it in the histogram, a mean by its standard deviation, two histograms by ' +
  'Kolmogorov and Smirnov. A change of the load itself is no sampling error: compare windows of the same kind ' +
  'of traffic.';

export type ChangeUnit = 'ns' | 'percent' | 'rate' | 'ratio';

/** What a figure is, for programs. */
export type Quantity =
  | 'softirqNsPerPacket'
  | 'softirqNsPerFrame'
  | 'netRxNsPerPacket'
  | 'interruptShare'
  | 'softirqShare'
  | 'packets'
  | 'frames'
  | 'dropped'
  | 'missed'
  | 'cardLost'
  | 'squeezed'
  | 'mean'
  | 'p50'
  | 'p90'
  | 'p99'
  | 'p99.9'
  | 'longerThan'
  | 'partNs'
  | 'price';

/** One figure in both windows. */
export interface Change {
  readonly quantity: Quantity;
  readonly figure: string;
  readonly unit: ChangeUnit;
  readonly before: number | null;
  readonly after: number | null;
  readonly difference: number | null;
  /** after / before; null when either is missing or before is zero. */
  readonly ratio: number | null;
  /** A difference of no more than this, either way, says nothing. */
  readonly noise: number | null;
  readonly verdict: 'more' | 'less' | 'within-noise' | 'unknown';
}

/** A figure of one window and its sampling error at 95 %, in the figure's own unit. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

export function change(
  quantity: Quantity,
  figure: string,
  unit: ChangeUnit,
  before: Estimate | null,
  after: Estimate | null,
): Change {
  if (before === null || after === null) {
    const [from, to] = [before?.value ?? null, after?.value ?? null];
    const unknown = { difference: null, ratio: null, noise: null, verdict: 'unknown' } as const;
    return { quantity, figure, unit, before: from, after: to, ...unknown };
  }
  const difference = after.value - before.value;
  const noise = Math.max(
    Math.hypot(before.error, after.error),
    LEAST_SHIFT * Math.max(Math.abs(before.value), Math.abs(after.value)),
  );
  return {
    quantity,
    figure,
    unit,
    before: before.value,
    after: after.value,
    difference,
    ratio: before.value === 0 ? null : after.value / before.value,
    noise,
    verdict: Math.abs(difference) <= noise ? 'within-noise' : difference > 0 ? 'more' : 'less',
  };
}

/** Events counted over a window, per second: the error of a Poisson count, of one event where none was seen. */
export function counted(events: number | null, seconds: number): Estimate | null {
  if (events === null || seconds <= 0) return null;
  return { value: events / seconds, error: (Z95 * Math.sqrt(Math.max(1, events))) / seconds };
}

/**
 * A figure made of CPU time, such as a share or a price per packet. The kernel charges whole ticks to whatever it finds
 * running, unless it was built to account for interrupt time exactly.
 */
export function ofCpuTime(value: number | null, cpuSeconds: number | null, exact: boolean): Estimate | null {
  if (value === null || cpuSeconds === null) return null;
  const ticks = cpuSeconds * TICKS_PER_SECOND;
  const relative = exact ? 0 : 1 / Math.sqrt(Math.max(1, ticks));
  return { value, error: Z95 * relative * Math.abs(value) };
}

/** USER_HZ, in which /proc/stat counts; where the kernel's own tick is quicker the error is smaller than said. */
const TICKS_PER_SECOND = 100;

/** A mean of `samples` durations whose spread is about as large as themselves. */
export function ofSamples(value: number | null, samples: number): Estimate | null {
  return value === null || samples <= 0 ? null : { value, error: (Z95 * Math.abs(value)) / Math.sqrt(samples) };
}

export function meanOf({ avgNs, stddevNs, count }: Span): Estimate | null {
  if (avgNs === null || count === 0) return null;
  return { value: avgNs, error: (Z95 * (stddevNs ?? avgNs)) / Math.sqrt(count) };
}

/**
 * A quantile with the durations at the ranks that are its bounds (order statistics: the rank of a quantile is binomial).
 * Where the ranks run out, as for p99.9 of a few hundred, nothing can be said.
 */
export function quantileOf({ count, histogram }: Span, quantile: number, value: number | null): Estimate | null {
  if (value === null || count === 0) return null;
  const spread = Z95 * Math.sqrt(count * quantile * (1 - quantile));
  const [low, high] = [count * quantile - spread, count * quantile + spread];
  if (low < 0 || high > count) return null;
  const [least, most] = [atRank(histogram, low), atRank(histogram, high)];
  if (least === null || most === null) return null;
  return { value, error: Math.max(0, value - least, most - value) };
}

/** The duration of the sample of that rank, as if those of one bucket lay evenly in it. */
function atRank(histogram: readonly Bucket[], rank: number): number | null {
  let passed = 0;
  let lower = 0;
  for (const { leNs, count } of histogram) {
    if (passed + count >= rank && count > 0) {
      return leNs === null ? null : lower + ((leNs - lower) * (rank - passed)) / count;
    }
    passed += count;
    lower = leNs ?? lower;
  }
  return null;
}
