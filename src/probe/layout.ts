/**
 * bpf/profile.h seen from user space, by the offsets that the compiled objects' BTF has. Sizes are compared with the loaded
 * object's maps, so that another object is an error at load and not a wrong number in a report.
 */
import { billLayout, cpuLayout, spanLayout, tapcpuLayout } from '../generated/kernel-layout.ts';
import { emptySpan, type SpanHistogram, type LostSamples } from '../readings/histogram.ts';
import type { CpuReading, SocketBill, TapTotals } from '../readings/reading.ts';

export const SPAN_BYTES = spanLayout.bytes;
export const CPU_BYTES = cpuLayout.bytes;
export const BILL_BYTES = billLayout.bytes;
export const TAPCPU_BYTES = tapcpuLayout.bytes;

/** The arrays at the ends of struct pktcost_cpu (u64) and pktcost_span (u32). */
export const SLOTS = (CPU_BYTES - cpuLayout.packets) / 8;
export const BUCKETS = (SPAN_BYTES - spanLayout.buckets) / 4;

export interface CpuState {
  readonly counts: CpuReading;
  /** By slot: packets which the TC ingress program of that device saw on this CPU. */
  readonly packets: readonly number[];
}

/** Of the first `slots` devices: 64 counts of each CPU are many on a host of hundreds. */
export function readCpus(bytes: Buffer, cpus: number, slots = SLOTS): CpuState[] {
  return Array.from({ length: cpus }, (_, cpu) => {
    const at = (offset: number): number => Number(bytes.readBigUInt64LE(cpu * CPU_BYTES + offset));
    const counts = {
      cpu,
      skbs: at(cpuLayout.skbs),
      stamped: at(cpuLayout.stamped),
      uncollected: at(cpuLayout.uncollected),
      netRxRuns: at(cpuLayout.netRxRuns),
      netRxSampledRuns: at(cpuLayout.netRxSampled),
      netRxNs: at(cpuLayout.netRxNs),
      netRxSkbs: at(cpuLayout.netRxSkbs),
      splitNs: at(cpuLayout.splitNs),
      splitStackNs: at(cpuLayout.splitStackNs),
      splitSkbs: at(cpuLayout.splitSkbs),
      driverCalls: at(cpuLayout.driverCalls),
    };
    return { counts, packets: Array.from({ length: slots }, (_unused, slot) => at(cpuLayout.packets + slot * 8)) };
  });
}

/** Adds the CPUs of a per-CPU span. min is 0 in a CPU that has no sample, which must not become the minimum. */
export function readSpan(bytes: Buffer, cpus: number): SpanHistogram {
  const sum = readMoments(bytes, cpus);
  if (sum.count === 0) return sum;
  const counts = new Float64Array(BUCKETS);
  for (let cpu = 0; cpu < cpus; cpu++) {
    const here = new Uint32Array(bytes.buffer, bytes.byteOffset + cpu * SPAN_BYTES + spanLayout.buckets, BUCKETS);
    for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket]! += here[bucket]!;
  }
  const buckets: [number, number][] = [];
  for (const [bucket, samples] of counts.entries()) if (samples > 0) buckets.push([bucket, samples]);
  return { ...sum, buckets };
}

/** The same without its buckets. */
export function readMoments(bytes: Buffer, cpus: number): SpanHistogram {
  const sum = emptySpan();
  const lost: Record<keyof LostSamples, number> = { ...sum.lost };
  let { count, sumNs, sumSqNs, minNs, maxNs, stamped } = sum;
  for (let cpu = 0; cpu < cpus; cpu++) {
    const base = cpu * SPAN_BYTES;
    const at = (offset: number): number => Number(bytes.readBigUInt64LE(base + offset));
    const here = at(spanLayout.count);
    stamped += at(spanLayout.stamped);
    LOST_ORDER.forEach((kind, index) => (lost[kind] += at(spanLayout.lost + index * 8)));
    if (here === 0) continue;
    const min = at(spanLayout.minNs);
    minNs = count === 0 ? min : Math.min(minNs, min);
    maxNs = Math.max(maxNs, at(spanLayout.maxNs));
    count += here;
    sumNs += at(spanLayout.sumNs);
    sumSqNs += at(spanLayout.sumSqSmall) + at(spanLayout.sumSqLarge) * 65536;
  }
  return { ...sum, count, sumNs, sumSqNs, minNs, maxNs, stamped, lost };
}

/** In the order of enum pktcost_lost. */
const LOST_ORDER = ['noMetadata', 'foreignIfindex', 'badMagic', 'unmatched', 'backwards', 'overRange'] as const;

export function readBill(bytes: Buffer, cpus: number): SocketBill {
  const bill = { inode: '0', netns: '0', ifindex: 0, packets: 0, ns: 0, txPackets: 0, txNs: 0 };
  let lost: number | undefined;
  for (let cpu = 0; cpu < cpus; cpu++) {
    const base = cpu * BILL_BYTES;
    const packets = Number(bytes.readBigUInt64LE(base + billLayout.packets));
    if (packets === 0) continue;
    bill.packets += packets;
    bill.ns += Number(bytes.readBigUInt64LE(base + billLayout.ns));
    bill.txPackets += Number(bytes.readBigUInt64LE(base + billLayout.txPackets));
    bill.txNs += Number(bytes.readBigUInt64LE(base + billLayout.txNs));
    bill.inode = bytes.readBigUInt64LE(base + billLayout.inode).toString();
    bill.netns = String(bytes.readUInt32LE(base + billLayout.netns));
    bill.ifindex = bytes.readUInt32LE(base + billLayout.ifindex);
    // Each CPU saw the rise of one count: they are not added up.
    if (bytes.readUInt32LE(base + billLayout.looked) !== 0)
      lost = Math.max(lost ?? 0, Number(bytes.readBigUInt64LE(base + billLayout.lost)));
  }
  return { ...bill, ...(lost !== undefined && { lost }) };
}

export function readTapTotals(bytes: Buffer, cpus: number): TapTotals {
  const sum = (offset: number): number => {
    let total = 0;
    for (let cpu = 0; cpu < cpus; cpu++) total += Number(bytes.readBigUInt64LE(cpu * TAPCPU_BYTES + offset));
    return total;
  };
  return {
    calls: sum(tapcpuLayout.calls),
    xmitCalls: sum(tapcpuLayout.nitCalls),
    xmitSamples: sum(tapcpuLayout.nitCount),
    xmitNs: sum(tapcpuLayout.nitTotalNs),
    fanoutCalls: sum(tapcpuLayout.fanoutCalls),
    fanoutSamples: sum(tapcpuLayout.fanoutCount),
    fanoutNs: sum(tapcpuLayout.fanoutTotalNs),
    socketsNotCounted: sum(tapcpuLayout.full),
  };
}
