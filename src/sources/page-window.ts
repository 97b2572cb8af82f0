import { bootTime, pageCollector, pageTime, unameInfo } from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import { labelKey, OWN_NETNS, type CollectorStatus, type Keep, type Snapshot } from '../metrics/snapshot.ts';
import { Window } from '../metrics/window.ts';
import type { PageSample } from './exposition.ts';
import { foreignSnapshot, knownSeries, restartBetween, utc, type ForeignSample } from './foreign.ts';

const PROCESS_START = 'process_start_time_seconds';
const COLLECTOR_SUCCESS = 'node_scrape_collector_success';

/** What an exporter says of itself, besides the metrics that pktcost knows. */
export const ofPages: readonly string[] = [PROCESS_START, COLLECTOR_SUCCESS];

/** One scrape: everything an exporter said at one time. */
export interface ExporterPage {
  readonly samples: readonly PageSample[];
  readonly takenAt: string;
  /** CLOCK_MONOTONIC seconds in the middle of the scrape: the exporter reads while it answers. */
  readonly at: number;
}

export interface PagesAsked {
  /** Where the pages came from, for the report. */
  readonly shown: string;
  /** What `missing` metrics are said to be, e.g. "not on the page of http://host:9100/metrics". */
  readonly absent: string;
  readonly needed: readonly Metric[];
  readonly keep?: Keep;
  /** Why no step can be told to a sample of the later page, where more was seen than the two pages. */
  readonly noStep?: (sample: PageSample, metric: Metric) => string | undefined;
}

/**
 * Two pages as a window. What only both together show is told: another host behind the address, a restart, a page that
 * was not made anew.
 */
export function windowOfPages(before: ExporterPage, after: ExporterPage, asked: PagesAsked): Result<Window> {
  const { shown, absent, needed, keep } = asked;
  const [first, second] = [new PageFacts(before), new PageFacts(after)];
  const [here, there] = [first.host, second.host];
  if (here !== undefined && there !== undefined && here !== there) {
    return fail(`is two hosts, ${here} and then ${there}: name one of them, not what stands before them`);
  }
  const restarted = restartBetween(first.booted, second.booted);
  const notes = [
    ...(restarted === undefined ? [] : [restarted]),
    ...(first.started === second.started || first.started === undefined || second.started === undefined
      ? []
      : [`the exporter was restarted in the window, at ${utc(second.started)}: the kernel's counters went on`]),
  ];
  const earlier = new Map(before.samples.map((sample) => [keyOf(sample), sample.timestamp]));
  const stands = second.made !== undefined && second.made === first.made ? notAnew(second.made) : undefined;
  const noStep = (sample: PageSample, metric: Metric): string | undefined => {
    if (restarted !== undefined) return restarted;
    const { timestamp } = sample;
    if (timestamp !== undefined && timestamp === earlier.get(keyOf(sample))) return NO_NEW_SAMPLE;
    return asked.noStep?.(sample, metric);
  };
  // On a page of pktcost metrics alone the window is that of the page, however far the scrapes are apart.
  const own = stands === undefined && first.onlyOwn && second.onlyOwn;
  const snapshot = (page: ExporterPage, facts: PageFacts): Snapshot =>
    // Of a page that stands still nobody knows how old its gauges may get.
    foreignSnapshot(samplesOf(page, facts, stands === undefined, page === after ? noStep : () => undefined), {
      takenAt: page.takenAt,
      at: own ? (facts.made ?? page.at) : page.at,
      needed,
      why: (metric) => (stands !== undefined && facts.wroteOf(metric) ? stands : facts.whyNot(metric, absent)),
      statuses: stands === undefined ? facts.statuses : new Map(),
      ...(keep === undefined ? {} : { keep }),
    });
  const [from, to] = [snapshot(before, first), snapshot(after, second)];
  const gaps = notes.map((reason) => ({ path: shown, reason }));
  for (const each of [from, to]) {
    each.collectors.unshift({
      id: 'exporter',
      netns: OWN_NETNS,
      status: gaps.length === 0 ? 'ok' : 'partial',
      gaps: gaps.length === 0 ? [{ path: shown, reason: 'where everything was read' }] : gaps,
      milliseconds: 0,
    });
  }
  return ok(new Window(from, to));
}

const NO_NEW_SAMPLE = 'one sample only in the window: no rate can be told';

function samplesOf(
  page: ExporterPage,
  facts: PageFacts,
  own: boolean,
  noStep: (sample: PageSample, metric: Metric) => string | undefined,
): ForeignSample[] {
  return page.samples.flatMap((sample) => {
    const known = knownSeries(sample.name, sample.labels);
    if (known === undefined || (!own && facts.wroteOf(known.metric))) return [];
    // A page behind the textfile collector was read when it was made, not when it was asked for.
    const made = facts.wroteOf(known.metric) ? facts.made : undefined;
    const at = made ?? (sample.timestamp === undefined ? page.at : sample.timestamp / 1000);
    const reason = noStep(sample, known.metric);
    return [{ ...known, value: sample.value, at, ...(reason === undefined ? {} : { noStep: reason }) }];
  });
}

function notAnew(made: number): string {
  return `pktcost metrics did not make its page anew in the window: it is from ${utc(made)}`;
}

function keyOf({ name, labels }: PageSample): string {
  return `${name} ${labelKey(labels)}`;
}

/** node_exporter's names for what collectors here read. */
const theirNames: Readonly<Record<string, string>> = { numa: 'meminfo_numa', device: 'netclass', host: 'uname' };

/** What a page says of itself. */
class PageFacts {
  readonly host: string | undefined;
  readonly booted: number | undefined;
  readonly started: number | undefined;
  /** When `pktcost metrics` made its part. */
  readonly made: number | undefined;
  readonly statuses: ReadonlyMap<string, CollectorStatus>;
  readonly #success: ReadonlyMap<string, boolean>;

  constructor({ samples }: ExporterPage) {
    const first = (name: string): PageSample | undefined => samples.find((sample) => sample.name === name);
    this.host = first(unameInfo.name)?.labels['nodename'];
    this.booted = first(bootTime.name)?.value;
    this.started = first(PROCESS_START)?.value;
    this.made = first(pageTime.name)?.value;
    this.#success = new Map(
      samples.flatMap(({ name, labels, value }) =>
        name === COLLECTOR_SUCCESS ? [[labels['collector'] ?? '', value !== 0] as const] : [],
      ),
    );
    this.statuses = new Map(
      samples.flatMap(({ name, labels }) => {
        const { collector, status } = labels;
        if (name !== pageCollector.name || collector === undefined || !isStatus(status)) return [];
        // What node_exporter reads itself is not what pktcost read.
        return this.#success.has(theirNames[collector] ?? collector) ? [] : [[collector, status]];
      }),
    );
  }

  /** Whether there is nothing of node_exporter on the page. */
  get onlyOwn(): boolean {
    return this.made !== undefined && this.#success.size === 0;
  }

  /** Whether a metric comes from `pktcost metrics`, through the textfile collector or by itself. */
  wroteOf({ name, collector }: Metric): boolean {
    if (this.made === undefined) return false;
    return name.startsWith('pktcost_') || !this.#success.has(theirNames[collector] ?? collector);
  }

  whyNot({ collector }: Metric, absent: string): string {
    const theirs = theirNames[collector] ?? collector;
    if (this.#success.get(theirs) !== false) return absent;
    return `${absent}: node_exporter's collector ${theirs} failed there (${COLLECTOR_SUCCESS} is 0)`;
  }
}

const knownStatuses = new Set<unknown>(['ok', 'partial', 'unavailable', 'not-applicable'] satisfies CollectorStatus[]);

function isStatus(text: string | undefined): text is CollectorStatus {
  return knownStatuses.has(text);
}
