import type { Labels } from '../../../src/metrics/metric.ts';
import { labelKey } from '../../../src/metrics/snapshot.ts';

/** One line of an exposition page. */
export interface Line {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Lines by name and labels. */
export function parsePage(page: string): ReadonlyMap<string, Line> {
  const lines = page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', inner = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [
        label,
        text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
      ]);
      return { name, labels: Object.fromEntries(labels) as Labels, value: Number(value) };
    });
  return new Map(lines.map((line) => [`${line.name} ${labelKey(line.labels)}`, line]));
}
