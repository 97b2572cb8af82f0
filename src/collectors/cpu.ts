import {
  bootTime,
  contextSwitches,
  cpuGuestSeconds,
  cpuIsolated,
  cpuSeconds,
  interruptsTotal,
  softirqsTotal,
} from '../metrics/catalogue/index.ts';
import { MAX_CPU, MORE_THAN_ANY } from '../base/cpu-list.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { U32_MAX, U64_MAX, wholeLines } from './cursor.ts';
import { parseCpuListFile } from './parse.ts';

const isolated = '/sys/devices/system/cpu/isolated';

/** Times in /proc are in USER_HZ, which is 100 on every architecture pktcost runs on, whatever CONFIG_HZ is. */
const USER_HZ = 100;

/** The columns of a cpuN row, in order; the last two are time already inside user and nice. */
const modes = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;
const guestModes = ['user', 'nice'] as const;

/** Columns of the softirq line under node_exporter's names. The kernel's order: include/linux/interrupt.h. */
const vectors = [
  'hi',
  'timer',
  'net_tx',
  'net_rx',
  'block',
  'block_iopoll',
  'tasklet',
  'sched',
  'hrtimer',
  'rcu',
] as const;

export const cpu = defineCollector({
  id: 'cpu',
  turn: 10,
  scope: 'host',
  reads: ['/proc/stat', isolated],
  collect(host, emit) {
    const stat = host.parse('/proc/stat', parseStat);
    if (stat !== undefined) {
      for (const { cpu, ticks } of stat.cpus) {
        // A kernel too old to print a mode did not tell it apart either: its time lies in the modes that are printed,
        // and what is left for the missing one is zero. node_exporter does the same.
        for (const [column, mode] of modes.entries()) emit(cpuSeconds, { cpu, mode }, (ticks[column] ?? 0) / USER_HZ);
        for (const [column, mode] of guestModes.entries()) {
          emit(cpuGuestSeconds, { cpu, mode }, (ticks[modes.length + column] ?? 0) / USER_HZ);
        }
      }
      for (const [column, vector] of vectors.entries()) {
        const runs = stat.softirqs[column];
        if (runs !== undefined) emit(softirqsTotal, { vector }, runs);
      }
      if (stat.interrupts !== undefined) emit(interruptsTotal, {}, stat.interrupts);
      if (stat.contextSwitches !== undefined) emit(contextSwitches, {}, stat.contextSwitches);
      if (stat.bootTime !== undefined) emit(bootTime, {}, stat.bootTime);
    }
    for (const number of host.parseIfPresent(isolated, parseCpuListFile) ?? [])
      emit(cpuIsolated, { cpu: `${number}` }, 1);
  },
});

interface Stat {
  /** Online CPUs only: fs/proc/stat.c prints no row for the others. */
  readonly cpus: readonly { readonly cpu: string; readonly ticks: readonly number[] }[];
  readonly softirqs: readonly number[];
  readonly interrupts: number | undefined;
  readonly contextSwitches: number | undefined;
  readonly bootTime: number | undefined;
}

/**
 * Parses /proc/stat: cpuN rows of up to ten times in USER_HZ, then `intr`, `ctxt`, `btime`, `softirq` and others by name.
 * The `cpu` row is the sum over possible CPUs and not read. Of `intr` only the total counts: the line goes on with a
 * number per IRQ, 100 KB and more. Source: fs/proc/stat.c:show_stat.
 */
export function parseStat(bytes: Uint8Array): Result<Stat> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  // Every kernel begins with it: without it the rows behind it may be missing as well.
  if (cursor.word() !== 'cpu') return fail('does not begin with the row of all CPUs', 0);
  cursor.nextLine();
  const cpus: { cpu: string; ticks: number[] }[] = [];
  const totals = new Map<string, number>();
  let softirqs: readonly number[] = [];
  while (!cursor.done) {
    const name = cursor.word();
    const row = /^cpu(\d{1,5})$/.exec(name);
    if (row !== null) {
      const ticks: number[] = [];
      while (ticks.length < modes.length + guestModes.length && cursor.moreOnLine()) {
        const time = cursor.unsigned(U64_MAX);
        if (time === undefined) return fail(`no time in row ${name}`, cursor.at);
        ticks.push(time);
      }
      // Linux 2.4 had these four; a shorter row is no row of any kernel.
      if (ticks.length < 4) return fail(`row ${name} has only ${ticks.length} times`, cursor.at);
      if (ticks.length !== (cpus[0]?.ticks.length ?? ticks.length))
        return fail(`row ${name} has ${ticks.length} times, others have ${cpus[0]!.ticks.length}`, cursor.at);
      if (cpus.length === MAX_CPU) return fail(MORE_THAN_ANY, cursor.at);
      cpus.push({ cpu: row[1]!, ticks });
    } else if (name === 'intr' || name === 'ctxt' || name === 'btime') {
      const total = cursor.unsigned(U64_MAX);
      if (total === undefined) return fail(`no number after ${name}`, cursor.at);
      totals.set(name, total);
    } else if (name === 'softirq') {
      if (cursor.unsigned(U64_MAX) === undefined) return fail('no number after softirq', cursor.at);
      const runs: number[] = [];
      while (runs.length < vectors.length && cursor.moreOnLine()) {
        const count = cursor.unsigned(U32_MAX);
        if (count === undefined) return fail('no 32-bit number in row softirq', cursor.at);
        runs.push(count);
      }
      softirqs = runs;
    }
    cursor.nextLine();
  }
  if (cpus.length === 0) return fail('no row for any CPU', 0);
  return ok({
    cpus,
    softirqs,
    interrupts: totals.get('intr'),
    contextSwitches: totals.get('ctxt'),
    bootTime: totals.get('btime'),
  });
}
