import type { Report } from '../../generated/report.ts';

/**
 * Seconds between the two readings of such counters, which is what their rates are of: files are read one after the other, and what was
 * read in between took its time. Of the window where nothing tells.
 */
export function secondsOf({ cost, window }: Report, counters: 'host' | 'cpus' | 'devices'): number {
  const told = (counters === 'host' ? [cost.host] : cost[counters]).flatMap(({ packets, packetsPerSecond }) =>
    packets !== null && packets > 0 && packetsPerSecond !== null && packetsPerSecond > 0
      ? [packets / packetsPerSecond]
      : [],
  );
  return told[0] ?? window.seconds;
}

/** What was counted, by the time in which it was; null where no time passed, or it is not known. */
export function perSecond(count: number | null, seconds: number): number | null {
  return count === null || !(seconds > 0) ? null : count / seconds;
}
