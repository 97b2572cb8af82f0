/** How often to sample: by the length of the window, by the host's CPUs, and by what the probe may take. */

/**
 * Spread evenly over a tick of 1, 10/3, 4 and 10 ms (HZ 1000, 300, 250, 100) within 50 samples, so that what comes with a tick is met as
 * often as it runs. A rate beside a round one, as 499, creeps along a tick of 1 ms by 4 us a sample, and would stand still beside
 * packets that are sent every 1.002 ms.
 */
export const RATES = [3356, 2825, 1927, 1323, 970, 723, 485, 178, 97, 49] as const;

/** Some 15,000 ticks of each CPU in a window: a part of a CPU that is half busy with packets is then known to a point. */
const TICKS_IN_WINDOW = 15_000;
/** Of all CPUs together: more would fill the tables and tell no more. */
const MOST_PER_SECOND = 20_000;
/**
 * What a sample takes: 2 us on a quiet CPU, 20 us on a crowded one, where the tables of the unwinder are cold in the caches.
 * bench/probe/profile.mjs measures it.
 */
const SAMPLE_NS = 10_000;
/** In the mean of busy and idle CPUs: 0.2 to 0.35 % of them at some 500 samples a second. */
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
