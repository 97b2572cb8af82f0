import type { Cost, CpuCost, DeviceCost, HostCost, Probe, Spans } from '../generated/report.ts';
import {
  cpuDedicated,
  cpuNode,
  cpuSeconds,
  deviceInfo,
  deviceNumaNode,
  kernelFeature,
  processCpu,
  receiveBytes,
  receiveDrop,
  receiveMissed,
  receivePackets,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
  softnetReceivedRps,
  softnetSqueezed,
  spanCpuPackets,
  spanPackets,
} from '../metrics/catalogue/index.ts';
import type { Labels, Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Increase, Window } from '../metrics/window.ts';
import { breakdownOf, netRxCost, netRxCostOn, netRxOf, type NetRxByCpu, type NetRxCost } from './breakdown.ts';
import { deviceKey, spansByDevice } from './spans.ts';
import { formats } from './words.ts';

/**
 * Below this many packets timers and RCU outweigh the receive work in the softirq time, and ticks of 10 ms are too coarse:
 * a price per packet would be nonsense.
 */
const PACKETS_TO_PRICE = 1000;

/**
 * Below this much softirq time a price is noise where it is counted in ticks: each falls whole to whatever it interrupts
 * (kernel/sched/cputime.c:account_system_time). None at all would make packets free.
 */
const TICKED_SECONDS_TO_PRICE = 0.1;

/** Devices whose frames were counted before, by the device below them. */
const upperKinds = new Set([
  ...['bridge', 'bond', 'team', 'vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap', 'vrf'],
  ...['vxlan', 'geneve', 'gre', 'openvswitch', 'virtual'],
]);

/** What a packet costs: the host, each device, each CPU. Softirq time of /proc/stat, sharpened by the probe's spans. */
export function costOf(window: Window, probe: Probe): Cost {
  const spans = spansByDevice(window);
  const netRx = netRxOf(window);
  const host = hostCost(window, spans, netRx);
  return {
    host,
    devices: deviceCosts(window, probe, spans, host, netRx),
    cpus: cpuCosts(window, netRx, tapTimes(window, spans)),
  };
}

function hostCost(window: Window, spans: ReadonlyMap<string, Spans>, netRx: NetRxByCpu): HostCost {
  const softirqs = cells(window, cpuSeconds).filter(({ labels }) => labels['mode'] === 'softirq');
  const napi = napiSeconds(window);
  const processed = cells(window, softnetProcessed);
  const wire = wirePackets(window);
  const softirqSeconds = total(softirqs);
  const packets = total(processed);
  const spent = softirqSeconds === null ? null : softirqSeconds + (napi ?? 0);
  const cpuTime = softirqs.reduce((sum, { seconds }) => sum + seconds, 0);
  const timed = spent !== null && isTimed(window, spent);
  const priced = packets !== null && packets >= PACKETS_TO_PRICE;
  const nsPerPacket = priced && timed ? (spent * 1e9) / packets : null;
  const measured = enough(netRxCost([...netRx.values()]));
  return {
    packets,
    packetsPerSecond: packets === null ? null : packets / processed[0]!.seconds,
    wirePackets: wire,
    // Fewer frames than skbs: some of the packets came over devices that were not seen, and the quotient says nothing.
    groRatio: priced && wire !== null && wire >= packets ? wire / packets : null,
    softirqSeconds,
    napiSeconds: napi,
    softirqShare: spent === null || cpuTime === 0 ? null : spent / cpuTime,
    nsPerPacket,
    nsPerWirePacket: timed && wire !== null && wire >= PACKETS_TO_PRICE ? (spent * 1e9) / wire : null,
    netRxNsPerPacket: measured?.ns ?? null,
    breakdown: breakdownOf(nsPerPacket, measured, meanTapNs([...spans.values()])),
    reason: whyUnpriced(window, packets, spent),
  };
}

function isTimed(window: Window, seconds: number): boolean {
  const exact = window
    .value(kernelFeature)
    .some(({ labels, value }) => labels['feature'] === 'irq_time_accounting' && value === 1);
  return exact || seconds >= TICKED_SECONDS_TO_PRICE;
}

function whyUnpriced(window: Window, packets: number | null, spent: number | null): string | null {
  for (const metric of [cpuSeconds, softnetProcessed, receivePackets]) {
    const { cells: found, missing } = window.increase(metric);
    if (found.length === 0 && missing[0] !== undefined) return `${missing[0].source}: ${missing[0].reason}`;
  }
  if (packets !== null && packets < PACKETS_TO_PRICE) return `too few packets in the window to price one: ${packets}`;
  if (packets !== null && spent !== null && !isTimed(window, spent))
    return `${formats.seconds(spent)} of softirq time, which this kernel counts in ticks, are too little to price a packet by`;
  return null;
}

/** null when the threads could not be seen; 0 when there are none, which is usual: NAPI then runs in softirq. */
function napiSeconds(window: Window): number | null {
  const threads = cells(window, processCpu).filter(({ labels }) => labels['role'] === 'napi');
  if (threads.length > 0) return total(threads);
  const status = window.after.collector(processCpu.collector)?.status;
  return window.single || status === undefined || status === 'unavailable' || status === 'partial' ? null : 0;
}

function wirePackets(window: Window): number | null {
  const kinds = new Map(window.value(deviceInfo).map(({ labels }) => [deviceKey(labels), labels['kind'] ?? '']));
  return total(
    cells(window, receivePackets).filter(({ labels }) => !upperKinds.has(kinds.get(deviceKey(labels)) ?? '')),
  );
}

/** Tap time above the floor, in the mean of all sampled packets; null without a floor to subtract. */
function meanTapNs(spans: readonly Spans[]): number | null {
  let samples = 0;
  let nanoseconds = 0;
  for (const { taps } of spans) {
    if (taps === null || taps.avgNs === null || taps.floorNs === null) continue;
    samples += taps.count;
    nanoseconds += Math.max(0, taps.avgNs - taps.floorNs) * taps.count;
  }
  return samples === 0 ? null : nanoseconds / samples;
}

function deviceCosts(
  window: Window,
  probe: Probe,
  spans: ReadonlyMap<string, Spans>,
  host: HostCost,
  netRx: NetRxByCpu,
): DeviceCost[] {
  const onCpus = packetsByCpu(window);
  const ofCpu = cpuPrices(window);
  const ofHost = enough(netRxCost([...netRx.values()]));
  // With RPS the CPU that takes a packet from the card is another.
  const local = !movesPackets(window);
  // What NAPI threads take is not known by CPU.
  const accounted = local && host.napiSeconds === 0;
  const bytes = byDevice(window, receiveBytes);
  const drops = byDevice(window, receiveDrop);
  const missed = byDevice(window, receiveMissed);
  const passed = byDevice(window, spanPackets);
  const infos = new Map(window.value(deviceInfo).map(({ labels }) => [deviceKey(labels), labels]));
  const nodes = new Map(window.value(deviceNumaNode).map(({ labels, value }) => [deviceKey(labels), value]));
  return cells(window, receivePackets)
    .filter(({ labels, increase }) => increase > 0 || spans.has(deviceKey(labels)))
    .sort((a, b) => b.increase - a.increase || (deviceKey(a.labels) < deviceKey(b.labels) ? -1 : 1))
    .map(({ labels, increase, seconds }) => {
      const key = deviceKey(labels);
      const own = spans.get(key) ?? null;
      const node = nodes.get(key);
      const counted = own === null ? undefined : passed.get(key);
      const skbs = counted?.increase ?? null;
      const cpus = onCpus.get(key) ?? new Map<string, number>();
      return {
        netns: labels['netns'] ?? OWN_NETNS,
        device: labels['device'] ?? '',
        driver: infos.get(key)?.['driver'] ?? null,
        kind: infos.get(key)?.['kind'] ?? null,
        numaNode: node === undefined || node < 0 ? null : node,
        packets: increase,
        packetsPerSecond: seconds > 0 ? increase / seconds : 0,
        skbs,
        groRatio: counted === undefined ? null : groRatio(increase / seconds, counted),
        bytes: bytes.get(key)?.increase ?? null,
        dropped: drops.get(key)?.increase ?? null,
        missed: missed.get(key)?.increase ?? null,
        spans: own,
        breakdown:
          own === null
            ? []
            : breakdownOf(
                (accounted ? weighed(ofCpu, cpus) : null) ?? host.nsPerPacket,
                (local ? enough(netRxCostOn(netRx, cpus)) : null) ?? ofHost,
                meanTapNs([own]),
              ),
        reason: own === null ? whyNoSpan(probe, labels) : whyNoSamples(own, increase),
      };
    });
}

/** By rates, since a probe over its budget leaves before the window ends. */
function groRatio(framesPerSecond: number, { increase, seconds }: Increase): number | null {
  const ratio = framesPerSecond / (increase / seconds);
  // A TC program before ours may decide on some of them, so that GRO would seem to have merged them.
  return increase < PACKETS_TO_PRICE || ratio < 1 ? null : ratio;
}

function whyNoSpan(probe: Probe, labels: Labels): string {
  const planned = probe.plan.find(
    ({ netns, device, attach }) => !attach && device === labels['device'] && netns === (labels['netns'] ?? OWN_NETNS),
  );
  return planned?.reason ?? probe.reason ?? 'the probe was not on this device';
}

/** Of so many packets sampling 1 in 16 misses all once in 600 times. */
const PACKETS_TO_SAMPLE = 100;

/** A filter of another which comes first may decide on every packet before ours sees it. */
function whyNoSamples({ taps }: Spans, packets: number): string | null {
  if (taps === null || taps.count > 0 || packets < PACKETS_TO_SAMPLE) return null;
  return 'none of its packets reached the probe: another TC program decides on them first';
}

/** Whether CPUs hand packets to others (RPS): each interrupt that wakes one hands over 300 at most. */
function movesPackets(window: Window): boolean {
  const handed = total(cells(window, softnetReceivedRps)) ?? 0;
  return handed > 0 && handed >= 0.001 * (total(cells(window, softnetProcessed)) ?? 0);
}

/** What the probe counted of each device, by CPU. */
function packetsByCpu(window: Window): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const devices = new Map<string, Map<string, number>>();
  for (const { labels, increase } of cells(window, spanCpuPackets)) {
    const key = deviceKey(labels);
    const cpus = devices.get(key) ?? new Map<string, number>();
    devices.set(key, cpus.set(labels['cpu'] ?? '', increase));
  }
  return devices;
}

/** Softirq time per pass into the stack on each CPU that did enough of it. */
function cpuPrices(window: Window): ReadonlyMap<string, number> {
  const packets = byLabel(window, softnetProcessed, 'cpu');
  return new Map(
    cells(window, cpuSeconds).flatMap(({ labels, increase }) => {
      const passed = packets.get(labels['cpu'] ?? '')?.increase ?? 0;
      const priced = labels['mode'] === 'softirq' && passed >= PACKETS_TO_PRICE && isTimed(window, increase);
      return priced ? [[labels['cpu'] ?? '', (increase * 1e9) / passed] as const] : [];
    }),
  );
}

/** The mean of the CPUs, each with its packets; null where one that had a share worth naming has no price. */
function weighed(prices: ReadonlyMap<string, number>, packets: ReadonlyMap<string, number>): number | null {
  const all = [...packets.values()].reduce((sum, count) => sum + count, 0);
  const priced = [...packets].flatMap(([cpu, count]) => {
    const price = prices.get(cpu);
    return price === undefined ? [] : [{ price, count }];
  });
  const known = priced.reduce((sum, { count }) => sum + count, 0);
  if (known === 0 || known < 0.99 * all) return null;
  return priced.reduce((sum, { price, count }) => sum + price * count, 0) / known;
}

interface TapTime {
  readonly seconds: number;
  /** Per second in which the probe was there. */
  readonly share: number;
}

/** What the taps of all watched devices took on each CPU; undefined when that cannot be told. */
function tapTimes(window: Window, spans: ReadonlyMap<string, Spans>): ReadonlyMap<string, TapTime> | undefined {
  const prices = new Map([...spans].map(([key, own]) => [key, meanTapNs([own])]));
  const packets = cells(window, spanCpuPackets);
  if (packets.length === 0 || ![...prices.values()].some((price) => price !== null)) return undefined;
  const times = new Map<string, TapTime>();
  for (const { labels, increase, seconds } of packets) {
    const cpu = labels['cpu'] ?? '';
    const took = (increase * (prices.get(deviceKey(labels)) ?? 0)) / 1e9;
    const before = times.get(cpu) ?? { seconds: 0, share: 0 };
    times.set(cpu, { seconds: before.seconds + took, share: before.share + (seconds > 0 ? took / seconds : 0) });
  }
  return times;
}

function cpuCosts(window: Window, netRx: NetRxByCpu, taps: ReadonlyMap<string, TapTime> | undefined): CpuCost[] {
  const packets = byLabel(window, softnetProcessed, 'cpu');
  const dropped = byLabel(window, softnetDropped, 'cpu');
  const squeezed = byLabel(window, softnetSqueezed, 'cpu');
  const runs = new Map(
    cells(window, softirqFunctions)
      .filter(({ labels }) => labels['type'] === 'NET_RX')
      .map(({ labels, increase }) => [labels['cpu'] ?? '', increase]),
  );
  const nodes = new Map(window.value(cpuNode).map(({ labels }) => [labels['cpu'], Number(labels['node'])]));
  const prices = cpuPrices(window);
  return cells(window, cpuSeconds)
    .filter(({ labels }) => labels['mode'] === 'softirq')
    .sort((a, b) => Number(a.labels['cpu']) - Number(b.labels['cpu']))
    .map(({ labels, increase, seconds }) => {
      const cpu = labels['cpu'] ?? '';
      const passed = packets.get(cpu);
      const time = netRx.get(cpu);
      const timed = time === undefined ? null : enough(netRxCost([time]));
      const nsPerPacket = prices.get(cpu) ?? null;
      const tap = taps === undefined ? null : (taps.get(cpu) ?? { seconds: 0, share: 0 });
      return {
        cpu,
        numaNode: nodes.get(cpu) ?? null,
        dedicatedBy: window
          .value(cpuDedicated)
          .flatMap((each) => (each.labels['cpu'] === cpu ? [each.labels['by']!] : [])),
        softirqSeconds: increase,
        // Of the wall clock: the modes of a mostly idle CPU do not add up to it (kernel/time/tick-sched.c).
        softirqShare: seconds > 0 ? increase / seconds : null,
        packets: passed?.increase ?? null,
        packetsPerSecond: passed === undefined || passed.seconds <= 0 ? null : passed.increase / passed.seconds,
        nsPerPacket,
        netRxRuns: runs.get(cpu) ?? null,
        netRxNsPerPacket: timed?.ns ?? null,
        breakdown: breakdownOf(
          nsPerPacket,
          timed,
          tap === null || timed === null ? null : (tap.seconds * 1e9) / timed.packets,
        ),
        tapSeconds: tap?.seconds ?? null,
        tapShare: tap?.share ?? null,
        dropped: dropped.get(cpu)?.increase ?? null,
        squeezed: squeezed.get(cpu)?.increase ?? null,
      };
    });
}

/** Too few packets make no price. */
function enough(cost: NetRxCost | null): NetRxCost | null {
  return cost !== null && cost.packets >= PACKETS_TO_PRICE ? cost : null;
}

function cells(window: Window, metric: Metric): readonly Increase[] {
  return window.increase(metric).cells;
}

function byLabel(window: Window, metric: Metric, label: string): ReadonlyMap<string, Increase> {
  return new Map(cells(window, metric).map((cell) => [cell.labels[label] ?? '', cell]));
}

function byDevice(window: Window, metric: Metric): ReadonlyMap<string, Increase> {
  return new Map(cells(window, metric).map((cell) => [deviceKey(cell.labels), cell]));
}

function total(of: readonly Increase[]): number | null {
  return of.length === 0 ? null : of.reduce((sum, { increase }) => sum + increase, 0);
}
