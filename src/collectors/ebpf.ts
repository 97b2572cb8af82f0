import {
  jitterAvg,
  jitterHistogram,
  jitterLoadError,
  jitterMax,
  jitterMin,
  jitterNanoseconds,
  jitterObjectPath,
  jitterPackets,
  jitterSpread,
  jitterUp,
  kernelFeature,
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  netRxRuns,
  spanBucket,
  spanCpuPackets,
  spanEvery,
  spanFloor,
  spanLost,
  spanNanoseconds,
  spanPackets,
  spanQuantile,
  spanSamples,
  spanStamped,
  spanStddev,
  tapNanoseconds,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import type { ProbeAnswer, ProbeLoad } from '../probe/answer.ts';
import { bucketBounds, summarise, type SpanHistogram } from '../probe/histogram.ts';
import { tracedShare, type CpuReading, type DeviceReading, type SpanReading } from '../probe/reading.ts';
import { defineCollector, type Emit } from './collector.ts';

/** Upper bounds of the seed's 16 buckets, in nanoseconds; its labels call 1024 us "1ms". */
const seedBuckets: readonly (readonly [string, number])[] = [
  ...['0-1us', '1-2us', '2-4us', '4-8us', '8-16us', '16-32us', '32-64us', '64-128us', '128-256us', '256-512us'],
  ...['512-1024us', '1-2ms', '2-4ms', '4-8ms', '8-16ms', '16ms+'],
].map((label, index) => [label, index === 15 ? Infinity : 1000 * 2 ** index]);

/** Bounds of the cumulative histogram: four to a power of two from 64 ns to 67 ms. */
const bounds = Array.from({ length: 81 }, (_, index) => Math.round(64 * 2 ** (index / 4)));

/** Fewer samples than this say nothing about a socket's price. */
const FEWEST_BILLED = 20;

/**
 * Less time in runs that were split says nothing about a CPU; the mean of all CPUs then stands for it. Some 200 packets; it is not
 * told in packets because with RPS a CPU may take many from the card and none through the stack.
 */
const LEAST_SPLIT_NS = 500_000;

/**
 * The probe's reading as series. Counts of packets are since the probe was attached; NET_RX times, quantiles, histograms
 * and the seed's minimum, maximum and mean are of the window alone.
 */
export const ebpf = defineCollector({
  id: 'ebpf',
  scope: 'host',
  reads: ['probe', 'probe_load'],
  collect(host, emit) {
    const answer = host.dump('probe', decodeAnswer);
    if (answer === undefined) {
      emit(jitterUp, {}, 0);
      const load = host.dumpIfPresent('probe_load', decodeLoad);
      if (load !== undefined) emitLoad(load.objects, load.error, emit);
      return;
    }
    const { reading, window } = answer;
    emit(kernelFeature, { feature: 'per_netns_taps' }, answer.tapsPerNetns ? 1 : 0);
    emit(spanEvery, {}, reading.sampleEvery);
    for (const device of reading.devices) emitCounts(device, placeOf(answer, device), emit);
    for (const device of window.devices) {
      for (const span of device.spans) emitShape(span, placeOf(answer, device), emit);
      if (answer.floor !== null) {
        const labels = { ...placeOf(answer, device), span: 'taps', mode: 'tracepoint', method: answer.floor.method };
        emit(spanFloor, labels, answer.floor.avgNs);
      }
    }
    // Of the window: the share of timed runs moves, so the product of a longer count could step back.
    const traced = tracedShare(window);
    const everywhere = driverShare(window.cpus);
    for (const cpu of window.cpus) {
      const labels = { cpu: String(cpu.cpu) };
      const scale = cpu.netRxSampledRuns === 0 ? 0 : cpu.netRxRuns / traced / cpu.netRxSampledRuns;
      emit(netRxNanoseconds, labels, cpu.netRxNs * scale);
      // Nothing of nothing at the first sample, so that there is something to rise from.
      const driver = cpu.netRxNs === 0 ? 0 : (driverShare([cpu]) ?? everywhere);
      if (driver !== undefined) emit(netRxDriverNanoseconds, labels, cpu.netRxNs * scale * driver);
      emit(netRxPackets, labels, cpu.netRxSkbs * scale);
      emit(netRxRuns, labels, Math.round(cpu.netRxRuns / traced));
    }
    for (const bill of window.sockets ?? []) {
      if (bill.packets < FEWEST_BILLED) continue;
      const device = window.devices.find(({ ifindex, netns }) => ifindex === bill.ifindex && netns === bill.netns);
      const labels = { inode: bill.inode, device: device?.device ?? 'any', certainty: 'measured' };
      emit(tapNanoseconds, { ...labels, ...netnsOf(answer, bill.netns) }, bill.ns / bill.packets);
    }
    emitSeed(answer, emit);
  },
});

/** Of the timed NET_RX runs that were split, the share in which the stack had no packet. */
function driverShare(cpus: readonly CpuReading[]): number | undefined {
  const total = (of: (cpu: CpuReading) => number | undefined): number => sum(cpus, (cpu) => of(cpu) ?? 0);
  const ns = total(({ splitNs }) => splitNs);
  if (ns < LEAST_SPLIT_NS) return undefined;
  return Math.min(1, Math.max(0, 1 - total(({ splitStackNs }) => splitStackNs) / ns));
}

function placeOf(answer: ProbeAnswer, device: DeviceReading): { device: string; netns?: string } {
  return { device: device.device, ...netnsOf(answer, device.netns) };
}

function netnsOf({ netnsNames }: ProbeAnswer, id: string): { netns?: string } {
  const name = netnsNames[id] ?? '';
  return name === '' ? {} : { netns: name };
}

function emitCounts(device: DeviceReading, place: { device: string; netns?: string }, emit: Emit): void {
  emit(spanPackets, place, device.packets);
  for (const [cpu, packets] of device.packetsByCpu.entries())
    if (packets > 0) emit(spanCpuPackets, { ...place, cpu: String(cpu) }, packets);
  for (const span of device.spans) {
    const labels = { ...place, span: span.span, mode: span.mode };
    emit(spanSamples, labels, span.count);
    emit(spanNanoseconds, labels, span.sumNs);
    if (span.stamped > 0) emit(spanStamped, labels, span.stamped);
    const lost: Readonly<Record<string, number>> = { ...span.lost };
    for (const [reason, count] of Object.entries(lost)) emit(spanLost, { ...labels, reason }, count);
  }
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

/** Samples of the buckets that lie wholly at or below `ns`. */
function samplesBelow(span: SpanHistogram, ns: number): number {
  let sum = 0;
  for (const [bucket, count] of span.buckets) if (bucketBounds(bucket)[1] <= ns + 1) sum += count;
  return sum;
}

/** `node_ebpf_pmd_jitter_*`: XDP to TC. Native and generic XDP contain different work, so a device shows only one of them. */
function emitSeed({ window, loadError }: ProbeAnswer, emit: Emit): void {
  emitLoad(true, loadError, emit);
  const spans: SpanReading[] = [];
  for (const device of window.devices) {
    const span = device.spans.find((each) => each.span === 'stack' && each.count > 0);
    const shape = span === undefined ? undefined : summarise(span);
    if (span === undefined || shape === undefined) continue;
    spans.push(span);
    const labels = { interface: device.device };
    emit(jitterMin, labels, shape.minNs);
    emit(jitterMax, labels, shape.maxNs);
    emit(jitterAvg, labels, shape.avgNs);
    emit(jitterSpread, labels, shape.jitterNs);
  }
  emit(jitterUp, {}, spans.length > 0 ? 1 : 0);
  if (spans.length === 0) return;
  emit(
    jitterPackets,
    {},
    sum(spans, ({ count }) => count),
  );
  emit(
    jitterNanoseconds,
    {},
    sum(spans, ({ sumNs }) => sumNs),
  );
  let below = 0;
  for (const [bucket, limit] of seedBuckets) {
    const upTo = sum(spans, (span) => (limit === Infinity ? span.count : samplesBelow(span, limit)));
    emit(jitterHistogram, { bucket }, upTo - below);
    below = upTo;
  }
}

/** The seed cuts the reason there. */
const LONGEST_ERROR = 200;

function emitLoad(objects: boolean, error: string | null, emit: Emit): void {
  emit(jitterObjectPath, {}, objects ? 1 : 0);
  if (error !== null) emit(jitterLoadError, { error: error.slice(0, LONGEST_ERROR) }, 1);
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0);
}

function decodeLoad(answer: unknown): Result<ProbeLoad> {
  if (typeof answer !== 'object' || answer === null || !('version' in answer) || answer.version !== 1)
    return fail('not what a probe says of its load');
  const { objects, error } = answer as Partial<ProbeLoad>;
  if (typeof objects !== 'boolean' || (error !== null && typeof error !== 'string'))
    return fail('what a probe says of its load is not complete');
  return ok({ version: 1, objects, error });
}

/** The answer is our own, live or from a bundle: its version is what has to be checked. */
function decodeAnswer(answer: unknown): Result<ProbeAnswer> {
  if (typeof answer !== 'object' || answer === null || !('version' in answer))
    return fail('not a reading of the probe');
  if (answer.version !== 1) return fail(`a probe reading of version ${String(answer.version)}, not 1`);
  const complete = 'reading' in answer && 'window' in answer && 'floor' in answer && 'netnsNames' in answer;
  return complete ? ok(answer as ProbeAnswer) : fail('a probe reading that is not complete');
}
