import {
  deviceInfo,
  receiveCardLost,
  receiveDrop,
  receiveFifo,
  receiveMissed,
  receiveRingLost,
  skbDrops,
  skbDropsCounted,
  unameInfo,
  xdpDropped,
} from '../metrics/catalogue/index.ts';
import { nicLossesOf, ringLossIn, type RingLossIn } from '../metrics/nic-losses.ts';
import { netnsOf } from '../metrics/snapshot.ts';
import type { Increase, Window } from '../metrics/window.ts';
import { byDevice } from './figures.ts';
import { once } from './once.ts';
import { deviceKey } from './spans.ts';

/** What cards lost of which the kernel never made a packet. */
export interface CardLossRow {
  /** The counter. */
  readonly reason: string;
  readonly means: string;
  readonly place: string;
  readonly device: string;
  readonly netns: string;
  readonly packets: number;
}

/** What may tell of frames that the receive ring of a card had no room for, in the window. */
export interface RingCounters {
  /** rx_missed_errors and rx_fifo_errors of the device. */
  readonly missed: number;
  readonly fifo: number;
  /** Of the driver's own counters the one that rose most. */
  readonly own: number;
  /** rx_dropped of the device, and what the stack refused, which is in it. */
  readonly dropped: number;
  readonly refused: number;
}

/** Reasons of packets that the stack refused and the device counts as dropped (net/core/dev.c:__netif_receive_skb_core). */
export const refusedReasons = ['UNHANDLED_PROTO', 'CPU_BACKLOG'] as const;

export interface RingLoss {
  readonly lost: number;
  /** Which of the counters tells. */
  readonly by: 'missed' | 'fifo' | 'own' | 'dropped';
}

/** The largest, never the sum: drivers count the same loss in several of them. `where` is the one that the driver is known for. */
export function ringLossOf({ missed, fifo, own, dropped, refused }: RingCounters, where: RingLossIn): RingLoss {
  const told = Math.max(missed, fifo);
  // The driver's own counter has none of what the stack refused.
  if (own > told) return { lost: own, by: 'own' };
  // The kernel prints rx_missed_errors within rx_dropped (net/core/net-procfs.c:dev_seq_printf_stats).
  const byDriver = where === 'rx_dropped' ? Math.max(0, dropped - missed - refused) : 0;
  if (byDriver > told) return { lost: byDriver, by: 'dropped' };
  return { lost: told, by: fifo > missed ? 'fifo' : 'missed' };
}

/** Where a driver counts the loss of its ring; of one that is not known as most do. */
export function ringLossPlace(driver: string, release: string | undefined): RingLossIn {
  const known = nicLossesOf(driver);
  return known === undefined ? 'rx_missed_errors' : ringLossIn(known, release);
}

/** By their rings, and by what their drivers count of frames that did not come so far. */
export const cardLosses = once((window: Window): readonly CardLossRow[] => {
  const card = largestOf(window, receiveCardLost, ['device', 'kind']).map(({ labels, increase }) => ({
    reason: labels['counter'] ?? '',
    means: beforeTheRing[labels['kind'] ?? ''] ?? 'lost before the ring of the card',
    place: receiveCardLost.source,
    device: labels['device'] ?? '',
    netns: netnsOf(labels),
    packets: increase,
  }));
  return [...ringLosses(window), ...card];
});

const beforeTheRing: Readonly<Record<string, string>> = {
  port: 'the card itself had no room, or its bus',
  memory: 'the driver got no memory for a buffer',
  bad: 'spoilt on the way to the card',
  policed: 'more than the host of this guest allows',
};

/** What each card lost in all: the counter that rose most, since several may be of the same frames. As PKT0501 has it. */
export interface CardLost {
  readonly packets: number;
  readonly counter: string;
}

/** By device; without those of which no counter tells. */
export const cardsLost = once((window: Window): ReadonlyMap<string, CardLost> => {
  const most = new Map<string, CardLost>();
  for (const { device, netns, packets, reason } of cardLosses(window)) {
    const key = deviceKey({ device, netns });
    if (packets > (most.get(key)?.packets ?? -1)) most.set(key, { packets, counter: reason });
  }
  return most;
});

/** Of each card what its ring lost; none where its driver counts that nowhere, or not apart: 0 says nothing then. */
function ringLosses(window: Window): CardLossRow[] {
  const missed = byDevice(window, receiveMissed);
  const fifo = byDevice(window, receiveFifo);
  const dropped = byDevice(window, receiveDrop);
  const own = new Map(largestOf(window, receiveRingLost, ['device']).map((cell) => [deviceKey(cell.labels), cell]));
  const refused = refusedByDevice(window);
  const infos = new Map(window.value(deviceInfo).map(({ labels }) => [deviceKey(labels), labels]));
  const release = window.value(unameInfo)[0]?.labels['release'];
  // Else what the ring lost is not told from packets that nobody wants.
  const counted = window.increase(skbDropsCounted).cells.length > 0;
  const cells = new Map([...own, ...[...fifo].filter(([key]) => isCard(infos.get(key))), ...missed]);
  return [...cells].flatMap(([key, { labels }]) => {
    const card = isCard(infos.get(key));
    const where = ringLossPlace(infos.get(key)?.['driver'] ?? '', release);
    const mine = own.get(key);
    const { lost, by } = ringLossOf(
      {
        missed: missed.get(key)?.increase ?? 0,
        fifo: card ? (fifo.get(key)?.increase ?? 0) : 0,
        own: mine?.increase ?? 0,
        dropped: card && counted ? (dropped.get(key)?.increase ?? 0) : 0,
        refused: refused.get(key) ?? 0,
      },
      where,
    );
    const blind = where === 'host' || where === 'ethtool' || (where === 'rx_dropped' && !counted);
    if (lost === 0 && mine === undefined && blind) return [];
    const { counter, metric } = by === 'own' ? { counter: '', metric: receiveRingLost } : statistics[by];
    return [
      {
        reason: by === 'own' ? (mine?.labels['counter'] ?? '') : counter,
        means: 'the ring of the card was full',
        place: metric.source,
        device: labels['device'] ?? '',
        netns: netnsOf(labels),
        packets: lost,
      },
    ];
  });
}

const statistics = {
  missed: { counter: 'rx_missed_errors', metric: receiveMissed },
  fifo: { counter: 'rx_fifo_errors', metric: receiveFifo },
  dropped: { counter: 'rx_dropped', metric: receiveDrop },
} as const;

function isCard(info: Increase['labels'] | undefined): boolean {
  return info?.['kind'] === 'physical';
}

function refusedByDevice(window: Window): ReadonlyMap<string, number> {
  const refused = new Map<string, number>();
  for (const cell of window.increase(skbDrops).cells) {
    const { labels } = cell;
    if (!refusedReasons.some((reason) => reason === labels['reason'])) continue;
    const key = deviceKey(labels);
    refused.set(key, (refused.get(key) ?? 0) + window.inItsTime(cell));
  }
  return refused;
}

/** Of the series that are alike in these labels the one that rose most. */
function largestOf(
  window: Window,
  metric: typeof receiveCardLost | typeof receiveRingLost,
  alike: readonly string[],
): readonly Increase[] {
  const most = new Map<string, Increase>();
  for (const cell of window.increase(metric).cells) {
    const key = [netnsOf(cell.labels), ...alike.map((name) => cell.labels[name] ?? '')].join(' ');
    if (cell.increase > (most.get(key)?.increase ?? -1)) most.set(key, cell);
  }
  return [...most.values()];
}

/** Where veth frees what an XDP program drops, when it was a packet before: then the kernel's drops have it as well. */
export const XDP_FREED = 'veth_xdp_rcv_skb';
export const XDP_DROPPED = 'an XDP program dropped it in the driver';
/** Both are read a while apart, and drops of a flood are estimated. */
const SAME = 0.1;

/** What a driver counts beyond what the kernel's drops tell of the same. */
export function beyondFreed(counted: number, freed: number): number {
  return counted - freed > SAME * counted ? counted - freed : 0;
}

/** What XDP programs in drivers dropped of which nothing else tells: of each device by the counter that rose most. */
export const xdpDrops = once((window: Window): readonly CardLossRow[] => {
  const freed = new Map<string, number>();
  for (const cell of window.increase(skbDrops).cells) {
    if (cell.labels['location'] !== XDP_FREED) continue;
    const key = deviceKey(cell.labels);
    freed.set(key, (freed.get(key) ?? 0) + window.inItsTime(cell));
  }
  return largestOf(window, xdpDropped, ['device']).map((cell) => ({
    reason: cell.labels['counter'] ?? '',
    means: XDP_DROPPED,
    place: xdpDropped.source,
    device: cell.labels['device'] ?? '',
    netns: netnsOf(cell.labels),
    packets: beyondFreed(window.inItsTime(cell), freed.get(deviceKey(cell.labels)) ?? 0),
  }));
});
