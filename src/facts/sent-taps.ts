/** What taps take of sent packets: dev_queue_xmit_nit runs for each of them, in the sender's context (net/core/dev.c:xmit_one). */
import type { PriceLimits } from './price.ts';
import type { Signal } from './signal.ts';
import { sentPerSecond, type SentRates } from './tapped.ts';
import { priceOfTap, type TapHook } from './taps.ts';

export interface SentReadings extends SentRates {
  /** Of the device, by the way in which packets came to the taps. */
  readonly sentSamples: readonly Signal[];
  readonly sentMedians: readonly Signal[];
  readonly sentFloors: readonly Signal[];
  /** Per socket, where the kernel permits to time each. */
  readonly sentPrices: readonly Signal[];
}

export interface SentPrice {
  /** Per packet that is sent, measurement taken off: a median, since locks that are waited for move the mean. */
  readonly ns: number;
  readonly perSecond: number;
  /** CPU-seconds per second, while the taps are there. */
  readonly cpu: number;
}

/** Fewer of one way say nothing about it. */
const FEWEST_OF_A_WAY = 20;

/** The price of the taps on what a device sends, or why there is none. */
export function sentPrice(read: SentReadings, taps: readonly TapHook[], limits: PriceLimits): SentPrice | string {
  const perSecond = sentPerSecond(read);
  const sockets = taps.map((tap) => priceOfTap(tap, read.sentPrices));
  if (taps.length > 0 && sockets.every((price) => price !== undefined)) {
    const ns = sockets.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
    return perSecond === undefined ? 'how much is sent is not known' : priced(ns, perSecond);
  }
  if (read.sentSeconds === undefined) return 'sent packets were not timed';
  const ns = medianOverFloor(read, limits.samples);
  return typeof ns === 'string' ? ns : priced(ns, perSecond ?? 0);
}

function priced(ns: number, perSecond: number): SentPrice {
  return { ns, perSecond, cpu: (ns * perSecond) / 1e9 };
}

/** In the mean of the ways, each with its samples: they are begun at the same rate. */
export function medianOverFloor(
  { sentSamples, sentMedians, sentFloors }: Pick<SentReadings, 'sentSamples' | 'sentMedians' | 'sentFloors'>,
  fewest: number,
): number | string {
  const of = (signals: readonly Signal[], way: string | undefined): number | undefined =>
    signals.find(({ labels }) => labels['way'] === way)?.value;
  const ways = sentSamples.flatMap(({ labels: { way }, value: samples }) => {
    const [median, floor] = [of(sentMedians, way), of(sentFloors, way)];
    if (samples < FEWEST_OF_A_WAY || median === undefined || floor === undefined) return [];
    return [{ samples, ns: Math.max(0, median - floor) }];
  });
  const samples = ways.reduce((sum, way) => sum + way.samples, 0);
  if (samples < fewest) return `the probe timed only ${Math.round(samples)} sent packets`;
  return ways.reduce((sum, { ns, samples: weight }) => sum + ns * weight, 0) / samples;
}

/** Who pays for the taps on sent packets, by the samples of the profile that met them in a process. */
export interface Payer {
  readonly pid: string;
  readonly comm: string;
  readonly share: number;
}

const FEWEST_SAMPLES = 10;

export function payersOf(samples: readonly Signal[]): readonly Payer[] {
  const all = samples.reduce((sum, { value }) => sum + value, 0);
  if (all < FEWEST_SAMPLES) return [];
  return samples
    .map(({ labels, value }) => ({ pid: labels['pid'] ?? '', comm: labels['comm'] ?? '', share: value / all }))
    .sort((a, b) => b.share - a.share);
}
