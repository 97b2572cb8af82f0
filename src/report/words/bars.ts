import type { Bucket } from '../../generated/report.ts';
import { formats } from './formats.ts';

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const ascii = ['.', ':', '-', '=', '+', '*', '#', '@'] as const;

export interface Bars {
  readonly bars: string;
  readonly fromNs: number;
  /** Upper bound of the last bar; the lower one where it has none. */
  readonly toNs: number;
  /** Whether the last bar has no upper bound. */
  readonly open: boolean;
}

/** A distribution as one line of bars, empty ends cut off; buckets are put together where there are more than fit. */
export function bars(histogram: readonly Bucket[], most: number, unicode: boolean): Bars | undefined {
  const first = histogram.findIndex(({ count }) => count > 0);
  const last = histogram.findLastIndex(({ count }) => count > 0);
  if (first < 0) return undefined;
  const counts = merged(
    histogram.slice(first, last + 1).map(({ count }) => count),
    most,
  );
  return {
    bars: drawn(counts, Math.max(...counts), unicode),
    fromNs: histogram[first - 1]?.leNs ?? 0,
    ...endOf(histogram, last),
  };
}

export interface BarPair extends Omit<Bars, 'bars'> {
  readonly before: string;
  readonly after: string;
}

/** How much of each of two distributions is in a bucket. */
interface TwoCounts {
  readonly leNs: number | null;
  readonly before: number;
  readonly after: number;
}

/** Two distributions over the same bounds, one under the other on one scale. */
export function barPair(buckets: readonly TwoCounts[], most: number, unicode: boolean): BarPair {
  const first = buckets.findIndex(({ before, after }) => before > 0 || after > 0);
  const filled = buckets.slice(first);
  const [before, after] = [
    merged(
      filled.map((each) => each.before),
      most,
    ),
    merged(
      filled.map((each) => each.after),
      most,
    ),
  ];
  const highest = Math.max(...before, ...after);
  return {
    before: drawn(before, highest, unicode),
    after: drawn(after, highest, unicode),
    fromNs: buckets[first - 1]?.leNs ?? 0,
    ...endOf(buckets, buckets.length - 1),
  };
}

function endOf(buckets: readonly { readonly leNs: number | null }[], last: number): Pick<Bars, 'toNs' | 'open'> {
  const bound = buckets[last]?.leNs ?? null;
  return { toNs: bound ?? buckets[last - 1]?.leNs ?? 0, open: bound === null };
}

/** Where the time of the last bar ends: `8.19 µs`, `beyond 8.19 µs`. */
export function reachWords({ toNs, open }: Pick<Bars, 'toNs' | 'open'>): string {
  return `${open ? 'beyond ' : ''}${formats.ns(toNs)}`;
}

function merged(counts: readonly number[], most: number): number[] {
  const per = Math.ceil(counts.length / most);
  return Array.from({ length: Math.ceil(counts.length / per) }, (_, index) =>
    counts.slice(index * per, (index + 1) * per).reduce((sum, count) => sum + count, 0),
  );
}

function drawn(counts: readonly number[], highest: number, unicode: boolean): string {
  const glyphs = unicode ? blocks : ascii;
  // Any sample at all shows: the tail is what one looks for.
  return counts.map((count) => (count <= 0 ? ' ' : glyphs[Math.ceil((count / highest) * 8) - 1]!)).join('');
}
