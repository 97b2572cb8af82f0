import { binary, onKey, type Expression } from './expression.ts';
import type { ReadingUnit } from './metric.ts';
import { grouped, Keyed } from './points.ts';
import { binds, carried, operand } from './promql.ts';

/**
 * Conditions, in the language of expression.ts and with its promise: what they keep on a Window is what their PromQL
 * keeps. A condition holds where it has a point, and the point's value is that of what was compared.
 */
export type Comparator = '>' | '>=' | '<' | '<=' | '==' | '!=';

const holds: Readonly<Record<Comparator, (value: number, limit: number) => boolean>> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '==': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit,
};

/** Only the points that compare so with the limit. */
export function where<L extends string>(of: Expression<L>, compare: Comparator, limit: number): Expression<L> {
  return {
    ...of,
    binding: binds.compare,
    promql: (range) => `${operand(of, range)} ${compare} ${limit === Infinity ? '+Inf' : limit}`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      return { points: points.filter(({ value }) => holds[compare](value, limit)), missing };
    },
  };
}

/** Only the points above a limit. */
export function above<L extends string>(of: Expression<L>, limit: number): Expression<L> {
  return where(of, '>', limit);
}

/** The points of `left` for which `right` has none with the same values of the named labels. */
export function unlessOn<L extends string, R extends string>(
  on: readonly (L & R)[],
  left: Expression<L>,
  right: Expression<R>,
): Expression<L> {
  const key = { on, perNetns: left.perNetns && right.perNetns };
  return {
    ...left,
    metrics: [...left.metrics, ...right.metrics],
    binding: binds.and,
    promql: (range) => `${operand(left, range)} unless ${onKey(key)} ${operand(right, range)}`,
    evaluate: (window) => {
      const { points, missing } = left.evaluate(window);
      const taken = new Keyed(right.evaluate(window).points, key);
      return { points: points.filter((point) => !taken.has(point)), missing };
    },
  };
}

/** Zero for each point of `like` that `of` lacks: for counters that some kernels and exporters do not have. */
export function orZero<L extends string>(of: Expression<L>, like: Expression<L>): Expression<L> {
  const key = { on: of.labels, perNetns: of.perNetns && like.perNetns };
  return {
    ...of,
    metrics: [...of.metrics, ...like.metrics],
    speaks: (has) => like.speaks(has),
    binding: binds.or,
    promql: (range) => `${operand(of, range)} or ${onKey(key)} (${operand(like, range)} * 0)`,
    evaluate: (window) => {
      const { points } = of.evaluate(window);
      const there = new Keyed(points, key);
      const likes = like.evaluate(window);
      const zeros = likes.points.filter((point) => !there.has(point)).map((point) => ({ ...point, value: 0 }));
      return { points: [...points, ...zeros], missing: points.length + zeros.length > 0 ? [] : likes.missing };
    },
  };
}

/** The sum of those of the terms that are there. */
export function total<L extends string>(...terms: readonly [Expression<L>, ...Expression<L>[]]): Expression<L> {
  return gathered('sum', terms, (values) => values.reduce((sum, each) => sum + each, 0));
}

/** The largest of those of the terms that are there. */
export function largest<L extends string>(...terms: readonly [Expression<L>, ...Expression<L>[]]): Expression<L> {
  return gathered('max', terms, (values) => Math.max(...values));
}

/** A label of its own keeps the terms apart where `or` would take the first for all of them. */
function gathered<L extends string>(
  name: string,
  terms: readonly [Expression<L>, ...Expression<L>[]],
  fold: (values: readonly number[]) => number,
): Expression<L> {
  const [first] = terms;
  const perNetns = terms.every((term) => term.perNetns);
  return {
    ...first,
    perNetns,
    metrics: terms.flatMap(({ metrics }) => metrics),
    over: undefined,
    speaks: (has) => terms.some((term) => term.speaks(has)),
    binding: binds.nested,
    promql: (range) => {
      const told = terms.map((term, index) =>
        index === 0 ? operand(term, range) : `label_replace(${term.promql(range)}, "term", "${index}", "", "")`,
      );
      return `${name} by (${carried(first.labels, perNetns)}) (${told.join(' or ')})`;
    },
    evaluate: (window) => {
      const evaluations = terms.map((term) => term.evaluate(window));
      const points = grouped(
        evaluations.flatMap((each) => each.points),
        { on: first.labels, perNetns },
        fold,
      );
      return { points, missing: points.length > 0 ? [] : evaluations.flatMap(({ missing }) => missing) };
    },
  };
}

/** left * right, one to one on equal labels; both must be there. */
export function multiply<L extends string>(
  left: Expression<L>,
  right: Expression<L>,
  unit: ReadingUnit = left.unit,
): Expression<L> {
  return binary('*', left, right, (a, b) => a * b, unit);
}

/** The same points, none of them below `least`. */
export function clampMin<L extends string>(of: Expression<L>, least: number): Expression<L> {
  return {
    ...of,
    binding: binds.nested,
    promql: (range) => `clamp_min(${of.promql(range)}, ${least})`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      return { points: points.map((point) => ({ ...point, value: Math.max(least, point.value) })), missing };
    },
  };
}

/**
 * The values as a label, each with the number of points that have it: for what one metric says by its value and another
 * by a label.
 */
export function byValue<const T extends string>(label: T, of: Expression): Expression<T> {
  return {
    ...of,
    labels: [label],
    unit: 'number',
    binding: binds.nested,
    promql: (range) => `count_values by (${carried([], of.perNetns)}) ("${label}", ${of.promql(range)})`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      const named = points.map((point) => ({ ...point, labels: { ...point.labels, [label]: `${point.value}` } }));
      return { points: grouped(named, { on: [label], perNetns: of.perNetns }, (values) => values.length), missing };
    },
  };
}
