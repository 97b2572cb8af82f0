import { UsageError } from '../base/usage.ts';
import type { Report } from '../generated/report.ts';
import type { Overrides } from '../rules/engine.ts';
import { savedPage } from '../sources/pages/exporter.ts';
import { timeOfPage, windowOfPage, windowOfPages, type ExporterPage } from '../sources/pages/page-window.ts';
import { judgeWindow, neededElsewhere } from './judge.ts';

/**
 * The verdict of pages of metrics that somebody saved: one tells levels and totals since boot, two make a window by their own
 * clock.
 * @throws UsageError when one cannot be read, or nothing tells how far they are apart
 */
export function judgeSavedPages(
  path: string,
  later: string | undefined,
  overrides: Overrides,
  version: string,
): Report {
  const read = (file: string): ExporterPage => {
    const page = savedPage(file);
    if (!page.ok) throw new UsageError(`${file}: ${page.reason}`);
    return page.value;
  };
  const before = read(path);
  const shown = later ?? path;
  const asked = { shown, absent: 'not exported', needed: neededElsewhere };
  const window = later === undefined ? windowOfPage(before, asked) : pairOfPages(before, read(later));
  return judgeWindow({
    window,
    requestedSeconds: window.seconds,
    cutShort: false,
    version,
    overrides,
    probe: { status: 'not-measured', tier: 'none', reason: 'saved pages of metrics: there was no probe', plan: [] },
    self: () => ({ cpuSeconds: null, peakMemoryBytes: null }),
  });

  function pairOfPages(first: ExporterPage, second: ExporterPage): ReturnType<typeof windowOfPage> {
    const [from, to] = [timeOfPage(first), timeOfPage(second)];
    if (from === undefined || to === undefined)
      throw new UsageError(
        `${from === undefined ? path : shown}: nothing on the page tells when it was made: node_time_seconds (--collector.time) is needed`,
      );
    if (to <= from)
      throw new UsageError(`${shown} is not later than ${path} by node_time_seconds: there is no window between them`);
    const both = windowOfPages(first, second, asked);
    if (!both.ok) throw new UsageError(`${shown}: ${both.reason}`);
    return both.value;
  }
}
