/**
 * When a measurement is enough to be a price: one set of limits, for the rules and for the report. They are limits of
 * PKT0101, so that `--config` changes both.
 */
export interface PriceLimits {
  /** Samples of a span below which their mean is no price. */
  readonly samples: number;
  /** Share of the samples begun that were lost, from which those that are left are not taken for the whole. */
  readonly lost: number;
  /** Nanoseconds per packet and tap from which something else ran within the span. */
  readonly dearest: number;
}

/**
 * Below this many packets timers and RCU outweigh the receive work in the softirq time, and ticks of 10 ms are too coarse:
 * a price per packet would be nonsense.
 */
export const PACKETS_TO_PRICE = 1000;

/** Why so few packets have no price; undefined where they are enough. */
export function tooFewPackets(packets: number): string | undefined {
  // A rate times its seconds may come out a trifle below what was counted.
  const counted = Math.round(packets);
  if (counted >= PACKETS_TO_PRICE) return undefined;
  if (counted === 0) return 'no packet came in the window';
  return `only ${counted} packet${counted === 1 ? '' : 's'} in the window, too few to price one`;
}

/** Softirq time below which it is a guess where it is counted in ticks: 50 of 10 ms. */
const TICKED_SECONDS_TO_PRICE = 0.5;

/**
 * Whether softirq time is enough to be judged. Without IRQ_TIME_ACCOUNTING the whole tick goes to whatever it interrupted
 * (kernel/sched/cputime.c:account_system_time): fewer than 50 of them are noise. An unknown accounting counts as ticks.
 */
export function enoughTicks(softirqSeconds: number, irqTimeAccounting: number | undefined): boolean {
  // A rate times its seconds may come out a trifle below the ticks that were counted.
  return irqTimeAccounting === 1 || softirqSeconds >= TICKED_SECONDS_TO_PRICE - 1e-6;
}

/** Why the samples that are left say nothing: which packets lose theirs is not by chance, so the others do not stand for them. */
export function mostlyLost(samples: number, lost: number, share: number): string | undefined {
  if (lost === 0 || lost < share * (samples + lost)) return undefined;
  return `${Math.round(lost)} of ${Math.round(samples + lost)} samples were lost, and the rest cannot speak for them`;
}

/** There is no span of the taps, or none that was there from the first sample on. */
export const NO_SPAN = 'the probe did not measure this device';

/** What is known of a span. */
interface Sampled {
  readonly samples: number;
  /** Samples begun and not counted. */
  readonly lost: number;
  readonly meanNs: number | undefined;
  /** What the measurement itself takes. */
  readonly floorNs: number | undefined;
  /** How many taps the span contains. */
  readonly taps: number;
}

/** The mean above the floor, which is the price of what the span contains; or why there is none. */
export function priceOfSpan({ samples, lost, meanNs, floorNs, taps }: Sampled, limits: PriceLimits): number | string {
  const lossy = mostlyLost(samples, lost, limits.lost);
  if (lossy !== undefined) return lossy;
  const seen = Math.round(samples);
  if (meanNs === undefined || samples < limits.samples)
    return seen === 0 ? 'the probe timed no packet' : `the probe timed only ${seen} packet${seen === 1 ? '' : 's'}`;
  if (floorNs === undefined) return 'what the measurement itself takes (the floor) is not known';
  const ns = Math.max(0, meanNs - floorNs);
  // A span that is longer than any tap holds what else ran meanwhile: interrupts, another session, a CPU without rest.
  if (ns < limits.dearest * Math.max(1, taps)) return ns;
  return `the span is ${Math.round(ns / 1000)} µs longer than without them, which is more than taps take`;
}
