import { cpuSeconds, processCpu, processLastCpu } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { cells } from './figures.ts';
import { once } from './once.ts';
import { napiTimeOn, receivingThreads } from './packet-cpus.ts';

/** Modes of a CPU in which it works for devices and packets, not for programs (kernel/sched/cputime.c:irqtime_account_irq). */
export const interruptModes = ['softirq', 'irq'] as const;

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
    [...shares].map(([cpu, share]) => [cpu, Math.min(1, share + napiTimeOn(cpu, threads, lastCpus).seconds)]),
  );
});
