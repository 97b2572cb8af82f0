import { cpuSeconds } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { cells } from './figures.ts';

/** As the rules have it, rules/shared-limits.ts: no time to spare, or most of it taken by packets. */
const SPARE = 0.1;
const SHORT = 0.7;

/**
 * CPUs that were short of time in the window: at most a tenth of it idle, or most of it spent in softirq. Of a CPU whose
 * time was not counted nothing is known, and it is not among them.
 */
export function shortCpus(window: Window): ReadonlySet<string> {
  const idle = new Map<string, number>();
  const softirq = new Map<string, number>();
  for (const { labels, increase, seconds } of cells(window, cpuSeconds)) {
    const { cpu = '', mode = '' } = labels;
    if (seconds <= 0) continue;
    const into =
      mode === 'idle' || mode === 'iowait' ? idle : mode === 'softirq' || mode === 'irq' ? softirq : undefined;
    into?.set(cpu, (into.get(cpu) ?? 0) + increase / seconds);
  }
  const short = [...idle].flatMap(([cpu, share]) => (share <= SPARE ? [cpu] : []));
  return new Set([...short, ...[...softirq].flatMap(([cpu, share]) => (share >= SHORT ? [cpu] : []))]);
}
