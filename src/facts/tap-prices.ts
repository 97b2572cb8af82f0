/** The prices of taps by the readings of a window: of each device, of each socket. */
import {
  packetSocket,
  profileTapSamples,
  sentFloor,
  sentMedian,
  sentSamples,
  sentSeconds,
  sentTapNanoseconds,
  tapNanoseconds,
} from '../metrics/catalogue/index.ts';
import { acrossNetns, maxBy, value } from '../metrics/expression.ts';
import type { Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';
import { tapsOf, tapsPerNetns } from './device-taps.ts';
import { once } from './once.ts';
import type { PriceLimits } from './price.ts';
import { medianOverFloor, NOT_TIMED } from './sent-spans.ts';
import type { Signal } from './signal.ts';
import { deviceKey, spansByDevice, togetherNs } from './spans.ts';
import { NOTHING_LEFT, pricesOfTaps, type PricedTaps, type TapSamples } from './tap-price.ts';

/** What a packet socket adds to each packet of a device; of a fanout group, what the group adds. */
export interface SocketPrice {
  readonly device: string;
  readonly nsPerPacket: number;
  readonly certainty: string;
  /** Of an estimate by the profile. */
  readonly errorNs: number | null;
}

/** Of each socket that the kernel lets us time by itself, wherever it is: the inode is one for the host. */
export const socketPrices = acrossNetns(maxBy(['inode', 'certainty'], value(tapNanoseconds)));
export const sentSocketPrices = acrossNetns(maxBy(['inode', 'certainty'], value(sentTapNanoseconds)));

interface DevicePrices {
  /** By device; only of those that have taps or were timed. */
  readonly all: ReadonlyMap<string, PricedTaps>;
  /** Of any device. */
  readonly on: (key: string) => PricedTaps;
}

/** What the taps of a device take of a packet that it receives. */
export const receivedTaps = once((window: Window, limits: PriceLimits): DevicePrices => {
  const prices = socketPrices.evaluate(window).points;
  const seen = seenTaps(window, 'receive');
  return byDevice(window, spansByDevice(window).keys(), (key) => {
    const [netns = OWN_NETNS, device = ''] = key.split('\u0000');
    const { taps, loose } = tapsOf(window, netns, device);
    const together = togetherNs(window, key, taps.length + loose.size, limits);
    return pricesOfTaps({ taps, loose: loose.size, prices, together, foreignPaid: foreignPaid(window), seen }, limits);
  });
});

/** The same of a packet that it sends. */
export const sentTaps = once((window: Window, limits: PriceLimits): DevicePrices => {
  const [samples, medians, floors] = [sentSamples, sentMedian, sentFloor].map((metric) => byKey(window, metric));
  const prices = sentSocketPrices.evaluate(window).points;
  const seen = seenTaps(window, 'transmit');
  const timed = window.value(sentSeconds).length > 0;
  return byDevice(window, samples?.keys() ?? [], (key) => {
    const [netns = OWN_NETNS, device = ''] = key.split('\u0000');
    const { taps, loose } = tapsOf(window, netns, device);
    const [sampled, median, floor] = [samples, medians, floors].map((of) => of?.get(key) ?? []);
    const read = { sentSamples: sampled ?? [], sentMedians: median ?? [], sentFloors: floor ?? [] };
    const together = timed ? medianOverFloor(read, limits.samples) : NOT_TIMED;
    return pricesOfTaps({ taps, loose: loose.size, prices, together, foreignPaid: foreignPaid(window), seen }, limits);
  });
});

function foreignPaid(window: Window): boolean | undefined {
  const perNetns = tapsPerNetns(window);
  return perNetns === undefined ? undefined : !perNetns;
}

function byDevice(window: Window, timed: Iterable<string>, priced: (key: string) => PricedTaps): DevicePrices {
  const bound = running(window).filter(({ labels }) => labels['device'] !== 'any');
  const keys = new Set([...timed, ...bound.map(({ labels }) => deviceKey(labels))]);
  const all = new Map([...keys].map((key) => [key, priced(key)]));
  return { all, on: (key) => all.get(key) ?? priced(key) };
}

function byKey(window: Window, metric: Metric): ReadonlyMap<string, readonly Signal[]> {
  const devices = new Map<string, Signal[]>();
  for (const point of window.value(metric)) {
    const key = deviceKey(point.labels);
    devices.set(key, [...(devices.get(key) ?? []), point]);
  }
  return devices;
}

/** By inode. A tap is dear as its devices are; a socket that is in none of them has what it takes by itself. */
export const tapPrices = once((window: Window, limits: PriceLimits) =>
  perSocket(window, tapNanoseconds, receivedTaps(window, limits).all, limits),
);

/** The same per packet that the device sends. */
export const sentTapPrices = once((window: Window, limits: PriceLimits) =>
  perSocket(window, sentTapNanoseconds, sentTaps(window, limits).all, limits),
);

/** Why a tap has no price, by inode: of one that has a price on no device, as the first of them says. */
export const unpricedTaps = once((window: Window, limits: PriceLimits): ReadonlyMap<string, string> => {
  const prices = tapPrices(window, limits);
  const reasons = new Map<string, string>();
  // Nobody asked for a price.
  if (window.single) return reasons;
  for (const { ns, unpriced } of receivedTaps(window, limits).all.values()) {
    for (const inode of unpriced.filter(({ elsewhere }) => !elsewhere).flatMap(({ inodes }) => inodes))
      if (!prices.has(inode) && !reasons.has(inode)) reasons.set(inode, typeof ns === 'string' ? ns : NOTHING_LEFT);
  }
  for (const inode of running(window).map(({ labels }) => labels['inode'] ?? ''))
    if (!prices.has(inode) && !reasons.has(inode)) reasons.set(inode, 'the probe measured none of its devices');
  return reasons;
});

function perSocket(
  window: Window,
  alone: Metric<'inode' | 'device' | 'certainty'>,
  devices: ReadonlyMap<string, PricedTaps>,
  { dearest }: PriceLimits,
): ReadonlyMap<string, readonly SocketPrice[]> {
  const prices = new Map<string, SocketPrice[]>();
  const note = (inode: string, price: SocketPrice): void => {
    prices.set(inode, [...(prices.get(inode) ?? []), price]);
  };
  for (const [key, { shares }] of devices) {
    const [, device = ''] = key.split('\u0000');
    for (const { tap, nanoseconds, measured, error } of shares) {
      // A tap of another namespace has the price that it has by itself, and is not of this device.
      if (tap.elsewhere) continue;
      const certainty = measured ? 'measured' : 'estimated';
      for (const inode of tap.inodes)
        note(inode, { device, nsPerPacket: nanoseconds, certainty, errorNs: error ?? null });
    }
  }
  const known = new Set(prices.keys());
  for (const { labels, value: nsPerPacket } of window.value(alone)) {
    const inode = labels['inode'] ?? '';
    if (known.has(inode) || nsPerPacket >= dearest) continue;
    note(inode, {
      ...{ device: labels['device'] ?? '', nsPerPacket },
      certainty: labels['certainty'] ?? 'estimated',
      errorNs: null,
    });
  }
  return prices;
}

function running(window: Window): readonly Signal[] {
  return window
    .value(packetSocket)
    .filter(({ labels }) => labels['protocol'] === ETH_P_ALL && labels['hook'] !== 'none');
}

function seenTaps(window: Window, direction: 'receive' | 'transmit'): TapSamples {
  const hooks = window
    .increase(profileTapSamples)
    .cells.filter(({ labels }) => labels['direction'] === direction)
    .map(({ labels, increase }) => ({ labels, value: increase }));
  return { hooks, inodes: running(window).map(({ labels }) => labels['inode']) };
}
