import { settingNames } from '../../collectors/sysctl.ts';
import { metricNamed } from '../../metrics/lookup.ts';
import { exposedAs, type Labels, type Metric } from '../../metrics/metric.ts';
import { labelKey, OWN_NETNS, Snapshot, type CollectorState, type Gap, type Keep } from '../../metrics/snapshot.ts';
import { deviceSpeed, sysctl } from '../../metrics/catalogue/index.ts';

/** A number that somebody else read, of a metric that pktcost knows. */
export interface ForeignSample {
  readonly metric: Metric;
  /** The metric's own labels, and `netns`. */
  readonly labels: Labels;
  readonly value: number;
  /** Seconds, on the one clock of all samples of its source. */
  readonly at: number;
  /** Why no step can be told from the earlier reading. */
  readonly noStep?: string;
}

/** What is known of how the samples came about. */
export interface Provenance {
  readonly takenAt: string;
  readonly at: number;
  /** What is asked for: what is missing of it has a reason in the snapshot. */
  readonly needed: readonly Metric[];
  /** Why a metric is not there, e.g. "not exported". */
  readonly why: (metric: Metric) => string;
  /** What `pktcost metrics` said of its collectors: what one that is ok leaves out where it may is zero. */
  readonly statuses: ReadonlyMap<string, CollectorState>;
  /** Metrics of which there were samples that do not say what they are of. */
  readonly nameless?: ReadonlySet<Metric>;
  readonly keep?: Keep;
}

export const WITHOUT_LABELS = 'without the labels that tell whose it is';

/**
 * A snapshot of samples that were read elsewhere. Each collector gets a report, so that a rule that lacks a metric is told
 * why: absent and zero are told apart by what is on the page only.
 */
export function foreignSnapshot(samples: readonly ForeignSample[], provenance: Provenance): Snapshot {
  const { takenAt, at, keep } = provenance;
  const snapshot = new Snapshot(takenAt, at, keep);
  const gaps = new Map<string, Gap[]>();
  const noted = new Set<string>();
  const note = (metric: Metric, reason: string): void => {
    const key = [metric.collector, metric.source, reason].join('\n');
    if (noted.has(key)) return;
    noted.add(key);
    gaps.set(metric.collector, [...(gaps.get(metric.collector) ?? []), { path: metric.source, reason }]);
  };
  for (const sample of unambiguous(samples, note)) {
    const { metric, labels, value, noStep } = sample;
    // node_exporter's unknown speed; here a series that is not known is not there.
    if (metric.name === deviceSpeed.name && value < 0) continue;
    if (!Number.isFinite(value)) note(metric, `${metric.name} is not a finite number`);
    else snapshot.add(metric, labels, value, sample.at, noStep);
  }
  noteLacking(snapshot, provenance.why);
  // Of what leaves out its zeros, what is not there is not zero then.
  for (const metric of provenance.nameless ?? [])
    if (metric.sparse) note(metric, `some of ${metric.name} is there ${WITHOUT_LABELS}`);
  for (const netns of [OWN_NETNS, ...namespacesOf(samples)]) {
    reportCollectors(snapshot, netns, provenance, netns === OWN_NETNS ? gaps : new Map());
  }
  return snapshot;
}

/** A row of a file gives one number to each of several metrics: where one of them lacks it, it was lost on the way. */
function noteLacking(snapshot: Snapshot, why: (metric: Metric) => string): void {
  const rows = new Map<string, { readonly metrics: Metric[]; readonly labels: Map<string, Labels> }>();
  for (const metric of snapshot.metrics()) {
    if (metric.sparse || metric.labels.length === 0) continue;
    const key = `${metric.source} ${metric.labels.join(',')}`;
    const known = rows.get(key) ?? { metrics: [], labels: new Map<string, Labels>() };
    rows.set(key, known);
    known.metrics.push(metric);
    for (const { labels } of snapshot.series(metric)) known.labels.set(labelKey(labels), labels);
  }
  for (const { metrics, labels } of rows.values()) {
    if (metrics.length < 2) continue;
    for (const metric of metrics) {
      for (const each of labels.values())
        if (snapshot.get(metric, each) === undefined) snapshot.lack(metric, each, why(metric));
    }
  }
}

/** Without the series that differ only in what pktcost takes no notice of: none of them is the one. */
function unambiguous(
  samples: readonly ForeignSample[],
  note: (metric: Metric, reason: string) => void,
): readonly ForeignSample[] {
  const seen = new Map<string, ForeignSample | null>();
  for (const sample of samples) {
    const key = `${sample.metric.name} ${labelKey(sample.labels)}`;
    if (!seen.has(key)) seen.set(key, sample);
    else {
      seen.set(key, null);
      note(sample.metric, `${sample.metric.name} has several series that differ in labels unknown to pktcost only`);
    }
  }
  return [...seen.values()].filter((sample) => sample !== null);
}

function namespacesOf(samples: readonly ForeignSample[]): readonly string[] {
  return [...new Set(samples.map(({ labels }) => labels['netns'] ?? OWN_NETNS))].filter((name) => name !== OWN_NETNS);
}

function reportCollectors(
  snapshot: Snapshot,
  netns: string,
  provenance: Provenance,
  found: ReadonlyMap<string, readonly Gap[]>,
): void {
  const inside = netns === OWN_NETNS ? provenance.needed : provenance.needed.filter(({ perNetns }) => perNetns);
  const present = new Set(
    snapshot
      .metrics()
      .filter((metric) => snapshot.series(metric).some(({ labels }) => (labels['netns'] ?? OWN_NETNS) === netns))
      .map(({ name }) => name),
  );
  const there = snapshot.metrics().filter(({ name }) => present.has(name));
  for (const id of new Set([...inside, ...there].map(({ collector }) => collector))) {
    const status = netns === OWN_NETNS ? provenance.statuses.get(id) : undefined;
    const lacking = inside.filter(({ collector, name, sparse }) => {
      return collector === id && !present.has(name) && (status === undefined || (status === 'ok' && !sparse));
    });
    const reasons = new Map(lacking.map((metric) => [metric.source, provenance.why(metric)]));
    const gaps = [
      ...(found.get(id) ?? []),
      ...[...reasons].map(([path, reason]) => ({ path, reason })),
      ...(status === undefined ? [] : toldBy(status)),
    ];
    const some = there.some(({ collector }) => collector === id);
    const seen = gaps.length === 0 ? 'ok' : some ? 'partial' : 'unavailable';
    snapshot.collectors.push({ id, netns, status: status ?? seen, gaps, milliseconds: 0 });
  }
}

const statusWords = {
  ok: undefined,
  partial: 'pktcost metrics could not read all of it there',
  unavailable: 'pktcost metrics could not read it there',
  'not-applicable': 'pktcost metrics found nothing of the kind there',
} as const satisfies Record<CollectorState, string | undefined>;

function toldBy(status: CollectorState): readonly Gap[] {
  const reason = statusWords[status];
  return reason === undefined ? [] : [{ path: 'pktcost metrics', reason }];
}

/** node_exporter's collector `sysctl` makes a metric of each setting it is told to show, by its name with underscores. */
const settings: ReadonlyMap<string, string> = new Map(
  settingNames.map((name) => [`node_sysctl_${name.replaceAll('.', '_')}`, name]),
);

/** Whether anything is known of a metric of that name. */
export function isKnown(name: string): boolean {
  return settings.has(name) || metricNamed(name) !== undefined;
}

export interface KnownSeries {
  readonly metric: Metric;
  /** How many of the metric's units are one of the sample's: pages show seconds, and those of earlier versions nanoseconds. */
  readonly per: number;
  readonly labels: Labels;
}

/**
 * The metric of a name and, of the labels given, those that are its own; undefined when it is none of ours. Prometheus
 * stores no empty label, and keeps a label that clashes with one of the target under `exported_`.
 */
export function knownSeries(name: string, given: Labels): KnownSeries | undefined {
  const setting = settings.get(name);
  if (setting !== undefined) return { metric: sysctl, per: 1, labels: { name: setting } };
  const metric = metricNamed(name);
  if (metric === undefined) return undefined;
  const labels: Record<string, string> = {};
  for (const label of metric.labels) {
    const value = given[`exported_${label}`] ?? given[label] ?? '';
    if (value === '' && metric.identifiedBy.includes(label)) return undefined;
    labels[label] = value;
  }
  const netns = given['netns'] ?? OWN_NETNS;
  const { per, timeLabel } = name === metric.name ? { per: 1 } : exposedAs(metric);
  if (timeLabel !== undefined) labels[timeLabel] = inNanoseconds(labels[timeLabel] ?? '');
  return { metric, per, labels: metric.perNetns && netns !== OWN_NETNS ? { ...labels, netns } : labels };
}

/** A bound of a histogram as the probe has it, in whole nanoseconds; the endless one stays as it is. */
function inNanoseconds(seconds: string): string {
  const ns = Math.round(Number(seconds) * 1e9);
  return Number.isFinite(ns) ? String(ns) : seconds;
}

/** Seconds that the boot time moves as the clock is disciplined: the kernel derives it from the clock. */
const CLOCK_STEP = 10;

/** A host that was restarted began all its counters anew, whatever they read since. */
export function restartBetween(before: number | undefined, after: number | undefined): string | undefined {
  if (before === undefined || after === undefined || !(after - before > CLOCK_STEP)) return undefined;
  return `the host was restarted in the window, or its clock was set: its boot time went from ${utc(before)} to ${utc(after)}`;
}

/** Unix seconds as a date; as they are, where they are none. */
export function utc(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace('.000Z', 'Z');
}
