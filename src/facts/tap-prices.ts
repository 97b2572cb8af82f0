import {
  packetSocket,
  profileTapSamples,
  sentFloor,
  sentMedian,
  sentSamples,
  sentTapNanoseconds,
  tapNanoseconds,
} from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { PriceLimits } from './price.ts';
import { medianOverFloor } from './sent-taps.ts';
import type { Signal } from './signal.ts';
import { deviceKey, pricedTapNs, spansByDevice } from './spans.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';
import { splitBill, tapsOn, type TapSamples } from './taps.ts';

/** What a packet socket adds to each packet of a device. */
export interface SocketPrice {
  readonly device: string;
  readonly nsPerPacket: number;
  readonly certainty: string;
  /** Of an estimate by the profile. */
  readonly errorNs: number | null;
}

/**
 * Per socket where the kernel let the probe measure each, else each tap's part of the span of its device: the whole of it
 * is `measured` where there is one tap, `estimated` where it is shared out.
 */
export const tapPrices = once((window: Window, limits: PriceLimits): ReadonlyMap<string, readonly SocketPrice[]> => {
  const devices = [...spansByDevice(window)].map(([key, spans]): Priced => [
    key,
    pricedTapNs(window, key, spans, limits),
  ]);
  return perSocket(window, tapNanoseconds, devices, 'receive');
});

/** The same per packet that the device sends. */
export const sentTapPrices = once(
  (window: Window, limits: PriceLimits): ReadonlyMap<string, readonly SocketPrice[]> => {
    const [samples, medians, floors] = [sentSamples, sentMedian, sentFloor].map((metric) =>
      valuesByDevice(window, metric),
    );
    const devices = [...(samples ?? [])].map(([key, own]): Priced => {
      const read = { sentSamples: own, sentMedians: medians?.get(key) ?? [], sentFloors: floors?.get(key) ?? [] };
      return [key, medianOverFloor(read, limits.samples)];
    });
    return perSocket(window, sentTapNanoseconds, devices, 'transmit');
  },
);

/** A device by its key, and the price of all its taps, or why there is none. */
type Priced = readonly [key: string, ns: number | string];

function valuesByDevice(window: Window, metric: Metric): ReadonlyMap<string, readonly Signal[]> {
  const devices = new Map<string, Signal[]>();
  for (const point of window.value(metric)) {
    const key = deviceKey(point.labels);
    devices.set(key, [...(devices.get(key) ?? []), point]);
  }
  return devices;
}

function perSocket(
  window: Window,
  metric: Metric<'inode' | 'device' | 'certainty'>,
  devices: readonly Priced[],
  direction: 'receive' | 'transmit',
): ReadonlyMap<string, readonly SocketPrice[]> {
  const prices = new Map<string, SocketPrice[]>();
  const note = (inode: string, price: SocketPrice): void => {
    prices.set(inode, [...(prices.get(inode) ?? []), price]);
  };
  const own = window.value(metric);
  for (const { labels, value } of own) {
    const price = {
      device: labels['device'] ?? '',
      nsPerPacket: value,
      certainty: labels['certainty'] ?? 'estimated',
      errorNs: null,
    };
    note(labels['inode'] ?? '', price);
  }
  const measured = new Set(prices.keys());
  const seen = seenTaps(window, direction);
  for (const [key, ns] of devices) {
    if (typeof ns === 'string') continue;
    const [netns = '', device = ''] = key.split('\u0000');
    for (const { tap, nanoseconds, measured: whole, error } of billOf(window, netns, device, ns, own, seen)) {
      for (const inode of tap.inodes.filter((each) => !measured.has(each))) {
        note(inode, {
          ...{ device, nsPerPacket: nanoseconds, certainty: whole ? 'measured' : 'estimated' },
          errorNs: error ?? null,
        });
      }
    }
  }
  return prices;
}

function seenTaps(window: Window, direction: 'receive' | 'transmit'): TapSamples {
  const taps = window
    .value(packetSocket)
    .filter(({ labels }) => labels['protocol'] === ETH_P_ALL && labels['hook'] !== 'none');
  const hooks = window
    .increase(profileTapSamples)
    .cells.filter(({ labels }) => labels['direction'] === direction)
    .map(({ labels, increase }) => ({ labels, value: increase }));
  return { hooks, inodes: taps.map(({ labels }) => labels['inode']) };
}

function billOf(
  window: Window,
  netns: string,
  device: string,
  nanoseconds: number,
  prices: readonly Signal[],
  seen: TapSamples,
): ReturnType<typeof splitBill> {
  const here = window
    .value(packetSocket)
    .filter(({ labels }) => (labels['netns'] ?? OWN_NETNS) === netns && labels['protocol'] === ETH_P_ALL);
  const taps = tapsOn({
    bound: here.filter(({ labels }) => labels['device'] === device),
    unbound: here.filter(({ labels }) => labels['device'] === 'any'),
    everywhere: [],
    owners: [],
  });
  return splitBill(taps, nanoseconds, prices, seen);
}
