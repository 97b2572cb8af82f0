import type { Labels, Metric } from './metric.ts';

/** One number of one metric. `labels` holds the metric's own labels, and `netns` where it is not the host's. */
export interface Series {
  readonly metric: Metric;
  readonly labels: Labels;
  readonly value: number;
  /** The u32 cells, one per CPU, that `value` is the sum of; only for width `u32-per-cpu`. */
  readonly cells?: readonly number[];
  /** CLOCK_MONOTONIC seconds at which the file behind it was read. */
  readonly at: number;
  /** Why no step can be told from an earlier reading to this one, where the source saw more than the two readings show. */
  readonly noStep?: string;
}

export type CollectorStatus = 'ok' | 'partial' | 'unavailable' | 'not-applicable';

/** One thing a collector could not read, and why; the path is as the kernel names it (/proc/..., /sys/...). */
export interface Gap {
  readonly path: string;
  readonly reason: string;
}

export interface CollectorReport {
  readonly id: string;
  readonly netns: string;
  readonly status: CollectorStatus;
  readonly gaps: readonly Gap[];
  readonly milliseconds: number;
}

/** The name of the namespace pktcost itself runs in; its series carry no `netns` label. */
export const OWN_NETNS = '';

/** Labels written as one string, for use as a map key: `a=1,b=2` with names in order. */
export function labelKey(labels: Labels): string {
  const names = Object.keys(labels);
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]!}=${labels[names[0]!]!}`;
  return names
    .sort()
    .map((name) => `${name}=${labels[name]!}`)
    .join(',');
}

/** Which series a snapshot takes in: `--interface` leaves the other devices out. */
export type Keep = (metric: Metric, labels: Labels) => boolean;

/** Everything read in one pass over the host, indexed by metric name and then by labels. */
export class Snapshot {
  readonly #byMetric = new Map<string, Map<string, Series>>();
  readonly #metrics = new Map<string, Metric>();
  readonly collectors: CollectorReport[] = [];
  /** Wall-clock time of the pass, ISO 8601. */
  readonly takenAt: string;
  /** CLOCK_MONOTONIC seconds at the start of the pass. */
  readonly at: number;

  readonly #keep: Keep;
  #lastLabels: Labels | undefined;
  #lastKey = '';

  constructor(takenAt: string, at: number, keep: Keep = () => true) {
    this.takenAt = takenAt;
    this.at = at;
    this.#keep = keep;
  }

  add(metric: Metric, labels: Labels, value: number | readonly number[], at: number, noStep?: string): void {
    if (!this.#keep(metric, labels)) return;
    let cells = this.#byMetric.get(metric.name);
    if (cells === undefined) {
      cells = new Map<string, Series>();
      this.#byMetric.set(metric.name, cells);
      this.#metrics.set(metric.name, metric);
    }
    const read =
      typeof value === 'number'
        ? { metric, labels, value, at }
        : { metric, labels, value: value.reduce((sum, cell) => sum + cell, 0), cells: value, at };
    const series = noStep === undefined ? read : { ...read, noStep };
    // Series without labels of their own share one object in each namespace, and so may their key.
    if (labels !== this.#lastLabels) {
      this.#lastLabels = labels;
      this.#lastKey = labelKey(labels);
    }
    cells.set(this.#lastKey, series);
  }

  /** All series of a metric; empty when it is absent, which is not the same as zero. */
  series(metric: Metric): readonly Series[] {
    const cells = this.#byMetric.get(metric.name);
    return cells === undefined ? [] : [...cells.values()];
  }

  get(metric: Metric, labels: Labels): Series | undefined {
    return this.#byMetric.get(metric.name)?.get(labelKey(labels));
  }

  metrics(): readonly Metric[] {
    return [...this.#metrics.values()];
  }

  /** The report of one collector in one namespace. */
  collector(id: string, netns: string = OWN_NETNS): CollectorReport | undefined {
    return this.collectors.find((report) => report.id === id && report.netns === netns);
  }
}
