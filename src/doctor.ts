import { collectors } from './collectors/index.ts';
import type { CollectorReport } from './metrics/snapshot.ts';
import { visible } from './report/escape.ts';
import { sampleOnce } from './diagnose.ts';
import type { Roots } from './sources/live-reader.ts';

/** Takes one sample and tells, collector by collector, what it gave and what it could not read. */
export function examine(roots: Roots): string[] {
  const snapshot = sampleOnce(roots);
  const width = Math.max(...collectors.map(({ id }) => id.length));
  const lines = ['Collectors'];
  for (const { id } of collectors) {
    const report = snapshot.collector(id);
    if (report === undefined) continue;
    const count = snapshot.metrics().reduce((sum, metric) => sum + (metric.collector === id ? snapshot.series(metric).length : 0), 0);
    lines.push(`  ${id.padEnd(width)}  ${report.status.padEnd(14)}  ${count} series, ${report.milliseconds.toFixed(1)} ms`);
    lines.push(...gapLines(report, width));
  }
  return lines;
}

function gapLines({ gaps }: CollectorReport, width: number): string[] {
  const indent = ' '.repeat(width + 4);
  const shown = gaps.slice(0, 3).map(({ path, reason }) => `${indent}${visible(path, 80)}: ${visible(reason, 120)}`);
  return gaps.length > 3 ? [...shown, `${indent}and ${gaps.length - 3} more`] : shown;
}
