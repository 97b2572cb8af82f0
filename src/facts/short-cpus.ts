import { cpuSeconds } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { cells } from './figures.ts';
import { interruptModes } from './interrupt-time.ts';

/** As the rules have it: no time to spare, or most of it taken by packets. */
export interface ShortLimits {
  /** Share of its time that a CPU may be idle, at most. */
  readonly spare: number;
  /** Share of its time in softirq and interrupts, at least. */
  readonly softirq: number;
}

/**
 * CPUs that were short of time in the window: next to none of it idle, or most of it spent in softirq and interrupts. Of a CPU whose
 * time was not counted nothing is known, and it is not among them.
 */
export function shortCpus(window: Window, limits: ShortLimits): ReadonlySet<string> {
  const idle = new Map<string, number>();
  const interrupts = new Map<string, number>();
  for (const { labels, increase, seconds } of cells(window, cpuSeconds)) {
    const { cpu = '', mode = '' } = labels;
    if (seconds <= 0) continue;
    const into =
      mode === 'idle' || mode === 'iowait'
        ? idle
        : interruptModes.some((each) => each === mode)
          ? interrupts
          : undefined;
    into?.set(cpu, (into.get(cpu) ?? 0) + increase / seconds);
  }
  const short = [...idle].flatMap(([cpu, share]) => (share <= limits.spare ? [cpu] : []));
  return new Set([...short, ...[...interrupts].flatMap(([cpu, share]) => (share >= limits.softirq ? [cpu] : []))]);
}
