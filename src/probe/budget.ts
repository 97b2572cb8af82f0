/**
 * What the probe itself costs, measured with the kernel's run-time statistics and kept under a limit. The statistics add of the
 * order of 70 ns to every run, so they are on for a part of the window only, and an empty program of the same kind says how
 * much of each run time is theirs.
 */
import { closeSync } from 'node:fs';
import { cpus as hostCpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.ts';
import { ok, type Result } from '../base/result.ts';
import type { ProgramFd } from './libbpf.ts';
import { DRIVER_PROGRAMS } from './net-rx.ts';
import { percent, type Overhead } from './overhead.ts';
import { tracedShare, type ProbeReading, type ProgramRuns } from '../readings/reading.ts';
import type { ProbeSession } from './session.ts';
import { TRANSMIT_PROGRAMS, TRANSMIT_RUNS_PER_PACKET } from './transmit.ts';

export interface ProgramCost {
  readonly name: string;
  readonly runs: number;
  /** Without what the statistics add. */
  readonly nsPerRun: number;
}

export interface ProbeCost {
  readonly measuredMs: number;
  readonly packets: number;
  readonly runs: number;
  readonly ns: number;
  /** Program run time divided by the packets received in the same time; undefined-free: 0 without packets. */
  readonly nsPerPacket: number;
  /** Of all online CPUs together. */
  readonly cpuShare: number;
  /** What the statistics add to each run, and whether the empty program measured it or the shipped figure stands in. */
  readonly statsNsPerRun: number;
  readonly calibrated: boolean;
  readonly programs: readonly ProgramCost[];
}

/** Asked once: it reads all of /proc/cpuinfo. */
let online: number | undefined;
export function onlineCpuCount(): number {
  online ??= Math.max(1, hostCpus().length);
  return online;
}

/** Measured on the development machine; used while too few packets came by to calibrate. */
const SHIPPED_STATS_NS = 65;
const ENOUGH_RUNS = 200;
/** Of each program that runs per packet: their mean run time is then good to a few per cent, and waiting adds nothing. */
const PLENTY_OF_PACKETS = 1000;
/** The share of CPU time is judged by no less than this, however many packets come. */
const LEAST_MS = 100;
/** A sampled program on the development machine: four of them stay below 120 ns per packet (bench/probe/README.md). */
const SHIPPED_RUN_NS = 30;

/** Pure: what the counts of a measured interval say. */
export function probeCostOf(
  before: readonly ProgramRuns[],
  after: readonly ProgramRuns[],
  empty: { readonly runs: number; readonly ns: number },
  packets: number,
  elapsedNs: number,
  cpus: number,
): ProbeCost {
  const calibrated = empty.runs >= ENOUGH_RUNS;
  const statsNsPerRun = calibrated ? empty.ns / empty.runs : SHIPPED_STATS_NS;
  const earlier = new Map(before.map((program) => [program.id, program]));
  const byName = new Map<string, { runs: number; ns: number }>();
  for (const program of after) {
    const same = earlier.get(program.id);
    const sum = byName.get(program.name) ?? { runs: 0, ns: 0 };
    sum.runs += Math.max(0, program.runs - (same?.runs ?? 0));
    sum.ns += Math.max(0, program.runNs - (same?.runNs ?? 0));
    byName.set(program.name, sum);
  }
  const programs = [...byName].map(([name, { runs, ns }]) => ({
    name,
    runs,
    nsPerRun: runs === 0 ? 0 : Math.max(0, ns / runs - statsNsPerRun),
  }));
  const ns = programs.reduce((sum, program) => sum + program.runs * program.nsPerRun, 0);
  return {
    measuredMs: elapsedNs / 1e6,
    packets,
    runs: programs.reduce((sum, program) => sum + program.runs, 0),
    ns,
    nsPerPacket: packets === 0 ? 0 : ns / packets,
    cpuShare: elapsedNs === 0 ? 0 : ns / elapsedNs / Math.max(1, cpus),
    statsNsPerRun,
    calibrated,
    programs,
  };
}

/**
 * Turns the statistics on, with the empty program beside ours, until enough packets came by or for `milliseconds`, and off again
 * on every path.
 */
export async function measureCost(
  session: ProbeSession,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<Result<ProbeCost>> {
  const { bpf } = session;
  const empty = session.nullProgram();
  if (!empty.ok) return empty;
  const link = bpf.linkTracing(empty.value);
  if (!link.ok) return link;
  const stats = bpf.enableStats();
  if (!stats.ok) {
    bpf.closeLink(link.value);
    return stats;
  }
  try {
    const before = snapshot(session, empty.value);
    const began = process.hrtime.bigint();
    for (let left = milliseconds; ;) {
      const part = Math.min(left, LEAST_MS);
      left -= part;
      // An abort ends the measurement early; what was counted so far is the answer.
      await sleep(part, undefined, signal ? { signal } : {}).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'AbortError') throw error;
      });
      const after = snapshot(session, empty.value);
      const elapsed = Number(process.hrtime.bigint() - began);
      const nothing = { runs: after.empty.runs - before.empty.runs, ns: after.empty.runNs - before.empty.runNs };
      const packets = after.packets - before.packets;
      const plenty = nothing.runs >= ENOUGH_RUNS && packets >= PLENTY_OF_PACKETS;
      if (left > 0 && !plenty && signal?.aborted !== true) continue;
      return ok(probeCostOf(before.programs, after.programs, nothing, packets, elapsed, onlineCpuCount()));
    }
  } finally {
    closeSync(stats.value);
    bpf.closeLink(link.value);
  }
}

function snapshot(
  session: ProbeSession,
  empty: ProgramFd,
): { programs: readonly ProgramRuns[]; packets: number; empty: { runs: number; runNs: number } } {
  const reading = session.read();
  const runs = session.bpf.programRuns(empty);
  return {
    programs: reading.programs,
    packets: reading.cpus.reduce((sum, cpu) => sum + cpu.skbs, 0),
    empty: runs.ok ? runs.value : { runs: 0, runNs: 0 },
  };
}

const PER_PACKET = ['pktcost_in', 'pktcost_recv'];
/** Timers and RCU run them as well, packets or not. */
const PER_SOFTIRQ = ['pktcost_entry', 'pktcost_exit'];

/**
 * Of the programs that tell the driver apart: they are seldom there while the cost is measured, and count their runs themselves.
 * 5 ns for a frame that GRO takes, 13 to 20 ns for the end of a poll, on the development machine.
 */
const SHIPPED_DRIVER_NS = 10;

function nsPerRun({ programs }: ProbeCost, name: string): number {
  const measured = programs.find((program) => program.name === name);
  return measured !== undefined && measured.runs >= ENOUGH_RUNS ? measured.nsPerRun : SHIPPED_RUN_NS;
}

/** The programs of the devices stay, or may have to; what else runs per packet works in shifts. */
const RESIDENT = ['pktcost_in', 'pktcost_out', 'pktcost_xdp'];

/** Of the share that was measured with everything attached, what is to be expected of a window with shifts of `onShare` at most. */
export function expectedShare({ cpuShare, programs }: ProbeCost, onShare: number): number {
  const total = (of: (name: string) => boolean): number =>
    programs.reduce((sum, { name, runs, nsPerRun: each }) => sum + (of(name) ? runs * each : 0), 0);
  const all = total(() => true);
  if (all === 0) return cpuShare;
  const resident = total((name) => RESIDENT.includes(name)) / all;
  return cpuShare * (resident + (1 - resident) * onShare);
}

export interface WindowCost {
  /** null when no packet came. */
  readonly nsPerPacket: number | null;
  readonly cpuShare: number;
  readonly runs: number;
}

/**
 * What the probe took in the window itself: run times from the measurement before it, runs from what the programs counted, which
 * for the tracepoints is what came in their shifts.
 */
export function costInWindow(cost: ProbeCost, window: ProbeReading, cpus = onlineCpuCount()): WindowCost {
  const reached = window.devices.reduce((sum, device) => sum + device.packets, 0);
  // Less where they rested.
  const ran = window.devices.reduce((sum, device) => sum + (device.counted ?? device.packets), 0);
  const seen = window.cpus.reduce((sum, cpu) => sum + cpu.skbs, 0);
  const softirqs = window.cpus.reduce((sum, cpu) => sum + cpu.netRxRuns, 0);
  const driver = window.cpus.reduce((sum, cpu) => sum + (cpu.driverCalls ?? 0), 0);
  const met = window.cpus.reduce((sum, { allSkbs }) => sum + (allSkbs ?? 0), 0);
  const packets = Math.max(reached, met, seen / tracedShare(window));
  // Programs of XDP and of single sockets have no count of their own: as many runs per packet as in the measurement.
  const others = cost.programs.filter(
    ({ name }) => ![...PER_PACKET, ...PER_SOFTIRQ, ...DRIVER_PROGRAMS, ...TRANSMIT_PROGRAMS].includes(name),
  );
  const sent = (window.transmitCalls ?? 0) * TRANSMIT_RUNS_PER_PACKET;
  const scale = cost.packets < ENOUGH_RUNS ? 0 : packets / cost.packets;
  const ns =
    ran * nsPerRun(cost, 'pktcost_in') +
    seen * nsPerRun(cost, 'pktcost_recv') +
    softirqs * PER_SOFTIRQ.reduce((sum, name) => sum + nsPerRun(cost, name), 0) +
    driver * SHIPPED_DRIVER_NS +
    sent * nsPerRun(cost, 'pktcost_start') +
    others.reduce((sum, { runs, nsPerRun: each }) => sum + runs * each, 0) * scale;
  const elapsedNs = window.attachedNs ?? 0;
  return {
    nsPerPacket: packets === 0 ? null : ns / packets,
    cpuShare: elapsedNs === 0 ? 0 : ns / elapsedNs / Math.max(1, cpus),
    runs: Math.round(
      ran + seen + 2 * softirqs + driver + sent + others.reduce((sum, { runs }) => sum + runs, 0) * scale,
    ),
  };
}

export type BudgetStep = 'keep' | 'thin' | 'detach';

export const THIN_FACTOR = 4;
export const MAX_THINNINGS = 2;

/** Pure: over the limit, thin twice at most, then leave. */
export function decide(cpuShare: number, maxOverhead: number, thinnings: number): BudgetStep {
  if (cpuShare <= maxOverhead) return 'keep';
  return thinnings < MAX_THINNINGS ? 'thin' : 'detach';
}

export interface BudgetAction {
  readonly atMs: number;
  readonly action: Exclude<BudgetStep, 'keep'>;
  readonly reason: string;
  readonly sampleEvery: number;
}

export interface BudgetReport {
  readonly cost?: ProbeCost;
  readonly reason?: string;
  readonly actions: readonly BudgetAction[];
}

export interface BudgetOptions {
  readonly overhead: Overhead;
  /** The most of the window in which the tracepoints will be attached. */
  readonly onShare: number;
  readonly windowMs: number;
  readonly signal?: AbortSignal;
  readonly measure?: (session: ProbeSession, milliseconds: number, signal?: AbortSignal) => Promise<Result<ProbeCost>>;
}

/**
 * To be run before the first reading: the statistics lengthen every program, hence the spans, while they are on, and thinning
 * changes the floor. Ends after one measurement within the budget; `costInWindow` watches from then on.
 */
export async function keepBudget(session: ProbeSession, options: BudgetOptions): Promise<BudgetReport> {
  const measure = options.measure ?? measureCost;
  const began = monotonicMs();
  const actions: BudgetAction[] = [];
  const part = Math.min(1000, Math.max(50, options.windowMs / 10));
  let cost: ProbeCost | undefined;
  for (let thinnings = 0; ; thinnings++) {
    const measured = await measure(session, part, options.signal);
    if (!measured.ok) return report(actions, cost, measured.reason);
    cost = measured.value;
    const share = expectedShare(cost, options.onShare);
    const step = decide(share, options.overhead.left('spans'), thinnings);
    if (step === 'keep' || options.signal?.aborted === true) return report(actions, cost);
    const reason = overBudget(share, options.overhead);
    const atMs = monotonicMs() - began;
    if (step === 'detach') {
      actions.push({ atMs, action: step, reason, sampleEvery: session.sampleEvery });
      await session.close();
      return report(actions, cost);
    }
    const thinned = session.thin(THIN_FACTOR);
    if (!thinned.ok) return report(actions, cost, thinned.reason);
    actions.push({ atMs, action: step, reason, sampleEvery: session.sampleEvery });
  }
}

/** In every reason for thinning or leaving. */
export function overBudget(share: number, overhead: Overhead): string {
  return `${percent(share)} of the host's CPU time is above ${overhead.said('spans')}`;
}

function report(actions: readonly BudgetAction[], cost: ProbeCost | undefined, reason?: string): BudgetReport {
  return { actions, ...(cost && { cost }), ...(reason !== undefined && { reason }) };
}
