import { bootTime } from '../../metrics/catalogue/index.ts';
import type { Labels } from '../../metrics/metric.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { labelKey } from '../../metrics/snapshot.ts';
import type { PrometheusServer, RangeSeries } from './prometheus.ts';
import { oneOf, selector } from './selector.ts';

/** A host of a fleet, as its server knows it. */
export interface FleetTarget {
  readonly job: string;
  readonly instance: string;
  /** Labels that tell it from another of the same job and instance: cluster, replica. Mostly none. */
  readonly apart: Labels;
  /** How its scrapes went within the window. */
  readonly up: readonly (readonly [number, number])[];
  /** Unix time of the latest sample of the last hour; null when there is none. */
  readonly lastSeen: number | null;
}

export interface FleetWindow {
  /** Unix seconds at which it ends. */
  readonly end: number;
  readonly seconds: number;
  /** Matchers given with `--match`. */
  readonly match: readonly string[];
}

/** What one answer may hold of; more are asked for in several. */
const HOSTS_AT_ONCE = 10;
const NAMES_AT_ONCE = 40;
/** Questions under way at the same time. */
const AT_ONCE = 2;
const MOST_HOSTS = 5000;
/** How long a host that is gone is remembered. */
const LOOKBACK = '1h';

/**
 * The hosts there are: what had a boot time within the last hour, and whatever else the server scrapes for the same jobs.
 * A host that answers no more is among them.
 */
export async function findTargets(
  server: PrometheusServer,
  window: FleetWindow,
): Promise<Result<readonly FleetTarget[]>> {
  const { end, match } = window;
  const up = await server.range(`up${selector(...match)}${rangeOf(window)}`, end);
  if (!up.ok) return up;
  // The steps of a subquery are whole minutes: what is newer is seen by the instant query, or, when it has gone since, in
  // the window itself, without a time.
  const booted = `${bootTime.name}${selector(...match)}`;
  const seen = await server.vector(
    [
      `timestamp(${booted})`,
      `max_over_time(timestamp(${booted})[${LOOKBACK}:1m])`,
      `last_over_time(${booted}${rangeOf(window)}) * 0`,
    ].join(' or '),
    end,
  );
  if (!seen.ok) return seen;
  const jobs = new Set(seen.value.map(({ labels }) => labels['job'] ?? ''));
  // With nobody left alive, what was asked for by name is still a fleet.
  const scraped = up.value.filter(
    ({ labels }) => (jobs.size === 0 && match.length > 0) || jobs.has(labels['job'] ?? ''),
  );
  const apart = labelsApart(scraped);
  const targets = new Map<string, FleetTarget>();
  const targetOf = (labels: Labels): FleetTarget => targets.get(targetKey(labels, apart)) ?? newTarget(labels, apart);
  for (const { labels, samples } of scraped) {
    const target = targetOf(labels);
    const all = [...target.up, ...samples].sort(([a], [b]) => a - b);
    targets.set(targetKey(labels, apart), { ...target, up: all });
  }
  for (const { labels, samples } of seen.value) {
    const target = targetOf(labels);
    const latest = Math.max(samples[0]?.[1] ?? 0, target.lastSeen ?? 0);
    targets.set(targetKey(labels, apart), { ...target, lastSeen: latest > 0 ? latest : null });
  }
  if (targets.size === 0)
    return fail(
      `has no host: no ${bootTime.name} within ${LOOKBACK}${match.length > 0 ? ' that --match selects' : ''}`,
    );
  if (targets.size > MOST_HOSTS)
    return fail(`has ${targets.size} hosts, more than ${MOST_HOSTS}: choose some with --match`);
  return ok([...targets.values()]);
}

function newTarget(labels: Labels, apart: readonly string[]): FleetTarget {
  return {
    job: labels['job'] ?? '',
    instance: labels['instance'] ?? '',
    apart: Object.fromEntries(apart.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]]))),
    up: [],
    lastSeen: null,
  };
}

/**
 * The labels in which targets of one job and instance differ that were scraped at the same time: of two clusters, or by two
 * replicas. One that came after the other, as with a new pod, is the same host.
 */
function labelsApart(scraped: readonly RangeSeries[]): readonly string[] {
  const apart = new Set<string>();
  const latest = new Map<string, RangeSeries>();
  const began = ({ samples }: RangeSeries): number => samples[0]?.[0] ?? 0;
  const ended = ({ samples }: RangeSeries): number => samples.at(-1)?.[0] ?? 0;
  for (const series of [...scraped].sort((a, b) => began(a) - began(b))) {
    const key = targetKey(series.labels, []);
    const other = latest.get(key);
    if (other === undefined || ended(series) > ended(other)) latest.set(key, series);
    if (other === undefined || began(series) > ended(other)) continue;
    for (const name of new Set([...Object.keys(series.labels), ...Object.keys(other.labels)])) {
      if (series.labels[name] !== other.labels[name]) apart.add(name);
    }
  }
  return [...apart].sort();
}

function targetKey(labels: Labels, apart: readonly string[]): string {
  return JSON.stringify(['job', 'instance', ...apart].map((name) => labels[name] ?? ''));
}

/** Prometheus 3 leaves out a sample exactly at the beginning: a millisecond more has it in every version. */
function rangeOf({ seconds }: FleetWindow): string {
  return `[${Math.round(seconds * 1000) + 1}ms]`;
}

/** All samples of a host within the window, or why the server gave none. */
export type Gathered = (target: FleetTarget, series: Result<readonly RangeSeries[]>) => void;

/**
 * Asks for the named metrics of all hosts, some hosts at a time, and hands each over as soon as it is complete: no more
 * than a few hosts are in memory. What is too much for one answer is asked for in halves.
 *
 * Raw range vectors, and not two instant queries: they say when each sample was scraped, show a reset between the ends,
 * and need half the questions; on the wire the labels outweigh the samples.
 */
export async function gather(
  server: PrometheusServer,
  window: FleetWindow,
  targets: readonly FleetTarget[],
  names: readonly string[],
  gathered: Gathered,
): Promise<void> {
  const queue = chunks(targets);
  const worker = async (): Promise<void> => {
    for (let chunk = queue.shift(); chunk !== undefined; chunk = queue.shift()) {
      const answer = await askChunk(server, window, chunk, names);
      if (answer.ok) {
        for (const target of chunk) gathered(target, ok(answer.value.get(target) ?? []));
      } else if (answer.tooMuch && chunk.length > 1) {
        const half = Math.ceil(chunk.length / 2);
        queue.unshift(chunk.slice(0, half), chunk.slice(half));
      } else for (const target of chunk) gathered(target, answer);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Hosts of one job at a time, those that one answer may hold. */
function chunks(targets: readonly FleetTarget[]): FleetTarget[][] {
  const byJob = new Map<string, FleetTarget[]>();
  for (const target of targets) {
    const same = byJob.get(target.job);
    if (same === undefined) byJob.set(target.job, [target]);
    else same.push(target);
  }
  return [...byJob.values()].flatMap((same) =>
    Array.from({ length: Math.ceil(same.length / HOSTS_AT_ONCE) }, (_, index) =>
      same.slice(index * HOSTS_AT_ONCE, (index + 1) * HOSTS_AT_ONCE),
    ),
  );
}

type Chunk =
  | { readonly ok: true; readonly value: ReadonlyMap<FleetTarget, readonly RangeSeries[]> }
  | { readonly ok: false; readonly reason: string; readonly tooMuch: boolean };

async function askChunk(
  server: PrometheusServer,
  window: FleetWindow,
  chunk: readonly FleetTarget[],
  names: readonly string[],
): Promise<Chunk> {
  const instances = [...new Set(chunk.map(({ instance }) => instance))];
  const apart = [...new Set(chunk.flatMap((target) => Object.keys(target.apart)))];
  const found = new Map<FleetTarget, RangeSeries[]>(chunk.map((target) => [target, []]));
  const byKey = new Map(chunk.map((target) => [keyOfTarget(target, apart), target]));
  for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
    const wanted = names.slice(from, from + NAMES_AT_ONCE);
    const query = selector(
      oneOf('__name__', wanted),
      `job=${JSON.stringify(chunk[0]?.job ?? '')}`,
      oneOf('instance', instances),
      ...window.match,
    );
    const answer = await server.range(`${query}${rangeOf(window)}`, window.end);
    if (!answer.ok) return { ...answer, tooMuch: answer.tooMuch === true };
    for (const series of answer.value) {
      const target = byKey.get(targetKey(series.labels, apart));
      if (target !== undefined && series.samples.length > 0) found.get(target)!.push(series);
    }
  }
  return { ok: true, value: found };
}

function keyOfTarget({ job, instance, apart: own }: FleetTarget, apart: readonly string[]): string {
  return targetKey({ ...own, job, instance }, apart);
}

/** How a host is called: by its instance, and by more where that is not enough. */
export function nameOf({ instance, apart }: Pick<FleetTarget, 'instance' | 'apart'>): string {
  const more = labelKey(apart);
  return more === '' ? instance : `${instance} (${more})`;
}
