import { factsOf } from '../../src/collectors/facts.ts';
import type { Labels, Metric } from '../../src/metrics/metric.ts';
import { Snapshot, type CollectorState, type Gap } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';
import { evaluateRules, type Overrides } from '../../src/rules/engine.ts';
import type { Outcome } from '../../src/generated/report.ts';
import type { Finding } from '../../src/rules/finding.ts';
import type { Rule } from '../../src/rules/rule.ts';

/** One series at both ends: [metric, labels, before, after]; null where it was absent at that end. */
export type Cell = readonly [Metric, Labels, number | readonly number[] | null, number | readonly number[] | null];

export interface WindowSpec {
  readonly seconds?: number;
  readonly cells: readonly Cell[];
  /** Collectors that failed: id -> what was wrong. Every other collector of the cells' metrics ran well. */
  readonly failed?: Readonly<Record<string, Gap>>;
  /** Collectors that found nothing of their kind on this host: id -> what they said. */
  readonly inapplicable?: Readonly<Record<string, Gap>>;
  /** Namespaces that could not be entered: name -> why. Nothing was read in them at either end. */
  readonly closed?: Readonly<Record<string, Gap>>;
  /** Collectors that ran although no cell is theirs: their sparse metrics then read as zero. */
  readonly ran?: readonly string[];
  /** Collectors whose second reading was not at the end: id -> seconds after the first. A probe that left has its last of then. */
  readonly readAfter?: Readonly<Record<string, number>>;
}

/** A window made by hand. */
export function windowOf({
  seconds = 10,
  cells,
  failed = {},
  inapplicable = {},
  closed = {},
  ran = [],
  readAfter = {},
}: WindowSpec): Window {
  const before = new Snapshot('2026-01-01T00:00:00.000Z', 100);
  const after = new Snapshot('2026-01-01T00:00:10.000Z', 100 + seconds);
  const collectors = new Set([
    ...ran,
    ...cells.map(([metric]) => metric.collector),
    ...Object.keys(failed),
    ...Object.keys(inapplicable),
  ]);
  const namespaces = new Set(['', ...cells.map(([, labels]) => labels['netns'] ?? '')]);
  for (const [metric, labels, from, to] of cells) {
    if (from !== null) before.add(metric, labels, from, 100);
    if (to !== null) after.add(metric, labels, to, 100 + (readAfter[metric.collector] ?? seconds));
  }
  for (const id of collectors) {
    const gap = failed[id] ?? inapplicable[id];
    const has = cells.some(([metric]) => metric.collector === id);
    const status: CollectorState =
      id in inapplicable ? 'not-applicable' : gap === undefined ? 'ok' : has ? 'partial' : 'unavailable';
    // As a sample has it: in other namespaces only what is read in each of them.
    for (const netns of factsOf(id)?.scope === 'netns' ? namespaces : ['']) {
      const report = { id, netns, status, gaps: gap === undefined ? [] : [gap], milliseconds: 0 };
      before.collectors.push(report);
      after.collectors.push(report);
    }
  }
  for (const [netns, gap] of Object.entries(closed)) {
    for (const id of [...collectors].filter((each) => factsOf(each)?.scope === 'netns')) {
      const report = { id, netns, status: 'unavailable', gaps: [gap], milliseconds: 0 } as const;
      before.collectors.push(report);
      after.collectors.push(report);
    }
  }
  return new Window(before, after);
}

/** What one rule says about a window made by hand. */
export function judge(rule: Rule, spec: WindowSpec, overrides: Overrides = {}): Finding[] {
  return evaluateRules(windowOf(spec), [rule], overrides);
}

/** A row of a rule's table of cases. */
export interface Case extends WindowSpec {
  readonly name: string;
  readonly outcome: Outcome;
  readonly certainty?: Finding['certainty'];
  readonly message?: string;
  /** Arguments of the message that must have just these values. */
  readonly args?: Finding['args'];
  /** Text that must be in a remedy's command. */
  readonly command?: RegExp;
  /** Of the differences that the rule's alert declares, the one to be seen here. */
  readonly alertDiffers?: string;
  /** Text that must be in the reasons of what was missing. */
  readonly missing?: RegExp;
}
