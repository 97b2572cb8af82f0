import type { Answer, Cause, Place, ReportFinding, Verdict } from '../../generated/report.ts';
import { asListed, doubt } from '../ranks.ts';
import { fired, lostRate, placeWords } from '../words/findings.ts';
import { formats } from '../words/formats.ts';
import { nothingFound, type LossRow } from '../words/nothing-found.ts';

const roles = { cause: 0, outcome: 1, context: 2 } as const;

/** The findings in the order they are shown, and what they come to. */
export interface JoinedFindings {
  readonly findings: ReportFinding[];
  readonly verdict: Verdict;
}

/**
 * Joins findings into causes and outcomes. A cause and an outcome of the same process, or on the same CPU that is short of
 * time, are linked, whatever else fired is listed beside them; the principal one is chosen by `rank`, and is never
 * context. Without anything that fired the verdict is `ok` only if every rule about causes and outcomes could be judged
 * everywhere.
 * @param short CPUs that were short of time, see facts/short-cpus.ts
 * @param losses the rows of the ledger: those that no finding speaks about are not passed over
 */
export function judge(
  found: readonly ReportFinding[],
  seconds: number,
  short: ReadonlySet<string>,
  losses: readonly LossRow[] = [],
): JoinedFindings {
  const links = linksOf(found, short);
  const findings = [...found].sort((a, b) => rank(a, b, links));
  const principal = findings.find((finding) => fired(finding) && finding.role !== 'context');
  const causes = findings.flatMap((finding, index) =>
    fired(finding) && finding.role === 'cause' ? [causeOf(finding, index, links, findings)] : [],
  );
  if (principal === undefined)
    return { findings, verdict: withContext(findings, nothingFired(findings, seconds, losses)) };
  return {
    findings,
    verdict: {
      outcome: findings.some(({ outcome }) => outcome === 'critical') ? 'critical' : 'warning',
      headline: headlineOf(principal, links.get(principal) ?? []),
      answer: answerOf(principal, links.get(principal) ?? []),
      principal: principal.code,
      certainty: principal.certainty,
      causes,
    },
  };
}

interface CauseLink {
  readonly outcome: ReportFinding;
  readonly shared: Place;
}

type Links = ReadonlyMap<ReportFinding, readonly CauseLink[]>;

function linksOf(findings: readonly ReportFinding[], short: ReadonlySet<string>): Links {
  const causes = findings.filter((finding) => fired(finding) && finding.role === 'cause');
  const outcomes = findings.filter((finding) => fired(finding) && finding.role === 'outcome');
  return new Map(
    causes.map((cause) => [
      cause,
      outcomes.flatMap((outcome) => {
        const shared = sharedPlace(cause.place, outcome.place, short);
        return shared === undefined ? [] : [{ outcome, shared }];
      }),
    ]),
  );
}

/**
 * What two places have in common: nothing they both name may differ, and a process or a CPU that is short of time must be
 * among it. Being on the same host, in the same namespace or on the same device alone proves no link, nor does a CPU that
 * has time to spare: what costs it something keeps nothing else from being done there.
 */
export function sharedPlace(a: Place, b: Place, short: ReadonlySet<string>): Place | undefined {
  if (a.netns !== null && b.netns !== null && a.netns !== b.netns) return undefined;
  if (a.device !== null && b.device !== null && a.device !== b.device) return undefined;
  const named = a.cpus.filter((cpu) => b.cpus.includes(cpu));
  const pids = (a.pids ?? []).filter((pid) => b.pids?.includes(pid) === true);
  if (named.length === 0 && a.cpus.length > 0 && b.cpus.length > 0) return undefined;
  const cpus = named.filter((cpu) => short.has(cpu));
  const device = a.device !== null && a.device === b.device ? a.device : null;
  if (pids.length === 0 && cpus.length === 0) return undefined;
  return { netns: a.netns ?? b.netns, device, cpus, pids };
}

/**
 * The order of findings, and so the principal one: context after all else that fired, then the severity it has or, if it
 * was measured, leads to, but what loses something now before what merely costs, whatever that costs; causes that were
 * measured and linked with an outcome, then certainty, causes before outcomes, the share of CPU time, the losses.
 */
function rank(a: ReportFinding, b: ReportFinding, links: Links): number {
  const context = (finding: ReportFinding): number => (fired(finding) && finding.role === 'context' ? 1 : 0);
  const linked = (finding: ReportFinding): readonly CauseLink[] => links.get(finding) ?? [];
  const reaches = (finding: ReportFinding): number =>
    Math.min(
      asListed[finding.outcome],
      ...(finding.certainty === 'measured' ? linked(finding).map(({ outcome }) => asListed[outcome.outcome]) : []),
    );
  const loses = (finding: ReportFinding): number =>
    [finding, ...linked(finding).map(({ outcome }) => outcome)].some(({ impact }) => (impact.lostPerSecond ?? 0) > 0)
      ? 0
      : 1;
  // A critical cost stands behind a loss that is a warning, and before the other warnings.
  const grade = (finding: ReportFinding): number => {
    if (!fired(finding)) return 2 * reaches(finding);
    if (loses(finding) === 0) return 2 * reaches(finding) - 1;
    return 2 * reaches(finding) + (reaches(finding) === asListed.critical && merelyCosts(finding) ? 1.5 : 0);
  };
  const unproven = (finding: ReportFinding): number =>
    finding.certainty === 'measured' && linked(finding).length > 0 ? 0 : 1;
  return (
    (fired(a) && fired(b) ? context(a) - context(b) : 0) ||
    grade(a) - grade(b) ||
    (fired(a)
      ? unproven(a) - unproven(b) ||
        doubt(a) - doubt(b) ||
        roles[a.role] - roles[b.role] ||
        (b.impact.cpuShare ?? 0) - (a.impact.cpuShare ?? 0) ||
        (b.impact.lostPerSecond ?? 0) - (a.impact.lostPerSecond ?? 0) ||
        lostSinceBoot(b) - lostSinceBoot(a)
      : 0) ||
    (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
  );
}

/** It takes CPU time, and nothing that is known of it is lost. */
function merelyCosts({ impact }: ReportFinding): boolean {
  return (impact.cpuShare ?? 0) > 0 && (impact.lostPerSecond ?? 0) === 0;
}

/** The share that was lost since boot, where there was one sample only and nothing has a rate. */
function lostSinceBoot({ message, args }: ReportFinding): number {
  const share = args['share'];
  return message === 'since-boot' && typeof share === 'number' ? share : 0;
}

function causeOf(cause: ReportFinding, index: number, links: Links, findings: readonly ReportFinding[]): Cause {
  return {
    finding: index,
    code: cause.code,
    certainty: cause.certainty,
    summary: cause.summary,
    leadsTo: (links.get(cause) ?? []).map(({ outcome, shared }) => ({
      finding: findings.indexOf(outcome),
      code: outcome.code,
      summary: outcome.summary,
      shared,
    })),
  };
}

/** What the headline says, for programs. */
function answerOf({ title, impact, args, data = {}, remedies }: ReportFinding, links: readonly CauseLink[]): Answer {
  const owner = isNobody(data) ? undefined : ownerOf(args);
  return {
    title,
    lostPerSecond: impact.lostPerSecond,
    cpuShare: impact.cpuShare,
    process: owner === undefined ? null : String(owner),
    samePlace: [...new Set(links.map(({ outcome }) => outcome.code))],
    action: remedies[0]?.action ?? null,
    command: remedies[0]?.command ?? null,
  };
}

/** Words about an owner that were made from nobody. */
function isNobody(data: NonNullable<ReportFinding['data']>): boolean {
  const known = Object.hasOwn(data, 'owners') ? data['owners'] : data['process'];
  return known === null || (Array.isArray(known) && known.length === 0);
}

function ownerOf(args: ReportFinding['args']): ReportFinding['args'][string] | undefined {
  const owner = args['owners'] ?? args['process'];
  return owner === '' ? undefined : owner;
}

/** What it is and where; what it costs; who owns it; what to do. */
function headlineOf(finding: ReportFinding, links: readonly CauseLink[]): string {
  const { cpuShare } = finding.impact;
  const lost = lostRate(finding);
  const costs = [
    ...(cpuShare === null || cpuShare === 0 ? [] : [`${formats.percent(cpuShare)} of all CPU time`]),
    ...(lost === undefined ? [] : [`${lost} lost`]),
  ];
  const since = finding.args['since'];
  const share = lostSinceBoot(finding);
  if (typeof since === 'string' && share > 0) costs.push(`${formats.percent(share)} of all ${since}`);
  const owner = ownerOf(finding.args);
  const action = finding.remedies[0]?.action;
  const outcomes = [...new Set(links.map(({ outcome }) => `${outcome.code} ${outcome.rule}`))];
  return [
    `${finding.title}${placeWords(finding.place)}`,
    ...(costs.length === 0 ? [] : [`cost: ${costs.join(', ')}`]),
    ...(owner === undefined ? [] : [`owner: ${owner}`]),
    ...(outcomes.length === 0 ? [] : [`at the same place: ${outcomes.join(', ')}`]),
    ...(action === undefined ? [] : [`to do: ${inSentence(action)}`]),
  ]
    .join('; ')
    .concat('.');
}

/** Small first letter unless the word is an acronym; no full stop. */
function inSentence(text: string): string {
  const trimmed = text.replace(/\.$/, '');
  return /^[A-Z][a-z]/.test(trimmed) ? `${trimmed[0]!.toLowerCase()}${trimmed.slice(1)}` : trimmed;
}

function nothingFired(findings: readonly ReportFinding[], seconds: number, losses: readonly LossRow[]): Verdict {
  const { outcome, words } = nothingFound(findings, seconds, losses);
  return { outcome, headline: words, answer: null, principal: null, certainty: null, causes: [] };
}

/** Context alone explains no cost and no loss: it is said, and no finding of it is the principal one. */
function withContext(findings: readonly ReportFinding[], verdict: Verdict): Verdict {
  const context = findings.filter(fired);
  if (context.length === 0) return verdict;
  const told = context.map((finding) => `${finding.title}${placeWords(finding.place)} (${finding.code})`);
  const outcome = context.some((finding) => finding.outcome === 'critical') ? 'critical' : 'warning';
  return { ...verdict, outcome, headline: `${verdict.headline} Beside it: ${[...new Set(told)].join('; ')}.` };
}
