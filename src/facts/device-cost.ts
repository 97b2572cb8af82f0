/** What a packet costs by the device that received it, from the samples of the profile between its packets' marks. */
import { errorOfShare, mostOf } from './chance.ts';
import { PKTCOST_PART, type CostLimits, type PathCost } from './path-cost.ts';
import { tooFewPackets } from './price.ts';
import { SAMPLES_TO_PRICE } from './profile-price.ts';
import { totalOf, type Signal } from './signal.ts';
import { byPlace, deviceKey } from './spans.ts';
import type { Labels } from '../metrics/metric.ts';

export interface DeviceReadings {
  /** Samples of the window by the labels `direction` and `part`, and those of receiving by `device`, too. */
  readonly samples: readonly Signal[];
  readonly byDevice: readonly Signal[];
  /** Seconds of a CPU that a sample stands for, and seconds sampled. */
  readonly period: Signal;
  readonly sampled: Signal;
  /** Per second and device: what the stack got, and what came in; GRO makes the former fewer. */
  readonly skbs: readonly Signal[];
  readonly frames: readonly Signal[];
  /** Of a device's packets those that came while samples were of no device. */
  readonly unmarked: readonly Signal[];
  /** Packets per second, of the whole host. */
  readonly processed: Signal | undefined;
  readonly received: Signal | undefined;
}

export interface PacketPrice {
  readonly samples: number;
  /** CPU-seconds per second. */
  readonly cpu: number;
  readonly packets: number;
  readonly ns: number | undefined;
  /** Why there is no price, where it is for want of packets. */
  readonly few: string | undefined;
  /** The largest first. */
  readonly parts: readonly (readonly [part: string, share: number])[];
}

export interface DevicePrice extends PacketPrice {
  /** `device` and `netns`. */
  readonly labels: Labels;
  /** For how long its samples were taken is not known. */
  readonly untold: boolean;
}

/** A received packet of the whole host. */
export function hostPrice(read: DeviceReadings): PacketPrice {
  const seconds = read.sampled.value;
  return priceOf(
    read.samples.filter(({ labels }) => labels['direction'] === 'receive'),
    read.processed === undefined || read.received === undefined
      ? 0
      : Math.max(read.processed.value, read.received.value),
    read.period.value / seconds,
    seconds,
  );
}

/** A received packet of each device whose samples are its own. */
export function devicePrices(read: DeviceReadings): readonly DevicePrice[] {
  const seconds = read.sampled.value;
  const unwatched = Math.max(0, (read.processed?.value ?? 0) - totalOf(read.skbs));
  // A device's samples end where the next watched packet comes: between them may be those of devices that nobody watches.
  return [...byPlace(read.byDevice)]
    .filter(([key]) => unwatched <= (valueOf(read.skbs, key) ?? 0))
    .map(([key, samples]) => {
      const unmarked = valueOf(read.unmarked, key);
      const marked = seconds * (1 - (unmarked ?? 0));
      const packets = framesOr(valueOf(read.skbs, key), valueOf(read.frames, key));
      return {
        labels: samples[0]!.labels,
        untold: marked <= 0 || unmarked === undefined,
        ...priceOf(samples, packets, marked <= 0 ? 0 : read.period.value / marked, seconds),
      };
    });
}

/** A packet of a dear device costs at least so many times one of all others. */
const DEARER = 2;

/**
 * What `isPart` picks costs on devices whose packets are dearer than those of the rest of the host. A busy cheap device hides a dear
 * one from the host's shares.
 */
export function dearDeviceCosts(read: DeviceReadings, isPart: (part: string) => boolean): readonly PathCost[] {
  if (read.sampled.value <= 0) return [];
  const host = hostPrice(read);
  return devicePrices(read).flatMap(({ labels, untold, samples, cpu, packets, ns, parts }) => {
    if (untold || ns === undefined || samples < SAMPLES_TO_PRICE) return [];
    const others = host.packets - packets;
    if (others <= 0 || ns < (DEARER * Math.max(0, host.cpu - cpu) * 1e9) / others) return [];
    const share = parts.reduce((sum, [part, each]) => (isPart(part) ? sum + each : sum), 0);
    if (share === 0) return [];
    const { device = '', netns = '' } = labels;
    const error = errorOfShare(share, samples);
    const of = { device, netns };
    return [{ direction: 'receive', of, share, error, cpu: cpu * share, ns: ns * share, perPacket: ns, own: 0, parts }];
  });
}

/**
 * Why it is not known whether `isPart` makes the packets of one device dear, though it takes enough of a CPU for that. Undefined where it
 * does not, or where the devices are known, or only one receives.
 */
export function unsureOfDevices(
  read: DeviceReadings,
  isPart: (part: string) => boolean,
  limits: Pick<CostLimits, 'cpu'>,
): string | undefined {
  const received = read.samples.filter(({ labels }) => labels['direction'] === 'receive');
  const mine = totalOf(received.filter(({ labels }) => isPart(labels['part'] ?? '')));
  if ((mostOf(mine) * read.period.value) / read.sampled.value < limits.cpu) return undefined;
  if (read.frames.filter(({ value }) => value > 0).length === 1) return undefined;
  if ([read.byDevice, read.skbs, read.frames].some(({ length }) => length === 0) || read.received === undefined)
    return 'samples were told apart by no device, and that the packets of one are slow for it is not ruled out';
  return devicePrices(read).some(({ untold }) => untold)
    ? 'for how long samples were of a device is not known'
    : undefined;
}

function priceOf(found: readonly Signal[], packets: number, cpuPerSample: number, seconds: number): PacketPrice {
  const theirs = found.filter(({ labels }) => labels['part'] !== PKTCOST_PART);
  const samples = totalOf(theirs);
  const cpu = samples * cpuPerSample;
  const few = packets > 0 ? tooFewPackets(packets * seconds) : undefined;
  return {
    samples,
    cpu,
    packets,
    ns: packets > 0 && few === undefined ? (cpu * 1e9) / packets : undefined,
    few,
    parts: theirs
      .map(({ labels, value }) => [labels['part'] ?? '', value / Math.max(samples, 1)] as const)
      .sort(([, a], [, b]) => b - a),
  };
}

function valueOf(signals: readonly Signal[], key: string): number | undefined {
  return signals.find(({ labels }) => deviceKey(labels) === key)?.value;
}

/** What GRO merges is told by frames: without them 64 KB that came as one frame would be dear. */
function framesOr(skbs: number | undefined, frames: number | undefined): number {
  return skbs === undefined || frames === undefined ? 0 : Math.max(skbs, frames);
}
