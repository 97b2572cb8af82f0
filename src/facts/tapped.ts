/**
 * How often the taps of a device run, and in which time. Where taps came or went in the window, they are those that are priced, and the
 * time is the one in which they were there; else it is that of the probe. Rules and report both take it from here.
 */
import {
  sentPackets,
  sentSeconds,
  spanCpuPackets,
  spanPackets,
  tappedPackets,
  tappedSeconds,
  tappedSentPackets,
  tappedSentSeconds,
  transmitPackets,
} from '../metrics/catalogue/index.ts';
import { either, increase, rate, ratio, sumBy, value, type Expression } from '../metrics/expression.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import type { PriceLimits } from './price.ts';
import type { Signal } from './signal.ts';
import { deviceKey, restOfTapNs, spansByDevice } from './spans.ts';
import { tapsOf, tapsWereRead } from './device-taps.ts';
import { receivedTaps } from './tap-prices.ts';

/** Where taps came or went in the window, the time in which they were there speaks for them. */
export function inTheirTime<L extends string>(theirs: Expression<L>, whole: Expression<L>): Expression<L> {
  return { ...either(theirs, whole), metrics: [...whole.metrics, ...theirs.metrics] };
}

/** Skbs per second that pass the taps of a device. */
export const tappedRate = inTheirTime(
  ratio(value(tappedPackets), sumBy(['device'], value(tappedSeconds)), 'packets/s'),
  rate(spanPackets),
);

/** Of the skbs of the window, those that passed the taps which are priced. */
export const tappedPart = ratio(value(tappedPackets), increase(spanPackets), 'ratio');

/** Packets per second that the device sent while its taps were there; nothing where they were there all the time. */
export const tappedSentRate = ratio(value(tappedSentPackets), value(tappedSentSeconds), 'packets/s');

/** What is known of how much a device sends. */
export interface SentRates {
  /** Packets per second while the taps were there, where they came or went. */
  readonly tappedSending: Signal | undefined;
  /** Packets that passed the place of the taps, before TSO, and seconds in which they were counted. */
  readonly sentPackets: Signal | undefined;
  readonly sentSeconds: Signal | undefined;
  /** Frames per second that the driver counted. */
  readonly sent: Signal | undefined;
}

/** Packets per second that pay for the taps on the way out; undefined where that is not known. */
export function sentPerSecond(read: SentRates): number | undefined {
  if (read.tappedSending !== undefined) return read.tappedSending.value;
  const seconds = read.sentSeconds?.value ?? 0;
  if (seconds === 0) return read.sent?.value;
  const counted = (read.sentPackets?.value ?? 0) / seconds;
  // The driver counts frames, which are no fewer than the packets before TSO; a queue may drop what was counted.
  return Math.min(counted, read.sent?.value ?? counted);
}

/** By device: skbs per second that pass its taps. */
export const receivedPastTaps = once(
  (window: Window): ReadonlyMap<string, number> =>
    new Map(tappedRate.evaluate(window).points.map(({ labels, value: perSecond }) => [deviceKey(labels), perSecond])),
);

/** By device: packets per second that it sends past its taps. */
export const sentPastTaps = once((window: Window): ReadonlyMap<string, number> => {
  const byDevice = (of: readonly Signal[]): ReadonlyMap<string, Signal> =>
    new Map(of.map((signal) => [deviceKey(signal.labels), signal]));
  const tappedSending = byDevice(tappedSentRate.evaluate(window).points);
  const packets = byDevice(window.value(sentPackets));
  const frames = byDevice(rate(transmitPackets).evaluate(window).points);
  const [seconds] = window.value(sentSeconds);
  const rates = new Map<string, number>();
  for (const key of new Set([...tappedSending.keys(), ...packets.keys(), ...frames.keys()])) {
    const perSecond = sentPerSecond({
      tappedSending: tappedSending.get(key),
      sentPackets: packets.get(key),
      sentSeconds: seconds,
      sent: frames.get(key),
    });
    if (perSecond !== undefined) rates.set(key, perSecond);
  }
  return rates;
});

/** What all passages of a device's taps take, spread over CPUs as its packets were. */
export function spread(packets: ReadonlyMap<string, number>, whole: number): ReadonlyMap<string, number> {
  const all = [...packets.values()].reduce((sum, count) => sum + count, 0);
  return new Map([...packets].map(([cpu, count]) => [cpu, all === 0 ? 0 : (whole * count) / all]));
}

/** What the probe counted of each device, by CPU. */
export const packetsByCpu = once((window: Window): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const devices = new Map<string, Map<string, number>>();
  for (const { labels, increase: count } of window.increase(spanCpuPackets).cells) {
    const key = deviceKey(labels);
    const cpus = devices.get(key) ?? new Map<string, number>();
    devices.set(key, cpus.set(labels['cpu'] ?? '', count));
  }
  return devices;
});

/**
 * By device: what the taps take of a packet of the window in the mean, in nanoseconds. That is their price, and where they came or
 * went, what was measured of the other packets for those; null without a price.
 */
export const windowTapNs = once((window: Window, limits: PriceLimits): ReadonlyMap<string, number | null> => {
  const parts = new Map(tappedPart.evaluate(window).points.map((point) => [deviceKey(point.labels), point.value]));
  const { on } = receivedTaps(window, limits);
  return new Map(
    [...spansByDevice(window)].map(([key, spans]) => {
      const { ns } = on(key);
      const part = Math.min(1, parts.get(key) ?? 1);
      const rest = part === 1 ? 0 : restOfTapNs(window, key, spans, limits);
      return [key, typeof ns === 'string' || rest === null ? null : ns * part + rest * (1 - part)];
    }),
  );
});

/** Packets without a price that are left out of a mean: of more of them it would say what is not known. */
const UNPRICED = 0.1;

/**
 * The same in the mean of all that the host receives: what the taps of all watched devices took, over so many packets, of which some
 * may be of devices that nobody watches. null where it is not known of enough of those that are watched.
 */
export function hostTapNs(window: Window, limits: PriceLimits, packets: number): number | null {
  const prices = windowTapNs(window, limits);
  let [all, unpriced, nanoseconds] = [0, 0, 0];
  for (const [key, cpus] of packetsByCpu(window)) {
    const passed = [...cpus.values()].reduce((sum, count) => sum + count, 0);
    const ns = isWithoutTaps(window, key) ? 0 : (prices.get(key) ?? null);
    all += passed;
    if (ns === null) unpriced += passed;
    else nanoseconds += ns * passed;
  }
  return all === 0 || packets <= 0 || unpriced > UNPRICED * all ? null : nanoseconds / packets;
}

/** From readings without the count of the whole device. */
const countedByCpu = sumBy(['device'], rate(spanCpuPackets));

export interface TapTime {
  /** In the window. */
  readonly seconds: number;
  /** Per second in which the taps were there, and the probe. */
  readonly share: number;
}

/** What the taps of all watched devices took on each CPU: null where that is not known, undefined when it is nowhere. */
export const tapTimes = once((window: Window, limits: PriceLimits): ReadonlyMap<string, TapTime | null> | undefined => {
  const [means, rates, { on }] = [windowTapNs(window, limits), receivedPastTaps(window), receivedTaps(window, limits)];
  const devices = packetsByCpu(window);
  const counted = new Map(countedByCpu.evaluate(window).points.map((point) => [deviceKey(point.labels), point.value]));
  if (devices.size === 0 || ![...means.values()].some((ns) => ns !== null)) return undefined;
  const times = new Map<string, TapTime>();
  const [all, unpriced] = [new Map<string, number>(), new Map<string, number>()];
  for (const [key, packets] of devices) {
    const ns = isWithoutTaps(window, key) ? 0 : on(key).ns;
    const shares = spread(packets, typeof ns === 'string' ? 0 : (ns * (rates.get(key) ?? counted.get(key) ?? 0)) / 1e9);
    for (const [cpu, count] of packets) {
      all.set(cpu, (all.get(cpu) ?? 0) + count);
      if (typeof ns === 'string') unpriced.set(cpu, (unpriced.get(cpu) ?? 0) + count);
      const before = times.get(cpu) ?? { seconds: 0, share: 0 };
      times.set(cpu, {
        seconds: before.seconds + ((means.get(key) ?? 0) * count) / 1e9,
        share: before.share + (shares.get(cpu) ?? 0),
      });
    }
  }
  const known = (cpu: string): boolean => (unpriced.get(cpu) ?? 0) <= UNPRICED * (all.get(cpu) ?? 0);
  return new Map([...times].map(([cpu, time]) => [cpu, known(cpu) ? time : null]));
});

/** That a device has no taps is known where they were looked for: then nothing of its packets is theirs, timed or not. */
function isWithoutTaps(window: Window, key: string): boolean {
  if ((spansByDevice(window).get(key)?.taps ?? null) !== null) return false;
  const [netns = OWN_NETNS, device = ''] = key.split('\u0000');
  const { taps, loose } = tapsOf(window, netns, device);
  return taps.length + loose.size === 0 && tapsWereRead(window, netns);
}
