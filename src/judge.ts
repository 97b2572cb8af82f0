import type { Report } from './generated/report.ts';
import type { Window } from './metrics/window.ts';
import { buildReport, type ReportInput } from './report/build.ts';
import { evaluateRules, type Overrides } from './rules/engine.ts';
import { rules } from './rules/index.ts';
import { addBaseline } from './sources/baseline.ts';

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

/** From two samples to the report: the same for a live host and for a recorded one, so that they cannot disagree. */
export function judgeWindow({ self, baseline, ...judging }: Judging): Report {
  if (baseline !== undefined) addBaseline(judging.window.after, baseline.report);
  const findings = evaluateRules(judging.window, rules, judging.overrides);
  return buildReport({
    ...judging,
    findings,
    self: self(),
    ...(baseline === undefined ? {} : { baseline: baseline.name }),
  });
}
