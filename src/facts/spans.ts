import {
  spanBucket,
  spanFloor,
  spanLost,
  spanNanoseconds,
  spanQuantile,
  spanSamples,
  spanStamped,
  spanStddev,
  tappedNanoseconds,
  tappedSamples,
} from '../metrics/catalogue/index.ts';
import type { Labels, Metric } from '../metrics/metric.ts';
import { OWN_NETNS, labelKey } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { Signal } from './signal.ts';
import { NO_SPAN, mostlyLost, priceOfSpan, type PriceLimits } from './price.ts';
import type { Bucket, Span, Spans } from '../generated/report.ts';

/** The spans of every device the probe was on, by `deviceKey`. */
export const spansByDevice = once((window: Window): ReadonlyMap<string, Spans> => {
  const found = new Map<string, { taps: Span | null; stack: Span | null; forward: Span | null }>();
  const sums = {
    nanoseconds: amounts(window, spanNanoseconds),
    quantiles: grouped(window, spanQuantile),
    stddev: grouped(window, spanStddev),
    floors: grouped(window, spanFloor),
    buckets: grouped(window, spanBucket),
    lost: groupedAmounts(amounts(window, spanLost).values()),
    stamped: groupedAmounts(amounts(window, spanStamped).values()),
  };
  for (const { labels, value } of amounts(window, spanSamples).values()) {
    const name = labels['span'];
    if (name !== 'taps' && name !== 'stack' && name !== 'forward') continue;
    const key = deviceKey(labels);
    const spans = found.get(key) ?? { taps: null, stack: null, forward: null };
    found.set(key, spans);
    const earlier = spans[name];
    // One span in two modes on one device cannot be merged: they contain different work. The better sampled one stands.
    if (earlier === null || value > earlier.count) spans[name] = spanOf(labels, value, sums);
  }
  return found;
});

/** Samples begun and not counted. `unseen` is left out: such a packet never came to the end. */
export function begunAndLost({ lost, lostBy }: Span): number {
  return lost - (lostBy['unseen'] ?? 0);
}

/**
 * What so many taps of a device take together, by their span: while they were there, where they came or went in the window; else in
 * the whole window. Or why that is not known. What was lost is known of the whole window only, and speaks against the samples of a
 * part of it too, as in PKT0101.
 */
export function togetherNs(window: Window, key: string, taps: number, limits: PriceLimits): number | string {
  const span = spansByDevice(window).get(key)?.taps ?? null;
  if (span === null) return NO_SPAN;
  const samples = ofDevice(window, tappedSamples, key);
  const sum = ofDevice(window, tappedNanoseconds, key);
  const theirs = samples === undefined || samples === 0 || sum === undefined ? undefined : sum / samples;
  const mean = samples === undefined ? (span.avgNs ?? undefined) : theirs;
  return priceOfSpan(
    {
      samples: samples ?? span.count,
      lost: begunAndLost(span),
      meanNs: mean,
      floorNs: span.floorNs ?? undefined,
      taps,
    },
    limits,
  );
}

/**
 * What was measured in the span of the packets that did not pass the priced taps, above the floor, in nanoseconds: about nothing where
 * no tap was there, the price of others where those came before or after. null where too many samples were lost to say.
 */
export function restOfTapNs(window: Window, key: string, { taps }: Spans, limits: PriceLimits): number | null {
  const samples = ofDevice(window, tappedSamples, key);
  if (samples === undefined || taps === null || taps.avgNs === null) return 0;
  const others = taps.count - samples;
  if (others <= 0) return 0;
  if (mostlyLost(taps.count, begunAndLost(taps), limits.lost) !== undefined) return null;
  const nanoseconds = taps.count * taps.avgNs - (ofDevice(window, tappedNanoseconds, key) ?? 0);
  return Math.max(0, nanoseconds / others - (taps.floorNs ?? 0));
}

function ofDevice(window: Window, metric: Metric, key: string): number | undefined {
  return window.value(metric).find(({ labels }) => deviceKey(labels) === key)?.value;
}

export function deviceKey(labels: Labels): string {
  return `${labels['netns'] ?? OWN_NETNS}\u0000${labels['device'] ?? ''}`;
}

interface Amount {
  readonly labels: Labels;
  readonly value: number;
}

interface Sums {
  readonly nanoseconds: ReadonlyMap<string, Amount>;
  readonly quantiles: ReadonlyMap<string, readonly Amount[]>;
  readonly stddev: ReadonlyMap<string, readonly Amount[]>;
  readonly floors: ReadonlyMap<string, readonly Amount[]>;
  readonly buckets: ReadonlyMap<string, readonly Amount[]>;
  readonly lost: ReadonlyMap<string, readonly Amount[]>;
  readonly stamped: ReadonlyMap<string, readonly Amount[]>;
}

function spanOf(labels: Labels, count: number, sums: Sums): Span {
  const key = spanKey(labels);
  const quantiles = new Map(
    (sums.quantiles.get(key) ?? []).map((each) => [Number(each.labels['quantile']), each.value]),
  );
  const at = (quantile: number): number | null => quantiles.get(quantile) ?? null;
  const difference = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a - b);
  const total = sums.nanoseconds.get(labelKey(labels))?.value;
  const floor = (sums.floors.get(key) ?? [])[0];
  const lostBy = new Map((sums.lost.get(key) ?? []).map((each) => [each.labels['reason'] ?? '', each.value]));
  const stamped = (sums.stamped.get(key) ?? [])[0]?.value;
  // A stamp on a packet that never came to TC, or without it, is met by no counter.
  if (stamped !== undefined) lostBy.set('unseen', Math.max(0, stamped - count - (lostBy.get('noMetadata') ?? 0)));
  return {
    mode: labels['mode'] ?? '',
    count,
    avgNs: total === undefined || count === 0 ? null : total / count,
    p50Ns: at(0.5),
    p90Ns: at(0.9),
    p99Ns: at(0.99),
    p999Ns: at(0.999),
    minNs: at(0),
    maxNs: at(1),
    jitterNs: difference(at(1), at(0)),
    spreadNs: difference(at(0.99), at(0.5)),
    stddevNs: (sums.stddev.get(key) ?? [])[0]?.value ?? null,
    floorNs: floor?.value ?? null,
    floorMethod: floor?.labels['method'] ?? null,
    lost: [...lostBy.values()].reduce((sum, each) => sum + each, 0),
    lostBy: Object.fromEntries(lostBy),
    histogram: histogramOf(sums.buckets.get(key) ?? []),
  };
}

/** Prometheus buckets are cumulative; bars are not. */
function histogramOf(buckets: readonly Amount[]): Bucket[] {
  const bounds = buckets
    .map(({ labels, value }) => ({ le: labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value }))
    .sort((a, b) => a.le - b.le);
  return bounds.map(({ le, value }, index) => ({
    leNs: Number.isFinite(le) ? le : null,
    count: Math.max(0, value - (bounds[index - 1]?.value ?? 0)),
  }));
}

function spanKey(labels: Labels): string {
  return `${deviceKey(labels)}\u0000${labels['span'] ?? ''}\u0000${labels['mode'] ?? ''}`;
}

/** What a counter of the probe gained. One that was not there at the first sample is not known, as to the rules. */
function amounts(window: Window, metric: Metric): ReadonlyMap<string, Amount> {
  return new Map(
    window.increase(metric).cells.map(({ labels, increase }) => [labelKey(labels), { labels, value: increase }]),
  );
}

function grouped(window: Window, metric: Metric): ReadonlyMap<string, readonly Amount[]> {
  return groupedAmounts(window.value(metric));
}

function groupedAmounts(amounts: Iterable<Amount>): ReadonlyMap<string, readonly Amount[]> {
  const groups = new Map<string, Amount[]>();
  for (const { labels, value } of amounts) {
    const key = spanKey(labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [{ labels, value }]);
    else group.push({ labels, value });
  }
  return groups;
}

/** Points by their namespace and device: a host with a thousand pods has as many, and each of its devices is asked for its own. */
export type ByPlace = ReadonlyMap<string, readonly Signal[]>;

export function byPlace(points: readonly Signal[]): ByPlace {
  const places = new Map<string, Signal[]>();
  for (const point of points) {
    const key = deviceKey(point.labels);
    const known = places.get(key);
    if (known === undefined) places.set(key, [point]);
    else known.push(point);
  }
  return places;
}
