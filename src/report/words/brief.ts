import type { Remedy, Report, ReportFinding } from '../../generated/report.ts';
import { asListed } from '../ranks.ts';
import { fired, lostRate, placeWords } from './findings.ts';
import { howMany, formats } from './formats.ts';
import { nothingFound } from './nothing-found.ts';
import { besideProbe, few, hostFactsOf, impactWords, probeCost, probeState, windowWords } from './phrases.ts';
import { outcomeOfRules, rulesThatAre } from './rules-told.ts';
import { withUnit } from './units.ts';

/** The answer in labelled lines, the same in every format. */
export interface Brief {
  /** The finding that the answer is about; undefined where nothing fired that costs or loses anything. */
  readonly principal: ReportFinding | undefined;
  /** What is wrong and where. */
  readonly title: string;
  /** How grave that is by itself; the verdict's where nothing fired. */
  readonly outcome: ReportFinding['outcome'];
  readonly certainty: ReportFinding['certainty'];
  readonly facts: readonly Fact[];
  /** What to do about it first. */
  readonly fix: Remedy | undefined;
  /** Remedies beside that one. */
  readonly moreFixes: number;
  /** What else fired, worst first; what is lost before what merely costs. */
  readonly others: readonly Other[];
}

export interface Fact {
  readonly label: 'Worst' | 'Lost' | 'Costs' | 'Process' | 'Why';
  readonly words: string;
}

export interface Other {
  readonly outcome: 'critical' | 'warning' | 'info';
  readonly code: string;
  /** Place of the finding in the report's list. */
  readonly index: number;
  readonly words: string;
}

export function briefOf(report: Report): Brief {
  const { verdict, findings, window, ledger } = report;
  const principal = verdict.principal === null ? undefined : findings[0];
  const others = othersOf(findings, principal);
  if (principal === undefined) {
    const { words } = nothingFound(findings, window.samples === 1 ? 0 : window.seconds, ledger?.rows ?? []);
    const { outcome } = verdict;
    return { principal, title: words, outcome, certainty: null, facts: [], fix: undefined, moreFixes: 0, others };
  }
  const fix = principal.remedies.find(({ command }) => command !== null) ?? principal.remedies[0];
  return {
    principal,
    title: `${principal.title}${placeWords(principal.place)}`,
    outcome: principal.outcome,
    certainty: principal.certainty,
    facts: factsOf(report, principal),
    fix,
    moreFixes: Math.max(0, principal.remedies.length - 1),
    others,
  };
}

/** The gravest finding, where the answer is about another. */
function worstWords({ verdict, findings }: Report, principal: ReportFinding): string | undefined {
  if (principal.outcome === verdict.outcome) return undefined;
  const worst = findings.find(({ outcome }) => outcome === verdict.outcome);
  return worst === undefined ? undefined : `${worst.outcome}: ${worst.code} ${worst.rule}${placeWords(worst.place)}`;
}

function factsOf(report: Report, principal: ReportFinding): Fact[] {
  const { cpuShare } = principal.impact;
  const owner = principal.args['owners'] ?? principal.args['process'];
  const lost = lostWords(report, principal);
  const worst = worstWords(report, principal);
  return [
    ...(worst === undefined ? [] : [{ label: 'Worst', words: worst } as const]),
    ...(lost === undefined ? [] : [{ label: 'Lost', words: lost } as const]),
    ...(cpuShare === null || cpuShare === 0
      ? []
      : [{ label: 'Costs', words: `${formats.percent(cpuShare)} of all CPU time` } as const]),
    ...(owner === undefined || owner === '' ? [] : [{ label: 'Process', words: String(owner) } as const]),
    { label: 'Why', words: principal.summary },
  ];
}

/** What the host loses, by this finding or by what it leads to; else by something else, which is then said. */
function lostWords({ verdict, findings }: Report, principal: ReportFinding): string | undefined {
  const rate = ({ impact }: ReportFinding): number => impact.lostPerSecond ?? 0;
  const { share, since } = principal.args;
  if (principal.message === 'since-boot' && typeof share === 'number' && typeof since === 'string' && share > 0)
    return `${formats.percent(share)} of all ${since}`;
  if (rate(principal) > 0) return lostRate(principal);
  const linked = (verdict.causes.find(({ finding }) => finding === 0)?.leadsTo ?? []).flatMap(({ finding }) => {
    const other = findings[finding];
    return other === undefined || rate(other) === 0 ? [] : [other];
  });
  if (linked.length > 0) return `${losses(linked)}, at the same place`;
  const elsewhere = findings.filter((finding) => fired(finding) && rate(finding) > 0);
  return elsewhere.length === 0 ? undefined : `${losses(elsewhere)}; no link to this was seen`;
}

function losses(findings: readonly ReportFinding[]): string {
  const named = findings.slice(0, 3).map((each) => `${lostRate(each) ?? ''} (${each.code})`);
  return findings.length > 3 ? `${named.join(', ')} and ${findings.length - 3} more` : named.join(', ');
}

/** What fired, and losses that are no warning: a loss is told whatever its size. */
function othersOf(findings: readonly ReportFinding[], principal: ReportFinding | undefined): Other[] {
  const loses = ({ impact }: ReportFinding): boolean => (impact.lostPerSecond ?? 0) > 0;
  return findings
    .flatMap((finding, index) => {
      const { outcome, code } = finding;
      if (finding === principal || !(outcome === 'critical' || outcome === 'warning' || outcome === 'info')) return [];
      if (outcome === 'info' && (!loses(finding) || finding.role === 'context')) return [];
      const costs = impactWords(finding);
      // The figure first: a screen may cut the place.
      const words = `${costs.length === 0 ? '' : `${costs.join(', ')}: `}${finding.title}${placeWords(finding.place)}`;
      return [{ outcome, code, index, words, loses: loses(finding) }];
    })
    .sort(
      (a, b) => asListed[a.outcome] - asListed[b.outcome] || Number(b.loses) - Number(a.loses) || a.index - b.index,
    );
}

/** What somebody without root would see as root; undefined where that is not what was lacking. */
export function asRootWords({ host, findings, probe, notMeasured }: Report): string | undefined {
  // Root would lack a probe that was not wanted, too.
  const unwanted = probe.status !== 'off' ? [] : notMeasured.filter(({ sources }) => sources.includes('probe'));
  const ofProbe = new Set(unwanted.flatMap(({ rules }) => rules));
  const lacking = rulesThatAre(
    'not-measured',
    findings.filter(({ code }) => !ofProbe.has(code)),
  );
  if (host.asRoot !== false || lacking.length === 0) return undefined;
  return `Run it as root to see ${lacking.length} more check${lacking.length === 1 ? '' : 's'}: ${few(lacking, 1)}.`;
}

/** Why checks could not be made, and how many that kept from running everywhere, or at some places only. */
interface Unseen {
  readonly reason: string;
  readonly checks: number;
  readonly inPart: number;
}

/** Each check that could not run is counted once, by the reason that it shares with most others. */
function unseenOf({ notMeasured, findings }: Report): Unseen[] {
  const rules = outcomeOfRules(findings);
  const counted = new Set<string>();
  return notMeasured
    .toSorted((a, b) => b.rules.length - a.rules.length)
    .flatMap(({ reason, rules: codes }) => {
      const own = codes.filter((code) => !counted.has(code));
      for (const code of own) counted.add(code);
      const inPart = own.filter((code) => rules.get(code)?.outcome !== 'not-measured').length;
      return own.length === 0 ? [] : [{ reason, checks: own.length - inPart, inPart }];
    });
}

/**
 * What could not be seen: the reasons that kept most checks from running, and how many more checks there are for others;
 * undefined where all could run. All of it stands where `elsewhere` says; that comes first where no reason is told whole, as
 * for words that are cut.
 */
export function unseenWords(report: Report, most: number, elsewhere: string): string | undefined {
  const all = unseenOf(report);
  if (all.length === 0) return undefined;
  const left = all.slice(most);
  const rest = left.reduce((sum, { checks, inPart }) => sum + checks + inPart, 0);
  if (most === 0) {
    const many = left.length === 1 ? '' : ` for ${left.length} reasons`;
    return `${howMany(rest, 'checks')}${many} (${elsewhere})${many === '' ? '' : ', most of them'}: ${all[0]!.reason}`;
  }
  return [
    ...all
      .slice(0, most)
      .flatMap(({ reason, checks, inPart }) => [
        ...(checks === 0 ? [] : [`${howMany(checks, 'checks')}: ${reason}`]),
        ...(inPart === 0 ? [] : [`${howMany(inPart, 'checks')} in part: ${reason}`]),
      ]),
    ...(rest === 0
      ? []
      : [
          `${howMany(rest, 'more checks')} for ${left.length === 1 ? 'another reason' : `${left.length} other reasons`} (${elsewhere})`,
        ]),
  ].join('; ');
}

/** The source of what the probe tells, in the catalogue. */
const PROBE = 'probe';

/** What the run cost the host, and what it changed there, what matters most first: a screen may cut the end. */
export function overheadWords({ selfCost, probe, notMeasured }: Report): string {
  const { cpuSeconds, peakMemoryBytes, actions } = selfCost;
  const changed = actions.map(({ action, restored }) => `${action}${restored === false ? ' (NOT put back)' : ''}`);
  // Why there was none is told as what could not be seen; what is to be known of one that measured is told here alone.
  const told = probe.status === 'not-measured' && notMeasured.some(({ sources }) => sources.includes(PROBE));
  return [
    ...(cpuSeconds === null ? [] : [`${formats.seconds(cpuSeconds)} of CPU`]),
    changed.length === 0 ? 'nothing changed on the host' : changed.join(', '),
    [`probe ${probeState(told ? { ...probe, reason: null } : probe)}`, ...probeCost(selfCost)].join(', '),
    ...besideProbe(selfCost),
    ...(peakMemoryBytes === null ? [] : [`${formats.bytes(peakMemoryBytes)} of memory`]),
  ].join(', ');
}

/** `2 changed by the configuration: PKT0101 share 5% (1.0% by default), ...`; undefined where none is. */
export function limitsWords({ thresholds }: Report): string | undefined {
  if (thresholds.length === 0) return undefined;
  const each = thresholds.map(({ code, name, value, default: usual, unit }) => {
    const before = usual === null ? '' : ` (${withUnit(usual, unit ?? 'none')} by default)`;
    return `${code} ${name} ${withUnit(value, unit ?? 'none')}${before}`;
  });
  return `${thresholds.length} changed by the configuration: ${each.join(', ')}`;
}

/** Whose report it is, of when, and what made it. */
export function runWords(report: Report): string {
  const { tool, window } = report;
  const [name, ...facts] = hostFactsOf(report);
  const began = window.startedAt.replace(/\.\d+Z$/, 'Z');
  return [name, windowWords(report), began, ...facts, `${tool.name} ${tool.version}`].join(', ');
}
