import type { Report, ReportFinding } from '../../generated/report.ts';
import { fired, placeWords } from '../words/findings.ts';
import { impactWords } from '../words/phrases.ts';
import { countsOf } from '../words/rules-told.ts';
import { columns, cut, paint, show, type Style } from './layout.ts';

/** A window of a watch, as one line or one object. */
export interface WatchedWindow {
  readonly report: Report;
  readonly probed: boolean;
  readonly cause: ReportFinding | undefined;
}

/** No path of Linux is longer. */
const LONGEST_PATH = 4096;
/** Columns for the words of a line, however narrow the terminal is. */
const LEAST_WORDS = 20;

/** What a window was beside others, in a column of its own: in which the condition was met, and the one with the probe after that. */
const marks = { met: 'met  ', probed: 'probe', neither: '     ' } as const;

/**
 * `19:40:10Z met critical PKT0405 123/s lost: ... and 2 more`: the time at which the window ended, whether the condition was met or the
 * probe attached, and the worst that fired; one line of a terminal.
 */
export function watchLine({ report, probed, cause }: WatchedWindow, style: Style): string {
  const { window, findings } = report;
  const time = /T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(window.endedAt)?.[1]?.concat('Z') ?? window.endedAt;
  const mark = marks[probed ? 'probed' : cause === undefined ? 'neither' : 'met'];
  const told = findings.filter(fired);
  const worst = told.find(({ outcome }) => outcome === 'critical') ?? told[0];
  if (worst === undefined) {
    const { made, notMeasured } = countsOf(findings);
    return `${time} ${mark} nothing found by ${made} check${made === 1 ? '' : 's'}${notMeasured === 0 ? '' : `, ${notMeasured} could not run`}`;
  }
  const costs = impactWords(worst);
  const words = `${costs.length === 0 ? '' : `${costs.join(', ')}: `}${worst.title}${placeWords(worst.place)}`;
  const more = told.length > 1 ? `, and ${told.length - 1} more` : '';
  const tone = worst.outcome === 'critical' ? 'critical' : 'warning';
  const shown = show(style, words, 1000);
  const room = style.width - columns(`${time} ${mark} ${worst.outcome} ${worst.code} ${more}`);
  const fitted = style.rows === undefined ? shown : cut(shown, Math.max(LEAST_WORDS, room), style);
  return `${time} ${mark} ${paint(style, tone, worst.outcome)} ${worst.code} ${fitted}${more}`;
}

/** Where the bundles of an event are: one path a line, whole, so that it can be copied. */
export function bundleLines(paths: readonly string[], style: Style): string[] {
  return paths.map((path) => `         bundle ${show(style, path, LONGEST_PATH)}`);
}

/** The same for programs: what fired, with its place and its rates. */
export function watchObject({ report, probed, cause }: WatchedWindow): object {
  const { window, verdict, findings } = report;
  return {
    kind: 'window',
    startedAt: window.startedAt,
    endedAt: window.endedAt,
    seconds: window.seconds,
    cutShort: window.cutShort,
    probed,
    met: cause?.code ?? null,
    outcome: verdict.outcome,
    checks: countsOf(findings),
    findings: findings.filter(fired).map(({ code, rule, outcome, certainty, summary, place, impact }) => ({
      ...{ code, rule, outcome, certainty, summary, place, impact },
    })),
  };
}
