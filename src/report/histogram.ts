import type { Bucket } from '../generated/report.ts';

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const ascii = ['.', ':', '-', '=', '+', '*', '#', '@'] as const;

export interface Bars {
  readonly bars: string;
  readonly fromNs: number;
  /** null when the last bar has no upper bound. */
  readonly toNs: number | null;
}

/** A distribution as one line of bars, empty ends cut off; buckets are put together where there are more than fit. */
export function bars(histogram: readonly Bucket[], most: number, unicode: boolean): Bars | undefined {
  const first = histogram.findIndex(({ count }) => count > 0);
  const last = histogram.findLastIndex(({ count }) => count > 0);
  if (first < 0) return undefined;
  const per = Math.ceil((last - first + 1) / most);
  const counts: number[] = [];
  for (let from = first; from <= last; from += per) {
    counts.push(histogram.slice(from, Math.min(from + per, last + 1)).reduce((sum, { count }) => sum + count, 0));
  }
  const highest = Math.max(...counts);
  const glyphs = unicode ? blocks : ascii;
  return {
    // Any sample at all shows: the tail is what one looks for.
    bars: counts.map((count) => (count === 0 ? ' ' : glyphs[Math.ceil((count / highest) * 8) - 1]!)).join(''),
    fromNs: histogram[first - 1]?.leNs ?? 0,
    toNs: histogram[last]!.leNs,
  };
}
