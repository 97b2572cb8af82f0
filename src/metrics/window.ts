import { countsUp, type Labels, type Metric } from './metric.ts';
import { collectorIn, netnsOf, OWN_NETNS, Snapshot, type Gap, type Series } from './snapshot.ts';

const U32 = 2 ** 32;

/** A counter read at both ends of the window. */
export interface Increase {
  readonly labels: Labels;
  readonly before: number;
  readonly after: number;
  readonly increase: number;
  /** Seconds between the two reads of this very file. */
  readonly seconds: number;
}

/** Why a metric gave nothing, or not everything. */
export interface Missing {
  readonly metric: string;
  readonly source: string;
  readonly reason: string;
  /** The thing itself came or went within the window: nothing was overlooked. */
  readonly transient?: true;
  /** It was looked for where it would be: this host has none, and nothing was overlooked. */
  readonly absent?: true;
  /** The namespace that a collector could not read it in, where that was in one. */
  readonly netns?: string;
  /** The one series that it is said of, where it is not said of all. */
  readonly labels?: Labels;
}

export interface Increases {
  readonly cells: readonly Increase[];
  readonly missing: readonly Missing[];
}

/**
 * Two snapshots of one host. Subtraction lives here and nowhere else: u32 cells modulo 2^32, time modes that step back
 * clamped at zero, a 64-bit counter that went down reported as a reset instead of a spike, and series that came or went
 * in between left out and named.
 */
export class Window {
  readonly before: Snapshot;
  readonly after: Snapshot;
  readonly #increases = new Map<string, Increases>();

  /** Seconds that the host had been up at the end, where a source knows; for a window of one sample. */
  readonly uptime: number | undefined;

  constructor(before: Snapshot, after: Snapshot, uptime?: number) {
    this.before = before;
    this.after = after;
    this.uptime = uptime;
  }

  get seconds(): number {
    return this.after.at - this.before.at;
  }

  /** True when there was only one sample, as in a sosreport: rates cannot be told. */
  get single(): boolean {
    return this.before === this.after;
  }

  /**
   * The one sample as a window that began when the host did, with all counters at zero: increases are totals since boot.
   * Without an uptime no rate can be told, and the window is endless. Counters of other namespaces began when those did.
   */
  sinceBoot(): Window {
    const start = new Snapshot(this.after.takenAt, this.after.at - (this.uptime ?? Infinity));
    for (const metric of this.after.metrics()) {
      for (const { labels, value, cells } of this.after.series(metric)) {
        const from = cells === undefined ? 0 : cells.map(() => 0);
        start.add(metric, labels, countsUp(metric) ? from : (cells ?? value), start.at);
      }
    }
    start.collectors.push(...this.after.collectors);
    return new Window(start, this.after, this.uptime);
  }

  /** The metric's latest values. */
  value(metric: Metric): readonly Series[] {
    return this.after.series(metric);
  }

  /** The larger of the two readings of a gauge, where both ends have it, else the one there is. */
  peak(metric: Metric): readonly Series[] {
    if (this.single) return this.after.series(metric);
    const before = this.before.series(metric).map((series) => {
      const later = this.after.get(metric, series.labels);
      return later === undefined || later.value < series.value ? series : later;
    });
    const added = this.after.series(metric).filter(({ labels }) => this.before.get(metric, labels) === undefined);
    return added.length === 0 ? before : [...before, ...added];
  }

  /** The metric's latest values; of a thing, told by the label `of`, that has none at the end, those from before. */
  latest(metric: Metric, of: string): readonly Series[] {
    const after = this.after.series(metric);
    const gone = this.before.series(metric).filter(({ labels }) => this.after.get(metric, labels) === undefined);
    if (gone.length === 0) return after;
    const there = new Set(after.map(({ labels }) => labels[of]));
    return [...after, ...gone.filter(({ labels }) => !there.has(labels[of]))];
  }

  /** Series that have to be there and are not, at either end. */
  lacking(metric: Metric): readonly Missing[] {
    const ends = this.single ? [this.after] : [this.before, this.after];
    return ends.flatMap((end) =>
      end
        .lacking(metric)
        .map(({ labels, reason }) =>
          Object.keys(labels).every((name) => name === 'netns')
            ? { ...missing(metric, reason), labels }
            : missingOne(metric, { labels }, `: ${reason}`),
        ),
    );
  }

  /**
   * What a counter of whole things rose by in the time of the window, at the pace of its two readings: files are read one after
   * the other, and a probe that left before the end was last read then.
   */
  inItsTime({ increase, seconds }: Pick<Increase, 'increase' | 'seconds'>): number {
    if (!(seconds > 0 && Number.isFinite(seconds))) return increase;
    const scaled = Math.round((increase * this.seconds) / seconds);
    // What was counted once is not nothing, however much longer it was counted.
    return scaled === 0 ? Math.sign(increase) : scaled;
  }

  increase(metric: Metric): Increases {
    let known = this.#increases.get(metric.name);
    if (known === undefined) this.#increases.set(metric.name, (known = this.#subtract(metric)));
    return known;
  }

  #subtract(metric: Metric): Increases {
    if (this.single) return { cells: [], missing: [missing(metric, 'one sample only: no rate can be told')] };
    const cells: Increase[] = [];
    const gone: Missing[] = [...noSteps(metric, this.after.series(metric))];
    let stayed = 0;
    for (const after of this.after.series(metric)) {
      const before = this.before.get(metric, after.labels);
      if (before !== undefined) stayed += 1;
      if (after.noStep !== undefined) continue;
      const from = before ?? (metric.sparse ? this.#zeroBefore(metric, after) : undefined);
      if (from === undefined) {
        const unread = unreadAt(this.before, metric, after);
        gone.push(
          unread === undefined
            ? { ...missingOne(metric, after, ' appeared during the window'), transient: true }
            : { metric: metric.name, source: unread.path, reason: unread.reason },
        );
        continue;
      }
      const step = stepOf(metric, from, after);
      if (step === undefined) {
        gone.push(missingOne(metric, after, ` went from ${from.value} back to ${after.value}: reset`));
        continue;
      }
      cells.push({
        labels: after.labels,
        before: from.value,
        after: after.value,
        increase: step,
        // One reading at both ends, as a watch has of what it does not read each time: nothing is known to have moved.
        seconds: after.at - from.at || this.seconds,
      });
    }
    for (const before of stayed < this.before.count(metric) ? this.before.series(metric) : []) {
      if (this.after.get(metric, before.labels) !== undefined) continue;
      const unread = unreadAt(this.after, metric, before);
      gone.push(
        unread === undefined
          ? { ...missingOne(metric, before, ' went away during the window'), transient: true }
          : { metric: metric.name, source: unread.path, reason: unread.reason },
      );
    }
    // Not spread as arguments: of a host with 200,000 devices these are more than a call takes.
    for (const each of this.lacking(metric)) gone.push(each);
    if (cells.length === 0 && gone.length === 0) return { cells, missing: this.whyAbsent(metric) };
    return { cells, missing: gone };
  }

  /** A sparse metric's cell that was zero at the first sample, if the collector did run then. */
  #zeroBefore(metric: Metric, after: Series): CellReading | undefined {
    const netns = netnsOf(after.labels);
    // What is read once for the whole host, and a page, has one report for the series of all namespaces.
    const place = this.after.collector(metric.collector, netns) === undefined ? OWN_NETNS : netns;
    const report = this.before.collector(metric.collector, place);
    if (report === undefined || report.status === 'unavailable') return undefined;
    return { value: 0, at: after.at - this.seconds };
  }

  /** Why a metric is absent from the latest sample: what its collector said. Empty for a sparse metric that was read. */
  whyAbsent(metric: Metric): readonly Missing[] {
    const reports = this.after.reports(metric.collector);
    if (reports.length === 0) return [missing(metric, `collector ${metric.collector} did not run`)];
    const gaps = reports.flatMap(({ netns, gaps: of }) => of.map((gap) => ({ ...gap, netns })));
    const own = gaps.filter((gap) => sameSource(gap, metric));
    const unread = reports.some(({ status }) => status === 'unavailable' || status === 'not-applicable');
    // The collector stumbled over another file than this metric's.
    const elsewhere = own.length === 0 && !unread && isOneFile(metric);
    const told = own.length > 0 ? own : elsewhere ? [] : gaps;
    if (told.length > 0) {
      return told.slice(0, 3).map(({ path, reason, netns }) => ({ metric: metric.name, source: path, reason, netns }));
    }
    return metric.sparse ? [] : [{ ...missing(metric, 'this kernel does not provide it'), absent: true }];
  }
}

/**
 * Why a metric's collector could not read anything in a namespace. That it was not there any more is no such reason: it
 * ended while it was looked for.
 */
export function unreadIn(snapshot: Snapshot, metric: Metric, netns = OWN_NETNS): Gap | undefined {
  const report = snapshot.collector(collectorIn(metric, netns), netns);
  if (report?.status !== 'unavailable') return undefined;
  return report.gaps.find(({ errno }) => netns === OWN_NETNS || (errno !== 'ENOENT' && errno !== 'ESRCH'));
}

/**
 * Why a series is missing at one end, where it is not that the thing itself came or went: nothing of the metric was read
 * there, or the same thing was read there by other metrics of the collector.
 */
function unreadAt(snapshot: Snapshot, metric: Metric, { labels }: Series): Gap | undefined {
  const nothing = snapshot.count(metric) === 0 ? snapshot.unread(metric)[0] : undefined;
  const gap = unreadIn(snapshot, metric, labels['netns']) ?? nothing;
  if (gap !== undefined || Object.keys(labels).every((name) => name === 'netns')) return gap;
  const beside = snapshot.hasBeside(metric, labels);
  return beside ? { path: metric.source, reason: `${describe(labels)} was read, but for this` } : undefined;
}

/** What a source said against subtracting: once, where it says the same of all series. */
function noSteps(metric: Metric, all: readonly Series[]): readonly Missing[] {
  const told = all.flatMap(({ labels, noStep }) => (noStep === undefined ? [] : [{ labels, noStep }]));
  const [first] = told;
  if (first === undefined) return [];
  if (told.length === all.length && told.every(({ noStep }) => noStep === first.noStep)) {
    return [missing(metric, first.noStep)];
  }
  return told.map(({ labels, noStep }) => missingOne(metric, { labels }, `: ${noStep}`));
}

/** Whether a counter that read `from` and then `to` was reset in between. */
export function wasReset(metric: Metric, from: number, to: number): boolean {
  return stepOf(metric, { value: from, at: 0 }, { value: to, at: 0 }) === undefined;
}

function sameSource(gap: Gap, metric: Metric): boolean {
  return metric.source.includes(gap.path) || gap.path.includes(metric.source);
}

/** Whether the metric comes from a file of a fixed name or an answer, which a gap names as it is, or from no file at all. */
function isOneFile({ source }: Metric): boolean {
  return /^(?:\/proc\/[\w./]+|ethtool -\w|\w+)$/.test(source);
}

function missing(metric: Metric, reason: string): Missing {
  return { metric: metric.name, source: metric.source, reason };
}

/** What is missing of one series: its labels, and what became of it. */
function missingOne(metric: Metric, { labels }: Pick<Series, 'labels'>, became: string): Missing {
  return { ...missing(metric, `${describe(labels)}${became}`), labels };
}

type CellReading = Pick<Series, 'value' | 'cells' | 'at'>;

/** The increase from one reading to the next, or undefined when the counter was reset. */
function stepOf(metric: Metric, before: CellReading, after: CellReading): number | undefined {
  if (before.cells !== undefined && after.cells !== undefined) {
    if (before.cells.length !== after.cells.length) return undefined;
    let sum = 0;
    for (const [cpu, cell] of after.cells.entries()) {
      const step = stepOfU32(before.cells[cpu] ?? 0, cell);
      if (step === undefined) return undefined;
      sum += step;
    }
    return sum;
  }
  const step = after.value - before.value;
  if (step >= 0 || !countsUp(metric)) return step;
  if (metric.stepsBack) return 0;
  return metric.width === 'u32' ? stepOfU32(before.value, after.value) : undefined;
}

/**
 * One wrap per window is told from a reset by size: more than half the range in one window is taken for a reset, since
 * 2^31 packets in a window of minutes is beyond what a CPU can do.
 */
function stepOfU32(before: number, after: number): number | undefined {
  const step = after >= before ? after - before : after - before + U32;
  return after >= before || step < U32 / 2 ? step : undefined;
}

function describe(labels: Labels): string {
  const names = Object.keys(labels);
  return names.length === 0 ? 'the counter' : names.map((name) => `${name}="${labels[name]!}"`).join(' ');
}
