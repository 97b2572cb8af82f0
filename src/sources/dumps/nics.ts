/** What the drivers of network cards tell by ethtool, in the namespace this thread is in. Read only. */
import { monotonicMs } from '../../base/clock.ts';
import type { RingLosses, RingRow } from '../../collectors/rings-dump.ts';
import { isGone } from '../../base/errno.ts';
import { ok, type Failure, type Result } from '../../base/result.ts';
import { driverOf, ringOf, statisticsOf, type DriverCounters } from '../../ffi/ethtool.ts';
import { lossesByCounters } from '../../metrics/nic-counters.ts';
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

/** What each card was asked, in turn; `late` of those that there was no time for. */
function askCards<T>(ask: (device: string) => T, late: (device: string, reason: string) => T): Result<readonly T[]> {
  const links = dumpLinks();
  if (!links.ok) return links;
  const began = monotonicMs();
  return ok(
    links.value.filter(isCard).map(({ name }, index) => {
      if (index >= MOST_CARDS) return late(name, `not asked, as there are more than ${MOST_CARDS} cards`);
      if (monotonicMs() - began > MOST_MILLISECONDS) return late(name, 'not asked, as other cards took too long');
      return ask(name);
    }),
  );
}

/** Sizes of receive rings; a driver that does not tell has no row. */
export function readRings(): Result<readonly RingRow[]> {
  const asked = askCards(
    (device) => [device, ringOf(device)] as const,
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

/** What the drivers count of frames that they lost, by names of their own; zeros too. */
export function readRingLosses(): Result<RingLosses> {
  const asked = askCards(lossesOf, (device, reason) => untold(device, reason));
  if (!asked.ok) return asked;
  return ok({
    rows: asked.value.flatMap(({ rows }) => rows),
    untold: asked.value.flatMap((each) => each.untold),
    cards: asked.value.flatMap(({ cards = [] }) => cards),
  });
}

const nothing: RingLosses = { rows: [], untold: [] };

function untold(device: string, reason: string): RingLosses {
  return { rows: [], untold: [{ device, reason }] };
}

function lossesOf(device: string): RingLosses {
  const driver = driverOf(device);
  if (!driver.ok) return lossesRefused(device, driver);
  const counters = statisticsOf(device);
  return counters.ok ? lossesAmong(device, driver.value, counters.value) : lossesRefused(device, counters);
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
  return { rows, untold: [], cards: [{ device, driver }] };
}
