import { isUnnamedDrop, meaningOfDrop } from './drop-reasons.ts';
import type { Expression } from '../metrics/expression.ts';
import { gradeOf, lossOf, lossShare, type LossLimits } from './loss.ts';
import { totalOf, type Signal } from './signal.ts';

/** One way to lose packets: what /proc counts of it, and what the kernel calls it. */
export interface LossWay {
  /** In plain words, behind "because". */
  readonly means: string;
  /** Counters that add up to it. */
  readonly counters: readonly (Signal | undefined)[];
  /** Reasons of drops that are the same loss, so that the larger of the two is taken, never the sum. */
  readonly dropReasons: readonly string[];
  /** Functions that stand for it where the kernel gives no reason. */
  readonly locations?: readonly string[];
  /** The counters have all of it: the reasons only tell where. */
  readonly counted?: boolean;
  /** Where the counters are of one device, and what to type. */
  readonly device?: string;
  readonly type?: string;
}

export interface LossByWay {
  readonly lost: number;
  /** Those that lost something, the worst first. */
  readonly ways: readonly LostWay[];
}

interface LostWay {
  readonly means: string;
  readonly lost: number;
  readonly device: string;
  /** What to type, where the drop itself says it. */
  readonly type?: string;
}

/** What was lost in one place. Drops whose reason belongs to none of the ways are ways of their own. */
export function lostBy(ways: readonly LossWay[], drops: readonly Signal[]): LossByWay {
  const left = new Set(drops.filter(({ value }) => value > 0));
  const found = ways.map(({ means, counters, dropReasons, locations = [], counted: whole, device, type }) => {
    const mine = [...left].filter(
      ({ labels }) =>
        dropReasons.includes(reasonOf(labels)) ||
        (isUnnamedDrop(reasonOf(labels)) && locations.includes(labels['location'] ?? '')),
    );
    for (const each of mine) left.delete(each);
    const counted = counters.reduce((sum, each) => sum + (each?.value ?? 0), 0);
    const known = whole === true && counters.some((each) => each !== undefined);
    const lost = known ? counted : Math.max(counted, totalOf(mine));
    return { means, lost, device: device ?? deviceOf(mine), ...(type !== undefined && { type }) };
  });
  const others = new Map<string, Signal[]>();
  for (const each of left) {
    const { means } = meaningOf(each.labels);
    others.set(means, [...(others.get(means) ?? []), each]);
  }
  const more = [...others].map(([means, mine]): LostWay => {
    const { type } = meaningOf(mine[0]!.labels);
    return { means, lost: totalOf(mine), device: deviceOf(mine), ...(type !== undefined && { type }) };
  });
  const all: LostWay[] = [...found, ...more].filter(({ lost }) => lost > 0).sort((a, b) => b.lost - a.lost);
  return { lost: all.reduce((sum, { lost }) => sum + lost, 0), ways: all };
}

function reasonOf(labels: Signal['labels']): string {
  return labels['reason'] ?? '';
}

function meaningOf(labels: Signal['labels']): ReturnType<typeof meaningOfDrop> {
  return meaningOfDrop(reasonOf(labels), labels['location'] ?? '');
}

/** The device that most of them were on, where it is known. */
function deviceOf(drops: readonly Signal[]): string {
  return [...drops].sort((a, b) => b.value - a.value)[0]?.labels['device'] ?? '';
}

/** How bad a loss is of which a part is known by its reasons only, relative to all: what was lost and what was not. */
export function gradeShare(
  lost: number,
  taken: number,
  limits: LossLimits,
): { share: number; grade: 'none' | 'warning' | 'critical' } {
  const share = lost > 0 ? lost / (lost + taken) : 0;
  return { share, grade: gradeOf(lost, share, limits) };
}

/** The same for a server of metrics: the share, where it and the number are of that size. */
export function shareLost(lost: Expression, taken: Expression, least: number, share: number): Expression {
  return lossOf(lossShare(lost, taken), lost, least, share);
}
