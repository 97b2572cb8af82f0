import { countsUp, type Metric } from '../../metrics/metric.ts';
import type { Result } from '../../base/result.ts';
import { wasReset, type Window } from '../../metrics/window.ts';
import type { PageSample } from './exposition.ts';
import { knownSeries, utc } from './foreign.ts';
import { windowOfPages, type ExporterPage } from './page-window.ts';
import type { RangeSeries } from './prometheus.ts';

export interface HostSamples {
  readonly series: readonly RangeSeries[];
  readonly seconds: number;
  /** Seconds between two scrapes. */
  readonly interval: number;
  readonly shown: string;
  readonly needed: readonly Metric[];
}

/**
 * The first and the last scrape of a host within the window, as the pages they were. A series that is not in one of them
 * came or went in between. What the samples between them show besides is a reset.
 */
export function windowOfSamples({ series, seconds, interval, shown, needed }: HostSamples): Result<Window> {
  const first = series.reduce((least, { samples }) => Math.min(least, samples[0]![0]), Infinity);
  const last = series.reduce((most, { samples }) => Math.max(most, samples.at(-1)![0]), 0);
  // Two replicas whose samples are put together do not scrape at the same moment.
  const near = Math.min(interval, seconds / 4);
  const before: PageSample[] = [];
  const after: PageSample[] = [];
  const resets = new Map<PageSample, string>();
  for (const { labels, samples } of series) {
    const { __name__: name = '', ...others } = labels;
    const page = ([at, value]: readonly [number, number]): PageSample => ({
      name,
      labels: others,
      value,
      timestamp: Math.round(at * 1000),
    });
    const [from, to] = [samples[0]!, samples.at(-1)!];
    if (from[0] <= first + near) before.push(page(from));
    if (to[0] < last - near) continue;
    const sample = page(to);
    after.push(sample);
    const reset = resetIn(name, others, samples);
    if (reset !== undefined) resets.set(sample, reset);
  }
  return windowOfPages(pageAt(first, before), pageAt(last, after), {
    shown,
    absent: `no samples of it in the window at ${shown}`,
    needed,
    noStep: (sample) => resets.get(sample),
  });
}

function pageAt(at: number, samples: readonly PageSample[]): ExporterPage {
  return { samples, takenAt: utc(at), at };
}

/** Where a counter fell between two samples: what it rose by over the whole window is then not known. */
function resetIn(name: string, labels: PageSample['labels'], samples: RangeSeries['samples']): string | undefined {
  const metric = knownSeries(name, labels)?.metric;
  if (metric === undefined || !countsUp(metric) || metric.stepsBack) return undefined;
  for (const [index, [at, value]] of samples.entries()) {
    const earlier = samples[index - 1]?.[1];
    if (earlier === undefined || !wasReset(metric, earlier, value)) continue;
    return `went from ${earlier} back to ${value} at ${utc(at)}: reset`;
  }
  return undefined;
}

/** Seconds between scrapes, the usual ones; of a host with fewer than two, none. */
export function scrapeInterval(up: RangeSeries['samples']): number | undefined {
  const gaps = up.slice(1).map(([at], index) => at - up[index]![0]);
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)];
}
