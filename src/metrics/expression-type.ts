import type { Metric, ReadingUnit } from './metric.ts';
import type { Point } from './points.ts';
import type { Printed } from './promql.ts';
import type { Missing, Window } from './window.ts';

/**
 * The expression language. One definition does three things: evaluate on a Window, print itself as correct PromQL, and
 * list the readings it used. Expressions are plain values; there is no parser.
 *
 * Labels in the type are the labels an expression's points carry. `instance`, `job` and, for metrics kept per network
 * namespace, `netns` are carried along without being named.
 */
export interface Expression<L extends string = string> extends Printed {
  readonly labels: readonly L[];
  readonly unit: ReadingUnit;
  readonly perNetns: boolean;
  /** The metrics it is made of, the one that gives it its meaning first. */
  readonly metrics: readonly Metric[];
  /** Of a quotient what it is divided by, so that it is not shown as the reading of one metric. */
  readonly over?: readonly Metric[] | undefined;
  /** Whether it can have a point on a host, or a server, that has only such metrics. */
  speaks(has: (metric: Metric) => boolean): boolean;
  /** One of its metrics is enough. */
  readonly alternatives?: boolean;
  evaluate(window: Window): Evaluation;
  /** @param range a PromQL duration such as `5m`, used by `rate` and `increase` */
  promql(range: string): string;
}

export interface Evaluation {
  readonly points: readonly Point[];
  /** Why it has no points, or which series it had to leave out. */
  readonly missing: readonly Missing[];
}
