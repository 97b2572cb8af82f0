import { atOnce, type Steps } from '../base/steps.ts';
import { factsOf } from '../collectors/facts.ts';
import type { LimitsInForce, RunFacts } from '../bundle/manifest.ts';
import type { Report } from '../generated/report.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Keep } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { ledgerMetrics } from '../facts/ledger.ts';
import { costMetrics } from '../report/build/cost.ts';
import { buildReport, type ReportInput } from '../report/build/index.ts';
import { packetSocketMetrics } from '../report/build/packet-sockets.ts';
import { evaluateInSteps, type Overrides } from '../rules/engine.ts';
import { rules } from '../rules/index.ts';
import { limitsOf } from '../rules/rule.ts';
import { addBaseline } from '../sources/baseline.ts';

export interface Judging extends Omit<ReportInput, 'findings' | 'self' | 'overrides' | 'baseline'> {
  readonly window: Window;
  readonly overrides: Overrides;
  readonly baseline?: Baseline | undefined;
  /** Asked for after the rules have run, since they are part of the cost. */
  readonly self: () => ReportInput['self'];
}

/** An earlier report of the same host, and what it was called. */
export interface Baseline {
  readonly name: string;
  readonly report: Report;
}

/** Besides what the rules ask for, the report lists packet sockets, adds up what devices received, and keeps books of losses. */
const judgedMetrics: ReadonlySet<Metric> = new Set([
  ...packetSocketMetrics,
  ...costMetrics,
  ...ledgerMetrics,
  ...rules.flatMap(({ signals }) =>
    Object.values(signals).flatMap((signal) => ('of' in signal ? signal.of.metrics : signal.metrics)),
  ),
]);

/** What another host's page or a server is asked for. A baseline is this run's own. */
export const neededElsewhere: readonly Metric[] = [...judgedMetrics].filter(
  ({ collector }) => collector !== 'baseline',
);

/**
 * Leaves out the series of other namespaces that neither a rule nor the report looks at: some 400 in each, which a
 * thousand namespaces make 200 MB of. pktcost's own namespace keeps them all.
 */
export const judgedOfOthers: Keep = (metric, labels) =>
  labels['netns'] === undefined || judgedMetrics.has(metric) || factsOf(metric.collector)?.fewPerNamespace === true;

/** From two samples to the report: the same for a live host and for a recorded one, so that they cannot disagree. */
export function judgeWindow(judging: Judging): Report {
  return atOnce(judgeInSteps(judging));
}

export function* judgeInSteps({ self, baseline, ...judging }: Judging): Steps<Report> {
  if (baseline !== undefined) addBaseline(judging.window.after, baseline.report);
  const findings = yield* evaluateInSteps(judging.window, rules, judging.overrides);
  return buildReport({
    ...judging,
    findings,
    self: self(),
    ...(baseline === undefined ? {} : { baseline: baseline.name }),
  });
}

/** Judges a window with what the run that measured it knew besides. */
export function judgeRun(
  window: Window,
  run: RunFacts,
  { overrides, baseline, version }: { overrides: Overrides; baseline: Report | null; version: string },
): Report {
  return judgeWindow({
    window,
    overrides,
    version,
    requestedSeconds: run.requestedSeconds,
    cutShort: run.cutShort,
    baseline: baseline === null ? undefined : { name: run.baseline ?? 'baseline.json', report: baseline },
    ...(run.probe === null ? {} : { probe: run.probe }),
    self: () => run.selfCost ?? { cpuSeconds: null, peakMemoryBytes: null },
  });
}

/** Every limit of every rule with what the configuration changed. */
export function limitsInForce(overrides: Overrides): LimitsInForce {
  return Object.fromEntries(rules.map((rule) => [rule.code, limitsOf(rule, overrides)]));
}
