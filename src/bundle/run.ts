import type { Report } from '../generated/report.ts';
import { judgeWindow } from '../judge.ts';
import type { Window } from '../metrics/window.ts';
import type { Overrides } from '../rules/engine.ts';
import { rules } from '../rules/index.ts';
import type { LimitsInForce, RunFacts } from './manifest.ts';

/** Judges a window with what the run that measured it knew besides. */
export function judgeRun(
  window: Window,
  run: RunFacts,
  { overrides, baseline, version }: { overrides: Overrides; baseline: Report | null; version: string },
): Report {
  return judgeWindow({
    window,
    overrides,
    version,
    requestedSeconds: run.requestedSeconds,
    cutShort: run.cutShort,
    baseline: baseline === null ? undefined : { name: run.baseline ?? 'baseline.json', report: baseline },
    ...(run.probe === null ? {} : { probe: run.probe }),
    self: () => run.selfCost ?? { cpuSeconds: null, peakMemoryBytes: null },
  });
}

/** Every limit of every rule with what the configuration changed. */
export function limitsInForce(overrides: Overrides): LimitsInForce {
  return Object.fromEntries(
    rules.map(({ code, thresholds }) => [
      code,
      Object.fromEntries(
        Object.entries(thresholds).map(([name, { value }]) => [name, overrides[code]?.[name] ?? value]),
      ),
    ]),
  );
}
