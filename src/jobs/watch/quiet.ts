/**
 * What a window of a watch comes to, at the least price: a sample reads a few small files that count what is lost and what the
 * CPUs do, and where nothing stirs that need not stir, that is all. Where it does, the rules it is of are looked at with what they
 * take besides, and where one of them fires that did not before, everything is read and judged.
 */
import type { Steps } from '../../base/steps.ts';
import type { Report } from '../../generated/report.ts';
import { numaHit } from '../../metrics/catalogue/index.ts';
import { Window } from '../../metrics/window.ts';
import { evaluateInSteps, type Overrides } from '../../rules/engine.ts';
import { rules } from '../../rules/index.ts';
import { samplePieces, type Again, type Moved, type Pieces, type PiecewiseSample } from '../../sources/piecewise.ts';
import { collectorsOf, loads, quickCollectors, Stirring, type Stirred } from './stirred.ts';

/** The samples at the ends of a window. */
export type Ends = readonly [PiecewiseSample, PiecewiseSample];

export interface Looked {
  /** The end of the window, and the beginning of the next. */
  readonly after: PiecewiseSample;
  readonly report: Report;
}

/**
 * How often all is read though nothing stirs: levels and settings of which no counter tells. As often as it may take of a core,
 * between a minute and five.
 */
const ALL_CPU_SHARE = 0.0005;
const [ALL_SOONEST, ALL_LATEST] = [60, 300];

export const everything: Again = () => true;

export class QuietWindows {
  readonly #host: Pieces;
  readonly #overrides: Overrides;
  readonly #judged: (ends: Ends) => Steps<Report>;
  readonly #stirring: Stirring;
  /** The latest report by all rules. */
  #last: Report | undefined;
  /** Rules of which something had moved in its window, and that it only mentions or could not judge for it: that is of its window alone. */
  #passing: ReadonlySet<string> = new Set();
  /** Where there is one memory node no allocation finds it elsewhere, and its counters tell nothing. */
  #oneNode = false;
  /** In CLOCK_MONOTONIC seconds. */
  #readAllNext = -Infinity;

  /** @param judged the report of a window by all rules */
  constructor(host: Pieces, overrides: Overrides, judged: (ends: Ends) => Steps<Report>) {
    this.#host = host;
    this.#overrides = overrides;
    this.#judged = judged;
    this.#stirring = new Stirring(rules, overrides);
  }

  /** Ends the window that began with this sample. */
  *look(before: PiecewiseSample): Steps<Looked> {
    const quick: Again = (id) => quickCollectors.has(id) && !(this.#oneNode && id === 'numa');
    const glance = yield* samplePieces(this.#host, quick, before);
    const last = this.#last;
    const moved = glance.movedSince(before, this.#stirring.tells);
    const { stirred, unread } = this.#stirred([before, glance], moved, last);
    if (last === undefined || glance.at >= this.#readAllNext) return yield* this.#all(before, glance, stirred);
    const still = new Set(last.findings.filter(fired).map(({ code }) => code));
    const passed = this.#passing.size > 0 && [...this.#passing].every((code) => !stirred.has(code));
    if (stirred.size === 0 && still.size === 0 && !passed)
      return { after: glance, report: sameAs(last, [before, glance]) };
    const again: Again = (id, netns) => unread.get(id)?.has(netns) === true;
    const after = unread.size === 0 ? glance : yield* samplePieces(this.#host, again, glance);
    const looksAt = rules.filter(({ code }) => still.has(code) || stirred.has(code));
    // Where nothing moved nothing fires that did not before.
    const [names, ids] = [new Set(moved.keys()), collectorsOf(looksAt)];
    const window =
      still.size > 0 || passed
        ? new Window(before.snapshot(), after.snapshot())
        : new Window(before.within(names, ids), after.within(names, ids));
    const found = (yield* evaluateInSteps(window, looksAt, this.#overrides)).filter(fired);
    if (found.some(({ code }) => !still.has(code))) return yield* this.#all(before, after, stirred);
    return {
      after,
      report:
        still.size === 0 && !passed ? sameAs(last, [before, after]) : yield* this.#judge([before, after], stirred),
    };
  }

  #stirred([before, glance]: Ends, moved: Moved, last: Report | undefined): Stirred {
    const nothing = (last?.findings ?? []).flatMap(({ code, outcome }) => (outcome === 'not-applicable' ? [code] : []));
    return this.#stirring.after([before.some(loads), glance.some(loads)], moved, new Set(nothing));
  }

  *#all(before: PiecewiseSample, glance: PiecewiseSample, stirred: ReadonlySet<string>): Steps<Looked> {
    const started = process.cpuUsage();
    const after = yield* samplePieces(this.#host, everything, glance);
    this.#oneNode = after.some(['numa']).count(numaHit) < 2;
    const report = yield* this.#judge([before, after], stirred);
    const { user, system } = process.cpuUsage(started);
    const seconds = (user + system) / 1e6 / ALL_CPU_SHARE;
    this.#readAllNext = after.at + Math.min(ALL_LATEST, Math.max(ALL_SOONEST, seconds));
    return { after, report };
  }

  *#judge(ends: Ends, stirred: ReadonlySet<string>): Steps<Report> {
    const report = yield* this.#judged(ends);
    const passing = report.findings.filter(({ outcome }) => outcome === 'info' || outcome === 'not-measured');
    this.#passing = new Set(passing.map(({ code }) => code).filter((code) => stirred.has(code)));
    this.#last = report;
    return report;
  }
}

function fired({ outcome }: { readonly outcome: string }): boolean {
  return outcome === 'critical' || outcome === 'warning';
}

/** The report of a window in which nothing stirred that was found since. */
function sameAs(last: Report, [from, to]: Ends): Report {
  const { takenAt: startedAt } = from;
  const { takenAt: endedAt } = to;
  return { ...last, window: { ...last.window, seconds: to.at - from.at, startedAt, endedAt, cutShort: false } };
}
