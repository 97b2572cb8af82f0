import { ledgerOf } from '../../facts/ledger.ts';
import type {
  ChangedThreshold,
  Impact,
  Ledger,
  NotMeasured,
  Probe,
  Report,
  ReportFinding,
  SelfCost,
} from '../../generated/report.ts';
import { shortCpus } from '../../facts/short-cpus.ts';
import type { Window } from '../../metrics/window.ts';
import { shortLimits } from '../../rules/short-limits.ts';
import { priceLimits } from '../../rules/tap-cost-limits.ts';
import type { Overrides } from '../../rules/engine.ts';
import type { Finding } from '../../rules/finding.ts';
import { rules } from '../../rules/index.ts';
import type { Thresholds } from '../../rules/rule.ts';
import { thingsLost } from '../words/findings.ts';
import { say } from '../words/say.ts';
import { reportCost } from './cost.ts';
import { collectorStatuses, hostFacts, windowFacts } from './circumstances.ts';
import { LISTED_IN_A_REPORT } from './listed-devices.ts';
import { packetSockets } from './packet-sockets.ts';
import { reportProfile, withProfile } from './profile.ts';
import { judge } from './verdict.ts';

/** Minor versions add fields, a major version changes or removes them. */
const SCHEMA_VERSION = '1.1';

export interface ReportInput {
  readonly window: Window;
  readonly findings: readonly Finding[];
  readonly version: string;
  readonly requestedSeconds: number;
  readonly cutShort: boolean;
  /** What the probe says of itself; undefined where there is none. */
  readonly probe?: Probe;
  /** What the run itself cost; the probe's part is there when the probe was. */
  readonly self: Pick<SelfCost, 'cpuSeconds' | 'peakMemoryBytes'> & Partial<SelfCost>;
  readonly overrides?: Overrides;
  /** Name of the report given with --baseline. */
  readonly baseline?: string;
}

/** Everything known at the end of a run, as the one structure all renderers print. Pure: it reads no clock and no host. */
export function buildReport(input: ReportInput): Report {
  const { window } = input;
  const probe = input.probe ?? { status: 'not-measured', tier: 'none', reason: 'probe not built in', plan: [] };
  const limits = priceLimits(input.overrides);
  const ledger = ledgerFor(window);
  const { findings, verdict } = judge(
    input.findings.map(reportFinding),
    window.seconds,
    shortCpus(window, shortLimits(input.overrides)),
    ledger.rows,
  );
  const taps = packetSockets(window, limits);
  return {
    schemaVersion: SCHEMA_VERSION,
    tool: { name: 'pktcost', version: input.version },
    host: hostFacts(window),
    window: windowFacts(window, input.requestedSeconds, input.cutShort),
    verdict,
    findings,
    taps: taps.slice(0, LISTED_IN_A_REPORT),
    ...(taps.length > LISTED_IN_A_REPORT && { tapsLeftOut: taps.length - LISTED_IN_A_REPORT }),
    cost: withProfile(window, reportCost(window, probe, limits)),
    profile: reportProfile(window),
    probe,
    selfCost: selfCost(input.self),
    notMeasured: notMeasured(findings),
    collectors: collectorStatuses(window),
    thresholds: changedThresholds(input.overrides ?? {}),
    baseline: input.baseline ?? null,
    ledger,
  };
}

function ledgerFor(window: Window): Ledger {
  const ledger = ledgerOf(window);
  const others = ledger.rows.slice(LISTED_IN_A_REPORT);
  const { books, ...told } = ledger;
  return {
    ...told,
    rows: ledger.rows.slice(0, LISTED_IN_A_REPORT),
    ...(others.length > 0 && {
      rowsLeftOut: others.length,
      packetsLeftOut: others.reduce((sum, { packets }) => sum + packets, 0),
    }),
    books: books.map((book) => ({ ...book, devices: [...book.devices] })),
  };
}

function selfCost(known: ReportInput['self']): SelfCost {
  return {
    cpuSeconds: known.cpuSeconds,
    peakMemoryBytes: known.peakMemoryBytes,
    nsPerPacket: known.nsPerPacket ?? null,
    cpuShare: known.cpuShare ?? null,
    profileCpuShare: known.profileCpuShare ?? null,
    dropsCpuShare: known.dropsCpuShare ?? null,
    runs: known.runs ?? null,
    budget: known.budget ?? null,
    actions: known.actions ?? [],
  };
}

function reportFinding(finding: Finding): ReportFinding {
  const { place } = finding;
  return {
    code: finding.code,
    rule: finding.rule,
    role: finding.role,
    outcome: finding.outcome,
    certainty: finding.certainty,
    title: finding.title,
    summary: summaryOf(finding),
    message: finding.message === '' ? null : finding.message,
    args: plainArguments(finding),
    data: argumentData(finding),
    at: finding.at,
    instances: finding.instances,
    place: {
      netns: place.netns ?? null,
      device: place.device ?? null,
      cpus: [...(place.cpus ?? [])],
      pids: [...(place.pids ?? [])],
    },
    impact: impactOf(finding),
    evidence: finding.evidence.map((line) => ({
      signal: line.signal,
      metric: line.metric,
      over: [...line.over],
      labels: line.labels,
      before: line.before,
      after: line.after,
      value: line.value,
      unit: line.unit,
      threshold: line.threshold,
      comparison: line.comparison,
      source: line.source,
      promql: line.promql,
    })),
    remedies: finding.remedies.map(({ action, command, verify, undo, lasts }) => ({
      action,
      command: command ?? null,
      verify: verify ?? null,
      undo: undo ?? null,
      lasts: lasts ?? null,
    })),
    missing: finding.missing.map(({ metric, source, reason }) => ({ metric, source, reason })),
    docs: `docs/rules/${finding.code}.md`,
  };
}

function impactOf(finding: Finding): Impact {
  const { cpuShare = null, lostPerSecond = null } = finding.impact;
  const things = thingsLost(finding.code, plainArguments(finding));
  const lost = lostPerSecond === null || lostPerSecond === 0 ? {} : { lost: [{ things, perSecond: lostPerSecond }] };
  return { cpuShare, lostPerSecond, ...lost };
}

/** Arguments as text and numbers, which is all that they were at first. */
function plainArguments({ args }: Finding): ReportFinding['args'] {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === 'object' ? value.words : value]),
  );
}

/** What the arguments that are words were made from. */
function argumentData({ args }: Finding): NonNullable<ReportFinding['data']> {
  return Object.fromEntries(
    Object.entries(args).flatMap(([name, value]) => (typeof value === 'object' ? [[name, value.data]] : [])),
  );
}

function summaryOf(finding: Finding): string {
  if (finding.words !== '') {
    try {
      return say(finding.words, finding.args);
    } catch (error) {
      // The finding stands even if its words are wrong: the report must come, and must say so.
      return `${finding.title} (bug in the words of ${finding.code}: ${error instanceof Error ? error.message : String(error)})`;
    }
  }
  if (finding.outcome === 'not-measured') {
    const reasons = [
      ...new Set(finding.missing.map(({ reason, source }) => (source === '' ? reason : `${source}: ${reason}`))),
    ];
    return `Not measured: ${reasons.length === 0 ? 'no reason given' : reasons.join('; ')}`;
  }
  return finding.outcome === 'ok' ? 'Measured, and nothing of the kind was seen.' : finding.title;
}

function notMeasured(findings: readonly ReportFinding[]): NotMeasured[] {
  const byReason = new Map<string, { sources: Set<string>; rules: Set<string>; metrics: Set<string> }>();
  for (const { code, missing } of findings) {
    for (const { reason, source, metric } of missing) {
      const group = byReason.get(reason) ?? { sources: new Set(), rules: new Set(), metrics: new Set() };
      byReason.set(reason, group);
      if (source !== '') group.sources.add(source);
      group.rules.add(code);
      group.metrics.add(metric);
    }
  }
  return [...byReason].map(([reason, { sources, rules, metrics }]) => ({
    reason,
    sources: [...sources],
    rules: [...rules],
    metrics: [...metrics],
  }));
}

function changedThresholds(overrides: Overrides): ChangedThreshold[] {
  const defaults: Readonly<Record<string, Thresholds>> = Object.fromEntries(
    rules.map(({ code, thresholds }) => [code, thresholds]),
  );
  return Object.entries(overrides).flatMap(([code, changed]) =>
    Object.entries(changed).map(([name, value]) => ({
      code,
      name,
      value,
      default: defaults[code]?.[name]?.value ?? null,
      unit: defaults[code]?.[name]?.unit ?? null,
    })),
  );
}
