/** What `node_ebpf_pmd_jitter_*` tells: the exporter's own names, with the probe's figures. */
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
} from '../metrics/catalogue/index.ts';
import type { ProbeAnswer } from '../readings/answer.ts';
import { samplesBelow, summarise, summedBy } from '../readings/histogram.ts';
import type { SpanReading } from '../readings/reading.ts';
import type { Emit } from './collector.ts';

/** Upper bounds of the 16 buckets as they are exported, in nanoseconds; the labels call 1024 us "1ms". */
const seedBuckets: readonly (readonly [string, number])[] = [
  ...['0-1us', '1-2us', '2-4us', '4-8us', '8-16us', '16-32us', '32-64us', '64-128us', '128-256us', '256-512us'],
  ...['512-1024us', '1-2ms', '2-4ms', '4-8ms', '8-16ms', '16ms+'],
].map((label, index) => [label, index === 15 ? Infinity : 1000 * 2 ** index]);

/** `node_ebpf_pmd_jitter_*`: XDP to TC. Native and generic XDP contain different work, so a device shows only one of them. */
export function emitJitter({ window, loadError }: ProbeAnswer, emit: Emit): void {
  emitProbeLoad(true, loadError, emit);
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
    summedBy(spans, ({ count }) => count),
  );
  emit(
    jitterNanoseconds,
    {},
    summedBy(spans, ({ sumNs }) => sumNs),
  );
  let below = 0;
  for (const [bucket, limit] of seedBuckets) {
    const upTo = summedBy(spans, (span) => (limit === Infinity ? span.count : samplesBelow(span, limit)));
    emit(jitterHistogram, { bucket }, upTo - below);
    below = upTo;
  }
}

/** The seed cuts the reason there. */
const LONGEST_ERROR = 200;

export function emitProbeLoad(objects: boolean, error: string | null, emit: Emit): void {
  emit(jitterObjectPath, {}, objects ? 1 : 0);
  if (error !== null) emit(jitterLoadError, { error: error.slice(0, LONGEST_ERROR) }, 1);
}
