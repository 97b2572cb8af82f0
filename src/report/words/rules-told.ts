import type { ReportFinding } from '../../generated/report.ts';

type ToldOutcome = ReportFinding['outcome'];
type RuleOutcome = Pick<ReportFinding, 'code' | 'rule' | 'outcome'>;

/** What a rule is counted and listed as where it came to several outcomes at several places: the first of these. */
const order = [
  'critical',
  'warning',
  'not-measured',
  'info',
  'ok',
  'not-applicable',
] as const satisfies readonly ToldOutcome[];

/** Each rule with its one outcome, so that one rule stands in one list and is counted once. */
export function outcomeOfRules<Finding extends RuleOutcome>(
  findings: readonly Finding[],
): ReadonlyMap<string, Finding> {
  const found = new Map<string, Finding>();
  for (const finding of findings) {
    const known = found.get(finding.code);
    if (known === undefined || order.indexOf(finding.outcome) < order.indexOf(known.outcome))
      found.set(finding.code, finding);
  }
  return found;
}

/** How many rules came to what. */
export interface RuleCounts {
  readonly critical: number;
  readonly warning: number;
  readonly info: number;
  readonly ok: number;
  /** Could not run, or not everywhere. */
  readonly notMeasured: number;
  readonly notApplicable: number;
  /** Those that could run: critical, warning, info and ok. */
  readonly made: number;
}

export function countsOf(findings: readonly RuleOutcome[]): RuleCounts {
  const rules = [...outcomeOfRules(findings).values()];
  const of = (outcome: ToldOutcome): number => rules.filter((rule) => rule.outcome === outcome).length;
  const [critical, warning, info, ok] = [of('critical'), of('warning'), of('info'), of('ok')];
  return {
    ...{ critical, warning, info, ok },
    notMeasured: of('not-measured'),
    notApplicable: of('not-applicable'),
    made: critical + warning + info + ok,
  };
}

/** The counts as a sentence: what was made is the sum of what was found and what was in order. */
export function countWords(findings: readonly RuleOutcome[]): string {
  const { made, critical, warning, info, ok, notMeasured, notApplicable } = countsOf(findings);
  const found = [
    ...(critical === 0 ? [] : [`${critical} critical`]),
    ...(warning === 0 ? [] : [`${warning} warning`]),
    ...(info === 0 ? [] : [`${info} info`]),
    ...(ok === 0 ? [] : [`${ok} OK`]),
  ];
  return [
    `${made} made${found.length === 0 ? '' : ` (${found.join(', ')})`}`,
    ...(notMeasured === 0 ? [] : [`${notMeasured} could not run`]),
    ...(notApplicable === 0 ? [] : [`${notApplicable} not applicable`]),
  ].join(', ');
}

/** Rules that came to this and nothing worse, as `CODE name`. */
export function rulesThatAre(outcome: ToldOutcome, findings: readonly RuleOutcome[]): string[] {
  return [...outcomeOfRules(findings).values()]
    .filter((rule) => rule.outcome === outcome)
    .map(({ code, rule }) => `${code} ${rule}`);
}
