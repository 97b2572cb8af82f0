import type { Bucket, Span } from '../../../generated/report.ts';
import { howMany, formats } from '../../words/formats.ts';
import { markup, type Markup } from '../markup.ts';
import { round } from './bar.ts';

const PLOT = 84;
const LANE = 15;
const AXIS = 20;
/** Units of the plot from left to right; it is stretched to whatever width there is. */
const ACROSS = 1000;
/** A bar of one sample among millions must still be seen: the tail is what one looks for. */
const LEAST_BAR = 2;

interface Bin {
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
  readonly open: boolean;
}

export interface Histogram {
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  readonly kind: 'taps' | 'stack' | 'forward';
  readonly span: Span;
  /** The same span of the same device in the baseline report. */
  readonly baseline: Span | undefined;
  readonly reach: Reach;
}

/** The ends of the time axis. */
export interface Reach {
  readonly lowNs: number;
  readonly highNs: number;
}

/** One axis for several histograms, so that they can be compared at a glance. */
export function reachOf(spans: readonly (Span | undefined)[]): Reach {
  const found = spans.filter((span) => span !== undefined);
  const bins = found.flatMap((span) => binsOf(span.histogram));
  const marks = found.flatMap((span) => marksOf(span, undefined));
  return {
    lowNs: Math.min(...bins.map(({ fromNs }) => fromNs), ...marks.map(({ ns }) => ns * 0.9)),
    highNs: Math.max(...bins.map(({ toNs }) => toNs), ...marks.map(({ ns }) => ns * 1.1)),
  };
}

/** A distribution over a logarithmic axis of time, with the floor, the median, p99, and the baseline as an outline. */
export function histogram({ id, title, kind, span, baseline, reach }: Histogram): Markup {
  const bins = binsOf(span.histogram);
  const before = baseline === undefined ? [] : binsOf(baseline.histogram);
  if (bins.length === 0) return markup`<p class="faint">No packet was timed.</p>`;
  const marks = marksOf(span, baseline);
  const { lowNs, highNs } = reach;
  const at = (ns: number): number => (Math.log(ns / lowNs) / Math.log(highNs / lowNs)) * ACROSS;
  const top = Math.max(...shares(bins), ...shares(before));
  const plotTop = marks.length * LANE;
  const height = plotTop + PLOT + AXIS;
  const bars = bins.map((bin, index) => bar(bin, shares(bins)[index]!, top, at));
  const outline = before.length === 0 ? [] : [markup`<path class="before" d="${outlineOf(before, top, at)}"/>`];
  return markup`<svg class="histogram" width="100%" height="${height}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${title}</title><desc id="${id}-d">${describe(span, bins)}</desc>
<svg class="plot" y="${plotTop}" width="100%" height="${PLOT}" viewBox="0 0 ${ACROSS} ${PLOT}" preserveAspectRatio="none"><g class="bars-${kind}">${bars}</g>${outline}</svg>
<line class="axis" x1="0" x2="100%" y1="${plotTop + PLOT + 0.5}" y2="${plotTop + PLOT + 0.5}"/>${ticks(reach, at, plotTop)}${marks.map((mark, index) => flag(mark, index, at(mark.ns), plotTop))}</svg>`;
}

/** Bars with their lower bounds, empty ends cut off. */
function binsOf(buckets: readonly Bucket[]): Bin[] {
  const first = buckets.findIndex(({ count }) => count > 0);
  const last = buckets.findLastIndex(({ count }) => count > 0);
  if (first < 0) return [];
  return buckets.slice(first, last + 1).map(({ leNs, count }, index) => {
    const at = first + index;
    const below = buckets[at - 1]?.leNs ?? null;
    // The first bucket begins at zero and the last never ends: neither has a place on a logarithmic axis.
    const fromNs = Math.max(1, below ?? (leNs ?? 2) / 2);
    return { fromNs, toNs: Math.max(leNs ?? fromNs * 2, fromNs * 1.01), count, open: leNs === null };
  });
}

function shares(bins: readonly Bin[]): number[] {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.map(({ count }) => (total === 0 ? 0 : count / total));
}

function bar({ fromNs, toNs, count, open }: Bin, share: number, top: number, at: (ns: number) => number): Markup {
  if (count === 0) return markup``;
  const height = Math.max(LEAST_BAR, round((share / top) * PLOT));
  const range = open ? `above ${formats.ns(fromNs)}` : `${formats.ns(fromNs)} to ${formats.ns(toNs)}`;
  const x = round(at(fromNs));
  return markup`<rect x="${x}" y="${round(PLOT - height)}" width="${round(at(toNs) - x)}" height="${height}"><title>${range}: ${howMany(count, 'packets')}, ${formats.percent(share)}</title></rect>`;
}

function outlineOf(bins: readonly Bin[], top: number, at: (ns: number) => number): string {
  const steps = shares(bins).map((share, index) => {
    const y = round(PLOT - (share / top) * PLOT);
    return `L${round(at(bins[index]!.fromNs))} ${y}L${round(at(bins[index]!.toNs))} ${y}`;
  });
  return `M${round(at(bins[0]!.fromNs))} ${PLOT}${steps.join('')}L${round(at(bins.at(-1)!.toNs))} ${PLOT}`;
}

interface Mark {
  readonly kind: 'floor' | 'now' | 'before';
  readonly label: string;
  readonly ns: number;
}

function marksOf(span: Span, baseline: Span | undefined): Mark[] {
  const mark = (kind: Mark['kind'], name: string, ns: number | null | undefined): Mark[] =>
    ns === null || ns === undefined || ns <= 0 ? [] : [{ kind, ns, label: `${name} ${formats.ns(ns)}` }];
  return [
    ...mark('floor', 'floor', span.floorNs),
    ...mark('before', 'baseline p50', baseline?.p50Ns),
    ...mark('now', 'p50', span.p50Ns),
    ...mark('now', 'p99', span.p99Ns),
  ];
}

/** A line down to the axis; its words on a row of their own, so that no two can ever cover each other. */
function flag({ kind, label }: Mark, row: number, units: number, plotTop: number): Markup {
  const x = round(units / 10);
  const late = x > 60;
  const y = row * LANE;
  return markup`<g class="mark-${kind}"><line x1="${x}%" x2="${x}%" y1="${y + 3}" y2="${plotTop + PLOT}"/><text x="${x}%" dx="${late ? -5 : 5}" y="${y + 12}"${late ? markup` text-anchor="end"` : markup``}>${label}</text></g>`;
}

/** Ticks at 1, and where there is room at 2 and 5, of each decade. */
function ticks({ lowNs: low, highNs: high }: Reach, at: (ns: number) => number, plotTop: number): Markup[] {
  const decades = Math.log10(high / low);
  const steps = decades > 2.5 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
  const found: Markup[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++) {
    for (const step of steps) {
      const ns = step * 10 ** decade;
      if (ns < low || ns > high) continue;
      const x = round(at(ns) / 10);
      const anchor = x < 4 ? 'start' : x > 94 ? 'end' : 'middle';
      const y = plotTop + PLOT;
      found.push(
        markup`<g class="tick"><line x1="${x}%" x2="${x}%" y1="${y}" y2="${y + 4}"/><text x="${x}%" y="${y + 16}" text-anchor="${anchor}">${formats.ns(ns)}</text></g>`,
      );
    }
  }
  return found;
}

function describe(span: Span, bins: readonly Bin[]): string {
  const ns = (name: string, value: number | null): string[] => (value === null ? [] : [`${name} ${formats.ns(value)}`]);
  const figures = [
    ...ns('floor', span.floorNs),
    ...ns('median', span.p50Ns),
    ...ns('p90', span.p90Ns),
    ...ns('p99', span.p99Ns),
    ...ns('longest', span.maxNs),
  ];
  const { open, fromNs, toNs } = bins.at(-1)!;
  const end = open ? `beyond ${formats.ns(fromNs)}` : formats.ns(toNs);
  return `${howMany(span.count, 'packets')} timed, from ${formats.ns(bins[0]!.fromNs)} to ${end}: ${figures.join(', ')}.`;
}
