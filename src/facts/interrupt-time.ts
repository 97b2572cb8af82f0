import { cpuSeconds, processCpu, processLastCpu } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { cells } from './figures.ts';
import { once } from './once.ts';
import { napiTimeOn, receivingThreads } from './packet-cpus.ts';

/** Modes of a CPU in which it works for devices and packets, not for programs (kernel/sched/cputime.c:irqtime_account_irq). */
export const interruptModes = ['softirq', 'irq'] as const;

/**
 * What packets take of a CPU: softirq and interrupts, as shares of its time, and NAPI threads that were last seen on it. A thread may
 * have run elsewhere before: there it took what it has beyond the rest of this CPU.
 */
export function takenOfCpu(
  interrupts: number,
  threads: number,
): { readonly share: number; /** Of threads, within it. */ readonly threads: number } {
  return { share: Math.min(1, interrupts + threads), threads: Math.min(threads, Math.max(0, 1 - interrupts)) };
}

/**
 * What threads take together, in CPUs: none more than one, and all no more than the CPUs they run on have, as the clocks of threads
 * may have it that are read one after the other.
 */
export function takenByThreads(shares: readonly number[], cpus: number): number {
  return Math.min(
    cpus,
    shares.reduce((sum, share) => sum + Math.min(1, share), 0),
  );
}

/**
 * Share of the window that each CPU spent in softirq, interrupts and NAPI threads, which are put down to the CPU they were last
 * seen on: what PKT0102 judges. Of the wall clock, as the modes of a mostly idle CPU do not add up to it
 * (kernel/time/tick-sched.c).
 */
export const interruptShares = once((window: Window): ReadonlyMap<string, number> => {
  const shares = new Map<string, number>();
  for (const { labels, increase, seconds } of cells(window, cpuSeconds)) {
    const { cpu = '', mode } = labels;
    if (seconds > 0 && interruptModes.some((each) => each === mode))
      shares.set(cpu, (shares.get(cpu) ?? 0) + increase / seconds);
  }
  const threads = cells(window, processCpu)
    .filter(({ labels, seconds }) => seconds > 0 && receivingThreads.includes(labels['role'] ?? ''))
    .map(({ labels, increase, seconds }) => ({ labels, value: increase / seconds }));
  const lastCpus = window.value(processLastCpu);
  return new Map(
    [...shares].map(([cpu, share]) => [cpu, takenOfCpu(share, napiTimeOn(cpu, threads, lastCpus).seconds).share]),
  );
});
