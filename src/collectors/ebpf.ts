import {
  jitterUp,
  kernelFeature,
  netRxDriverNanoseconds,
  netRxNanoseconds,
  packetRingDrops,
  packetRingsSeen,
  netRxPackets,
  netRxRuns,
  netRxTimedRuns,
  sentFloor,
  sentMedian,
  sentPackets,
  sentSamples,
  sentSeconds,
  sentTapNanoseconds,
  spanBucket,
  spanCpuPackets,
  spanEvery,
  spanFloor,
  spanLost,
  spanNanoseconds,
  spanPackets,
  spanPacketsError,
  spanUnmarked,
  spanQuantile,
  spanSamples,
  spanStamped,
  spanStddev,
  tapNanoseconds,
  tappedMedian,
  tappedNanoseconds,
  tappedPackets,
  tappedSamples,
  tappedSeconds,
  tappedSentPackets,
  tappedSentSeconds,
  tappedStddev,
} from '../metrics/catalogue/index.ts';
import type { ProbeAnswer } from '../readings/answer.ts';
import { samplesBelow, summarise, summedBy } from '../readings/histogram.ts';
import {
  tracedShare,
  type CpuReading,
  type DeviceReading,
  type SpanReading,
  type TappedTime,
  type ProbeReading,
  type TransmitReading,
} from '../readings/reading.ts';
import { defineCollector, type Emit } from './collector.ts';
import { emitJitter, emitProbeLoad } from './ebpf-jitter.ts';
import { decodeProbeAnswer, decodeProbeLoad } from './probe-answer.ts';

/** Bounds of the cumulative histogram: four to a power of two from 64 ns to 67 ms. */
const bounds = Array.from({ length: 81 }, (_, index) => Math.round(64 * 2 ** (index / 4)));

/** Fewer samples than this say nothing about a socket's price. */
const FEWEST_BILLED = 20;

/**
 * Less time in runs that were split says nothing about a CPU; the mean of all CPUs then stands for it. Some 200 packets; it is not
 * told in packets because with RPS a CPU may take many from the card and none through the stack.
 */
const LEAST_SPLIT_NS = 500_000;

const netRxMetrics = [netRxNanoseconds, netRxDriverNanoseconds, netRxPackets, netRxRuns, netRxTimedRuns];

/**
 * The probe's reading as series. Counts of packets are since the probe was attached; NET_RX times, quantiles, histograms
 * and the seed's minimum, maximum and mean are of the window alone.
 */
export const ebpf = defineCollector({
  id: 'ebpf',
  turn: 250,
  examinedApart: true,
  scope: 'host',
  reads: ['probe', 'probe_load'],
  perDevice: true,
  fewPerNamespace: true,
  collect(host, emit) {
    const answer = host.dump('probe', decodeProbeAnswer);
    if (answer === undefined) {
      emit(jitterUp, {}, 0);
      const load = host.dumpIfPresent('probe_load', decodeProbeLoad);
      if (load !== undefined) emitProbeLoad(load.objects, load.error, emit);
      return;
    }
    const { reading, window } = answer;
    emit(kernelFeature, { feature: 'per_netns_taps' }, answer.tapsPerNetns ? 1 : 0);
    emit(spanEvery, {}, reading.sampleEvery);
    for (const reason of reading.gaps) host.gap('probe', reason);
    // Without the counts by CPU those of the devices are not zero.
    const counted = reading.cpus.length > 0;
    for (const device of reading.devices) emitCounts(device, placeLabels(answer, device), counted, emit);
    for (const device of window.devices) {
      if (device.packetsError !== undefined) emit(spanPacketsError, placeLabels(answer, device), device.packetsError);
      if (counted)
        emit(spanUnmarked, placeLabels(answer, device), (device.unmarked ?? 0) / Math.max(1, device.packets));
      for (const span of device.spans) emitShape(span, placeLabels(answer, device), emit);
      if (answer.floor !== null) {
        const labels = {
          ...placeLabels(answer, device),
          span: 'taps',
          mode: 'tracepoint',
          method: answer.floor.method,
        };
        emit(spanFloor, labels, answer.floor.avgNs);
      }
    }
    // Of the window: the share of timed runs moves, so the product of a longer count could step back.
    const traced = tracedShare(window);
    const everywhere = driverShare(window.cpus);
    for (const time of answer.tapped ?? []) emitTapped(time, placeLabels(answer, time.reading), emit);
    const untimed = reading.attach.find(({ span, attached }) => span === 'net_rx' && !attached);
    for (const metric of netRxMetrics)
      if (untimed !== undefined) host.lack(metric, {}, untimed.reason ?? 'NET_RX is not timed');
    for (const cpu of untimed === undefined ? window.cpus : []) {
      const labels = { cpu: String(cpu.cpu) };
      const { ns, skbs, runs } = wholeOf(cpu, traced);
      emit(netRxNanoseconds, labels, ns);
      // Nothing of nothing at the first sample, so that there is something to rise from.
      const driver = ns === 0 ? 0 : (driverShare([cpu]) ?? everywhere);
      if (driver !== undefined) emit(netRxDriverNanoseconds, labels, ns * driver);
      emit(netRxPackets, labels, skbs);
      emit(netRxRuns, labels, Math.round(runs));
      emit(netRxTimedRuns, labels, cpu.netRxSampledRuns);
    }
    emitRings(answer, emit);
    for (const bill of window.sockets ?? []) {
      const device = window.devices.find(({ ifindex, netns }) => ifindex === bill.ifindex && netns === bill.netns);
      const labels = { inode: bill.inode, device: device?.device ?? 'any', certainty: 'measured' };
      const place = { ...labels, ...netnsLabel(answer, bill.netns) };
      // Those that are sent are among the packets of the bill, and cost something else.
      const received = bill.packets - bill.txPackets;
      if (received >= FEWEST_BILLED) emit(tapNanoseconds, place, (bill.ns - bill.txNs) / received);
      if (bill.txPackets >= FEWEST_BILLED) emit(sentTapNanoseconds, place, bill.txNs / bill.txPackets);
    }
    emitSent(answer, emit);
    emitJitter(answer, emit);
  },
});

/** What rings of packet sockets had no room for. Without such a socket, that they are looked at goes without proof. */
function emitRings(answer: ProbeAnswer, emit: Emit): void {
  const { sockets, rings } = answer.reading;
  const byProbe = sockets?.some(({ lost }) => lost !== undefined) === true || sockets?.length === 0;
  const seen = byProbe || rings !== undefined;
  emit(packetRingsSeen, {}, seen ? 1 : 0);
  for (const { inode, netns, lost } of sockets ?? rings ?? [])
    if (lost !== undefined) emit(packetRingDrops, { inode, ...netnsLabel(answer, netns) }, lost);
}

/** Of all the window: estimated slice by slice, or, in bundles of before 0.2, scaled by the time that was traced. */
function wholeOf(cpu: CpuReading, traced: number): { ns: number; skbs: number; runs: number } {
  const { allNs, allSkbs, allRuns } = cpu;
  if (allNs !== undefined && allSkbs !== undefined && allRuns !== undefined)
    return { ns: allNs, skbs: allSkbs, runs: allRuns };
  const scale = cpu.netRxSampledRuns === 0 ? 0 : cpu.netRxRuns / traced / cpu.netRxSampledRuns;
  return { ns: cpu.netRxNs * scale, skbs: cpu.netRxSkbs * scale, runs: cpu.netRxRuns / traced };
}

/** Of the timed NET_RX runs that were split, the share in which the stack had no packet. */
function driverShare(cpus: readonly CpuReading[]): number | undefined {
  const total = (of: (cpu: CpuReading) => number | undefined): number => summedBy(cpus, (cpu) => of(cpu) ?? 0);
  const ns = total(({ splitNs }) => splitNs);
  if (ns < LEAST_SPLIT_NS) return undefined;
  return Math.min(1, Math.max(0, 1 - total(({ splitStackNs }) => splitStackNs) / ns));
}

function placeLabels(answer: ProbeAnswer, device: DeviceReading): { device: string; netns?: string } {
  return { device: device.device, ...netnsLabel(answer, device.netns) };
}

function netnsLabel({ netnsNames }: ProbeAnswer, id: string): { netns?: string } {
  const name = netnsNames[id] ?? '';
  return name === '' ? {} : { netns: name };
}

/** The program that counts a device's packets is the one in which the span of its taps ends: without that nothing was counted. */
function emitCounts(
  device: DeviceReading,
  place: { device: string; netns?: string },
  counted: boolean,
  emit: Emit,
): void {
  if (counted && device.spans.some(({ span }) => span === 'taps')) {
    emit(spanPackets, place, device.packets);
    for (const [cpu, packets] of device.packetsByCpu.entries())
      if (packets > 0) emit(spanCpuPackets, { ...place, cpu: String(cpu) }, packets);
  }
  for (const span of device.spans) {
    const labels = { ...place, span: span.span, mode: span.mode };
    emit(spanSamples, labels, span.count);
    emit(spanNanoseconds, labels, span.sumNs);
    if (span.stamped > 0) emit(spanStamped, labels, span.stamped);
    const lost: Readonly<Record<string, number>> = { ...span.lost };
    for (const [reason, count] of Object.entries(lost)) emit(spanLost, { ...labels, reason }, count);
  }
}

function emitTapped(
  { seconds, lasts, reading }: TappedTime,
  place: { device: string; netns?: string },
  emit: Emit,
): void {
  const span = reading.spans.find(({ span: name }) => name === 'taps');
  emit(tappedSeconds, { ...place, lasts: lasts ? '1' : '0' }, seconds);
  emit(tappedPackets, place, reading.packets);
  emit(tappedSamples, place, span?.count ?? 0);
  emit(tappedNanoseconds, place, span?.sumNs ?? 0);
  const shape = span === undefined ? undefined : summarise(span);
  if (shape === undefined) return;
  emit(tappedMedian, place, shape.p50Ns);
  emit(tappedStddev, place, shape.stddevNs);
}

/** What was sent. Where taps came or went, their time speaks for them. */
function emitSent({ window, reading, tappedSending, transmitFloors, netnsNames }: ProbeAnswer, emit: Emit): void {
  if (window.transmit === undefined || window.transmitNs === undefined || window.transmitNs === 0) return;
  emit(sentSeconds, {}, window.transmitNs / 1e9);
  for (const device of window.transmit) {
    const same = (other: { netns: string; ifindex: number }): boolean =>
      other.netns === device.netns && other.ifindex === device.ifindex;
    const name = netnsNames[device.netns] ?? '';
    const place = { device: device.device, ...(name === '' ? {} : { netns: name }) };
    const samples = summedBy(device.ways, ({ count }) => count);
    if (samples > 0) emit(sentPackets, place, sentWhileTimed(device, window) ?? samples * reading.sampleEvery);
    const tapped = tappedSending?.find((time) => same(time.reading));
    const { ways } = tapped?.reading ?? device;
    if (tapped !== undefined && tapped.seconds > 0) {
      emit(tappedSentSeconds, place, tapped.seconds);
      emit(tappedSentPackets, place, summedBy(ways, ({ count }) => count) * reading.sampleEvery);
    }
    for (const way of ways) {
      const shape = summarise(way);
      if (shape === undefined) continue;
      emit(sentSamples, { ...place, way: way.way }, way.count);
      emit(sentMedian, { ...place, way: way.way }, shape.p50Ns);
      const floor = transmitFloors?.find((each) => same(each) && each.way === way.way)?.floor;
      if (floor !== undefined) emit(sentFloor, { ...place, way: way.way, method: floor.method }, floor.p50Ns);
    }
  }
}

/** Of a device whose rate varies the slices are too seldom busy: the mean of all the window, for as long as packets were timed. */
function sentWhileTimed({ packets }: TransmitReading, window: ProbeReading): number | undefined {
  const { transmitNs, transmitWholeNs } = window;
  if (packets === undefined || transmitNs === undefined || transmitWholeNs === undefined) return undefined;
  return transmitWholeNs > 0 ? (packets * transmitNs) / transmitWholeNs : undefined;
}

function emitShape(span: SpanReading, place: { device: string; netns?: string }, emit: Emit): void {
  const shape = summarise(span);
  if (shape === undefined) return;
  const labels = { ...place, span: span.span, mode: span.mode };
  const quantiles = [
    ['0', shape.minNs],
    ['0.5', shape.p50Ns],
    ['0.9', shape.p90Ns],
    ['0.99', shape.p99Ns],
    ['0.999', shape.p999Ns],
    ['1', shape.maxNs],
  ] as const;
  for (const [quantile, ns] of quantiles) emit(spanQuantile, { ...labels, quantile }, ns);
  emit(spanStddev, labels, shape.stddevNs);
  for (const le of bounds) emit(spanBucket, { ...labels, le: String(le) }, samplesBelow(span, le));
  emit(spanBucket, { ...labels, le: '+Inf' }, span.count);
}
