/** Windows one after the other until their time is up. Nothing here reads a host, a clock or a disk. */
import type { Report, ReportFinding } from '../../generated/report.ts';
import { asListed } from '../../report/ranks.ts';
import { metBy, type Condition } from './condition.ts';

/** A window with its report, and what a bundle of it takes. */
export interface JudgedWindow<Kept> {
  readonly report: Report;
  readonly evidence: Kept;
}

/** Where windows come from; each begins where the one before ended. */
export interface Windows<Kept> {
  /** A window without the probe. */
  readonly quiet: () => Promise<JudgedWindow<Kept>>;
  /** A window with the probe and the profile. */
  readonly probed: () => Promise<JudgedWindow<Kept>>;
  /** Whether the time is up, or a signal came. */
  readonly over: () => boolean;
}

/** The windows around the moment in which the condition was met: there is no first one where it was met at once. */
export interface Occurrence<Kept> {
  readonly cause: ReportFinding;
  readonly before: JudgedWindow<Kept> | undefined;
  readonly met: JudgedWindow<Kept>;
  readonly after: JudgedWindow<Kept>;
}

export interface SeenWindow {
  readonly report: Report;
  readonly probed: boolean;
  /** The finding by which the condition is met. */
  readonly cause: ReportFinding | undefined;
}

export interface WatchLoop<Kept> {
  readonly windows: Windows<Kept>;
  readonly condition: Condition;
  readonly onWindow: (seen: SeenWindow) => Promise<void>;
  readonly onEvent: (event: Occurrence<Kept>) => Promise<void>;
}

export interface WatchSummary {
  readonly windows: number;
  /** How often the condition came to be met. */
  readonly events: number;
  /** The worst that was seen; with the probe, where that saw as bad. */
  readonly worst: Report;
}

/**
 * What comes and goes is caught when it comes: while the condition stays met no further window is taken with the probe. The
 * reports and the evidence of three windows are kept, whatever the number of windows.
 */
export async function watch<Kept>({ windows, condition, onWindow, onEvent }: WatchLoop<Kept>): Promise<WatchSummary> {
  let before: JudgedWindow<Kept> | undefined;
  let worst: Report | undefined;
  let count = 0;
  let events = 0;
  let stays = false;
  const note = async ({ report }: JudgedWindow<Kept>, probed: boolean): Promise<ReportFinding | undefined> => {
    count += 1;
    const cause = metBy(report, condition);
    if (worst === undefined || badness(report) > badness(worst) || (probed && badness(report) === badness(worst)))
      worst = report;
    await onWindow({ report, probed, cause });
    return cause;
  };
  do {
    const window = await windows.quiet();
    const cause = await note(window, false);
    if (cause !== undefined && !stays && !windows.over()) {
      const after = await windows.probed();
      await note(after, true);
      events += 1;
      await onEvent({ cause, before, met: window, after });
      before = after;
    } else before = window;
    stays = cause !== undefined;
  } while (!windows.over());
  return { windows: count, events, worst: worst! };
}

/** Severity first, then what is lost per second: below 1 for any rate. */
function badness({ verdict, findings }: Report): number {
  const lost = findings.reduce((most, { impact }) => Math.max(most, impact.lostPerSecond ?? 0), 0);
  return Math.max(0, asListed.info - asListed[verdict.outcome]) + lost / (lost + 1000);
}
