import {
  breakdownOf,
  enough,
  netRxCost,
  netRxCostOn,
  netRxOf,
  receivedInNetRx,
  receivedOn,
  shareOn,
  type NetRxCost,
} from '../../facts/breakdown.ts';
import { cardsLost } from '../../facts/card-losses.ts';
import { cpuPrices, weighed } from '../../facts/cpu-prices.ts';
import { cpuCount, ofAllCpuTime } from '../../facts/cpu-time.ts';
import { byDevice, cells, isTimed, rateTogether, totalIncrease } from '../../facts/figures.ts';
import { interruptModes } from '../../facts/interrupt-time.ts';
import { handsOver } from '../../facts/packet-cost.ts';
import { receivingThreads } from '../../facts/packet-cpus.ts';
import { PACKETS_TO_PRICE, tooFewPackets, type PriceLimits } from '../../facts/price.ts';
import { deviceKey, spansByDevice } from '../../facts/spans.ts';
import { hostTapNs, packetsByCpu, windowTapNs } from '../../facts/tapped.ts';
import type { Cost, DeviceCost, HostCost, Probe, Spans } from '../../generated/report.ts';
import {
  cpuSeconds,
  deviceInfo,
  deviceNumaNode,
  processCpu,
  receiveBytes,
  receiveDrop,
  receiveMissed,
  receivePackets,
  softnetProcessed,
  softnetReceivedRps,
  spanPackets,
  spanPacketsError,
  spanSamples,
} from '../../metrics/catalogue/index.ts';
import type { Labels } from '../../metrics/metric.ts';
import { OWN_NETNS } from '../../metrics/snapshot.ts';
import type { Increase, Window } from '../../metrics/window.ts';
import { formats } from '../words/formats.ts';
import { cpuCosts } from './cpus.ts';
import { listedDevices } from './listed-devices.ts';

/** What it reads of devices in other namespaces and on other hosts, besides what rules read. */
export const costMetrics = [receiveBytes, receiveDrop, receiveMissed, receivePackets] as const;

/** Devices whose frames were counted before, by the device below them. */
const upperKinds = new Set([
  ...['bridge', 'bond', 'team', 'vlan', 'macvlan', 'macvtap', 'ipvlan', 'ipvtap', 'vrf'],
  ...['vxlan', 'geneve', 'gre', 'openvswitch', 'virtual'],
]);

/** What a packet costs: the host, each device, each CPU. Softirq time of /proc/stat, sharpened by the probe's spans. */
export function reportCost(window: Window, probe: Probe, limits: PriceLimits): Cost {
  const host = hostCost(window, limits);
  const { listed, others } = listedDevices(window);
  return {
    host,
    devices: deviceCosts(window, probe, host, limits, listed),
    ...others,
    cpus: cpuCosts(window, limits),
  };
}

function hostCost(window: Window, limits: PriceLimits): HostCost {
  const interrupts = cells(window, cpuSeconds).filter(({ labels }) =>
    interruptModes.some((mode) => mode === labels['mode']),
  );
  const softirqs = interrupts.filter(({ labels }) => labels['mode'] === 'softirq');
  const threads = receivingTimes(window);
  const napi = napiSeconds(window);
  const processed = cells(window, softnetProcessed);
  const wire = wireFrames(window);
  const wirePackets = totalIncrease(wire);
  const softirqSeconds = totalIncrease(softirqs);
  const packets = totalIncrease(processed);
  const spent = softirqSeconds === null ? null : softirqSeconds + (napi ?? 0);
  const cpus = cpuCount.evaluate(window).points[0];
  const timed = spent !== null && isTimed(window, spent);
  const priced = packets !== null && packets >= PACKETS_TO_PRICE;
  const partly = partlyCounted(window);
  const counted = ({ labels }: Increase): boolean => !partly.cpus.has(labels['cpu'] ?? '');
  // CPUs of which the one or the other is not known have no part in the price.
  const rate = rateTogether(processed.filter(counted));
  const spentRate = rateTogether([...softirqs.filter(counted), ...threads]);
  const wireRate = partly.cpus.size > 0 || partly.devices ? null : rateTogether(wire);
  const nsPerPacket = priced && timed && rate > 0 ? (spentRate * 1e9) / rate : null;
  const measured = netRxOfHost(window);
  const shareOfAll = (modes: readonly Increase[]): number | null =>
    modes.length === 0 ? null : (ofAllCpuTime(rateTogether([...modes, ...threads]), cpus).cpuShare ?? null);
  return {
    packets,
    packetsPerSecond: packets === null ? null : packets / processed[0]!.seconds,
    wirePackets,
    // Fewer frames than skbs: some of the packets came over devices that were not seen, and the quotient says nothing.
    groRatio: priced && wireRate !== null && wireRate >= rate && rate > 0 ? wireRate / rate : null,
    softirqSeconds,
    napiSeconds: napi,
    softirqShare: shareOfAll(softirqs),
    interruptShare: shareOfAll(interrupts),
    nsPerPacket,
    nsPerWirePacket:
      timed && wireRate !== null && wirePackets !== null && wirePackets >= PACKETS_TO_PRICE
        ? (spentRate * 1e9) / wireRate
        : null,
    netRxNsPerPacket: measured?.ns ?? null,
    breakdown: breakdownOf(
      nsPerPacket,
      measured,
      measured === null ? null : hostTapNs(window, limits, measured.packets),
    ),
    reason: whyUnpriced(window, packets, spent),
  };
}

/** What NET_RX takes of a packet in the mean of the host; null where threads, or whoever else, received those that matter. */
function netRxOfHost(window: Window): NetRxCost | null {
  const netRx = netRxOf(window);
  const cost = enough(netRxCost([...netRx.values()]));
  if (cost === null || ![...packetsByCpu(window).values()].every((packets) => receivedOn(netRx, packets))) return null;
  const packets = totalIncrease(cells(window, softnetProcessed)) ?? 0;
  return (napiSeconds(window) ?? 0) === 0 || receivedInNetRx(cost.packets, packets) ? cost : null;
}

function whyUnpriced(window: Window, packets: number | null, spent: number | null): string | null {
  for (const metric of [cpuSeconds, softnetProcessed, receivePackets]) {
    const { cells: found, missing } = window.increase(metric);
    if (found.length === 0 && missing[0] !== undefined) return `${missing[0].source}: ${missing[0].reason}`;
  }
  const few = packets === null ? undefined : tooFewPackets(packets);
  if (few !== undefined) return few;
  if (packets !== null && spent !== null && !isTimed(window, spent))
    return `${formats.seconds(spent)} of softirq time, which this kernel counts in ticks, is too little to price a packet by`;
  return null;
}

function receivingTimes(window: Window): readonly Increase[] {
  return cells(window, processCpu).filter(({ labels }) => receivingThreads.includes(labels['role'] ?? ''));
}

/** null when the threads could not be seen; 0 when there are none, which is usual: NAPI then runs in softirq. */
function napiSeconds(window: Window): number | null {
  const threads = receivingTimes(window);
  if (threads.length > 0) return totalIncrease(threads);
  const status = window.after.collector(processCpu.collector)?.status;
  return window.single || status === undefined || status === 'unavailable' || status === 'partial' ? null : 0;
}

/**
 * CPUs whose packets or time are not known of all the window, as of one that went offline; and whether the frames of a device are not, as
 * of one whose counters began anew. Those of a device that came or went are few, as of a container's.
 */
function partlyCounted(window: Window): { readonly cpus: ReadonlySet<string>; readonly devices: boolean } {
  const missing = [softnetProcessed, cpuSeconds].flatMap((metric) => window.increase(metric).missing);
  return {
    cpus: new Set(missing.flatMap(({ labels }) => labels?.['cpu'] ?? [])),
    devices: window
      .increase(receivePackets)
      .missing.some(({ labels, transient }) => labels?.['device'] !== undefined && transient !== true),
  };
}

/** What devices received, without those whose frames another had counted before. */
function wireFrames(window: Window): readonly Increase[] {
  const kinds = new Map(window.value(deviceInfo).map(({ labels }) => [deviceKey(labels), labels['kind'] ?? '']));
  return cells(window, receivePackets).filter(({ labels }) => !upperKinds.has(kinds.get(deviceKey(labels)) ?? ''));
}

function deviceCosts(
  window: Window,
  probe: Probe,
  host: HostCost,
  limits: PriceLimits,
  listed: readonly Increase[],
): DeviceCost[] {
  const spans = spansByDevice(window);
  const netRx = netRxOf(window);
  const onCpus = packetsByCpu(window);
  const ofCpu = cpuPrices(window);
  const ofHost = netRxOfHost(window);
  // With RPS the CPU that takes a packet from the card is another.
  const handed = totalIncrease(cells(window, softnetReceivedRps)) ?? 0;
  const local = !handsOver(handed, totalIncrease(cells(window, softnetProcessed)) ?? 0);
  // What NAPI threads take is not known by CPU.
  const accounted = local && host.napiSeconds === 0;
  const bytes = byDevice(window, receiveBytes);
  const drops = byDevice(window, receiveDrop);
  const missed = byDevice(window, receiveMissed);
  const cards = cardsLost(window);
  const passed = byDevice(window, spanPackets);
  const errors = new Map(window.value(spanPacketsError).map(({ labels, value }) => [deviceKey(labels), value]));
  const infos = new Map(window.value(deviceInfo).map(({ labels }) => [deviceKey(labels), labels]));
  const nodes = new Map(window.value(deviceNumaNode).map(({ labels, value }) => [deviceKey(labels), value]));
  const tapNs = windowTapNs(window, limits);
  const madeOf = (key: string, cpus: ReadonlyMap<string, number>): DeviceCost['breakdown'] => {
    const onCpu = local ? enough(netRxCostOn(netRx, cpus)) : null;
    const passed = [...cpus.values()].reduce((sum, count) => sum + count, 0);
    const ns = tapNs.get(key) ?? null;
    const part = onCpu !== null ? shareOn(netRx, cpus) : ofHost === null ? 0 : Math.min(1, passed / ofHost.packets);
    return breakdownOf(
      (accounted ? weighed(ofCpu, cpus) : null) ?? host.nsPerPacket,
      onCpu ?? ofHost,
      ns,
      ns === null ? null : ns * part,
    );
  };
  return listed.map(({ labels, increase, seconds }) => {
    const key = deviceKey(labels);
    const own = spans.get(key) ?? null;
    const node = nodes.get(key);
    const counted = own === null ? undefined : passed.get(key);
    const skbs = counted?.increase ?? null;
    const error = errors.get(key);
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
      skbsError: error === undefined || skbs === null || skbs === 0 ? null : error / skbs,
      groRatio: counted === undefined ? null : groRatio(increase / seconds, counted),
      bytes: bytes.get(key)?.increase ?? null,
      dropped: drops.get(key)?.increase ?? null,
      missed: missed.get(key)?.increase ?? null,
      cardLost: cards.get(key)?.packets ?? null,
      cardLostBy: cards.get(key)?.counter ?? null,
      spans: own,
      breakdown: own === null ? [] : madeOf(key, cpus),
      reason: own === null ? whyNoSpan(window, probe, labels) : whyNoSamples(own, increase),
    };
  });
}

/** By rates, since a probe over its budget leaves before the window ends. */
function groRatio(framesPerSecond: number, { increase, seconds }: Increase): number | null {
  const ratio = framesPerSecond / (increase / seconds);
  // A TC program before ours may decide on some of them, so that GRO would seem to have merged them.
  return increase < PACKETS_TO_PRICE || ratio < 1 ? null : ratio;
}

function whyNoSpan(window: Window, probe: Probe, labels: Labels): string {
  const key = deviceKey(labels);
  if (window.value(spanSamples).some((span) => deviceKey(span.labels) === key))
    return 'the probe came to this device after the first sample, and what it measured since is not told apart from before';
  const planned = probe.plan.find(
    ({ netns, device, attach }) => !attach && device === labels['device'] && netns === (labels['netns'] ?? OWN_NETNS),
  );
  return planned?.reason ?? probe.reason ?? 'the probe was not attached there';
}

/** Of so many packets sampling 1 in 16 misses all once in 600 times. */
const PACKETS_TO_SAMPLE = 100;

/** A filter of another which comes first may decide on every packet before ours sees it. */
function whyNoSamples({ taps }: Spans, packets: number): string | null {
  if (taps === null || taps.count > 0 || packets < PACKETS_TO_SAMPLE) return null;
  return 'none of its packets reached the probe: another TC program decides on them first';
}
