import { kernelFeature } from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Increase, Window } from '../metrics/window.ts';
import { enoughTicks } from './price.ts';
import { deviceKey } from './spans.ts';

/** Whether so much softirq time can be judged on this kernel. */
export function isTimed(window: Window, softirqSeconds: number): boolean {
  const accounting = window.value(kernelFeature).find(({ labels }) => labels['feature'] === 'irq_time_accounting');
  return enoughTicks(softirqSeconds, accounting?.value);
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

/** Of all series of a metric together; 0 where there is none. */
export function increaseIn(window: Window, metric: Metric): number {
  return totalIncrease(cells(window, metric)) ?? 0;
}

export function totalIncrease(of: readonly Increase[]): number | null {
  return of.length === 0 ? null : of.reduce((sum, { increase }) => sum + increase, 0);
}

/** Of all of them, each at the pace of its own two readings: files are read one after the other, and pages at times of their own. */
export function rateTogether(of: readonly Pick<Increase, 'increase' | 'seconds'>[]): number {
  return of.reduce((sum, { increase, seconds }) => sum + (seconds > 0 ? increase / seconds : 0), 0);
}
