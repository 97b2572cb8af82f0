import { factsOf } from '../../collectors/facts.ts';
import {
  bootTime,
  contextSwitches,
  cpuSeconds,
  deviceInfo,
  interruptsTotal,
  pageCollector,
  pageTime,
  receiveMissed,
  udpSocketDrops,
  udpSocketReceiveBuffer,
  unameInfo,
} from '../../metrics/catalogue/index.ts';
import type { Labels, Metric } from '../../metrics/metric.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { metricNamed } from '../../metrics/lookup.ts';
import { labelKey, OWN_NETNS, type CollectorState, type Keep, type Snapshot } from '../../metrics/snapshot.ts';
import { Window } from '../../metrics/window.ts';
import type { PageSample } from './exposition.ts';
import { foreignSnapshot, knownSeries, restartBetween, utc, WITHOUT_LABELS, type ForeignSample } from './foreign.ts';

const PROCESS_START = 'process_start_time_seconds';
const COLLECTOR_SUCCESS = 'node_scrape_collector_success';

const CLOCK = 'node_time_seconds';

/** What an exporter says of itself, besides the metrics that pktcost knows. */
export const ofPages: readonly string[] = [PROCESS_START, COLLECTOR_SUCCESS, CLOCK];

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
  /** What `missing` metrics are said to be, e.g. "not exported". */
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
  const frozen = frozenAt(before, first, after, second);
  const notes = [
    ...(frozen === undefined ? [] : [frozen]),
    ...(restarted === undefined ? [] : [restarted]),
    ...(first.started === second.started || first.started === undefined || second.started === undefined
      ? []
      : [`the exporter was restarted in the window, at ${utc(second.started)}: the kernel's counters went on`]),
  ];
  const earlier = new Map(before.samples.map((sample) => [seriesKey(sample), sample.timestamp]));
  const [nameless, namelessLater] = [namelessOn(before), namelessOn(after)];
  const partly = new Set([...partlyTimed(before), ...partlyTimed(after)]);
  // Whoever describes devices describes all of them.
  const described = new Set(
    after.samples.flatMap(({ name, labels }) => (name === deviceInfo.name ? [deviceOn(labels)] : [])),
  );
  // The buffer is shown of sockets that dropped, and of no others.
  const dropped = new Set(
    before.samples.flatMap(({ name, labels }) => (name === udpSocketReceiveBuffer.name ? [labelKey(labels)] : [])),
  );
  const stands = second.made !== undefined && second.made === first.made ? notAnew(second.made) : undefined;
  const noStep = (sample: PageSample, metric: Metric): string | undefined => {
    if (restarted !== undefined) return restarted;
    if (metric.sparse && nameless.has(metric)) return `the first page has some of it ${WITHOUT_LABELS}`;
    const { timestamp, labels } = sample;
    if (metric.name === cpuSeconds.name && partly.has(labels['cpu'] ?? ''))
      return 'not all modes of this CPU are there';
    if (metric.name === receiveMissed.name && described.size > 0 && !described.has(deviceOn(labels)))
      return 'what kind of device it is is not on the page';
    if (metric.name === udpSocketDrops.name && dropped.has(labelKey(labels)) && !earlier.has(seriesKey(sample)))
      return 'what the socket had dropped before is not on the first page';
    if (timestamp !== undefined && timestamp === earlier.get(seriesKey(sample))) return NO_NEW_SAMPLE;
    return asked.noStep?.(sample, metric);
  };
  // On a page of pktcost metrics alone the window is that of the page, however far the scrapes are apart.
  const own = stands === undefined && first.onlyOwn && second.onlyOwn;
  const snapshot = (page: ExporterPage, facts: PageFacts): Snapshot =>
    // Of a page that stands still nobody knows how old its gauges may get.
    foreignSnapshot(
      frozen !== undefined
        ? []
        : samplesOf(page, facts, stands === undefined, page === after ? noStep : () => undefined),
      {
        takenAt: page.takenAt,
        at: own ? (facts.made ?? page.at) : page.at,
        needed,
        why: (metric) =>
          frozen ?? (stands !== undefined && facts.wroteOf(metric) ? stands : facts.whyNot(metric, absent)),
        statuses: stands === undefined && frozen === undefined ? facts.statuses : new Map(),
        nameless: page === after ? namelessLater : nameless,
        ...(keep === undefined ? {} : { keep }),
      },
    );
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

/** What never stands still on a running host. */
const restless = new Set([cpuSeconds.name, contextSwitches.name, interruptsTotal.name]);

/**
 * Why two scrapes are one and the same: something before the exporter kept a page and showed it twice, or a file of it is no
 * longer written. Samples with times of their own tell for themselves.
 */
function frozenAt(before: ExporterPage, first: PageFacts, after: ExporterPage, second: PageFacts): string | undefined {
  if (first.clock !== undefined && second.clock !== undefined)
    return first.clock === second.clock
      ? `the page was not made anew in the window: it is from ${utc(second.clock)} at both ends (${CLOCK})`
      : undefined;
  const earlier = new Map(before.samples.map((sample) => [seriesKey(sample), sample.value]));
  const same = after.samples.every(
    ({ timestamp, value, ...rest }) => timestamp === undefined && earlier.get(seriesKey(rest)) === value,
  );
  return same && after.samples.some(({ name }) => restless.has(name))
    ? 'both pages are the same to the last number, even the times of the CPUs: the page was not made anew in the window'
    : undefined;
}

/** One page of counters since boot and of levels, such as somebody saved; the two can be told apart by no rate. */
export function windowOfPage(page: ExporterPage, { shown, absent, needed, keep }: PagesAsked): Window {
  const facts = new PageFacts(page);
  const snapshot = foreignSnapshot(
    samplesOf(page, facts, true, () => undefined),
    {
      takenAt: page.takenAt,
      at: page.at,
      needed,
      why: (metric) => facts.whyNot(metric, absent),
      statuses: facts.statuses,
      nameless: namelessOn(page),
      ...(keep === undefined ? {} : { keep }),
    },
  );
  const gaps = [{ path: shown, reason: 'where everything was read' }];
  snapshot.collectors.unshift({ id: 'exporter', netns: OWN_NETNS, status: 'ok', gaps, milliseconds: 0 });
  const uptime = facts.booted === undefined ? undefined : page.at - facts.booted;
  return new Window(snapshot, snapshot, uptime !== undefined && uptime > 0 ? uptime : undefined);
}

/** Unix seconds at which a page was made, by what is on it. */
export function timeOfPage({ samples }: Pick<ExporterPage, 'samples'>): number | undefined {
  return samples.find(({ name }) => name === CLOCK)?.value ?? samples.find(({ name }) => name === pageTime.name)?.value;
}

/** Metrics of which a page has series that do not say what they are of: that one of them was zero there is not known. */
function namelessOn({ samples }: ExporterPage): ReadonlySet<Metric> {
  return new Set(
    samples.flatMap(({ name, labels }) => {
      const metric = metricNamed(name);
      return metric !== undefined && knownSeries(name, labels) === undefined ? [metric] : [];
    }),
  );
}

/** Whatever has the times of a CPU has these, on every kernel since 2.6.11. */
const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'];

/** CPUs of which some times are missing: they add up to all of its time, so that without one no share of it is known. */
function partlyTimed({ samples }: ExporterPage): readonly string[] {
  const modes = new Map<string, Set<string>>();
  for (const { name, labels } of samples) {
    if (name !== cpuSeconds.name) continue;
    const cpu = labels['cpu'] ?? '';
    modes.set(cpu, (modes.get(cpu) ?? new Set()).add(labels['mode'] ?? ''));
  }
  return [...modes].filter(([, seen]) => !CPU_MODES.every((mode) => seen.has(mode))).map(([cpu]) => cpu);
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
    return [{ ...known, value: sample.value * known.per, at, ...(reason === undefined ? {} : { noStep: reason }) }];
  });
}

function notAnew(made: number): string {
  return `pktcost metrics did not make its page anew in the window: it is from ${utc(made)}`;
}

function seriesKey({ name, labels }: Pick<PageSample, 'name' | 'labels'>): string {
  return `${name} ${labelKey(labels)}`;
}

/** What node_exporter calls what a collector here reads. */
function theirName(collector: string): string {
  return factsOf(collector)?.exporterName ?? collector;
}

/** What a page says of itself. */
class PageFacts {
  readonly host: string | undefined;
  readonly booted: number | undefined;
  readonly started: number | undefined;
  /** Unix seconds by the exporter's own clock, where the page has no times of single samples. */
  readonly clock: number | undefined;
  /** When `pktcost metrics` made its part. */
  readonly made: number | undefined;
  readonly statuses: ReadonlyMap<string, CollectorState>;
  readonly #success: ReadonlyMap<string, boolean>;

  constructor({ samples }: ExporterPage) {
    const first = (name: string): PageSample | undefined => samples.find((sample) => sample.name === name);
    this.host = first(unameInfo.name)?.labels['nodename'];
    this.booted = first(bootTime.name)?.value;
    this.started = first(PROCESS_START)?.value;
    const clock = first(CLOCK);
    this.clock = clock?.timestamp === undefined ? clock?.value : undefined;
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
        return this.#success.has(theirName(collector)) ? [] : [[collector, status]];
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
    return name.startsWith('pktcost_') || !this.#success.has(theirName(collector));
  }

  whyNot({ name, collector }: Metric, absent: string): string {
    const theirs = theirName(collector);
    const success = this.#success.get(theirs);
    if (success === false)
      return `${absent}: node_exporter's collector ${theirs} failed there (${COLLECTOR_SUCCESS} is 0)`;
    // On the page of something else than node_exporter there is no such flag.
    if (success === true || this.#success.size === 0) return absent;
    return name.startsWith('node_')
      ? `${absent} (enable --collector.${theirs})`
      : `${absent} (pktcost metrics writes it)`;
  }
}

const knownStatuses = new Set<unknown>(['ok', 'partial', 'unavailable', 'not-applicable'] satisfies CollectorState[]);

function isStatus(text: string | undefined): text is CollectorState {
  return knownStatuses.has(text);
}

function deviceOn({ device = '', netns = OWN_NETNS }: Labels): string {
  return labelKey({ device, netns });
}
