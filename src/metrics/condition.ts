import { binary, carried, grouped, pick, wrap, type Expression, type Point } from './expression.ts';
import type { ReadingUnit } from './metric.ts';

/**
 * Conditions, in the language of expression.ts and with its promise: what they keep on a Window is what their PromQL
 * keeps. A condition holds where it has a point, and the point's value is that of what was compared.
 */
export type Compare = '>' | '>=' | '<' | '<=' | '==' | '!=';

const holds: Readonly<Record<Compare, (value: number, limit: number) => boolean>> = {
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '==': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit,
};

/** Only the points that compare so with the limit. */
export function where<L extends string>(of: Expression<L>, compare: Compare, limit: number): Expression<L> {
  return {
    ...of,
    promql: (range) => `${wrap(of, range)} ${compare} ${limit === Infinity ? '+Inf' : limit}`,
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
  const perNetns = left.perNetns && right.perNetns;
  return {
    ...left,
    metrics: [...left.metrics, ...right.metrics],
    promql: (range) => `${wrap(left, range)} unless on (${carried(on, perNetns).join(', ')}) ${wrap(right, range)}`,
    evaluate: (window) => {
      const kept = left.evaluate(window);
      const taken = new Set(right.evaluate(window).points.map(({ labels }) => keyOf(labels, on, perNetns)));
      return {
        points: kept.points.filter(({ labels }) => !taken.has(keyOf(labels, on, perNetns))),
        missing: kept.missing,
      };
    },
  };
}

/** Zero for each point of `like` that `of` lacks: for counters that some kernels and exporters do not have. */
export function orZero<L extends string>(of: Expression<L>, like: Expression<L>): Expression<L> {
  const perNetns = of.perNetns && like.perNetns;
  return {
    ...of,
    metrics: [...of.metrics, ...like.metrics],
    speaks: (has) => like.speaks(has),
    promql: (range) =>
      `${wrap(of, range)} or on (${carried(of.labels, perNetns).join(', ')}) (${wrap(like, range)} * 0)`,
    evaluate: (window) => {
      const { points } = of.evaluate(window);
      const there = new Set(points.map(({ labels }) => keyOf(labels, of.labels, perNetns)));
      const likes = like.evaluate(window);
      const zeros = likes.points
        .filter(({ labels }) => !there.has(keyOf(labels, of.labels, perNetns)))
        .map((point) => ({ ...point, value: 0 }));
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
    speaks: (has) => terms.some((term) => term.speaks(has)),
    promql: (range) => {
      const told = terms.map((term, index) =>
        index === 0 ? wrap(term, range) : `label_replace(${term.promql(range)}, "term", "${index}", "", "")`,
      );
      return `${name} by (${carried(first.labels, perNetns).join(', ')}) (${told.join(' or ')})`;
    },
    evaluate: (window) => {
      const evaluations = terms.map((term) => term.evaluate(window));
      const points = grouped(
        evaluations.flatMap((each) => each.points),
        first.labels,
        perNetns,
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
    promql: (range) => `count_values by (${carried([], of.perNetns).join(', ')}) ("${label}", ${of.promql(range)})`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      const named = points.map((point) => ({ ...point, labels: { ...point.labels, [label]: `${point.value}` } }));
      return { points: grouped(named, [label], of.perNetns, (values) => values.length), missing };
    },
  };
}

function keyOf(labels: Point['labels'], names: readonly string[], perNetns: boolean): string {
  return JSON.stringify(pick(labels, names, perNetns));
}
