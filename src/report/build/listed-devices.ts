import { cardsLost } from '../../facts/card-losses.ts';
import { byDevice, cells } from '../../facts/figures.ts';
import { deviceKey, spansByDevice } from '../../facts/spans.ts';
import type { Cost } from '../../generated/report.ts';
import { receiveDrop, receiveMissed, receivePackets } from '../../metrics/catalogue/index.ts';
import type { Increase, Window } from '../../metrics/window.ts';

/** Most devices, and most packet sockets, that a report lists: a megabyte of JSON. */
export const LISTED_IN_A_REPORT = 1000;

/** Of these the worst losses come before everything else. */
const WORST = LISTED_IN_A_REPORT / 2;

/** Packets that a device lost, by where. */
interface Lost {
  /** In the card, by whichever counter knows more. */
  readonly card: number;
  /** By the device or above it. */
  readonly dropped: number;
}

export interface ListedDevices {
  /** What they received, busiest first. */
  readonly listed: readonly Increase[];
  /** What is said of the others. */
  readonly others: Pick<Cost, 'devicesLeftOut' | 'leftOutLost'>;
}

/**
 * Devices that received or lost anything or were timed. Of more than a report lists the worst losses are there, then those that
 * were timed.
 */
export function listedDevices(window: Window): ListedDevices {
  const spans = spansByDevice(window);
  const lost = lossesByDevice(window);
  const keys = new Map(cells(window, receivePackets).map((cell) => [cell, deviceKey(cell.labels)]));
  const lostBy = (cell: Increase): number => {
    const { card, dropped } = lost.get(keys.get(cell)!) ?? NOTHING;
    return card + dropped;
  };
  const told = [...keys]
    .filter(([cell, key]) => cell.increase > 0 || lost.has(key) || spans.has(key))
    .sort(([a, aKey], [b, bKey]) => b.increase - a.increase || (aKey < bKey ? -1 : 1))
    .map(([cell]) => cell);
  if (told.length <= LISTED_IN_A_REPORT) return { listed: told, others: {} };
  // What is equal stays in its order, busiest first.
  const byLoss = told.filter((cell) => lostBy(cell) > 0).sort((a, b) => lostBy(b) - lostBy(a));
  const timed = told.filter((cell) => spans.has(keys.get(cell)!));
  const inTurn = new Set([...byLoss.slice(0, WORST), ...timed, ...byLoss, ...told]);
  const chosen = new Set([...inTurn].slice(0, LISTED_IN_A_REPORT));
  const others = told.filter((cell) => !chosen.has(cell));
  const unlisted = others.map((cell) => lost.get(keys.get(cell)!) ?? NOTHING);
  return {
    listed: told.filter((cell) => chosen.has(cell)),
    others: {
      devicesLeftOut: others.length,
      leftOutLost: {
        devices: unlisted.filter((each) => each !== NOTHING).length,
        cardLost: unlisted.reduce((sum, { card }) => sum + card, 0),
        dropped: unlisted.reduce((sum, { dropped }) => sum + dropped, 0),
      },
    },
  };
}

const NOTHING: Lost = { card: 0, dropped: 0 };

/** Those that lost anything. */
function lossesByDevice(window: Window): ReadonlyMap<string, Lost> {
  const cards = cardsLost(window);
  const missed = byDevice(window, receiveMissed);
  const found = new Map<string, Lost>();
  for (const [key, { increase }] of byDevice(window, receiveDrop)) {
    const card = cards.get(key);
    const byDriver = card?.counter === 'rx_dropped' ? card.packets : 0;
    // Files are read one after the other: of two counters the one may be ahead.
    const dropped = Math.max(0, increase - (missed.get(key)?.increase ?? 0) - byDriver);
    if (dropped > 0) found.set(key, { card: 0, dropped });
  }
  for (const [key, { packets }] of cards)
    if (packets > 0) found.set(key, { card: packets, dropped: found.get(key)?.dropped ?? 0 });
  return found;
}
