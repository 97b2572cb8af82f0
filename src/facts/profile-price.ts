/** Shares, errors and nanoseconds of some samples, by two rulers. Figures only. */
import { Z95, errorOfShare } from './chance.ts';
import { PACKETS_TO_PRICE, tooFewPackets } from './price.ts';

/** Fewer samples than these say nothing: at 100 a part of 20 % is known to 8 points. */
export const SAMPLES_TO_PRICE = 100;
/** Of the two rulers; the timed runs of NET_RX and the counters of packets are not exact either. */
const RULER_TOLERANCE = 0.1;

export interface PartShare {
  readonly part: string;
  readonly samples: number;
  /** Of the direction's samples. */
  readonly share: number;
  /** The share is within plus or minus this, 95 times in 100. */
  readonly error: number;
  /** Per packet; null where the direction has no price. */
  readonly ns: number | null;
  readonly nsError: number | null;
}

/** Nanoseconds per packet by one of the rulers, with the half width of its 95 % interval. */
export interface Ruled {
  /** `samples`: samples x period / packets. `net_rx`: the probe's time of NET_RX. */
  readonly ruler: 'samples' | 'net_rx';
  readonly ns: number;
  readonly error: number;
}

export interface ProfiledDirection {
  readonly samples: number;
  /** CPU-seconds per second. */
  readonly cpuShare: number;
  /** Per second: received into the stack, handed to devices, or both for socket calls. Null where no counter says. */
  readonly packetsPerSecond: number | null;
  /** The whole of the direction; the ruler with the smaller error. */
  readonly price: Ruled | null;
  /** By the other ruler, where there are two. */
  readonly otherPrice: Ruled | null;
  /** The two rulers differ by more than their errors. */
  readonly rulersDiffer: boolean;
  /** Descending. */
  readonly parts: readonly PartShare[];
  /** Why there is no price, or null. */
  readonly notPriced: string | null;
}

interface Clock {
  readonly periodSeconds: number;
  readonly seconds: number;
}

export interface NetRxTotal {
  readonly ns: number;
  readonly packets: number;
}

/** Shares, errors and prices of some samples. */
export function price(
  samplesByPart: ReadonlyMap<string, number>,
  { periodSeconds, seconds }: Clock,
  packetsPerSecond: number | undefined,
  netRx: NetRxTotal | undefined,
): ProfiledDirection {
  const samples = [...samplesByPart.values()].reduce((sum, count) => sum + count, 0);
  const cpuShare = (samples * periodSeconds) / seconds;
  const notPriced = whyNot(samples, packetsPerSecond, seconds);
  const bySamples =
    notPriced === null
      ? ({ ruler: 'samples', ns: (cpuShare * 1e9) / packetsPerSecond!, error: 0 } as const)
      : undefined;
  const counted = bySamples && { ...bySamples, error: (Z95 * bySamples.ns) / Math.sqrt(samples) };
  const timed =
    netRx === undefined || samples < SAMPLES_TO_PRICE || netRx.packets < PACKETS_TO_PRICE
      ? undefined
      : ({ ruler: 'net_rx', ns: netRx.ns / netRx.packets, error: 0 } as const);
  const best = timed ?? counted ?? null;
  const other = timed === undefined ? null : (counted ?? null);
  return {
    samples,
    cpuShare,
    packetsPerSecond: packetsPerSecond ?? null,
    price: best,
    otherPrice: other,
    rulersDiffer:
      best !== null && other !== null && Math.abs(best.ns - other.ns) > other.error + RULER_TOLERANCE * best.ns,
    parts: [...samplesByPart]
      .filter(([, count]) => count > 0)
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([part, count]) => partShare(part, count, samples, best)),
    notPriced: best === null ? notPriced : null,
  };
}

function partShare(part: string, count: number, samples: number, whole: Ruled | null): PartShare {
  const share = count / samples;
  const error = errorOfShare(share, samples);
  // By the samples alone the part's own count is what is uncertain; by the probe's time only its share is.
  const relative = whole?.ruler === 'samples' ? Z95 / Math.sqrt(count) : error / share;
  const ns = whole === null ? null : share * whole.ns;
  return { part, samples: count, share, error, ns, nsError: ns === null ? null : ns * relative };
}

function whyNot(samples: number, packetsPerSecond: number | undefined, seconds: number): string | null {
  if (samples < SAMPLES_TO_PRICE) return `only ${samples} of the ${SAMPLES_TO_PRICE} samples that a price needs`;
  if (packetsPerSecond === undefined) return 'its packets were not counted';
  return tooFewPackets(packetsPerSecond * seconds) ?? null;
}
