import type { Cause, Place, ReportFinding, Verdict } from '../generated/report.ts';
import { formats } from './words.ts';

const severity = { critical: 0, warning: 1, info: 2, 'not-measured': 3, ok: 4, 'not-applicable': 5 } as const;
const certainties = { measured: 0, correlated: 1, possible: 2 } as const;
const roles = { cause: 0, outcome: 1, context: 2 } as const;

/** The findings in the order they are shown, and what they come to. */
export interface Judgement {
  readonly findings: ReportFinding[];
  readonly verdict: Verdict;
}

/**
 * Joins findings into causes and outcomes. A cause and an outcome at the same place are linked, whatever else fired is
 * listed beside them; the principal one is chosen by `rank`. Without anything that fired the verdict is `ok` only if
 * every rule about causes and outcomes could be judged everywhere.
 */
export function judge(found: readonly ReportFinding[], seconds: number): Judgement {
  const links = linksOf(found);
  const findings = [...found].sort((a, b) => rank(a, b, links));
  const principal = findings.find(fired);
  const causes = findings.flatMap((finding, index) =>
    fired(finding) && finding.role === 'cause' ? [causeOf(finding, index, links, findings)] : [],
  );
  if (principal === undefined) return { findings, verdict: nothingFired(findings, seconds) };
  return {
    findings,
    verdict: {
      outcome: findings.some(({ outcome }) => outcome === 'critical') ? 'critical' : 'warning',
      headline: headlineOf(principal, links.get(principal) ?? []),
      principal: principal.code,
      certainty: principal.certainty,
      causes,
    },
  };
}

export function fired({ outcome }: ReportFinding): boolean {
  return outcome === 'critical' || outcome === 'warning';
}

interface Link {
  readonly outcome: ReportFinding;
  readonly shared: Place;
}

type Links = ReadonlyMap<ReportFinding, readonly Link[]>;

function linksOf(findings: readonly ReportFinding[]): Links {
  const causes = findings.filter((finding) => fired(finding) && finding.role === 'cause');
  const outcomes = findings.filter((finding) => fired(finding) && finding.role === 'outcome');
  return new Map(
    causes.map((cause) => [
      cause,
      outcomes.flatMap((outcome) => {
        const shared = sharedPlace(cause.place, outcome.place);
        return shared === undefined ? [] : [{ outcome, shared }];
      }),
    ]),
  );
}

/**
 * What two places have in common: nothing they both name may differ, and a device or a CPU must be among it. Being on the
 * same host, or in the same namespace, alone proves no link.
 */
export function sharedPlace(a: Place, b: Place): Place | undefined {
  if (a.netns !== null && b.netns !== null && a.netns !== b.netns) return undefined;
  if (a.device !== null && b.device !== null && a.device !== b.device) return undefined;
  const cpus = a.cpus.filter((cpu) => b.cpus.includes(cpu));
  if (cpus.length === 0 && a.cpus.length > 0 && b.cpus.length > 0) return undefined;
  const device = a.device !== null && a.device === b.device ? a.device : null;
  if (device === null && cpus.length === 0) return undefined;
  return { netns: a.netns ?? b.netns, device, cpus };
}

/**
 * The order of findings, and so the principal one: the severity it has or leads to, then causes that were measured and
 * linked with an outcome, then certainty, causes before outcomes, the share of CPU time, the losses.
 */
function rank(a: ReportFinding, b: ReportFinding, links: Links): number {
  const reaches = (finding: ReportFinding): number =>
    Math.min(severity[finding.outcome], ...(links.get(finding) ?? []).map(({ outcome }) => severity[outcome.outcome]));
  const unproven = (finding: ReportFinding): number =>
    finding.certainty === 'measured' && (links.get(finding)?.length ?? 0) > 0 ? 0 : 1;
  const doubt = ({ certainty }: ReportFinding): number => (certainty === null ? 3 : certainties[certainty]);
  return (
    reaches(a) - reaches(b) ||
    (fired(a)
      ? unproven(a) - unproven(b) ||
        doubt(a) - doubt(b) ||
        roles[a.role] - roles[b.role] ||
        (b.impact.cpuShare ?? 0) - (a.impact.cpuShare ?? 0) ||
        (b.impact.lostPerSecond ?? 0) - (a.impact.lostPerSecond ?? 0)
      : 0) ||
    (a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
  );
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

/** What it is and where; what it costs; who owns it; what to do. */
function headlineOf(finding: ReportFinding, links: readonly Link[]): string {
  const { cpuShare, lostPerSecond } = finding.impact;
  const costs = [
    ...(cpuShare === null || cpuShare === 0 ? [] : [`${formats.percent(cpuShare)} of all CPU time`]),
    ...(lostPerSecond === null || lostPerSecond === 0 ? [] : [`${formats.rate(lostPerSecond)} lost`]),
  ];
  const owner = finding.args['owners'] ?? finding.args['process'];
  const action = finding.remedies[0]?.action;
  const outcomes = [...new Set(links.map(({ outcome }) => `${outcome.code} ${outcome.rule}`))];
  return [
    `${finding.title}${where(finding.place)}`,
    ...(costs.length === 0 ? [] : [`cost: ${costs.join(', ')}`]),
    ...(owner === undefined || owner === '' ? [] : [`owner: ${owner}`]),
    ...(outcomes.length === 0 ? [] : [`at the same place: ${outcomes.join(', ')}`]),
    ...(action === undefined ? [] : [`to do: ${inSentence(action)}`]),
  ]
    .join('; ')
    .concat('.');
}

export function where({ netns, device, cpus }: Place): string {
  const parts = [
    ...(device === null ? [] : [`on ${device}`]),
    ...(cpus.length === 0
      ? []
      : [`on CPU ${cpus.length > 8 ? `${cpus.slice(0, 8).join(', ')} ...` : cpus.join(', ')}`]),
    ...(netns === null || netns === '' ? [] : [`in namespace ${netns}`]),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}

/** Small first letter unless the word is an acronym; no full stop. */
function inSentence(text: string): string {
  const trimmed = text.replace(/\.$/, '');
  return /^[A-Z][a-z]/.test(trimmed) ? `${trimmed[0]!.toLowerCase()}${trimmed.slice(1)}` : trimmed;
}

function nothingFired(findings: readonly ReportFinding[], seconds: number): Verdict {
  const important = findings.filter(({ role }) => role !== 'context');
  const lacking = new Map(
    important.filter(({ outcome }) => outcome === 'not-measured').map(({ code, rule }) => [code, `${code} ${rule}`]),
  );
  const judged = new Set(important.filter(({ code }) => !lacking.has(code)).map(({ code }) => code));
  const verdict = (outcome: 'ok' | 'not-measured', headline: string): Verdict => ({
    outcome,
    headline,
    principal: null,
    certainty: null,
    causes: [],
  });
  const over = seconds > 0 ? ` in ${formats.seconds(seconds)}` : ' in the one sample there is';
  if (judged.size === 0) {
    return verdict('not-measured', `Nothing could be judged${over}: this says nothing about the host.`);
  }
  if (lacking.size === 0) {
    return verdict(
      'ok',
      `Nothing found${over}: all of the ${plural(judged.size, 'check')} for causes and losses could be made, and none fired.`,
    );
  }
  const named = [...lacking.values()];
  const list = named.length > 3 ? `${named.slice(0, 3).join(', ')} and ${named.length - 3} more` : named.join(', ');
  return verdict(
    'not-measured',
    `Nothing found${over} by the ${plural(judged.size, 'check')} that could be made, but ${lacking.size} could not be made ` +
      `everywhere (${list}): this is no all-clear.`,
  );
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
