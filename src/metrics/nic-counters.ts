import { namesIn, nicDrivers, nicLossesOf, ringLossIn, type NicLosses, type NicLossKind } from './nic-losses.ts';

/** Names by which any driver counts frames that its ring had no room for, or that had to wait for it. */
const anyRingLoss = new RegExp(
  `^(?:${nicDrivers
    .flatMap((driver) => {
      const known = nicLossesOf(driver);
      return known === undefined ? [] : (namesIn(known, ['ring', 'waited']) ?? []);
    })
    .join('|')})$`,
);

type Counters = Iterable<readonly [name: string, count: number]>;

/** Names with `N` for the numbers of queues, whose counters are added up. */
function added(counters: Counters, wanted: RegExp): ReadonlyMap<string, number> {
  const lost = new Map<string, number>();
  for (const [name, count] of counters) {
    if (!wanted.test(name)) continue;
    const all = name.trim().replace(/\d+/g, 'N');
    lost.set(all, (lost.get(all) ?? 0) + count);
  }
  return lost;
}

/**
 * What a driver counts in `ethtool -S` of frames that were lost in one way, by name, with `N` for the numbers of queues, whose
 * counters are added up. Two names may be the same loss.
 */
export function cardLossesIn(known: NicLosses, kind: NicLossKind, counters: Counters): ReadonlyMap<string, number> {
  const names = namesIn(known, [kind]);
  return names === undefined ? new Map<string, number>() : added(counters, new RegExp(`^(?:${names})$`));
}

const kinds = ['ring', 'port', 'memory', 'bad', 'policed'] as const;

export interface CounterOfLoss {
  readonly kind: (typeof kinds)[number];
  readonly counter: string;
  readonly lost: number;
}

/** What a driver counts of lost frames; one that is not known is read by the names that others have for full rings. */
export function lossesByCounters(driver: string, counters: Counters): readonly CounterOfLoss[] {
  const known = nicLossesOf(driver);
  const of = (kind: CounterOfLoss['kind'], lost: ReadonlyMap<string, number>): readonly CounterOfLoss[] =>
    [...lost].map(([counter, count]) => ({ kind, counter, lost: count }));
  if (known === undefined) return of('ring', added(counters, anyRingLoss));
  return kinds.flatMap((kind) => of(kind, cardLossesIn(known, kind, counters)));
}

/**
 * What a driver counts of frames that an XDP program dropped, for all queues together and for each: no packet was made of them, and
 * the kernel tells of none. Most drivers have `xdp_drop` or `xdp_drops` in the name; words of their own have vmxnet3, dpaa2, enetc and
 * atlantic. Not what a ring for sending had no room for. Source: the strings of drivers/net of Linux 6.12.
 */
export function xdpDropsIn(counters: Counters): ReadonlyMap<string, number> {
  return added(counters, /^(?!Tx ).*(?<![A-Za-z])xdp[ _]?drops?(?:\[\d+\])?$/i);
}

/** Whether the statistics of the device have all that its driver knows of full rings; unknown of a driver that is not known. */
export function isInStatistics(driver: string, release: string | undefined): boolean {
  const known = nicLossesOf(driver);
  return known?.only === undefined && known !== undefined && !['ethtool', 'host'].includes(ringLossIn(known, release));
}

/** Whether a name says by itself that there was no buffer; what is only called dropped or discarded may have been wanted by nobody. */
export function saysNoBuffer(name: string): boolean {
  return /buf|missed|dma|desc|overrun|oob|frags|wqe|empty|posted/i.test(name);
}

/** The names of these kinds as people write them: `rxN_drops`. */
export function spokenNames({ ethtool }: NicLosses, kinds: readonly NicLossKind[]): readonly string[] {
  return ethtool
    .filter(([, kind]) => kinds.includes(kind))
    .flatMap(([name]) => alternatives(name.replace(/\[0-\d\]\+?/g, 'N')))
    .map((name) => name.replace(/ \*|[?\\]/g, '').trim());
}

/** What a pattern of the table stands for: its groups multiplied out, without those that may be absent. */
function alternatives(pattern: string): readonly string[] {
  const [first = '', ...others] = pattern.match(/(?:\([^()]*\)\??|[^|()])+/g) ?? [];
  if (others.length > 0) return [first, ...others].flatMap(alternatives);
  const group = /\(([^()]*)\)(\?)?/.exec(first);
  if (group === null) return [first];
  const [whole, inner = '', absent] = group;
  const insides = absent === undefined ? inner.split('|') : [''];
  return insides.flatMap((inside) => alternatives(first.replace(whole, inside)));
}
