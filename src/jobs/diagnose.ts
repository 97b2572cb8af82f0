import { inTurns } from '../base/steps.ts';
import type { Report } from '../generated/report.ts';
import type { Overrides } from '../rules/engine.ts';
import type { Baseline } from './judge.ts';
import { measure, type MeasureOptions, type Wanted } from './measure.ts';

export interface JudgeSettings {
  readonly overrides: Overrides;
  readonly baseline: Baseline | undefined;
  readonly version: string;
}

export type DiagnosisOptions = MeasureOptions & JudgeSettings;

/** The main job: two samples of the live host, a window apart, judged. */
export async function runDiagnosis(options: DiagnosisOptions): Promise<Report> {
  const { overrides, baseline, version } = options;
  const measurement = await measure(options, everythingJudged());
  const { judgeInSteps } = await import('./judge.ts');
  return inTurns(judgeInSteps({ ...measurement, overrides, baseline, version }));
}

/** What the rules and the report look at. */
export async function everythingJudged(): Promise<Wanted> {
  const [{ collectors }, { judgedOfOthers }] = await Promise.all([
    import('../collectors/index.ts'),
    import('./judge.ts'),
  ]);
  return { collectors, keep: judgedOfOthers };
}
