import type { Failure } from '../base/result.ts';
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

/** One series that is missing, and why. */
export interface Lacking {
  readonly labels: Labels;
  readonly reason: string;
}

export type CollectorState = 'ok' | 'partial' | 'unavailable' | 'not-applicable';

/** One thing a collector could not read, and why; the path is as the kernel names it (/proc/..., /sys/...). */
export interface Gap {
  readonly path: string;
  readonly reason: string;
  /** The errno's name, where the kernel refused it. */
  readonly errno?: string;
}

/** What a failure leaves unread. */
export function gapOf(path: string, { reason, errno, offset }: Failure): Gap {
  const told = offset === undefined ? reason : `${reason} (byte ${offset})`;
  return { path, reason: told, ...(errno === undefined ? {} : { errno }) };
}

export interface CollectorReport {
  readonly id: string;
  readonly netns: string;
  readonly status: CollectorState;
  readonly gaps: readonly Gap[];
  readonly milliseconds: number;
}

/** The name of the namespace pktcost itself runs in; its series carry no `netns` label. */
export const OWN_NETNS = '';
/** Name of the namespace that the host booted with, where pktcost runs in another one. */
export const HOST_NETNS = 'host';

/** The label netns of drops in namespaces that were not looked into, or are gone. */
export const ELSEWHERE = '(elsewhere)';
/** The label netns of drops of packets that had neither a device nor a socket left. */
export const NOWHERE = '(no namespace)';

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

/**
 * What one pass takes into memory, so that a small file cannot make it large: 10,000 devices, 5,000 namespaces and 100,000
 * sockets have a million series, with labels of 60 characters.
 */
const MOST_NUMBERS = 4_000_000;
const MOST_TEXT = 256 * 2 ** 20;

/** Everything read in one pass over the host, indexed by metric name and then by labels. */
export class Snapshot {
  readonly #byMetric = new Map<string, Map<string, Series>>();
  readonly #metrics = new Map<string, Metric>();
  readonly collectors: CollectorReport[] = [];
  readonly #lacking = new Map<string, Lacking[]>();
  /** Wall-clock time of the pass, ISO 8601. */
  readonly takenAt: string;
  /** CLOCK_MONOTONIC seconds at the start of the pass. */
  readonly at: number;

  /** The first report of each collector in each namespace, of as many as were there when one was last asked for. */
  readonly #reports = new Map<string, CollectorReport>();
  #indexed = 0;
  readonly #keep: Keep;
  #size = 0;
  #text = 0;
  #lastLabels: Labels | undefined;
  #lastKey = '';

  constructor(takenAt: string, at: number, keep: Keep = () => true) {
    this.takenAt = takenAt;
    this.at = at;
    this.#keep = keep;
  }

  /** @returns false when the snapshot has taken in as much as a host can have */
  add(metric: Metric, labels: Labels, value: number | readonly number[], at: number, noStep?: string): boolean {
    if (!this.#keep(metric, labels)) return true;
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
    this.#size += 1 + (typeof value === 'number' ? 0 : value.length);
    this.#text += this.#lastKey.length;
    if (this.#size > MOST_NUMBERS || this.#text > MOST_TEXT) return false;
    cells.set(this.#lastKey, series);
    return true;
  }

  /**
   * Takes in what another pass read of other things, as if it had been read `later` seconds after.
   * @returns false when the snapshot has taken in as much as a host can have
   */
  absorb(other: Snapshot, later = 0): boolean {
    for (const [name, series] of other.#byMetric) {
      let mine = this.#byMetric.get(name);
      if (mine === undefined) this.#byMetric.set(name, (mine = new Map<string, Series>()));
      this.#metrics.set(name, other.#metrics.get(name)!);
      for (const [key, each] of series) mine.set(key, later === 0 ? each : { ...each, at: each.at + later });
    }
    for (const [name, lacking] of other.#lacking)
      this.#lacking.set(name, [...(this.#lacking.get(name) ?? []), ...lacking]);
    this.collectors.push(...other.collectors);
    this.#size += other.#size;
    this.#text += other.#text;
    return this.#size <= MOST_NUMBERS && this.#text <= MOST_TEXT;
  }

  /** Names of the metrics whose series, or their values, are others than in an earlier pass over the same; all without one. */
  differing(earlier: Snapshot | undefined): readonly string[] {
    return [...this.#byMetric].flatMap(([name, series]) => {
      const was = earlier === undefined ? undefined : earlier.#byMetric.get(name);
      if (was?.size !== series.size) return [name];
      for (const [key, { value }] of series) if (was.get(key)?.value !== value) return [name];
      return [];
    });
  }

  /** All series of a metric; empty when it is absent, which is not the same as zero. */
  series(metric: Metric): readonly Series[] {
    const cells = this.#byMetric.get(metric.name);
    return cells === undefined ? [] : [...cells.values()];
  }

  get(metric: Metric, labels: Labels): Series | undefined {
    return this.#byMetric.get(metric.name)?.get(labelKey(labels));
  }

  /** Notes that a series is missing which has to be there, since the same thing has others of the same file. */
  lack(metric: Metric, labels: Labels, reason: string): void {
    const known = this.#lacking.get(metric.name);
    if (known === undefined) this.#lacking.set(metric.name, [{ labels, reason }]);
    else known.push({ labels, reason });
  }

  lacking(metric: Metric): readonly Lacking[] {
    return this.#lacking.get(metric.name) ?? [];
  }

  metrics(): readonly Metric[] {
    return [...this.#metrics.values()];
  }

  /** What a collector said of the files that a metric comes from, where it could not read them. */
  unread({ collector, source }: Metric): readonly Gap[] {
    const pattern = new RegExp(`^${source.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]+')}`);
    const isSource = ({ path }: Gap): boolean => pattern.test(path) || source.startsWith(path);
    return this.collectors
      .filter(({ id, status }) => id === collector && status !== 'not-applicable')
      .flatMap(({ gaps }) => gaps.filter(isSource));
  }

  /** The report of one collector in one namespace. */
  collector(id: string, netns: string = OWN_NETNS): CollectorReport | undefined {
    // A thousand namespaces have thirty thousand reports, and each is asked for by many rules.
    for (; this.#indexed < this.collectors.length; this.#indexed += 1) {
      const report = this.collectors[this.#indexed]!;
      const place = `${report.id} ${report.netns}`;
      if (!this.#reports.has(place)) this.#reports.set(place, report);
    }
    return this.#reports.get(`${id} ${netns}`);
  }
}
