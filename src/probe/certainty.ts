/**
 * How long the tracepoints have to be there: until each price that is watched is certain enough, and no longer. A price needs timed
 * packets, not time, and they are taken in slices all over the window, each as long as its share of them takes: so the share of the
 * packets that meet a hook falls as their rate rises. Pure: counts and errors in, a decision out.
 */
import type { CpuReading, DeviceReading, TransmitReading } from '../readings/reading.ts';
import type { SpanHistogram } from '../readings/histogram.ts';

/** What was counted, as far as the decision needs it. */
export interface CountedSoFar {
  readonly cpus: readonly CpuReading[];
  readonly devices: readonly Pick<DeviceReading, 'netns' | 'ifindex' | 'device' | 'spans'>[];
  readonly transmit: readonly TransmitReading[];
}

/** A price by what was timed of it. */
export interface Price {
  /** Since the taps that are priced have been there. */
  readonly samples: number;
  /** Of them, in the slice that is under way. */
  readonly inSlice: number;
  /** Standard error by the mean; 0 where the number of samples alone decides. */
  readonly error: number;
  /** With an ordinary spread so many are enough. */
  readonly enough: number;
  /** One that cannot get as many in the whole window keeps nobody: it is not taken for a price, whatever is done. */
  readonly fewest: number;
  /** In each slice, certain or not: it may have changed. */
  readonly again: number;
}

/** Where in the window the slice is. */
export interface Slice {
  /** Slices that are still to come, this one among them. */
  readonly left: number;
  /** Seconds that the tracepoints were attached since the taps that are priced have been there, this slice among them. */
  readonly tracedSeconds: number;
  /** The same in the whole window if no slice ends early. */
  readonly mostSeconds: number;
}

/** Standard error of a mean over the mean: a price of 700 ns over a floor of 150 is then known to 3 per cent. */
export const TARGET_ERROR = 0.025;
/** With these a slice shows a tap that has come, and a price that doubles. */
export const PACKETS_AGAIN = 100;
/** Some 2,000 timed packets fix a tap's price to a few per cent. */
export const ENOUGH_PACKETS = 2000;
/** A long tail is no reason to stay for ever: so many times what is otherwise enough. */
const MOST_TIMES = 8;
/** Of a tap's packets, received or sent (tap-cost-signals.ts). */
const FEWEST_OF_A_TAP = 50;
/** Medians of sent packets. */
const SENT = { error: 0, enough: 1000, fewest: FEWEST_OF_A_TAP, again: PACKETS_AGAIN };
/** A median too, on a device without taps (floor.ts). */
const FLOOR = { error: 0, enough: 1000, fewest: 200, again: 0 };
/** A run of many packets is their mean already. Of NET_RX a thousand packets make a price, of which a quarter is met and one in eight of that timed; of all CPUs and of one. */
const FEWEST_OF_NET_RX = 20;
const RUNS = { error: 0, enough: 160, fewest: FEWEST_OF_NET_RX, again: 0 };
const PACKETS = { error: 0, enough: ENOUGH_PACKETS, fewest: FEWEST_OF_NET_RX, again: PACKETS_AGAIN };
const ON_CPU = { error: 0, enough: 400, fewest: FEWEST_OF_NET_RX, again: 0 };
/** A CPU with a smaller part of the runs, and less than half of an even one, is priced by what comes by. */
const LEAST_PART = 0.05;

/** How many samples there are to be at the end: the error falls with their root. */
export function needed({ samples, error, enough }: Price): number {
  const forTarget = samples * (error / TARGET_ERROR) ** 2;
  return Math.min(Math.max(enough, forTarget), enough * MOST_TIMES);
}

/** How many samples are still to come in this slice; 0 when it has had its share, or when none would help. */
export function missing(price: Price, { left, tracedSeconds, mostSeconds }: Slice): number {
  const before = price.samples - price.inSlice;
  const share = Math.max((needed(price) - before) / Math.max(1, left), price.again);
  if (price.inSlice >= share) return 0;
  // Of a rate so low that it shows none yet, 3 is the most that is likely.
  const prospect = tracedSeconds <= 0 ? Infinity : ((price.samples + 3) / tracedSeconds) * mostSeconds;
  return prospect < price.fewest ? 0 : share - price.inSlice;
}

/** Seconds until every price has its share of the slice, at the pace so far; 0 when they have it, Infinity where it is not known. */
export function secondsToGo(prices: readonly Price[], slice: Slice): number {
  return Math.max(
    0,
    ...prices.map((price) => {
      const more = missing(price, slice);
      return more === 0 ? 0 : (more * slice.tracedSeconds) / price.samples;
    }),
  );
}

/**
 * The prices that are watched: of each tap received and sent, of the floor, of NET_RX and its CPUs. `from` is of when the taps that
 * are priced came, `since` of when the slice began.
 */
export function pricesOf(
  from: CountedSoFar,
  since: CountedSoFar,
  now: CountedSoFar,
  tapped: (device: DeviceKey) => boolean,
): Price[] {
  const taps = now.devices.map((device) => ({
    tapped: tapped(device),
    price: spanPrice(tapSpanOf(from, device), tapSpanOf(since, device), spanOf(device)),
  }));
  const floor = taps.filter((each) => !each.tapped).sort((a, b) => b.price.samples - a.price.samples)[0];
  return [
    ...taps.filter((each) => each.tapped).map(({ price }) => price),
    ...(floor === undefined ? [] : [{ ...floor.price, ...FLOOR }]),
    ...now.transmit.filter(tapped).map((device) => sentPrice(from, since, device)),
    ...netRxPrices(from, since, now),
  ];
}

type DeviceKey = Pick<DeviceReading, 'netns' | 'ifindex' | 'device'>;

const same =
  (device: DeviceKey) =>
  (other: DeviceKey): boolean =>
    other.netns === device.netns && other.ifindex === device.ifindex;

function spanOf(device: { readonly spans: DeviceReading['spans'] } | undefined): SpanHistogram | undefined {
  return device?.spans.find(({ span }) => span === 'taps');
}

function tapSpanOf({ devices }: CountedSoFar, device: DeviceKey): SpanHistogram | undefined {
  return spanOf(devices.find(same(device)));
}

function spanPrice(
  from: SpanHistogram | undefined,
  since: SpanHistogram | undefined,
  now: SpanHistogram | undefined,
): Price {
  const samples = (now?.count ?? 0) - (from?.count ?? 0);
  const sum = (now?.sumNs ?? 0) - (from?.sumNs ?? 0);
  const squares = (now?.sumSqNs ?? 0) - (from?.sumSqNs ?? 0);
  return {
    samples,
    inSlice: (now?.count ?? 0) - (since?.count ?? 0),
    error: errorOfMean(samples, sum, squares),
    enough: ENOUGH_PACKETS,
    fewest: FEWEST_OF_A_TAP,
    again: PACKETS_AGAIN,
  };
}

/** Standard error of the mean of so many values, by the mean; 0 without any. */
export function errorOfMean(count: number, sum: number, squares: number): number {
  if (count === 0 || sum <= 0) return 0;
  const mean = sum / count;
  return Math.sqrt(Math.max(0, squares / count - mean * mean) / count) / mean;
}

/** A median: what is far above it does not move it. */
function sentPrice(from: CountedSoFar, since: CountedSoFar, device: TransmitReading): Price {
  const timed = (reading: TransmitReading | undefined): number =>
    (reading?.ways ?? []).reduce((sum, { count }) => sum + count, 0);
  const earlier = ({ transmit }: CountedSoFar): number => timed(transmit.find(same(device)));
  const samples = timed(device) - earlier(from);
  return { samples, inSlice: timed(device) - earlier(since), ...SENT };
}

function netRxPrices(from: CountedSoFar, since: CountedSoFar, now: CountedSoFar): Price[] {
  const count = (progress: CountedSoFar, of: (cpu: CpuReading) => number, only?: number): number =>
    progress.cpus.reduce((sum, cpu) => sum + (only === undefined || cpu.cpu === only ? of(cpu) : 0), 0);
  const counted = (of: (cpu: CpuReading) => number, only?: number): Pick<Price, 'samples' | 'inSlice'> => ({
    samples: count(now, of, only) - count(from, of, only),
    inSlice: count(now, of, only) - count(since, of, only),
  });
  const runs = ({ netRxRuns }: CpuReading): number => netRxRuns;
  const packets = ({ netRxSkbs }: CpuReading): number => netRxSkbs;
  const busy = now.cpus.filter(({ cpu }) => {
    const part = counted(runs, cpu).samples;
    return part > 0 && part >= counted(runs).samples * Math.min(LEAST_PART, 0.5 / now.cpus.length);
  });
  return [
    { ...counted(({ netRxSampledRuns }) => netRxSampledRuns), ...RUNS },
    { ...counted(packets), ...PACKETS },
    ...busy.map(({ cpu }) => ({ ...counted(packets, cpu), ...ON_CPU })),
  ];
}
