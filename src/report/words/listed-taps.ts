import type { Report } from '../../generated/report.ts';
import { collectorGroups, few, probeCaveat } from './phrases.ts';

/** The packet sockets alone: those found, where they could not be read, and what the probe says of itself where it timed them. */
export interface ListedTaps extends Pick<Report, 'taps' | 'collectors'> {
  readonly probe?: Report['probe'] | undefined;
}

/** What is to be known beside the list. */
export function besideTaps({ taps, collectors, probe }: ListedTaps): string[] {
  const unread = unreadTaps(collectors);
  const caveat = probe === undefined ? undefined : probeCaveat(probe);
  return [
    ...(taps.length === 0
      ? [`No packet socket in the namespaces ${unread === undefined ? 'looked into' : 'that could be read'}.`]
      : []),
    ...(unread === undefined ? [] : [unread]),
    ...(caveat === undefined ? [] : [`Probe: ${caveat}.`]),
  ];
}

/** What of the packet sockets could not be read, and why: a list that could not be read is not empty. undefined where all was. */
export function unreadTaps(collectors: Report['collectors']): string | undefined {
  const told = collectors.filter(({ id }) => id === 'packet');
  if (told.length === 0) return 'Packet sockets were not looked for.';
  const lacking = collectorGroups(told.filter(({ status }) => status === 'partial' || status === 'unavailable'));
  const said = lacking.map(({ row, why, netns }) => `${whose(netns, row.status === 'partial')}${why}`);
  return said.length === 0 ? undefined : `Packet sockets could not all be read: ${few(said)}.`;
}

function whose(netns: readonly string[], partly: boolean): string {
  if (netns.length === 0) return '';
  const namespaces = netns.length === 1 ? 'namespace' : `${netns.length} namespaces:`;
  return `${partly ? 'some' : 'those'} of ${namespaces} ${few(netns)}: `;
}
