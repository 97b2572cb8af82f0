/** What a probe session says, as plain JSON: it goes into the evidence bundle and is read back by `replay` as it is. */
import { subtractSpans, type SpanHistogram } from './histogram.ts';
import type { CpuReading, SocketBill, TapTotals } from './layout.ts';
import type { ProgramRuns } from './libbpf.ts';
import type { Hook, SpanName, XdpMode } from './plan.ts';

export type { CpuReading, SocketBill, TapTotals } from './layout.ts';

/** The best span that is running, lowest first. */
export type ProbeTier = 'none' | 'net_rx' | 'taps' | 'sockets' | 'stack';

export interface SpanReading extends SpanHistogram {
  /** `forward`: from reception to TC egress of another device, for packets which are passed on. */
  readonly span: 'taps' | 'stack' | 'forward';
  /** Native and generic XDP spans contain different work and are never compared. */
  readonly mode: 'tracepoint' | XdpMode;
  readonly sampleEvery: number;
}

export interface DeviceReading {
  readonly device: string;
  readonly ifindex: number;
  readonly netns: string;
  /** False once the device, its namespace or its hook has gone: what was counted before still stands. */
  readonly present: boolean;
  readonly note?: string;
  /** All packets which the TC program saw, sampled or not: sk_buffs, that is after GRO. */
  readonly packets: number;
  readonly packetsByCpu: readonly number[];
  readonly spans: readonly SpanReading[];
}

export interface AttachStatus {
  readonly target: string;
  readonly netns?: string;
  readonly span: SpanName | 'driver' | 'sockets' | 'calibration';
  readonly hook: Hook | 'tracepoint' | 'fentry';
  readonly attached: boolean;
  readonly reason?: string;
}

export interface ProbeReading {
  readonly version: 1;
  readonly monotonicNs: number;
  readonly tier: ProbeTier;
  readonly sampleEvery: number;
  readonly stackEvery: number;
  readonly netRxEvery: number;
  /** How long the session has been attached, and for how much of that the tracepoints were (shifts.ts); both or neither. */
  readonly attachedNs?: number;
  readonly tracedNs?: number;
  readonly devices: readonly DeviceReading[];
  readonly cpus: readonly CpuReading[];
  /** Only in the `sockets` tier. */
  readonly sockets?: readonly SocketBill[];
  readonly tapTotals?: TapTotals;
  /** Runs are counted only while BPF statistics are on. */
  readonly programs: readonly ProgramRuns[];
  readonly attach: readonly AttachStatus[];
  /** Counts that could not be read, and why; empty in a sound reading. */
  readonly gaps: readonly string[];
}

const minus = (after: number, before: number | undefined): number => Math.max(0, after - (before ?? 0));

function subtractNumbers<T extends object>(after: T, before: T | undefined, keep: readonly (keyof T)[]): T {
  if (before === undefined) return after;
  const result: T = { ...after };
  for (const key of Object.keys(after) as (keyof T)[]) {
    const [a, b] = [after[key], before[key]];
    if (!keep.includes(key) && typeof a === 'number' && typeof b === 'number') result[key] = minus(a, b) as T[keyof T];
  }
  return result;
}

/** What happened between two readings of one session; what only `after` has began in the window. */
export function subtractReadings(before: ProbeReading, after: ProbeReading): ProbeReading {
  const keyOf = (device: DeviceReading): string => `${device.netns}/${String(device.ifindex)}`;
  const earlier = new Map(before.devices.map((device) => [keyOf(device), device]));
  const cpus = new Map(before.cpus.map((cpu) => [cpu.cpu, cpu]));
  const programs = new Map(before.programs.map((program) => [program.id, program]));
  const bills = new Map((before.sockets ?? []).map((bill) => [`${bill.netns}/${bill.inode}`, bill]));
  return {
    ...after,
    ...(after.attachedNs !== undefined && { attachedNs: minus(after.attachedNs, before.attachedNs) }),
    ...(after.tracedNs !== undefined && { tracedNs: minus(after.tracedNs, before.tracedNs) }),
    devices: after.devices.map((device) => subtractDevice(device, earlier.get(keyOf(device)))),
    cpus: after.cpus.map((cpu) => subtractNumbers(cpu, cpus.get(cpu.cpu), ['cpu'])),
    programs: after.programs.map((program) => subtractNumbers(program, programs.get(program.id), ['id'])),
    ...(after.sockets && {
      sockets: after.sockets.map((bill) =>
        subtractNumbers(bill, bills.get(`${bill.netns}/${bill.inode}`), ['ifindex']),
      ),
    }),
    ...(after.tapTotals && { tapTotals: subtractNumbers(after.tapTotals, before.tapTotals, []) }),
  };
}

/** The share of a reading's time in which the tracepoints were attached: what they alone counted is scaled by it. */
export function tracedShare({ attachedNs = 0, tracedNs = 0 }: Pick<ProbeReading, 'attachedNs' | 'tracedNs'>): number {
  return attachedNs > 0 && tracedNs > 0 ? Math.min(1, tracedNs / attachedNs) : 1;
}

function subtractDevice(after: DeviceReading, before: DeviceReading | undefined): DeviceReading {
  if (before === undefined) return after;
  return {
    ...after,
    packets: minus(after.packets, before.packets),
    packetsByCpu: after.packetsByCpu.map((packets, cpu) => minus(packets, before.packetsByCpu[cpu])),
    spans: after.spans.map((span) => {
      const same = before.spans.find((other) => other.span === span.span && other.mode === span.mode);
      return same === undefined ? span : { ...span, ...subtractSpans(span, same) };
    }),
  };
}
