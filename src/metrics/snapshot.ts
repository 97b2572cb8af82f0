import type { Failure } from '../base/result.ts';
import { SeriesColumn, LabelSets, type Rare, type Series } from './column.ts';
import type { Labels, Metric } from './metric.ts';

export { labelKey, type Series } from './column.ts';

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

/** The namespace of a series; those of the own one carry no label. */
export function netnsOf(labels: Labels): string {
  return labels['netns'] ?? OWN_NETNS;
}
/** Whose report tells whether a metric was read in a namespace. */
export function collectorIn({ collector, elsewhere }: Metric, netns: string): string {
  return netns === OWN_NETNS ? collector : (elsewhere ?? collector);
}

/** Name of the namespace that the host booted with, where pktcost runs in another one. */
export const HOST_NETNS = 'host';

/** The label netns of drops in namespaces that were not looked into, or are gone. */
export const ELSEWHERE = '(elsewhere)';
/** The label netns of drops of packets that had neither a device nor a socket left. */
export const NOWHERE = '(no namespace)';

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
  readonly #byMetric = new Map<string, SeriesColumn>();
  readonly #sets = new LabelSets();
  readonly collectors: CollectorReport[] = [];
  readonly #lacking = new Map<string, Lacking[]>();
  /** Wall-clock time of the pass, ISO 8601. */
  readonly takenAt: string;
  /** CLOCK_MONOTONIC seconds at the start of the pass. */
  readonly at: number;

  /** The reports of each collector by namespace, of as many as were there when one was last asked for. */
  readonly #reports = new Map<
    string,
    { readonly all: CollectorReport[]; readonly first: Map<string, CollectorReport> }
  >();
  #indexed = 0;
  readonly #keep: Keep;
  #size = 0;
  #text = 0;

  constructor(takenAt: string, at: number, keep: Keep = () => true) {
    this.takenAt = takenAt;
    this.at = at;
    this.#keep = keep;
  }

  /** @returns false when the snapshot has taken in as much as a host can have */
  add(metric: Metric, labels: Labels, value: number | readonly number[], at: number, noStep?: string): boolean {
    if (!this.#keep(metric, labels)) return true;
    const number = this.#sets.take(labels);
    this.#size += 1 + (typeof value === 'number' ? 0 : value.length);
    this.#text += this.#sets.textOf(number);
    if (this.#size > MOST_NUMBERS || this.#text > MOST_TEXT) return false;
    const sum = typeof value === 'number' ? value : value.reduce((total, cell) => total + cell, 0);
    const cells = typeof value === 'number' ? undefined : value;
    this.#column(metric).set(number, sum, at, rareOf(cells, noStep));
    return true;
  }

  #column(metric: Metric): SeriesColumn {
    let column = this.#byMetric.get(metric.name);
    if (column === undefined) this.#byMetric.set(metric.name, (column = new SeriesColumn(metric, this.#sets)));
    return column;
  }

  /**
   * Takes in what another pass read of other things, as if it had been read `later` seconds after.
   * @returns false when the snapshot has taken in as much as a host can have
   */
  absorb(other: Snapshot, later = 0): boolean {
    for (const column of other.#byMetric.values()) {
      const mine = this.#column(column.metric);
      for (const { labels, value, at, cells, noStep } of column.all())
        mine.set(this.#sets.take(labels), value, at + later, rareOf(cells, noStep));
    }
    for (const [name, lacking] of other.#lacking)
      this.#lacking.set(name, [...(this.#lacking.get(name) ?? []), ...lacking]);
    this.collectors.push(...other.collectors);
    this.#size += other.#size;
    this.#text += other.#text;
    return this.#size <= MOST_NUMBERS && this.#text <= MOST_TEXT;
  }

  /** Names of the metrics, of those to look at, whose series or values are others than in an earlier pass over the same; all without one. */
  differing(earlier: Snapshot | undefined, of: (metric: string) => boolean): readonly string[] {
    return [...this.#byMetric].flatMap(([name, column]) => {
      if (!of(name)) return [];
      const was = earlier === undefined ? undefined : earlier.#byMetric.get(name);
      if (earlier === undefined || was?.size !== column.size) return [name];
      const same = column.all().every(({ labels, value }) => {
        const number = earlier.#sets.find(labels);
        return number !== undefined && was.get(number)?.value === value;
      });
      return same ? [] : [name];
    });
  }

  /** All series of a metric; empty when it is absent, which is not the same as zero. */
  series(metric: Metric): readonly Series[] {
    return this.#byMetric.get(metric.name)?.all() ?? [];
  }

  get(metric: Metric, labels: Labels): Series | undefined {
    const number = this.#sets.find(labels);
    return number === undefined ? undefined : this.#byMetric.get(metric.name)?.get(number);
  }

  /** How many series of a metric there are. */
  count(metric: Metric): number {
    return this.#byMetric.get(metric.name)?.size ?? 0;
  }

  /** Whether another metric of the same collector has a series of these labels. */
  hasBeside(metric: Metric, labels: Labels): boolean {
    const number = this.#sets.find(labels);
    if (number === undefined) return false;
    for (const column of this.#byMetric.values()) {
      const { collector, name } = column.metric;
      if (collector === metric.collector && name !== metric.name && column.has(number)) return true;
    }
    return false;
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
    return [...this.#byMetric.values()].map(({ metric }) => metric);
  }

  /** What a collector said of the files that a metric comes from, where it could not read them: anywhere, or in one namespace. */
  unread({ collector, source }: Metric, netns?: string): readonly Gap[] {
    const pattern = new RegExp(`^${source.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]+')}`);
    const isSource = ({ path }: Gap): boolean => pattern.test(path) || source.startsWith(path);
    return this.reports(collector)
      .filter((report) => report.status !== 'not-applicable' && (netns === undefined || report.netns === netns))
      .flatMap(({ gaps }) => gaps.filter(isSource));
  }

  /** The reports of one collector, of every namespace that it ran in. */
  reports(id: string): readonly CollectorReport[] {
    return this.#reportsOf(id)?.all ?? [];
  }

  /** The report of one collector in one namespace: the first, where there are several. */
  collector(id: string, netns: string = OWN_NETNS): CollectorReport | undefined {
    return this.#reportsOf(id)?.first.get(netns);
  }

  /** Names of the namespaces that any collector ran in. */
  namespaces(): ReadonlySet<string> {
    return new Set(this.collectors.map(({ netns }) => netns));
  }

  #reportsOf(
    id: string,
  ): { readonly all: readonly CollectorReport[]; readonly first: ReadonlyMap<string, CollectorReport> } | undefined {
    // A thousand namespaces have thirty thousand reports, and each is asked for by many rules.
    for (; this.#indexed < this.collectors.length; this.#indexed += 1) {
      const report = this.collectors[this.#indexed]!;
      const known = this.#reports.get(report.id) ?? { all: [], first: new Map<string, CollectorReport>() };
      this.#reports.set(report.id, known);
      known.all.push(report);
      if (!known.first.has(report.netns)) known.first.set(report.netns, report);
    }
    return this.#reports.get(id);
  }
}

function rareOf(cells: readonly number[] | undefined, noStep: string | undefined): Rare | undefined {
  if (cells === undefined && noStep === undefined) return undefined;
  return { ...(cells !== undefined && { cells }), ...(noStep !== undefined && { noStep }) };
}
