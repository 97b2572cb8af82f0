import type { Labels, Metric, ReadingUnit, Unit } from './metric.ts';
import { OWN_NETNS } from './snapshot.ts';
import type { Missing, Window } from './window.ts';

/**
 * The expression language. One definition does three things: evaluate on a Window, print itself as correct PromQL, and
 * list the readings it used. Expressions are plain values; there is no parser.
 *
 * Labels in the type are the labels an expression's points carry. `instance`, `job` and, for metrics kept per network
 * namespace, `netns` are carried along without being named.
 */
export interface Expression<L extends string = string> {
  readonly labels: readonly L[];
  readonly unit: ReadingUnit;
  readonly perNetns: boolean;
  /** The metrics it is made of, the one that gives it its meaning first. */
  readonly metrics: readonly Metric[];
  /** Whether it can have a point on a host, or a server, that has only such metrics. */
  speaks(has: (metric: Metric) => boolean): boolean;
  evaluate(window: Window): Evaluation;
  /** @param range a PromQL duration such as `5m`, used by `rate` and `increase` */
  promql(range: string): string;
}

export interface Evaluation {
  readonly points: readonly Point[];
  /** Why it has no points, or which series it had to leave out. */
  readonly missing: readonly Missing[];
}

export interface Point {
  readonly labels: Labels;
  readonly value: number;
  readonly readings: readonly Reading[];
}

/** What was read from the host for a point: the bottom of every evidence line. */
export interface Reading {
  readonly metric: Metric;
  readonly labels: Labels;
  readonly before: number | null;
  readonly after: number;
  readonly value: number;
  readonly how: 'value' | 'peak' | 'increase' | 'rate';
}

/**
 * Label values to keep: one, or any of several. `netns` given as one string fixes the namespace, '' being pktcost's own:
 * the expression is then no longer one per namespace. For figures of the whole host that each namespace repeats.
 */
export type Match<L extends string> = { readonly [K in L | 'netns']?: string | readonly string[] };

/** The metric as it stands at the end of the window. */
export function value<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  return selector(metric, match, 'value');
}

/** The larger of a gauge's two readings: a table that was full at either end was full. */
export function peak<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  return selector(metric, match, 'peak');
}

/** How much a counter rose over the window. */
export function increase<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  return selector(metric, match, 'increase');
}

/** A counter's rise per second. */
export function rate<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  return selector(metric, match, 'rate');
}

/** Seconds per second are a share of the time. */
function perSecond(unit: Unit): ReadingUnit {
  return unit === 'seconds' ? 'ratio' : `${unit}/s`;
}

function selector<L extends string>(metric: Metric<L>, match: Match<L>, how: Reading['how']): Expression<L> {
  const wanted = Object.entries(match as Record<string, string | readonly string[] | undefined>).flatMap(
    ([label, values]) =>
      values === undefined ? [] : [{ label, values: typeof values === 'string' ? [values] : values }],
  );
  const matches = (labels: Labels): boolean =>
    wanted.every(({ label, values }) => values.includes(labels[label] ?? ''));
  const select = wanted.map(({ label, values }) =>
    values.length === 1
      ? `${label}=${JSON.stringify(values[0])}`
      : `${label}=~${JSON.stringify(values.map(escapeRegex).join('|'))}`,
  );
  const vector = select.length === 0 ? metric.name : `${metric.name}{${select.join(',')}}`;
  return {
    labels: metric.labels,
    unit: how === 'rate' ? perSecond(metric.unit) : metric.unit,
    perNetns: metric.perNetns && typeof (match as Match<never>).netns !== 'string',
    metrics: [metric],
    speaks: (has) => has(metric),
    promql: (range) => (how === 'value' ? vector : `${how === 'peak' ? 'max_over_time' : how}(${vector}[${range}])`),
    evaluate: (window) => {
      if (how === 'value' || how === 'peak') {
        const cells = how === 'value' ? window.value(metric) : window.peak(metric);
        const points = cells
          .filter((series) => matches(series.labels))
          .map((series) => ({
            labels: series.labels,
            value: series.value,
            readings: [
              reading(
                metric,
                series.labels,
                window.before.get(metric, series.labels)?.value ?? null,
                series.value,
                series.value,
                how,
              ),
            ],
          }));
        return { points, missing: points.length > 0 ? [] : whyEmpty(metric, cells.length, window) };
      }
      const { cells, missing } = window.increase(metric);
      const points = cells
        .filter((cell) => matches(cell.labels))
        .map((cell) => {
          const amount = how === 'increase' ? cell.increase : cell.seconds > 0 ? cell.increase / cell.seconds : 0;
          return {
            labels: cell.labels,
            value: amount,
            readings: [reading(metric, cell.labels, cell.before, cell.after, amount, how)],
          };
        });
      return {
        points,
        missing: points.length > 0 || missing.length > 0 ? missing : whyEmpty(metric, cells.length, window),
      };
    },
  };
}

function reading(
  metric: Metric,
  labels: Labels,
  before: number | null,
  after: number,
  amount: number,
  how: Reading['how'],
): Reading {
  return { metric, labels, before, after, value: amount, how };
}

function whyEmpty(metric: Metric, others: number, window: Window): readonly Missing[] {
  if (others === 0) return window.whyAbsent(metric);
  if (metric.sparse) return [];
  return [{ metric: metric.name, source: metric.source, reason: 'no series with the labels asked for' }];
}

/** Adds up the points that share the named labels. */
export function sumBy<L extends string, const K extends L>(by: readonly K[], of: Expression<L>): Expression<K> {
  return aggregate('sum', by, of, (values) => values.reduce((sum, each) => sum + each, 0));
}

/** The largest of the points that share the named labels. */
export function maxBy<L extends string, const K extends L>(by: readonly K[], of: Expression<L>): Expression<K> {
  return aggregate('max', by, of, (values) => Math.max(...values));
}

/** Adds up the namespaces: the whole host's figure of a counter that is kept by namespace. */
export function acrossNetns<L extends string>(of: Expression<L>): Expression<L> {
  return aggregate('sum', of.labels, { ...of, perNetns: false }, (values) =>
    values.reduce((sum, each) => sum + each, 0),
  );
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
    promql: (range) => `${name} by (${carried(by, of.perNetns).join(', ')}) (${of.promql(range)})`,
    evaluate: (window) => {
      const { points, missing } = of.evaluate(window);
      return { points: grouped(points, by, of.perNetns, fold), missing };
    },
  };
}

/** One point for all that share the named labels. */
export function grouped(
  points: readonly Point[],
  by: readonly string[],
  perNetns: boolean,
  fold: (values: readonly number[]) => number,
): Point[] {
  const groups = new Map<string, { labels: Labels; points: Point[] }>();
  for (const point of points) {
    const labels = pick(point.labels, by, perNetns);
    const key = JSON.stringify(labels);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { labels, points: [point] });
    else group.points.push(point);
  }
  return [...groups.values()].map((group) => ({
    labels: group.labels,
    value: fold(group.points.map((point) => point.value)),
    readings: group.points.flatMap((point) => point.readings),
  }));
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

/** The points of both, those of `left` first; something is missing only when neither could be read. */
export function either<L extends string>(left: Expression<L>, right: Expression<L>): Expression<L> {
  const perNetns = left.perNetns && right.perNetns;
  return {
    ...left,
    perNetns,
    metrics: [...left.metrics, ...right.metrics],
    speaks: (has) => left.speaks(has) || right.speaks(has),
    promql: (range) =>
      `(${left.promql(range)}) or on (${carried(left.labels, perNetns).join(', ')}) (${right.promql(range)})`,
    evaluate: (window) => {
      const first = left.evaluate(window);
      const second = right.evaluate(window);
      const known = new Set(first.points.map(({ labels }) => JSON.stringify(pick(labels, left.labels, perNetns))));
      const added = second.points.filter(
        ({ labels }) => !known.has(JSON.stringify(pick(labels, left.labels, perNetns))),
      );
      const none = first.missing.length > 0 && second.missing.length > 0;
      return { points: [...first.points, ...added], missing: none ? [...first.missing, ...second.missing] : [] };
    },
  };
}

/** left / right, one to one on equal labels. Points whose denominator is zero are left out, as `> 0` does in PromQL. */
export function ratio<L extends string>(
  left: Expression<L>,
  right: Expression<L>,
  unit: ReadingUnit = 'ratio',
): Expression<L> {
  const inner = binary('/', left, right, (a, b) => (b === 0 ? undefined : a / b), unit);
  const printed = (range: string): string => {
    const text = right.promql(range);
    // Sums and products bind closer than the comparison; what joins and compares does not.
    return / (and|or|unless) on | [<>=!]=? [^"]*$/.test(text) ? `(${text})` : text;
  };
  return { ...inner, promql: (range) => `${wrap(left, range)} / ${matching(left)} (${printed(range)} > 0)` };
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
  const perNetns = left.perNetns && right.perNetns;
  return {
    ...left,
    metrics: [...left.metrics, ...right.metrics],
    speaks: (has) => left.speaks(has) && right.speaks(has),
    promql: (range) => `(${left.promql(range)}) and on (${carried(on, perNetns).join(', ')}) (${right.promql(range)})`,
    evaluate: (window) => {
      const kept = left.evaluate(window);
      const filter = right.evaluate(window);
      const keys = new Set(filter.points.map((point) => JSON.stringify(pick(point.labels, on, perNetns))));
      return {
        points: kept.points.filter((point) => keys.has(JSON.stringify(pick(point.labels, on, perNetns)))),
        missing: [...kept.missing, ...filter.missing],
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
  const perNetns = left.perNetns && info.perNetns;
  return {
    ...left,
    labels: [...left.labels, ...take],
    metrics: [...left.metrics, info],
    speaks: (has) => left.speaks(has) && has(info),
    promql: (range) =>
      `(${left.promql(range)}) * on (${carried(on, perNetns).join(', ')}) group_left (${take.join(', ')}) ${info.name}`,
    evaluate: (window) => {
      const points = left.evaluate(window);
      const infos = from.evaluate(window);
      const byKey = new Map<string, Point>();
      const several = new Set<string>();
      for (const point of infos.points) {
        const key = JSON.stringify(pick(point.labels, on, perNetns));
        if (byKey.has(key)) several.add(key);
        byKey.set(key, point);
      }
      const joined = points.points.flatMap((point) => {
        const key = JSON.stringify(pick(point.labels, on, perNetns));
        const match = several.has(key) ? undefined : byKey.get(key);
        if (match === undefined) return [];
        return [
          {
            ...point,
            labels: { ...point.labels, ...pick(match.labels, take, false) },
            value: point.value * match.value,
          },
        ];
      });
      const ambiguous = [...several].map((key) => ({
        metric: info.name,
        source: info.source,
        reason: `says more than one thing about ${key}`,
      }));
      return { points: joined, missing: [...points.missing, ...infos.missing, ...ambiguous] };
    },
  };
}

/** left and right, one to one on equal labels, made into one value by `apply`; undefined leaves the point out. */
export function binary<L extends string>(
  sign: string,
  left: Expression<L>,
  right: Expression<L>,
  apply: (a: number, b: number) => number | undefined,
  unit: ReadingUnit = left.unit,
): Expression<L> {
  return {
    ...left,
    unit,
    perNetns: left.perNetns || right.perNetns,
    metrics: [...left.metrics, ...right.metrics],
    speaks: (has) => left.speaks(has) && right.speaks(has),
    promql: (range) => `${wrap(left, range)} ${sign} ${matching(left)} ${wrap(right, range)}`,
    evaluate: (window) => {
      const lefts = left.evaluate(window);
      const rights = right.evaluate(window);
      const both = left.perNetns && right.perNetns;
      const byKey = new Map(
        rights.points.map((point) => [JSON.stringify(pick(point.labels, left.labels, both)), point]),
      );
      const points = lefts.points.flatMap((point) => {
        const other = byKey.get(JSON.stringify(pick(point.labels, left.labels, both)));
        const result = other === undefined ? undefined : apply(point.value, other.value);
        if (other === undefined || result === undefined) return [];
        return [{ labels: point.labels, value: result, readings: [...point.readings, ...other.readings] }];
      });
      return { points, missing: [...lefts.missing, ...rights.missing] };
    },
  };
}

function matching(of: Expression): string {
  return `on (${carried(of.labels, of.perNetns).join(', ')})`;
}

/** As an operand of another expression. */
export function wrap(of: Expression, range: string): string {
  const text = of.promql(range);
  return /^[a-z_]+(\{[^}]*\})?$|^\w+\([^()]*\)$/.test(text) ? text : `(${text})`;
}

/** The labels that points are told apart by, those that are never named included. */
export function carried(labels: readonly string[], perNetns: boolean): string[] {
  return ['instance', 'job', ...(perNetns ? ['netns'] : []), ...labels.filter((label) => label !== 'netns')];
}

/** The same of one point, as a key. */
export function pick(labels: Labels, names: readonly string[], netns: boolean): Labels {
  const picked: Record<string, string> = {};
  for (const name of names) picked[name] = labels[name] ?? '';
  const own = labels['netns'] ?? OWN_NETNS;
  if (netns && own !== OWN_NETNS) picked['netns'] = own;
  return picked;
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
