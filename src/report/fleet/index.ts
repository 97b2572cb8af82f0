import { byText } from '../../base/order.ts';
import type { Fleet, FleetHost, FleetRule } from '../../generated/fleet.ts';
import type { Impact, Report, ReportFinding, Verdict } from '../../generated/report.ts';
import { isoTime } from '../build/circumstances.ts';
import { doubt, worstFirst } from '../ranks.ts';
import { fired } from '../words/findings.ts';

/** Minor versions add fields, a major version changes or removes them. */
const FLEET_VERSION = '1.0';

export type HostState = FleetHost['state'];

/** What is known of one host when the fleet is ranked. */
export interface JudgedHost {
  readonly job: string;
  readonly instance: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: HostState;
  /** Why it is not up, or was not judged. */
  readonly reason: string | null;
  /** Unix seconds. */
  readonly lastSample: number | null;
  /** Null where there was nothing to judge. */
  readonly report: Report | null;
}

/** A host as it is listed, and what each rule came to: of a report of some hundred kB what a fleet keeps. */
export interface FleetEntry {
  readonly host: FleetHost;
  readonly rules: readonly FleetOutcome[];
  readonly thresholds: Report['thresholds'];
}

type FleetOutcome = Pick<ReportFinding, 'code' | 'rule' | 'title' | 'outcome'>;

export interface FleetInput {
  readonly tool: Report['tool'];
  readonly server: Fleet['server'];
  readonly entries: readonly FleetEntry[];
  readonly warnings: readonly string[];
  /** Most hosts listed. */
  readonly top: number;
}

/** The fleet as one structure, hosts in order: critical, warning, gone, not fully measured, ok; in each the costliest first. */
export function buildFleet({ tool, server, entries, warnings, top }: FleetInput): Fleet {
  const ranked = entries.map(({ host }) => host).sort(byRank);
  const counts = countsOf(ranked);
  return {
    fleetVersion: FLEET_VERSION,
    tool,
    server,
    headline: headlineOf(ranked, counts),
    counts,
    rules: rulesOf(entries),
    hosts: ranked.slice(0, top).map((host, index) => ({ ...host, rank: index + 1 })),
    omitted: Math.max(0, ranked.length - top),
    warnings: [...warnings],
    thresholds: [...(entries.find(({ thresholds }) => thresholds.length > 0)?.thresholds ?? [])],
  };
}

/** What a fleet keeps of a host. */
export function fleetEntry(judged: JudgedHost): FleetEntry {
  return {
    host: hostOf(judged),
    rules: worstOfEach(judged.report?.findings ?? []),
    thresholds: judged.report?.thresholds ?? [],
  };
}

function hostOf({ job, instance, labels, state, reason, lastSample, report }: JudgedHost): FleetHost {
  const findings = report?.findings ?? [];
  const found = findings.filter(fired);
  const rules = (outcome: ReportFinding['outcome']): number =>
    new Set(findings.filter((finding) => finding.outcome === outcome).map(({ code }) => code)).size;
  return {
    rank: 0,
    job,
    instance,
    labels,
    hostname: report?.host.hostname ?? null,
    kernel: report?.host.kernel ?? null,
    cpus: report?.host.cpus ?? null,
    state,
    reason,
    lastSampleAt: lastSample === null ? null : isoTime(lastSample),
    seconds: report?.window.seconds ?? null,
    verdict: verdictOf(report, state, reason),
    impact: {
      cpuShare: cpuShareOf(found),
      ...lossesOf(findings.filter((finding) => fired(finding) || finding.outcome === 'info')),
    },
    checks: {
      critical: rules('critical'),
      warning: rules('warning'),
      info: rules('info'),
      ok: rules('ok'),
      notMeasured: rules('not-measured'),
      notApplicable: rules('not-applicable'),
    },
    findings: found,
    notMeasured: report?.notMeasured ?? [],
  };
}

/** A host that is not up is never all right, and what was found before it went stands. */
function verdictOf(report: Report | null, state: HostState, reason: string | null): Verdict {
  if (report !== null && (state === 'up' || report.findings.some(fired))) return report.verdict;
  return {
    outcome: 'not-measured',
    headline: `Not judged: ${reason ?? 'no reason given'}.`,
    answer: null,
    principal: null,
    certainty: null,
    causes: [],
  };
}

/**
 * What the findings cost together. Those of one rule are of different CPUs, devices or ways; rules look at the same time from several
 * sides, as what taps take is within the softirq of their CPUs, and of these the largest has it all.
 */
function cpuShareOf(findings: readonly ReportFinding[]): number | null {
  const byRule = new Map<string, number>();
  for (const { code, impact } of findings)
    if (impact.cpuShare !== null) byRule.set(code, (byRule.get(code) ?? 0) + impact.cpuShare);
  return byRule.size === 0 ? null : Math.min(1, Math.max(...byRule.values()));
}

/** All that is lost as one figure, to rank by, and each kind of it, to be told. */
function lossesOf(findings: readonly ReportFinding[]): Pick<Impact, 'lostPerSecond' | 'lost'> {
  const rates = new Map<string, number>();
  for (const { things, perSecond } of findings.flatMap(({ impact }) => impact.lost ?? []))
    rates.set(things, (rates.get(things) ?? 0) + perSecond);
  const lost = [...rates].map(([things, perSecond]) => ({ things, perSecond }));
  return {
    lostPerSecond: sumOf(findings.map(({ impact }) => impact.lostPerSecond)),
    ...(lost.length === 0 ? {} : { lost: lost.sort((a, b) => b.perSecond - a.perSecond) }),
  };
}

function sumOf(amounts: readonly (number | null)[]): number | null {
  const known = amounts.filter((amount) => amount !== null);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0);
}

const groups = ['critical', 'warning', 'gone', 'not-measured', 'ok'] as const;

/** What a host counts as: a host that is not up and had nothing found is gone. */
function groupOf({ verdict, state }: FleetHost): (typeof groups)[number] {
  if (verdict.outcome === 'critical' || verdict.outcome === 'warning') return verdict.outcome;
  return state !== 'up' ? 'gone' : verdict.outcome === 'ok' ? 'ok' : 'not-measured';
}

/** Losses come before CPU time: they are what users notice. */
function byRank(a: FleetHost, b: FleetHost): number {
  return (
    groups.indexOf(groupOf(a)) - groups.indexOf(groupOf(b)) ||
    doubt(a.verdict) - doubt(b.verdict) ||
    (b.impact.lostPerSecond ?? 0) - (a.impact.lostPerSecond ?? 0) ||
    (b.impact.cpuShare ?? 0) - (a.impact.cpuShare ?? 0) ||
    byText(hostKey(a), hostKey(b))
  );
}

function hostKey({ instance, job, labels }: FleetHost): string {
  return `${instance}\u0000${job}\u0000${JSON.stringify(labels)}`;
}

function countsOf(hosts: readonly FleetHost[]): Fleet['counts'] {
  const count = (group: (typeof groups)[number]): number => hosts.filter((host) => groupOf(host) === group).length;
  return {
    hosts: hosts.length,
    critical: count('critical'),
    warning: count('warning'),
    gone: count('gone'),
    notMeasured: count('not-measured'),
    ok: count('ok'),
  };
}

function headlineOf(hosts: readonly FleetHost[], counts: Fleet['counts']): string {
  const parts = [
    ...(counts.critical === 0 ? [] : [`${counts.critical} critical`]),
    ...(counts.warning === 0 ? [] : [`${counts.warning} with a warning`]),
    ...(counts.gone === 0 ? [] : [`${counts.gone} down, gone or without an answer`]),
    ...(counts.notMeasured === 0 ? [] : [`${counts.notMeasured} with nothing found by the checks that could be made`]),
    ...(counts.ok === 0 ? [] : [`${counts.ok} ok`]),
  ];
  const [worst] = hosts;
  const first =
    worst !== undefined && counts.critical + counts.warning > 0
      ? ` Worst: ${worst.instance}: ${worst.verdict.headline}`
      : '';
  return `${counts.hosts} host${counts.hosts === 1 ? '' : 's'}: ${parts.join(', ')}.${first}`;
}

function worstOfEach(findings: readonly ReportFinding[]): readonly FleetOutcome[] {
  const worst = new Map<string, FleetOutcome>();
  for (const { code, rule, title, outcome } of findings) {
    const other = worst.get(code);
    if (other === undefined || worstFirst[outcome] < worstFirst[other.outcome])
      worst.set(code, { code, rule, title, outcome });
  }
  return [...worst.values()];
}

/** Each rule that fired or could not be judged somewhere, and on how many hosts; in the order of their codes. */
function rulesOf(entries: readonly FleetEntry[]): FleetRule[] {
  const rules = new Map<string, FleetRule>();
  for (const { code, rule, title, outcome } of entries.flatMap((entry) => entry.rules)) {
    const known = rules.get(code) ?? { code, rule, title, critical: 0, warning: 0, notMeasured: 0 };
    rules.set(code, {
      ...known,
      critical: known.critical + (outcome === 'critical' ? 1 : 0),
      warning: known.warning + (outcome === 'warning' ? 1 : 0),
      notMeasured: known.notMeasured + (outcome === 'not-measured' ? 1 : 0),
    });
  }
  return [...rules.values()]
    .filter(({ critical, warning, notMeasured }) => critical + warning + notMeasured > 0)
    .sort((a, b) => byText(a.code, b.code));
}
