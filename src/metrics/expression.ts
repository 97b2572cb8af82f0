import type { Evaluation, Expression } from './expression-type.ts';
import type { Metric, ReadingUnit } from './metric.ts';
import { grouped, Keyed, keyLabels, type Key, type Point } from './points.ts';
import { binds, carried, operand, type Binding, type Printed } from './promql.ts';
import { value } from './selectors.ts';

export type { Evaluation, Expression, Point };
export { earlier, increase, latest, peak, rate, value, within } from './selectors.ts';

/** Adds up the points that share the named labels. */
export function sumBy<L extends string, const K extends L>(by: readonly K[], of: Expression<L>): Expression<K> {
  return aggregate('sum', by, of, (values) => values.reduce((sum, each) => sum + each, 0));
}

/** The largest of the points that share the named labels. */
export function maxBy<L extends string, const K extends L>(by: readonly K[], of: Expression<L>): Expression<K> {
  return aggregate('max', by, of, (values) => values.reduce((most, each) => Math.max(most, each), -Infinity));
}

/** How many points share the named labels, whatever they are. */
export function countBy<L extends string, const K extends L>(by: readonly K[], of: Expression<L>): Expression<K> {
  return { ...aggregate('count', by, of, (values) => values.length), unit: 'number' };
}

/** Adds up the namespaces: the whole host's figure of a counter that is kept by namespace. */
export function acrossNetns<L extends string>(of: Expression<L>): Expression<L> {
  return aggregate('sum', of.labels, { ...of, perNetns: false }, (values) =>
    values.reduce((sum, each) => sum + each, 0),
  );
}

/** The points of all namespaces, each with its own label `netns`, for a rule that looks at the whole host. */
export function everywhere<L extends string>(of: Expression<L>): Expression<L> {
  return { ...of, perNetns: false };
}

/** What is counted of the whole host, as pktcost's own namespace's, for a rule that looks at each. */
export function inOwnNetns<L extends string>(of: Expression<L>): Expression<L> {
  return { ...of, perNetns: true };
}

function aggregate<L extends string, K extends L>(
  name: string,
  by: readonly K[],
  of: Expression<L>,
  fold: (values: readonly number[]) => number,
): Expression<K> {
  return {
    ...of,
    labels: by,
    binding: binds.nested,
    promql: (range) => `${name} by (${carried(by, of.perNetns)}) (${of.promql(range)})`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      return { points: grouped(points, { on: by, perNetns: of.perNetns }, fold), missing };
    },
  };
}

/**
 * The same points with one label under another name. A rule of one CPU sees the other CPUs this way: a signal without the
 * label of the scope is given to every instance.
 */
export function renamed<L extends string, const F extends L, const T extends string>(
  of: Expression<L>,
  from: F,
  to: T,
): Expression<Exclude<L, F> | T> {
  return {
    ...of,
    labels: [...of.labels.filter((label): label is Exclude<L, F> => label !== from), to],
    binding: binds.nested,
    promql: (range) => `sum without (${from}) (label_replace(${of.promql(range)}, "${to}", "$1", "${from}", "(.*)"))`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      return {
        points: points.map((point) => {
          const { [from as string]: value = '', ...others } = point.labels;
          return { ...point, labels: { ...others, [to]: value } };
        }),
        missing,
      };
    },
  };
}

/** The points of both, those of `left` first; where there are none, what is missing is what either lacks. */
export function either<L extends string>(left: Expression<L>, right: Expression<L>): Expression<L> {
  const perNetns = left.perNetns && right.perNetns;
  const key = { on: left.labels, perNetns };
  return {
    ...left,
    perNetns,
    metrics: [...left.metrics, ...right.metrics],
    alternatives: true,
    speaks: (has) => left.speaks(has) || right.speaks(has),
    binding: binds.or,
    promql: (range) => joined('or', key, left, right, range),
    evaluate: (window) => {
      const first = left.evaluate(window);
      const second = right.evaluate(window);
      const known = new Keyed(first.points, key);
      const points = [...first.points, ...second.points.filter((point) => !known.has(point))];
      // One that was read and is empty does not stand for one that was not.
      return { points, missing: points.length > 0 ? [] : [...first.missing, ...second.missing] };
    },
  };
}

/** Vectors joined, each in parentheses whatever it is: they are long, and printed a line each. */
function joined(sign: 'or' | 'and', key: Key, left: Printed, right: Printed, range: string): string {
  return `(${left.promql(range)}) ${sign} ${onKey(key)} (${right.promql(range)})`;
}

/** left / right, one to one on equal labels. Points whose denominator is zero are left out, as `> 0` does in PromQL. */
export function ratio<L extends string>(
  left: Expression<L>,
  right: Expression<L>,
  unit: ReadingUnit = 'ratio',
): Expression<L> {
  return {
    ...binary('/', left, right, (a, b) => (b === 0 ? undefined : a / b), unit),
    over: right.metrics,
    promql: (range) => `${operand(left, range)} / ${matching(left)} (${operand(right, range, binds.sum)} > 0)`,
  };
}

/** left + right, one to one on equal labels; both must be there. */
export function add<L extends string>(left: Expression<L>, right: Expression<L>): Expression<L> {
  return binary('+', left, right, (a, b) => a + b);
}

/** left - right, one to one on equal labels; both must be there. */
export function subtract<L extends string>(left: Expression<L>, right: Expression<L>): Expression<L> {
  return binary('-', left, right, (a, b) => a - b);
}

/** The expression multiplied by a constant, in a unit of its own. */
export function scale<L extends string>(of: Expression<L>, factor: number, unit: ReadingUnit = of.unit): Expression<L> {
  return {
    ...of,
    unit,
    binding: binds.product,
    promql: (range) => `(${of.promql(range)}) * ${factor}`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      return { points: points.map((point) => ({ ...point, value: point.value * factor })), missing };
    },
  };
}

/** The points of `left` for which `right` has a point with the same values of the named labels. */
export function andOn<L extends string, R extends string>(
  on: readonly (L & R)[],
  left: Expression<L>,
  right: Expression<R>,
): Expression<L> {
  const key = { on, perNetns: left.perNetns && right.perNetns };
  return {
    ...left,
    metrics: [...left.metrics, ...right.metrics],
    speaks: (has) => left.speaks(has) && right.speaks(has),
    binding: binds.and,
    promql: (range) => joined('and', key, left, right, range),
    evaluate: (window) => {
      const kept = left.evaluate(window);
      const filter = right.evaluate(window);
      const wanted = new Keyed(filter.points, key);
      // The list was read and has none of the kind: whatever the other side is, nothing of it is asked for.
      const noneAskedFor = filter.points.length === 0 && filter.missing.length === 0;
      return {
        points: kept.points.filter((point) => wanted.has(point)),
        missing: noneAskedFor ? [] : [...kept.missing, ...filter.missing],
      };
    },
  };
}

/**
 * Gives each point of `left` the labels `take` of the info series that agrees with it on `on`. Points without such a
 * series are left out. An info series has the value 1, so the value stays. PromQL refuses to answer where several info
 * series agree with one point; such a point is left out, and that is said.
 */
export function withLabels<L extends string, I extends string, const T extends I>(
  left: Expression<L>,
  on: readonly (L & I)[],
  info: Metric<I>,
  take: readonly T[],
): Expression<L | T> {
  const from = value(info);
  const key = { on, perNetns: left.perNetns && info.perNetns };
  return {
    ...left,
    labels: [...left.labels, ...take],
    metrics: [...left.metrics, info],
    speaks: (has) => left.speaks(has) && has(info),
    binding: binds.product,
    promql: (range) => `(${left.promql(range)}) * ${onKey(key)} group_left (${take.join(', ')}) ${info.name}`,
    evaluate: (window) => {
      const points = left.evaluate(window);
      const infos = from.evaluate(window);
      const byKey = new Keyed(infos.points, key);
      const named = points.points.flatMap((point) => {
        const match = byKey.single(point);
        if (match === undefined) return [];
        const labels = { ...point.labels, ...keyLabels(match.labels, { on: take, perNetns: false }) };
        return [{ ...point, labels, value: point.value * match.value }];
      });
      const ambiguous = [...byKey.several.values()].map((each) => ({
        metric: info.name,
        source: info.source,
        reason: `says more than one thing about ${JSON.stringify(each)}`,
      }));
      return { points: named, missing: [...points.missing, ...infos.missing, ...ambiguous] };
    },
  };
}

/** left and right, one to one on equal labels, made into one value by `apply`; undefined leaves the point out. */
export function binary<L extends string>(
  sign: '+' | '-' | '*' | '/',
  left: Expression<L>,
  right: Expression<L>,
  apply: (a: number, b: number) => number | undefined,
  unit: ReadingUnit = left.unit,
): Expression<L> {
  const key = { on: left.labels, perNetns: left.perNetns && right.perNetns };
  return {
    ...left,
    unit,
    perNetns: left.perNetns || right.perNetns,
    metrics: [...left.metrics, ...right.metrics],
    over: undefined,
    speaks: (has) => left.speaks(has) && right.speaks(has),
    binding: bindingOf[sign],
    promql: (range) => `${operand(left, range)} ${sign} ${matching(left)} ${operand(right, range)}`,
    evaluate: (window) => {
      const lefts = left.evaluate(window);
      const rights = right.evaluate(window);
      const others = new Keyed(rights.points, key);
      const points = lefts.points.flatMap((point) => {
        const other = others.match(point);
        const result = other === undefined ? undefined : apply(point.value, other.value);
        if (other === undefined || result === undefined) return [];
        return [{ labels: point.labels, value: result, readings: [...point.readings, ...other.readings] }];
      });
      return { points, missing: [...lefts.missing, ...rights.missing] };
    },
  };
}

const bindingOf = {
  '+': binds.sum,
  '-': binds.sum,
  '*': binds.product,
  '/': binds.product,
} as const satisfies Record<string, Binding>;

function matching({ labels, perNetns }: Expression): string {
  return onKey({ on: labels, perNetns });
}

export function onKey({ on, perNetns }: Key): string {
  return `on (${carried(on, perNetns)})`;
}
