import type { Fleet } from '../generated/fleet.ts';
import type { Report } from '../generated/report.ts';
import type { Comparison } from '../report/compare/comparison.ts';
import { exitCodes } from './arguments.ts';
import { signalled } from './signals.ts';

/** The least that makes the exit code non-zero. That nothing at all could be judged does so with each but `never`. */
export const failOn = ['critical', 'warning', 'not-measured', 'never'] as const;
export type FailOn = (typeof failOn)[number];

/** What came of a run, as far as the exit code goes. */
export interface RunOutcome {
  readonly critical: boolean;
  readonly warning: boolean;
  /** Some of it could not be judged. */
  readonly partly: boolean;
  /** Nothing could be judged, or not what was asked for by name. */
  readonly blind: boolean;
}

/** 3 critical, 4 warnings only, 5 could not look, 0 clean; a run that was ended by a signal is never 0. */
export function exitCodeOf({ critical, warning, partly, blind }: RunOutcome, least: FailOn): number {
  if (critical && least !== 'never') return exitCodes.critical;
  if (warning && (least === 'warning' || least === 'not-measured')) return exitCodes.warning;
  if ((blind && least !== 'never') || (partly && least === 'not-measured')) return exitCodes.unjudged;
  return signalled() === 0 ? exitCodes.clean : 128 + signalled();
}

/**
 * @param devices those of --interface
 * @param netns the one namespace of --netns
 */
export function judgedReport(
  { verdict, findings }: Report,
  devices: readonly string[] = [],
  netns?: string,
): RunOutcome {
  const saw = (of: Report['findings']): boolean => of.length === 0 || of.some(({ outcome }) => judged(outcome));
  return {
    critical: verdict.outcome === 'critical',
    warning: verdict.outcome === 'warning',
    partly: verdict.outcome === 'not-measured' || findings.some(({ outcome }) => outcome === 'not-measured'),
    blind:
      !saw(findings) ||
      devices.some((device) => !saw(findings.filter(({ at }) => at['device'] === device))) ||
      (netns !== undefined && !saw(findings.filter(({ at }) => at['netns'] === netns))),
  };
}

function judged(outcome: Report['findings'][number]['outcome']): boolean {
  return outcome !== 'not-measured' && outcome !== 'not-applicable';
}

export function judgedFleet({ counts }: Fleet): RunOutcome {
  return {
    critical: counts.critical > 0,
    warning: counts.warning > 0,
    partly: counts.gone + counts.notMeasured > 0,
    blind: counts.gone > 0,
  };
}

/** What is new or worse in the second window; what fired in one and could not be judged in the other is not known to be gone. */
export function judgedComparison({ findings }: Comparison): RunOutcome {
  const worse = [...findings.appeared, ...findings.changed].filter(
    ({ before, after }) => after !== null && after.outcome !== before?.outcome,
  );
  const has = (wanted: string): boolean => worse.some(({ after }) => after?.outcome === wanted);
  const unjudged = findings.unjudged.some(({ after }) => after === null || !judged(after.outcome));
  // From critical to warning is better.
  const warning = worse.some(({ before, after }) => after?.outcome === 'warning' && before?.outcome !== 'critical');
  return { critical: has('critical'), warning, partly: unjudged, blind: unjudged };
}
