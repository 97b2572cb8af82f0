import type { DeviceCost, Report } from '../../generated/report.ts';
import { placed } from '../words/phrases.ts';

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

/** The same of one device: its own, where it received something; else of another of its namespace, which is read in a time of its own. */
export function secondsByDevice(report: Report): (place: Pick<DeviceCost, 'device' | 'netns'>) => number {
  const known = new Map<string, number>();
  for (const { device, netns, packets, packetsPerSecond } of report.cost.devices) {
    if (packets <= 0 || packetsPerSecond <= 0) continue;
    const seconds = packets / packetsPerSecond;
    known.set(placed(device, netns), seconds);
    if (!known.has(`in ${netns}`)) known.set(`in ${netns}`, seconds);
  }
  return ({ device, netns }) =>
    known.get(placed(device, netns)) ?? known.get(`in ${netns}`) ?? secondsOf(report, 'devices');
}

/** What was counted, by the time in which it was; null where no time passed, or it is not known. */
export function perSecond(count: number | null, seconds: number): number | null {
  return count === null || !(seconds > 0) ? null : count / seconds;
}
