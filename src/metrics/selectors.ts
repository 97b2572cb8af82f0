import type { Expression } from './expression-type.ts';
import { exposedAs, type Labels, type Metric, type MetricUnit, type ReadingUnit } from './metric.ts';
import { binds, selectorText } from './promql.ts';
import type { Missing, Window } from './window.ts';

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

/**
 * The same in the time of the window where the counter was read over another (`Window.inItsTime`): of what is told beside counters
 * of other files. A server's `increase` is of its whole range as well.
 */
export function within<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  return selector(metric, match, 'within');
}

/** A counter's rise per second. */
export function rate<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  return selector(metric, match, 'rate');
}

/** What the first sample showed: for things that may have gone since. */
export function earlier<L extends string>(metric: Metric<L>, match: Match<L> = {}): Expression<L> {
  const now = selector(metric, match, 'value');
  const matches = picked(match);
  return {
    ...now,
    promql: (range) => inOwnUnit(metric, `${vectorOf(metric, match)} offset ${range}`),
    evaluate: (window) => {
      const points = window.before
        .series(metric)
        .filter(({ labels }) => matches(labels))
        .map(({ labels, value: amount }) => ({ labels, value: amount, readings: [] }));
      return { points, missing: points.length > 0 ? [] : window.whyAbsent(metric) };
    },
  };
}

/** As it stands at the end; of a thing, told by the label `of`, that has none then, what the first sample showed. */
export function latest<L extends string>(metric: Metric<L>, of: L): Expression<L> {
  const now = selector(metric, {}, 'value');
  return {
    ...now,
    binding: binds.or,
    promql: (range) => `${now.promql(range)} or on (${of}) ${earlier(metric).promql(range)}`,
    evaluate: (window) => {
      const points = window.latest(metric, of).map(({ labels, value: amount }) => {
        const before = window.before.get(metric, labels)?.value ?? null;
        return { labels, value: amount, readings: [{ labels, before, after: amount }] };
      });
      const lacking = window.lacking(metric);
      return { points, missing: points.length > 0 || lacking.length > 0 ? lacking : window.whyAbsent(metric) };
    },
  };
}

/** Seconds per second are a share of the time. */
function perSecond(unit: MetricUnit): ReadingUnit {
  return unit === 'seconds' ? 'ratio' : `${unit}/s`;
}

function wantedBy<L extends string>(match: Match<L>): { label: string; values: readonly string[] }[] {
  return Object.entries(match as Record<string, string | readonly string[] | undefined>).flatMap(([label, values]) =>
    values === undefined ? [] : [{ label, values: typeof values === 'string' ? [values] : values }],
  );
}

function picked<L extends string>(match: Match<L>): (labels: Labels) => boolean {
  const wanted = wantedBy(match);
  return (labels) => wanted.every(({ label, values }) => values.includes(labels[label] ?? ''));
}

function vectorOf<L extends string>(metric: Metric<L>, match: Match<L>): string {
  return selectorText(exposedAs(metric).name, wantedBy(match));
}

/** Limits are in the metric's own unit, and so is what PromQL compares with them. */
function inOwnUnit(metric: Metric, text: string): string {
  const { per } = exposedAs(metric);
  return per === 1 ? text : `${text} * ${per.toExponential().replace('+', '')}`;
}

const serverFunctions = { peak: 'max_over_time', increase: 'increase', within: 'increase', rate: 'rate' } as const;

function selector<L extends string>(
  metric: Metric<L>,
  match: Match<L>,
  how: 'value' | 'peak' | 'increase' | 'within' | 'rate',
): Expression<L> {
  const matches = wantedBy(match).length === 0 ? undefined : picked(match);
  const vector = vectorOf(metric, match);
  return {
    labels: metric.labels,
    unit: how === 'rate' ? perSecond(metric.unit) : metric.unit,
    perNetns: metric.perNetns && typeof (match as Match<never>).netns !== 'string',
    metrics: [metric],
    speaks: (has) => has(metric),
    binding: exposedAs(metric).per === 1 ? binds.atom : binds.product,
    promql: (range) => inOwnUnit(metric, how === 'value' ? vector : `${serverFunctions[how]}(${vector}[${range}])`),
    evaluate: (window) => {
      if (how === 'value' || how === 'peak') {
        const cells = how === 'value' ? window.value(metric) : window.peak(metric);
        const points = picking(cells, matches).map(({ labels, value: after }) => {
          const before = window.before.get(metric, labels)?.value ?? null;
          return { labels, value: after, readings: [{ labels, before, after }] };
        });
        const lacking = window.lacking(metric);
        const told = points.length > 0 || lacking.length > 0;
        return { points, missing: told ? lacking : whyEmpty(metric, cells.length, window) };
      }
      const { cells, missing } = window.increase(metric);
      const points = picking(cells, matches).map((cell) => {
        if (how === 'within')
          return {
            labels: cell.labels,
            value: window.inItsTime(cell),
            readings: [{ ...cell, seconds: window.seconds }],
          };
        const perSecond = cell.seconds > 0 ? cell.increase / cell.seconds : 0;
        return { labels: cell.labels, value: how === 'rate' ? perSecond : cell.increase, readings: [cell] };
      });
      return {
        points,
        missing: points.length > 0 || missing.length > 0 ? missing : whyEmpty(metric, cells.length, window),
      };
    },
  };
}

/** Those that match, which are nearly always all. */
function picking<T extends { readonly labels: Labels }>(
  cells: readonly T[],
  matches: ((labels: Labels) => boolean) | undefined,
): readonly T[] {
  return matches === undefined ? cells : cells.filter(({ labels }) => matches(labels));
}

function whyEmpty(metric: Metric, others: number, window: Window): readonly Missing[] {
  if (others === 0) return window.whyAbsent(metric);
  if (metric.sparse) return [];
  const none = { metric: metric.name, source: metric.source, reason: 'no series with the labels asked for' };
  // All of its files were read, and none is of that kind: an answer, and no lack of one.
  return window.after.unread(metric).length > 0 ? [none] : [{ ...none, absent: true }];
}
