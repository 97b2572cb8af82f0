import type { LedgerRow, ReportFinding } from '../../generated/report.ts';
import { fired, lossRate, thingsLost } from './findings.ts';
import { formats } from './formats.ts';
import { few } from './phrases.ts';
import { countsOf, outcomeOfRules } from './rules-told.ts';

/** A row of the ledger, as far as a verdict goes. */
export type LossRow = Pick<LedgerRow, 'kind' | 'rule' | 'packets' | 'netns' | 'device'>;

export interface NothingFound {
  readonly outcome: 'ok' | 'not-measured';
  readonly words: string;
}

/**
 * What it means that no cause and no loss was found: `ok` only if each rule about causes and losses could be judged
 * everywhere. What does not apply to the host was no check of it.
 * @param seconds of the window; 0 or endless for one sample
 * @param losses the rows of the ledger: those that no finding speaks about are not passed over
 */
export function nothingFound(
  findings: readonly ReportFinding[],
  seconds: number,
  losses: readonly LossRow[],
): NothingFound {
  const important = countsOf(findings.filter(({ role }) => role !== 'context'));
  const { made } = countsOf(findings);
  const over = overWords(findings, seconds);
  if (important.made === 0)
    return { outcome: 'not-measured', words: `Nothing could be judged${over}: this says nothing about the host.` };
  const { small, unjudged } = lossesBeside(findings, losses);
  const more = small.length > 3 ? `; and ${small.length - 3} more` : '';
  const told = [
    ...(small.length === 0 ? [] : [['losses too small for a warning', `${small.slice(0, 3).join('; ')}${more}`]]),
    ...(unjudged === 0 ? [] : [['losses that no check could judge', onlyInTable(unjudged)]]),
  ].map(([what, which], index) => `${what!}${index === 0 ? over : ''} (${which!})`);
  const nothing =
    told.length === 0 ? `Nothing found${over}` : `${upperFirst(told.join(' and '))}, and nothing else found`;
  const lacking = [...outcomeOfRules(findings).values()].filter(({ outcome }) => outcome === 'not-measured');
  if (lacking.length === 0) {
    const all = made === 1 ? 'the one check that applies' : `all ${made} checks that apply`;
    return { outcome: 'ok', words: `${nothing}: ${all} to this host could run.` };
  }
  const names = few(lacking.map(({ code, rule }) => `${code} ${rule}`));
  const found = `${nothing} by ${made} check${made === 1 ? '' : 's'}`;
  return important.notMeasured === 0
    ? { outcome: 'ok', words: `${found}; ${lacking.length} about circumstances could not run: ${names}.` }
    : { outcome: 'not-measured', words: `${found}, but ${lacking.length} could not run: ${names}.` };
}

function overWords(findings: readonly ReportFinding[], seconds: number): string {
  if (seconds > 0 && Number.isFinite(seconds)) return ` in ${formats.seconds(seconds)}`;
  const totals = findings.filter(({ message }) => message === 'none-since-boot' || message === 'few-since-boot');
  const none = [...totals, ...findings.filter(({ message }) => message === 'since-boot')].every(
    ({ message }) => message === 'none-since-boot',
  );
  const since = none ? totals[0]?.args['since'] : undefined;
  return ` in the one sample there is${typeof since === 'string' ? `, with no losses ${since}` : ''}`;
}

interface LossesBeside {
  /** That are no warning, each with its figure. */
  readonly small: readonly string[];
  /** Packets of which no check said what that means: how many they are, the more or the fewer, it is not little. */
  readonly unjudged: number;
}

/** Losses that no finding fired for: "nothing found" must not stand beside them. */
function lossesBeside(findings: readonly ReportFinding[], losses: readonly LossRow[]): LossesBeside {
  const told = findings.filter(({ outcome, role }) => outcome === 'info' && role !== 'context');
  const rates = new Map<string, { name: string; things: string; perSecond: number }>();
  for (const { code, rule, args, impact } of told) {
    const lost = impact.lostPerSecond ?? 0;
    const things = thingsLost(code, args);
    const { perSecond } = rates.get(`${code} ${things}`) ?? { perSecond: 0 };
    if (lost > 0) rates.set(`${code} ${things}`, { name: `${code} ${rule}`, things, perSecond: perSecond + lost });
  }
  const totals = told.flatMap(({ code, rule, message, args }) => {
    const { total, since } = args;
    if (message !== 'few-since-boot' && message !== 'since-boot') return [];
    return [`${code} ${rule}${typeof total === 'number' ? `: ${formats.count(total)}` : ''} ${String(since ?? '')}`];
  });
  const spoken = new Set(
    findings.filter((finding) => fired(finding) || finding.outcome === 'info').map(({ code }) => code),
  );
  const unsaid = losses.filter(({ kind, rule }) => kind === 'loss' && (rule === null || !spoken.has(rule)));
  const [judged, unjudged] = [true, false].map((wanted) =>
    unsaid.reduce((sum, row) => sum + (isJudged(row, findings) === wanted ? row.packets : 0), 0),
  ) as [number, number];
  const small = [
    ...[...rates.values()].map(({ name, things, perSecond }) => `${name}: ${lossRate(things, perSecond)}`),
    ...new Set(totals),
    ...(judged === 0 ? [] : [onlyInTable(judged)]),
  ];
  return { small, unjudged };
}

/** Whether the rule that a loss is of could say, where that was, that it is in order. */
function isJudged({ rule, netns, device }: LossRow, findings: readonly ReportFinding[]): boolean {
  const there = findings.filter(
    ({ code, at }) =>
      code === rule && [undefined, netns].includes(at['netns']) && [undefined, device].includes(at['device']),
  );
  return there.some(({ outcome }) => outcome === 'ok') && !there.some(({ outcome }) => outcome === 'not-measured');
}

function onlyInTable(packets: number): string {
  return `${formats.count(packets)} packets that only the table of losses tells of`;
}

function upperFirst(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
