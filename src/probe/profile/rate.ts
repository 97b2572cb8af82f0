/** How often to sample: by the length of the window, by the host's CPUs, and by what the probe may take. */

/** No multiples of a tick, so that what runs with the tick is neither always nor never met. */
const RATES = [3989, 2999, 1999, 1499, 997, 797, 499, 199, 97, 49] as const;

/** Some 15,000 ticks of each CPU in a window: a part of a CPU that is half busy with packets is then known to a point. */
const TICKS_IN_WINDOW = 15_000;
/** Of all CPUs together: more would fill the tables and tell no more. */
const MOST_PER_SECOND = 20_000;
/**
 * What a sample takes: 2 us on a quiet CPU, 20 us on a crowded one, where the tables of the unwinder are cold in the caches.
 * bench/probe/profile.mjs measures it.
 */
const SAMPLE_NS = 10_000;
/** In the mean of busy and idle CPUs: 0.2 to 0.35 % of them at 499 samples a second. */
export const USUAL_SAMPLE_NS = 5000;
/** Of the probe's budget; the rest is the tracepoints'. */
const BUDGET_SHARE = 0.5;

/** Samples per second on each CPU; undefined where the budget leaves room for none. */
export function samplingRate(windowSeconds: number, cpus: number, maxOverhead: number): number | undefined {
  if (RATES.at(-1)! * USUAL_SAMPLE_NS > maxOverhead * BUDGET_SHARE * 1e9) return undefined;
  const most = Math.min(
    TICKS_IN_WINDOW / Math.max(windowSeconds, 0.1),
    MOST_PER_SECOND / Math.max(cpus, 1),
    (maxOverhead * BUDGET_SHARE * 1e9) / SAMPLE_NS,
  );
  return RATES.find((rate) => rate <= most) ?? RATES.at(-1)!;
}
