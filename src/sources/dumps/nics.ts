/** What the drivers of network cards tell by ethtool, in the namespace this thread is in. Read only. */
import { monotonicMs } from '../../base/clock.ts';
import type { RingLosses, RingRow } from '../../collectors/rings-dump.ts';
import { isGone } from '../../base/errno.ts';
import { ok, type Failure, type Result } from '../../base/result.ts';
import { driverOf, ringOf, statisticsOf, type DriverCounters } from '../../ffi/ethtool.ts';
import { lossesByCounters, xdpDropsIn } from '../../metrics/nic-counters.ts';
import { dumpLinks, type Link } from '../../probe/rtnetlink.ts';

/** include/uapi/linux/if_arp.h */
const ARPHRD_ETHER = 1;
const ARPHRD_INFINIBAND = 32;

/** Cards asked in one namespace, and the milliseconds after which no other is: the kernel holds the RTNL mutex meanwhile. */
const MOST_CARDS = 256;
const MOST_MILLISECONDS = 2000;

/**
 * What is no hardware has a kind (IFLA_INFO_KIND); of hardware, IPoIB has one too. A card that is down loses nothing, and asking
 * it would wake it up (net/ethtool/ioctl.c:__dev_ethtool: pm_runtime_get_sync).
 */
export function isCard({ kind, type, up }: Pick<Link, 'kind' | 'type' | 'up'>): boolean {
  return up && (kind === undefined || kind === 'ipoib') && (type === ARPHRD_ETHER || type === ARPHRD_INFINIBAND);
}

/** A program in its driver drops frames of which the driver alone knows, whatever kind of device it is. */
export function hasDriverXdp({ up, xdp }: Pick<Link, 'up' | 'xdp'>): boolean {
  return up && xdp?.programs.some(({ mode }) => mode === 'native' || mode === 'several') === true;
}

/** What each card was asked, in turn; `late` of those that there was no time for. */
function askCards<T>(
  ask: (card: Link) => T,
  late: (card: Link, reason: string) => T,
  asked: (link: Link) => boolean = isCard,
): Result<readonly T[]> {
  const links = dumpLinks();
  if (!links.ok) return links;
  const began = monotonicMs();
  return ok(
    links.value.filter(asked).map((card, index) => {
      if (index >= MOST_CARDS) return late(card, `not asked, as there are more than ${MOST_CARDS} cards`);
      if (monotonicMs() - began > MOST_MILLISECONDS) return late(card, 'not asked, as other cards took too long');
      return ask(card);
    }),
  );
}

/** Sizes of receive rings; a driver that does not tell has no row. */
export function readRings(): Result<readonly RingRow[]> {
  const asked = askCards(
    ({ name }) => [name, ringOf(name)] as const,
    () => undefined,
  );
  if (!asked.ok) return asked;
  return ok(
    asked.value.flatMap((each) => {
      const ring = each?.[1].ok === true ? each[1].value : undefined;
      return each === undefined || ring === undefined ? [] : [{ device: each[0], ...ring }];
    }),
  );
}

/**
 * What the drivers count of frames that they lost, by names of their own; zeros too.
 * @param askMissed rx_missed_errors of all devices, where nobody else tells; asked for once there is a card
 */
export function readRingLosses(askMissed?: () => Result<ReadonlyMap<string, number>>): Result<RingLosses> {
  const asked = askCards(
    (link) => (isCard(link) ? lossesOf(link) : xdpDropsOf(link)),
    ({ name }, reason) => untold(name, reason),
    (link) => isCard(link) || hasDriverXdp(link),
  );
  if (!asked.ok) return asked;
  const cards = asked.value.flatMap((each) => each.cards ?? []);
  const missed = cards.length === 0 || askMissed === undefined ? ok(new Map<string, number>()) : askMissed();
  return ok({
    rows: asked.value.flatMap(({ rows }) => rows),
    untold: asked.value.flatMap((each) => each.untold),
    cards: missed.ok ? cards.map((card) => ({ ...card, missed: missed.value.get(card.device) ?? null })) : cards,
  });
}

const nothing: RingLosses = { rows: [], untold: [] };

function untold(device: string, reason: string): RingLosses {
  return { rows: [], untold: [{ device, reason }] };
}

/** Of what is no card only this is asked. */
function xdpDropsOf({ name }: Link): RingLosses {
  const counters = statisticsOf(name);
  return counters.ok ? { rows: xdpRows(name, counters.value), untold: [] } : lossesRefused(name, counters);
}

function xdpRows(device: string, counters: DriverCounters): RingLosses['rows'] {
  return [...xdpDropsIn(counters)]
    .filter(([, lost]) => Number.isSafeInteger(lost))
    .map(([counter, lost]) => ({ device, kind: 'xdp', counter, lost }));
}

function lossesOf(link: Link): RingLosses {
  const { name, ifindex } = link;
  const driver = driverOf(name);
  if (!driver.ok) return lossesRefused(name, driver);
  const counters = statisticsOf(name);
  const told = counters.ok ? lossesAmong(name, driver.value, counters.value) : lossesRefused(name, counters);
  const counted = counters.ok && told.untold.length === 0;
  const xdp = counters.ok && hasDriverXdp(link) ? xdpRows(name, counters.value) : [];
  return {
    ...told,
    rows: [...told.rows, ...xdp],
    cards: [{ device: name, ifindex, driver: driver.value, counted, missed: null, packets: null }],
  };
}

/** That a driver has nothing to tell is an answer, and so is that the card was taken away. */
function lossesRefused(device: string, failure: Failure): RingLosses {
  return failure.errno === 'EOPNOTSUPP' || isGone(failure) ? nothing : untold(device, failure.reason);
}

/** The rows of one card. A driver may put anything into its counters: of what is no count nothing is told. */
export function lossesAmong(device: string, driver: string, counters: DriverCounters): RingLosses {
  const lost = lossesByCounters(driver, counters);
  const strange = lost.find((each) => !Number.isSafeInteger(each.lost));
  if (strange !== undefined) return untold(device, `${driver} counts ${strange.lost} as ${strange.counter}`);
  const rows = lost.map((row) => ({ device, ...row }));
  return { rows, untold: [] };
}
