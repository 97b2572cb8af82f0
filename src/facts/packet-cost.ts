import { receivedInNetRx } from './breakdown.ts';
import { takenOfCpu } from './interrupt-time.ts';
import { napiTimeOn } from './packet-cpus.ts';
import { enoughTicks, NO_SPAN, priceOfSpan, tooFewPackets, type PriceLimits } from './price.ts';
import type { Signal } from './signal.ts';
import type { PricedTaps } from './tap-price.ts';
import { spread } from './tapped.ts';

export interface ReceiveReadings {
  /** From the probe: NET_RX nanoseconds per second and skbs per second, whole host. */
  readonly netRx: Signal | undefined;
  readonly netRxPackets: Signal | undefined;
  /** CPU-seconds per second of NAPI and backlog threads, which NET_RX and softirq do not contain. */
  readonly threads: Signal | undefined;
  readonly softirq: Signal | undefined;
  readonly processed: Signal | undefined;
  readonly accounting: Signal | undefined;
}

export interface ReceiveCost {
  readonly nsPerSecond: number;
  /** Skbs after GRO; a VLAN or bond counts again. */
  readonly packetsPerSecond: number;
  readonly perPacketNs: number;
  /** What NAPI threads took, which is not known by CPU: of the time, unless it is next to nothing. */
  readonly threads: number;
  /** NET_RX alone, or all softirq time, timers and block included. */
  readonly from: 'net_rx' | 'softirq';
}

/** Thread time relative to that of NET_RX up to which what threads receive does not matter. */
const FEW = 0.1;

/** What receiving costs the host, or undefined when neither the probe nor enough ticks can tell. */
export function receiveCost(readings: ReceiveReadings, seconds: number): ReceiveCost | undefined {
  const { netRx, netRxPackets, threads, softirq, processed, accounting } = readings;
  const threadNs = (threads?.value ?? 0) * 1e9;
  if (netRx !== undefined && netRxPackets !== undefined && netRxPackets.value > 0) {
    const alone = threadNs <= FEW * netRx.value;
    // The probe counts what NET_RX receives, perhaps a few strays: what the threads received is in the host's count only.
    const packets = alone ? netRxPackets.value : Math.max(netRxPackets.value, processed?.value ?? 0);
    if (!alone && processed === undefined) return undefined;
    const nsPerSecond = netRx.value + (alone ? 0 : threadNs);
    if (tooFewPackets(packets * seconds) === undefined) return costOf(nsPerSecond, packets, threadNs, 'net_rx');
  }
  if (softirq === undefined || processed === undefined || tooFewPackets(processed.value * seconds)) return undefined;
  const used = softirq.value + (threads?.value ?? 0);
  if (!enoughTicks(used * seconds, accounting?.value)) return undefined;
  return costOf(used * 1e9, processed.value, threadNs, 'softirq');
}

function costOf(
  nsPerSecond: number,
  packetsPerSecond: number,
  threads: number,
  from: ReceiveCost['from'],
): ReceiveCost {
  return { nsPerSecond, packetsPerSecond, perPacketNs: nsPerSecond / packetsPerSecond, threads, from };
}

export interface SpanReadings {
  readonly mean: Signal | undefined;
  readonly floor: Signal | undefined;
  readonly samples: Signal | undefined;
  /** Samples of the whole window, from its beginning on; `samples` may be of the time of the taps alone. */
  readonly allSamples: Signal | undefined;
  /** Samples begun and not counted. */
  readonly lost: Signal | undefined;
}

/** What so many taps of the device take together by their span, as `togetherNs` has it of a window; or why that is not known. */
export function spanNs(
  { mean, floor, samples, allSamples, lost }: SpanReadings,
  taps: number,
  limits: PriceLimits,
): number | string {
  if (samples === undefined || allSamples === undefined) return NO_SPAN;
  return priceOfSpan(
    { samples: samples.value, lost: lost?.value ?? 0, meanNs: mean?.value, floorNs: floor?.value, taps },
    limits,
  );
}

export interface PassedReadings {
  readonly samples: Signal | undefined;
  readonly every: Signal | undefined;
  /** Skbs per second the probe saw on the device. */
  readonly skbs: Signal | undefined;
  /** Frames per second the driver counted. */
  readonly received: Signal | undefined;
  /** Where the taps came or went in the window. */
  readonly passed: Signal | undefined;
}

export interface TapCost {
  /** Per skb that passes the taps, measurement taken off. */
  readonly ns: number;
  readonly skbsPerSecond: number;
  /** CPU-seconds per second, while the taps are there. */
  readonly cpu: number;
  /** Of the device's packets of the window, the share that passed them: less than 1 where they came or went in it. */
  readonly passed: number;
}

/** What taps of this price take of a CPU, or why that is not known. */
export function tapCost(
  { ns }: PricedTaps,
  { samples, every, skbs, received, passed }: PassedReadings,
  seconds: number,
): TapCost | string {
  if (typeof ns === 'string') return ns;
  // Taps run once per skb, and GRO merges up to 45 frames into one: frames would overstate the price by as much. Without
  // the probe's own count, samples times N is an estimate that the driver's count bounds.
  const estimate = samples === undefined ? undefined : (samples.value * (every?.value ?? 1)) / seconds;
  const bounded = estimate === undefined ? undefined : Math.min(estimate, received?.value ?? estimate);
  const skbsPerSecond = skbs?.value ?? bounded;
  if (skbsPerSecond === undefined) return 'how many packets pass them is not known';
  return { ns, skbsPerSecond, cpu: (ns * skbsPerSecond) / 1e9, passed: Math.min(1, passed?.value ?? 1) };
}

/** NET_RX time and packets per second of each CPU, and what the probe counted there of the device. */
export interface NetRxReadings {
  readonly netRxByCpu: readonly Signal[];
  readonly netRxPacketsByCpu: readonly Signal[];
  readonly skbsByCpu: readonly Signal[];
  /** Interrupts per second that hand packets from one CPU to another (RPS), and packets per second. */
  readonly handed: Signal | undefined;
  readonly processed: Signal | undefined;
}

/**
 * The taps' share of what one packet of this device costs: their price, over that price and what a packet costs besides, on the
 * CPUs that receive it. Devices that share a CPU cannot be told apart there, and taps of others stay in the rest, so the share is
 * rather too low than too high.
 */
export function shareOf(
  price: TapCost,
  cost: ReceiveCost,
  path: NetRxReadings,
  seconds: number,
): { readonly share: number; readonly restNs: number } | undefined {
  const onPath = cost.from === 'net_rx' && cost.threads === 0 ? restOnPath(price, path, seconds) : undefined;
  const restNs = onPath ?? (cost.nsPerSecond - price.cpu * price.passed * 1e9) / cost.packetsPerSecond;
  // The whole cannot be less than its part: the two measures do not fit together, and no share can be told.
  return restNs > 0 ? { share: price.ns / (restNs + price.ns), restNs } : undefined;
}

/** An interrupt hands over 300 packets at most; fewer than one in a thousand packets is a stray one. */
const HANDED_SHARE = 0.001;

/** Whether CPUs take packets from the card that others take through the stack (RPS). */
export function handsOver(interrupts: number, packets: number): boolean {
  return interrupts > HANDED_SHARE * packets;
}

/**
 * What a packet costs besides the taps in the mean of the device's CPUs; undefined where one of them was not timed, where
 * other CPUs take the packets from the card, or of too few packets.
 */
function restOnPath({ ns, passed }: TapCost, path: NetRxReadings, seconds: number): number | undefined {
  const { netRxByCpu, netRxPacketsByCpu, skbsByCpu, handed, processed } = path;
  if (handsOver(handed?.value ?? 0, processed?.value ?? 0)) return undefined;
  const byCpu = (signals: readonly Signal[]): ReadonlyMap<string | undefined, number> =>
    new Map(signals.map(({ labels, value }) => [labels['cpu'], value]));
  const [times, packets] = [byCpu(netRxByCpu), byCpu(netRxPacketsByCpu)];
  let [skbs, rest] = [0, 0];
  for (const { labels, value } of skbsByCpu) {
    if (value === 0) continue;
    const [time, all] = [times.get(labels['cpu']) ?? 0, packets.get(labels['cpu']) ?? 0];
    if (time === 0 || all === 0 || !receivedInNetRx(all, value)) return undefined;
    skbs += value;
    // What all packets of the CPU cost, less the taps of those that come from this device.
    rest += (value * (time - ns * passed * Math.min(value, all))) / all;
  }
  return tooFewPackets(skbs * seconds) === undefined ? rest / skbs : undefined;
}

export interface HotCpu {
  readonly cpu: string;
  readonly share: number;
}

interface CpuReadings {
  readonly softirqByCpu: readonly Signal[];
  readonly processedByCpu: readonly Signal[];
  readonly threadTimes: readonly Signal[];
  readonly lastCpus: readonly Signal[];
  readonly accounting: Signal | undefined;
}

/** CPUs that spend at least `share` of their time in softirq and NAPI threads and do receive packets, hottest first. */
export function hotCpus(
  readings: CpuReadings,
  share: number,
  leastPackets: number,
  seconds: number,
): readonly HotCpu[] {
  const { softirqByCpu, processedByCpu, threadTimes, lastCpus, accounting } = readings;
  const received = new Map(processedByCpu.map(({ labels, value }) => [labels['cpu'], value]));
  return softirqByCpu
    .flatMap(({ labels, value }) => {
      const cpu = labels['cpu'] ?? '';
      const threads = napiTimeOn(cpu, threadTimes, lastCpus).seconds;
      const taken = takenOfCpu(value, threads).share;
      if (taken < share || (received.get(cpu) ?? 0) < leastPackets) return [];
      return enoughTicks((value + threads) * seconds, accounting?.value) ? [{ cpu, share: taken }] : [];
    })
    .sort((a, b) => b.share - a.share);
}

/**
 * The share of each CPU that the taps of a device take: what they take in all, spread as the probe counted its packets there. From
 * readings without that count, as the packets of the host.
 */
export function tapShares(
  { processedByCpu, skbsByCpu }: Pick<CpuReadings, 'processedByCpu'> & { readonly skbsByCpu: readonly Signal[] },
  { cpu: whole }: TapCost,
): ReadonlyMap<string, number> {
  const counted = skbsByCpu.length > 0 ? skbsByCpu : processedByCpu;
  return spread(new Map(counted.map(({ labels, value }) => [labels['cpu'] ?? '', value])), whole);
}

/** CPUs that lose at least `share` of their time to the taps while next to none is left idle: whatever else runs there waits. */
export function burdenedCpus(
  shares: ReadonlyMap<string, number>,
  idleByCpu: readonly Signal[],
  share: number,
  spare: number,
): readonly string[] {
  const idle = new Map(idleByCpu.map(({ labels, value }) => [labels['cpu'], value]));
  return [...shares].flatMap(([cpu, lost]) => (lost >= share && (idle.get(cpu) ?? 1) <= spare ? [cpu] : []));
}
