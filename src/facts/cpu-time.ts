import { cpuSeconds } from '../metrics/catalogue/index.ts';
import { countBy, rate } from '../metrics/expression.ts';
import type { Signal } from './signal.ts';

/**
 * The CPUs of the host, each of which has a second of CPU time a second. The modes of one that rests add up to less
 * (kernel/time/tick-sched.c), so that their sum is no measure of what there was.
 */
export const cpuCount = countBy([], rate(cpuSeconds, { mode: 'softirq' }));

/**
 * What is said to be a share of all CPU time, of CPU-seconds per second: no more than all of it, as ticks and the clocks of threads
 * may have it. Nothing where the CPUs were not counted.
 */
export function ofAllCpuTime(used: number, cpus: Pick<Signal, 'value'> | undefined): { readonly cpuShare?: number } {
  return cpus === undefined || cpus.value <= 0 ? {} : { cpuShare: Math.min(1, used / cpus.value) };
}
