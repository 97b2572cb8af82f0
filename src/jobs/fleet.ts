import { fail, ok, type Result } from '../base/result.ts';
import { UsageError } from '../base/usage.ts';
import type { Fleet } from '../generated/fleet.ts';
import { bootTime, pageCollector, pageTime, unameInfo } from '../metrics/catalogue/index.ts';
import { exposedAs } from '../metrics/metric.ts';
import { buildFleet, fleetEntry, type FleetEntry, type HostState, type JudgedHost } from '../report/fleet/index.ts';
import type { Overrides } from '../rules/engine.ts';
import { parseEndpoint, type Endpoint } from '../sources/pages/endpoint.ts';
import { findTargets, gather, nameOf, type FleetTarget, type FleetWindow } from '../sources/pages/fleet.ts';
import { utc } from '../sources/pages/foreign.ts';
import { scrapeInterval, windowOfSamples } from '../sources/pages/host-window.ts';
import { ofPages } from '../sources/pages/page-window.ts';
import { PrometheusServer, type RangeSeries } from '../sources/pages/prometheus.ts';
import { parseMatch } from '../sources/pages/selector.ts';
import { judgeWindow, neededElsewhere } from './judge.ts';

export interface FleetOptions {
  readonly url: string;
  readonly seconds: number;
  /** Unix seconds at which the window ends; the server's now, if not given. */
  readonly at: number | undefined;
  readonly match: string | undefined;
  readonly token: string | undefined;
  readonly tenant: string | undefined;
  /** For all questions together. */
  readonly timeoutSeconds: number;
  /** Ends the questions; what was answered until then is judged. */
  readonly stop: AbortSignal;
  readonly top: number;
  readonly overrides: Overrides;
  readonly version: string;
}

/** What the rules need, who the host is, and what exporters say of themselves. */
const names: readonly string[] = [
  ...new Set([
    ...[bootTime, unameInfo, pageTime, pageCollector, ...neededElsewhere].flatMap((metric) => [
      exposedAs(metric).name,
      metric.name,
    ]),
    ...ofPages,
  ]),
].sort();

/**
 * Every host of a Prometheus-compatible server, judged by the rules of `diagnose`.
 * @throws UsageError when the server cannot be asked, has no hosts, or answered for none
 */
export async function judgeFleet(options: FleetOptions): Promise<Fleet> {
  const endpoint = serverEndpoint(options);
  const refuse = (reason: string): UsageError => new UsageError(`--prometheus ${endpoint.shown}: ${reason}`);
  const match = parseMatch(options.match ?? '');
  if (!match.ok) throw new UsageError(`--match: ${match.reason}`);
  const server = new PrometheusServer({
    endpoint,
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    stop: AbortSignal.any([options.stop, AbortSignal.timeout(options.timeoutSeconds * 1000)]),
  });
  const end = options.at === undefined ? await server.now() : ok(options.at);
  if (!end.ok) throw refuse(end.reason);
  const window: FleetWindow = { end: end.value, seconds: options.seconds, match: match.value };
  const targets = await findTargets(server, window);
  if (!targets.ok) throw refuse(targets.reason);
  const entries: FleetEntry[] = [];
  await gather(server, window, targets.value, names, (target, series) => {
    entries.push(fleetEntry(judgeHost(target, series, window, endpoint, options)));
  });
  if (entries.every(({ host }) => host.state === 'unanswered')) {
    throw refuse(entries[0]?.host.reason ?? 'answers for no host');
  }
  return buildFleet({
    tool: { name: 'pktcost', version: options.version },
    server: {
      url: endpoint.shown,
      match: match.value.length === 0 ? null : `{${match.value.join(',')}}`,
      startedAt: utc(window.end - window.seconds),
      endedAt: utc(window.end),
      windowSeconds: window.seconds,
    },
    entries,
    warnings: server.warnings,
    top: options.top,
  });
}

function serverEndpoint({ url, token }: FleetOptions): Endpoint {
  const endpoint = parseEndpoint('--prometheus', url);
  if (endpoint.url.search !== '') throw new UsageError(`--prometheus ${endpoint.shown}: give it without a query`);
  if (token !== undefined && endpoint.authorization !== undefined) {
    throw new UsageError('--token-file and a user name in the URL of --prometheus: give one of them');
  }
  return endpoint;
}

function judgeHost(
  target: FleetTarget,
  series: Result<readonly RangeSeries[]>,
  window: FleetWindow,
  endpoint: Endpoint,
  { version, overrides }: FleetOptions,
): JudgedHost {
  const { job, instance, apart, up, lastSeen } = target;
  const latest = series.ok ? series.value.reduce((most, { samples }) => Math.max(most, samples.at(-1)![0]), 0) : 0;
  const lastSample = latest > 0 ? latest : lastSeen;
  const of = { job, instance, labels: apart, lastSample };
  if (!series.ok) return { ...of, state: 'unanswered', reason: `the server ${series.reason}`, report: null };
  const interval = scrapeInterval(up) ?? scrapeInterval(longest(series.value)) ?? 0;
  const { state, reason } = stateOf(target, latest, interval, window);
  if (series.value.length === 0) return { ...of, state, reason, report: null };
  const measured = windowOfSamples({
    series: series.value,
    seconds: window.seconds,
    interval,
    shown: `${nameOf(target)} on ${endpoint.shown}`,
    needed: neededElsewhere,
  });
  if (!measured.ok) return { ...of, state: 'unanswered', reason: `it ${measured.reason}`, report: null };
  const report = judgeWindow({
    window: measured.value,
    requestedSeconds: window.seconds,
    cutShort: false,
    version,
    overrides,
    probe: { status: 'off', tier: 'none', reason: `samples of ${endpoint.shown}`, plan: [] },
    self: () => ({ cpuSeconds: null, peakMemoryBytes: null }),
  });
  return { ...of, state, reason, report };
}

function longest(series: readonly RangeSeries[]): RangeSeries['samples'] {
  return series.reduce<RangeSeries['samples']>(
    (most, { samples }) => (samples.length > most.length ? samples : most),
    [],
  );
}

/** Scrapes that may fail to come before a host counts as stale: those on their way to a remote store, and one lost. */
const LATE_SCRAPES = 3;
const LATE_SECONDS = 60;

function stateOf(
  { up, lastSeen }: FleetTarget,
  latest: number,
  interval: number,
  { end }: FleetWindow,
): { readonly state: HostState; readonly reason: string | null } {
  const told = up.at(-1);
  const since = lastSeen === null ? 'none within the last hour' : `the latest is of ${utc(lastSeen)}`;
  if (told?.[1] === 0) {
    const reason = latest === 0 ? `; no samples in the window, ${since}` : `; its latest samples are of ${utc(latest)}`;
    return { state: 'down', reason: `its latest scrape failed (up is 0 at ${utc(told[0])})${reason}` };
  }
  if (latest === 0) return { state: 'gone', reason: `no samples in the window; ${since}` };
  const late = end - latest;
  if (late <= Math.max(LATE_SCRAPES * interval, LATE_SECONDS)) return { state: 'up', reason: null };
  return {
    state: 'stale',
    reason: `its latest samples are of ${utc(latest)}, ${Math.round(late)} s before the end of the window`,
  };
}

/** The bearer token in a file: its first line. */
export function tokenIn(content: string): Result<string> {
  const token = content.split('\n')[0]!.trim();
  if (token === '') return fail('is empty: its first line is to be the token');
  return /^[\x21-\x7e]+$/.test(token) ? ok(token) : fail('its first line has characters that no token has');
}
