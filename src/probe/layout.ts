/**
 * bpf/profile.h seen from user space. Sizes are compared with the loaded object's maps, so that a header changed on one side
 * only is an error at load and not a wrong number in a report.
 */
import { emptySpan, type SpanHistogram, type Lost } from './histogram.ts';

export const SLOTS = 64;
export const BUCKETS = 432;
const LOST_KINDS = 6;

export const SPAN_BYTES = 7 * 8 + LOST_KINDS * 8 + BUCKETS * 4;
export const CPU_BYTES = 20 * 8 + SLOTS * 8;
export const BILL_BYTES = 48;
export const TAPCPU_BYTES = 104;

/** What one CPU has counted since the probe was attached. */
export interface CpuReading {
  readonly cpu: number;
  readonly skbs: number;
  readonly stamped: number;
  readonly uncollected: number;
  readonly netRxRuns: number;
  /** Timed runs; `netRxNs` and `netRxSkbs` are theirs, so nanoseconds per packet need no scaling and totals do. */
  readonly netRxSampledRuns: number;
  readonly netRxNs: number;
  readonly netRxSkbs: number;
  /**
   * Of the timed runs that were split (bpf/driver.bpf.c): all of their time, and what of it the stack had; then how often the
   * programs that split them ran. Absent in readings of before there were such.
   */
  readonly splitNs?: number;
  readonly splitStackNs?: number;
  readonly splitSkbs?: number;
  readonly driverCalls?: number;
}

export interface CpuState {
  readonly counts: CpuReading;
  /** By slot: packets which the TC ingress program of that device saw on this CPU. */
  readonly packets: readonly number[];
}

export function readCpus(bytes: Buffer, cpus: number): CpuState[] {
  return Array.from({ length: cpus }, (_, cpu) => {
    const at = (offset: number): number => Number(bytes.readBigUInt64LE(cpu * CPU_BYTES + offset));
    const counts = {
      cpu,
      skbs: at(24),
      stamped: at(32),
      uncollected: at(40),
      netRxRuns: at(72),
      netRxSampledRuns: at(80),
      netRxNs: at(88),
      netRxSkbs: at(96),
      splitNs: at(128),
      splitStackNs: at(136),
      splitSkbs: at(144),
      driverCalls: at(152),
    };
    return { counts, packets: Array.from({ length: SLOTS }, (_unused, slot) => at(160 + slot * 8)) };
  });
}

/** Adds the CPUs of a per-CPU span. min is 0 in a CPU that has no sample, which must not become the minimum. */
export function readSpan(bytes: Buffer, cpus: number): SpanHistogram {
  const sum = emptySpan();
  const counts = new Map<number, number>();
  const lost: Record<keyof Lost, number> = { ...sum.lost };
  let { count, sumNs, sumSqNs, minNs, maxNs, stamped } = sum;
  for (let cpu = 0; cpu < cpus; cpu++) {
    const base = cpu * SPAN_BYTES;
    const at = (offset: number): number => Number(bytes.readBigUInt64LE(base + offset));
    const here = at(0);
    stamped += at(48);
    LOST_ORDER.forEach((kind, index) => (lost[kind] += at(56 + index * 8)));
    if (here === 0) continue;
    const min = at(32);
    minNs = count === 0 ? min : Math.min(minNs, min);
    maxNs = Math.max(maxNs, at(40));
    count += here;
    sumNs += at(8);
    sumSqNs += at(16) + at(24) * 65536;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const value = bytes.readUInt32LE(base + 104 + bucket * 4);
      if (value > 0) counts.set(bucket, (counts.get(bucket) ?? 0) + value);
    }
  }
  const buckets = [...counts].sort((a, b) => a[0] - b[0]);
  return { count, sumNs, sumSqNs, minNs, maxNs, stamped, lost, buckets };
}

/** In the order of enum pktcost_lost. */
const LOST_ORDER = ['noMetadata', 'foreignIfindex', 'badMagic', 'unmatched', 'backwards', 'overRange'] as const;

/** What one packet socket cost, as the fentry programs saw it. */
export interface SocketBill {
  readonly inode: string;
  readonly netns: string;
  readonly ifindex: number;
  readonly packets: number;
  readonly ns: number;
  readonly txPackets: number;
  readonly txNs: number;
}

export function readBill(bytes: Buffer, cpus: number): SocketBill {
  const bill = { inode: '0', netns: '0', ifindex: 0, packets: 0, ns: 0, txPackets: 0, txNs: 0 };
  for (let cpu = 0; cpu < cpus; cpu++) {
    const base = cpu * BILL_BYTES;
    const packets = Number(bytes.readBigUInt64LE(base));
    if (packets === 0) continue;
    bill.packets += packets;
    bill.ns += Number(bytes.readBigUInt64LE(base + 8));
    bill.txPackets += Number(bytes.readBigUInt64LE(base + 16));
    bill.txNs += Number(bytes.readBigUInt64LE(base + 24));
    bill.inode = bytes.readBigUInt64LE(base + 32).toString();
    bill.netns = String(bytes.readUInt32LE(base + 40));
    bill.ifindex = bytes.readUInt32LE(base + 44);
  }
  return bill;
}

export interface TapTotals {
  readonly calls: number;
  readonly xmitCalls: number;
  readonly xmitSamples: number;
  readonly xmitNs: number;
  readonly fanoutCalls: number;
  readonly fanoutSamples: number;
  readonly fanoutNs: number;
  readonly socketsNotCounted: number;
}

export function readTapTotals(bytes: Buffer, cpus: number): TapTotals {
  const sum = (offset: number): number => {
    let total = 0;
    for (let cpu = 0; cpu < cpus; cpu++) total += Number(bytes.readBigUInt64LE(cpu * TAPCPU_BYTES + offset));
    return total;
  };
  return {
    calls: sum(40),
    xmitCalls: sum(48),
    xmitSamples: sum(56),
    xmitNs: sum(64),
    fanoutCalls: sum(72),
    fanoutSamples: sum(80),
    fanoutNs: sum(88),
    socketsNotCounted: sum(96),
  };
}
