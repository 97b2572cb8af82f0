import type { Cost, CostPart, CpuCost, DeviceCost, HostCost, Probe, Spans } from '../generated/report.ts';
import {
  cpuDedicated,
  cpuNode,
  cpuSeconds,
  deviceInfo,
  deviceNumaNode,
  kernelFeature,
  netRxNanoseconds,
  netRxPackets,
  processCpu,
  receiveBytes,
  receiveDrop,
  receiveMissed,
  receivePackets,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
  softnetSqueezed,
  spanCpuPackets,
  spanPackets,
} from '../metrics/catalogue/index.ts';
import type { Labels, Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Increase, Window } from '../metrics/window.ts';
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
    devices: deviceCosts(window, probe, spans, host),
    cpus: cpuCosts(window, netRx, tapSecondsOf(window, spans)),
  };
}

/** NET_RX time and packets by CPU, from the probe. */
type NetRx = ReadonlyMap<string, { readonly nanoseconds: number; readonly packets: number }>;

function netRxOf(window: Window): NetRx {
  const packets = byLabel(window, netRxPackets, 'cpu');
  const times = byLabel(window, netRxNanoseconds, 'cpu');
  return new Map(
    [...times].map(([cpu, nanoseconds]) => [
      cpu,
      { nanoseconds: nanoseconds.increase, packets: packets.get(cpu)?.increase ?? 0 },
    ]),
  );
}

function hostCost(window: Window, spans: ReadonlyMap<string, Spans>, netRx: NetRx): HostCost {
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
  const measured = [...netRx.values()];
  const netRxNs = perPacket(
    measured.reduce((sum, each) => sum + each.nanoseconds, 0),
    measured.reduce((sum, each) => sum + each.packets, 0),
  );
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
    netRxNsPerPacket: netRxNs,
    breakdown: breakdown(nsPerPacket, netRxNs, meanTapNs([...spans.values()])),
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

/**
 * Splits the accounted time per packet into taps, the rest of NET_RX, and what is left over. Where the tick-sampled
 * softirq time falls short of the NET_RX time that was measured, the measured one is the whole.
 */
function breakdown(accountedNs: number | null, netRxNs: number | null, tapNs: number | null): CostPart[] {
  if (netRxNs === null || tapNs === null) return [];
  const parts = [
    { part: 'taps' as const, ns: tapNs },
    { part: 'net-rx-rest' as const, ns: Math.max(0, netRxNs - tapNs) },
    { part: 'unexplained' as const, ns: Math.max(0, (accountedNs ?? 0) - Math.max(netRxNs, tapNs)) },
  ];
  const whole = parts.reduce((sum, { ns }) => sum + ns, 0);
  return whole === 0 ? [] : parts.map(({ part, ns }) => ({ part, ns, share: ns / whole }));
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

function deviceCosts(window: Window, probe: Probe, spans: ReadonlyMap<string, Spans>, host: HostCost): DeviceCost[] {
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
      const skbs = own === null ? null : (passed.get(key)?.increase ?? null);
      return {
        netns: labels['netns'] ?? OWN_NETNS,
        device: labels['device'] ?? '',
        driver: infos.get(key)?.['driver'] ?? null,
        kind: infos.get(key)?.['kind'] ?? null,
        numaNode: node === undefined || node < 0 ? null : node,
        packets: increase,
        packetsPerSecond: seconds > 0 ? increase / seconds : 0,
        skbs,
        // A TC program before ours may decide on some of them, so that GRO would seem to have merged them.
        groRatio: skbs === null || skbs < PACKETS_TO_PRICE || skbs > increase ? null : increase / skbs,
        bytes: bytes.get(key)?.increase ?? null,
        dropped: drops.get(key)?.increase ?? null,
        missed: missed.get(key)?.increase ?? null,
        spans: own,
        breakdown: own === null ? [] : breakdown(host.nsPerPacket, host.netRxNsPerPacket, meanTapNs([own])),
        reason: own === null ? whyNoSpan(probe, labels) : whyNoSamples(own, increase),
      };
    });
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

/** Seconds that the taps of all watched devices took on each CPU; undefined when that cannot be told. */
function tapSecondsOf(window: Window, spans: ReadonlyMap<string, Spans>): ReadonlyMap<string, number> | undefined {
  const prices = new Map([...spans].map(([key, own]) => [key, meanTapNs([own])]));
  const packets = cells(window, spanCpuPackets);
  if (packets.length === 0 || ![...prices.values()].some((price) => price !== null)) return undefined;
  const seconds = new Map<string, number>();
  for (const { labels, increase } of packets) {
    const cpu = labels['cpu'] ?? '';
    seconds.set(cpu, (seconds.get(cpu) ?? 0) + (increase * (prices.get(deviceKey(labels)) ?? 0)) / 1e9);
  }
  return seconds;
}

function cpuCosts(window: Window, netRx: NetRx, taps: ReadonlyMap<string, number> | undefined): CpuCost[] {
  const packets = byLabel(window, softnetProcessed, 'cpu');
  const dropped = byLabel(window, softnetDropped, 'cpu');
  const squeezed = byLabel(window, softnetSqueezed, 'cpu');
  const runs = new Map(
    cells(window, softirqFunctions)
      .filter(({ labels }) => labels['type'] === 'NET_RX')
      .map(({ labels, increase }) => [labels['cpu'] ?? '', increase]),
  );
  const nodes = new Map(window.value(cpuNode).map(({ labels }) => [labels['cpu'], Number(labels['node'])]));
  return cells(window, cpuSeconds)
    .filter(({ labels }) => labels['mode'] === 'softirq')
    .sort((a, b) => Number(a.labels['cpu']) - Number(b.labels['cpu']))
    .map(({ labels, increase, seconds }) => {
      const cpu = labels['cpu'] ?? '';
      const passed = packets.get(cpu);
      const timed = netRx.get(cpu);
      const tapSeconds = taps === undefined ? null : (taps.get(cpu) ?? 0);
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
        nsPerPacket:
          passed !== undefined && passed.increase >= PACKETS_TO_PRICE && isTimed(window, increase)
            ? (increase * 1e9) / passed.increase
            : null,
        netRxRuns: runs.get(cpu) ?? null,
        netRxNsPerPacket: timed === undefined ? null : perPacket(timed.nanoseconds, timed.packets),
        tapSeconds,
        tapShare: tapSeconds === null || seconds <= 0 ? null : tapSeconds / seconds,
        dropped: dropped.get(cpu)?.increase ?? null,
        squeezed: squeezed.get(cpu)?.increase ?? null,
      };
    });
}

function perPacket(nanoseconds: number, packets: number): number | null {
  return packets >= PACKETS_TO_PRICE ? nanoseconds / packets : null;
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
