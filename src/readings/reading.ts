/** What a probe session says, as plain JSON: it goes into the evidence bundle and is read back by `replay` as it is. */
import { subtractSpans, type SpanHistogram } from './histogram.ts';

export type SpanName = 'taps' | 'stack' | 'net_rx';
export type Hook = 'tcx' | 'clsact' | 'xdp' | 'softirq';
export type XdpMode = 'native' | 'generic';

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
  /**
   * Of all the time, by estimate (probe/strata.ts): runs of NET_RX, their nanoseconds and packets. Absent in readings of before the
   * tracepoints rested by what they had counted; there `tracedNs` scales the others.
   */
  readonly allRuns?: number;
  readonly allNs?: number;
  readonly allSkbs?: number;
}

/** What one packet socket cost, as the fentry programs saw it. */
export interface SocketBill {
  readonly inode: string;
  readonly netns: string;
  readonly ifindex: number;
  readonly packets: number;
  readonly ns: number;
  readonly txPackets: number;
  readonly txNs: number;
  /** Packets that its ring had no room for; absent of sockets without one, and in bundles of before it was counted. */
  readonly lost?: number;
}

/** Packets that the ring of a packet socket had no room for since the session began. */
export interface RingReading {
  readonly inode: string;
  readonly netns: string;
  readonly lost: number;
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

export interface ProgramRuns {
  readonly id: number;
  readonly name: string;
  readonly runs: number;
  readonly runNs: number;
  readonly missed: number;
}

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
  /**
   * All packets that came to the TC program, sampled or not: sk_buffs, that is after GRO. Those of times in which it rested by estimate
   * (probe/rest-counts.ts).
   */
  readonly packets: number;
  readonly packetsByCpu: readonly number[];
  /** Where it rested: of `packets` those that it counted itself, and by how many the rest may be wrong. */
  readonly counted?: number;
  readonly packetsError?: number;
  /** Of `packets` those that came while samples of the profile were of no device, since programs of several rested. */
  readonly unmarked?: number;
  readonly spans: readonly SpanReading[];
}

/** How a packet came to the taps on transmit (bpf/transmit.h); in the order of enum pktcost_way. */
export const WAYS = ['direct', 'dequeued', 'follows'] as const;
export type TransmitWay = (typeof WAYS)[number];

export interface WayReading extends SpanHistogram {
  readonly way: TransmitWay;
}

/** What was sent by a device: from the last event before the taps on transmit to the first behind them. */
export interface TransmitReading {
  readonly device: string;
  readonly ifindex: number;
  readonly netns: string;
  /** Kind of the root queueing discipline; `noqueue` for none. */
  readonly queue: string;
  readonly ways: readonly WayReading[];
  /** Packets in `transmitWholeNs`, by estimate; not there in bundles of before 0.2. */
  readonly packets?: number;
}

/** What the probe counted of a device's sent packets while its taps were those that the price is for. */
export interface TappedSending {
  readonly taps: number;
  readonly seconds: number;
  readonly lasts: boolean;
  readonly reading: TransmitReading;
}

/** What the probe counted on a device while its taps were those that the price is for. */
export interface TappedTime {
  readonly taps: number;
  readonly seconds: number;
  /** Whether those taps were there at the end of the window. */
  readonly lasts: boolean;
  readonly reading: DeviceReading;
}

export interface AttachStatus {
  readonly target: string;
  readonly netns?: string;
  readonly span: SpanName | 'driver' | 'sockets' | 'transmit' | 'calibration';
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
  /** Where fentry does not see them, and a hook that fills a ring was there when the probe came (probe/capture-rings.ts). */
  readonly rings?: readonly RingReading[];
  /** Where taps on transmit are priced without fentry, and for how long the tracepoints of that were attached. */
  readonly transmit?: readonly TransmitReading[];
  readonly transmitNs?: number;
  /** The time that the packets of `transmit` are of: each slice stands for the rest before it as well. */
  readonly transmitWholeNs?: number;
  /** Packets that went by them, of all devices. */
  readonly transmitCalls?: number;
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
  const earlier = new Map(before.devices.map((device) => [interfaceKey(device), device]));
  const cpus = new Map(before.cpus.map((cpu) => [cpu.cpu, cpu]));
  const programs = new Map(before.programs.map((program) => [program.id, program]));
  const bills = new Map((before.sockets ?? []).map((bill) => [`${bill.netns}/${bill.inode}`, bill]));
  return {
    ...after,
    ...(after.attachedNs !== undefined && { attachedNs: minus(after.attachedNs, before.attachedNs) }),
    ...(after.tracedNs !== undefined && { tracedNs: minus(after.tracedNs, before.tracedNs) }),
    devices: after.devices.map((device) => subtractDevice(device, earlier.get(interfaceKey(device)))),
    cpus: after.cpus.map((cpu) => subtractNumbers(cpu, cpus.get(cpu.cpu), ['cpu'])),
    programs: after.programs.map((program) => subtractNumbers(program, programs.get(program.id), ['id'])),
    ...(after.sockets && {
      sockets: after.sockets.map((bill) =>
        subtractNumbers(bill, bills.get(`${bill.netns}/${bill.inode}`), ['ifindex']),
      ),
    }),
    ...(after.transmit && {
      transmit: after.transmit.map((device) =>
        subtractSending(
          device,
          before.transmit?.find(({ netns, ifindex }) => netns === device.netns && ifindex === device.ifindex),
        ),
      ),
      transmitNs: minus(after.transmitNs ?? 0, before.transmitNs),
      ...(after.transmitWholeNs !== undefined && {
        transmitWholeNs: minus(after.transmitWholeNs, before.transmitWholeNs),
      }),
      transmitCalls: minus(after.transmitCalls ?? 0, before.transmitCalls),
    }),
    ...(after.tapTotals && { tapTotals: subtractNumbers(after.tapTotals, before.tapTotals, []) }),
  };
}

/** A device by what tells it from others: an id of its namespace, and its number there. */
export function interfaceKey({ netns, ifindex }: Pick<DeviceReading, 'netns' | 'ifindex'>): string {
  return `${netns}/${String(ifindex)}`;
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
    // Before its first rest it had counted them all.
    ...(after.counted !== undefined && { counted: minus(after.counted, before.counted ?? before.packets) }),
    ...(after.packetsError !== undefined && { packetsError: minus(after.packetsError, before.packetsError) }),
    ...(after.unmarked !== undefined && { unmarked: minus(after.unmarked, before.unmarked) }),
    spans: after.spans.map((span) => {
      const same = before.spans.find((other) => other.span === span.span && other.mode === span.mode);
      return same === undefined ? span : { ...span, ...subtractSpans(span, same) };
    }),
  };
}

function subtractSending(after: TransmitReading, before: TransmitReading | undefined): TransmitReading {
  if (before === undefined) return after;
  return {
    ...after,
    ...(after.packets !== undefined && { packets: minus(after.packets, before.packets) }),
    ways: after.ways.map((way) => {
      const same = before.ways.find((other) => other.way === way.way);
      return same === undefined ? way : { ...way, ...subtractSpans(way, same) };
    }),
  };
}
