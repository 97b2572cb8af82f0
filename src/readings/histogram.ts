/**
 * Log-linear histograms of nanoseconds: the buckets of bpf/profile.h, quantiles and moments over them. No foreign calls, no
 * host: the report and a replayed bundle use the same functions on the same numbers.
 */

const SUB_BITS = 4;
const LINEAR = 32;
const FIRST_OCTAVE = 5;

export interface LostSamples {
  readonly noMetadata: number;
  readonly foreignIfindex: number;
  readonly badMagic: number;
  readonly unmatched: number;
  readonly backwards: number;
  readonly overRange: number;
}

/** One span of one device: sparse buckets [index, count] in rising order, and exact sums. */
export interface SpanHistogram {
  readonly count: number;
  readonly sumNs: number;
  readonly sumSqNs: number;
  readonly minNs: number;
  readonly maxNs: number;
  /** Stamps given by the program that belongs to this device; 0 where the stamp is shared by all devices. */
  readonly stamped: number;
  readonly lost: LostSamples;
  readonly buckets: readonly (readonly [number, number])[];
}

export interface SpanSummary {
  readonly count: number;
  readonly avgNs: number;
  readonly stddevNs: number;
  readonly minNs: number;
  readonly maxNs: number;
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  /** max - min, the seed's measure: one outlier makes it. */
  readonly jitterNs: number;
  /** p99 - p50: what jitter a packet in a hundred sees. */
  readonly spreadNs: number;
  readonly lost: number;
}

const NOTHING_LOST: LostSamples = {
  noMetadata: 0,
  foreignIfindex: 0,
  badMagic: 0,
  unmatched: 0,
  backwards: 0,
  overRange: 0,
};

export function emptySpan(): SpanHistogram {
  return { count: 0, sumNs: 0, sumSqNs: 0, minNs: 0, maxNs: 0, stamped: 0, lost: NOTHING_LOST, buckets: [] };
}

export function bucketOf(ns: number): number {
  if (ns < LINEAR) return Math.floor(ns);
  const exponent = Math.floor(Math.log2(ns));
  // log2 rounds up just below a power of two.
  const octave = 2 ** exponent > ns ? exponent - 1 : exponent;
  return LINEAR + (octave - FIRST_OCTAVE) * (1 << SUB_BITS) + (Math.floor(ns / 2 ** (octave - SUB_BITS)) & 15);
}

/** [lower, upper): the nanoseconds which fall into a bucket. */
export function bucketBounds(bucket: number): readonly [number, number] {
  if (bucket < LINEAR) return [bucket, bucket + 1];
  const octave = FIRST_OCTAVE + ((bucket - LINEAR) >> SUB_BITS);
  const width = 2 ** (octave - SUB_BITS);
  const lower = 2 ** octave + ((bucket - LINEAR) & 15) * width;
  return [lower, lower + width];
}

/** The value whose relative error is the same at both ends of the bucket: 3.1 % at most. */
function middle(bucket: number): number {
  if (bucket < LINEAR) return bucket;
  const [lower, upper] = bucketBounds(bucket);
  const last = upper - 1;
  return (2 * lower * last) / (lower + last);
}

/** The smallest value which at least a share `q` of the samples does not exceed; undefined without samples. */
export function quantile(
  span: Pick<SpanHistogram, 'count' | 'buckets' | 'minNs' | 'maxNs'>,
  q: number,
): number | undefined {
  if (span.count === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * span.count));
  let seen = 0;
  for (const [bucket, count] of span.buckets) {
    seen += count;
    if (seen >= rank) return Math.min(Math.max(middle(bucket), span.minNs), span.maxNs);
  }
  return span.maxNs;
}

export function lostSamples(lost: LostSamples): number {
  return lost.noMetadata + lost.foreignIfindex + lost.badMagic + lost.unmatched + lost.backwards + lost.overRange;
}

export function summarise(span: SpanHistogram): SpanSummary | undefined {
  if (span.count === 0) return undefined;
  const avgNs = span.sumNs / span.count;
  const at = (q: number): number => quantile(span, q) ?? 0;
  return {
    count: span.count,
    avgNs,
    stddevNs: Math.sqrt(Math.max(0, span.sumSqNs / span.count - avgNs * avgNs)),
    minNs: span.minNs,
    maxNs: span.maxNs,
    p50Ns: at(0.5),
    p90Ns: at(0.9),
    p99Ns: at(0.99),
    p999Ns: at(0.999),
    jitterNs: span.maxNs - span.minNs,
    spreadNs: at(0.99) - at(0.5),
    lost: lostSamples(span.lost),
  };
}

function minus(after: number, before: number): number {
  return Math.max(0, after - before);
}

/**
 * What happened between two readings. The extremes are kept since the attach: where the window did not set a new one, they are
 * taken from the window's outermost buckets, so they are right to a bucket's width.
 */
export function subtractSpans(after: SpanHistogram, before: SpanHistogram): SpanHistogram {
  const earlier = new Map(before.buckets);
  const buckets = after.buckets
    .map(([bucket, count]) => [bucket, minus(count, earlier.get(bucket) ?? 0)] as const)
    .filter(([, count]) => count > 0);
  const count = minus(after.count, before.count);
  const first = buckets[0]?.[0];
  const last = buckets.at(-1)?.[0];
  const newMin = before.count === 0 || after.minNs < before.minNs;
  const newMax = after.maxNs > before.maxNs;
  return {
    count,
    sumNs: minus(after.sumNs, before.sumNs),
    sumSqNs: minus(after.sumSqNs, before.sumSqNs),
    minNs:
      count === 0 ? 0 : newMin ? after.minNs : first === undefined ? 0 : Math.max(bucketBounds(first)[0], after.minNs),
    maxNs:
      count === 0
        ? 0
        : newMax
          ? after.maxNs
          : last === undefined
            ? 0
            : Math.min(bucketBounds(last)[1] - 1, after.maxNs),
    stamped: minus(after.stamped, before.stamped),
    lost: {
      noMetadata: minus(after.lost.noMetadata, before.lost.noMetadata),
      foreignIfindex: minus(after.lost.foreignIfindex, before.lost.foreignIfindex),
      badMagic: minus(after.lost.badMagic, before.lost.badMagic),
      unmatched: minus(after.lost.unmatched, before.lost.unmatched),
      backwards: minus(after.lost.backwards, before.lost.backwards),
      overRange: minus(after.lost.overRange, before.lost.overRange),
    },
    buckets,
  };
}

/** Samples of the buckets that lie wholly at or below `ns`. */
export function samplesBelow(span: SpanHistogram, ns: number): number {
  let sum = 0;
  for (const [bucket, count] of span.buckets) if (bucketBounds(bucket)[1] <= ns + 1) sum += count;
  return sum;
}

export function summedBy<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}
