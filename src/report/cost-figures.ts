import type { Spans } from '../generated/report.ts';
import { kernelFeature } from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Increase, Window } from '../metrics/window.ts';
import type { NetRxCost } from './breakdown.ts';
import { deviceKey } from './spans.ts';

/**
 * Below this many packets timers and RCU outweigh the receive work in the softirq time, and ticks of 10 ms are too coarse:
 * a price per packet would be nonsense.
 */
export const PACKETS_TO_PRICE = 1000;

/**
 * Below this much softirq time a price is noise where it is counted in ticks: each falls whole to whatever it interrupts
 * (kernel/sched/cputime.c:account_system_time). None at all would make packets free.
 */
const TICKED_SECONDS_TO_PRICE = 0.1;

export function isTimed(window: Window, seconds: number): boolean {
  const exact = window
    .value(kernelFeature)
    .some(({ labels, value }) => labels['feature'] === 'irq_time_accounting' && value === 1);
  return exact || seconds >= TICKED_SECONDS_TO_PRICE;
}

/** Tap time above the floor, in the mean of all sampled packets; null without a floor to subtract. */
export function meanTapNs(spans: readonly Spans[]): number | null {
  let samples = 0;
  let nanoseconds = 0;
  for (const { taps } of spans) {
    if (taps === null || taps.avgNs === null || taps.floorNs === null) continue;
    samples += taps.count;
    nanoseconds += Math.max(0, taps.avgNs - taps.floorNs) * taps.count;
  }
  return samples === 0 ? null : nanoseconds / samples;
}

/** Too few packets make no price. */
export function enough(cost: NetRxCost | null): NetRxCost | null {
  return cost !== null && cost.packets >= PACKETS_TO_PRICE ? cost : null;
}

export function cells(window: Window, metric: Metric): readonly Increase[] {
  return window.increase(metric).cells;
}

export function byLabel(window: Window, metric: Metric, label: string): ReadonlyMap<string, Increase> {
  return new Map(cells(window, metric).map((cell) => [cell.labels[label] ?? '', cell]));
}

export function byDevice(window: Window, metric: Metric): ReadonlyMap<string, Increase> {
  return new Map(cells(window, metric).map((cell) => [deviceKey(cell.labels), cell]));
}

export function total(of: readonly Increase[]): number | null {
  return of.length === 0 ? null : of.reduce((sum, { increase }) => sum + increase, 0);
}
