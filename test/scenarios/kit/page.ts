import * as catalogue from '../../../src/metrics/catalogue/index.ts';
import type { Labels, Metric } from '../../../src/metrics/metric.ts';
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

const declared = Object.values<unknown>(catalogue);
const metrics = new Map(declared.filter(isMetric).map((metric) => [metric.name, metric]));

/** The declaration behind a name on a page. */
export function metricNamed(name: string): Metric | undefined {
  const known = metrics.get(name);
  if (known !== undefined) return known;
  const family = declared.filter(isFamily).find(({ prefix }) => name.startsWith(prefix));
  return family?.member(name.slice(family.prefix.length));
}

function isMetric(value: unknown): value is Metric {
  return typeof value === 'object' && value !== null && 'name' in value && 'labels' in value;
}

interface Family {
  readonly prefix: string;
  readonly member: (field: string) => Metric;
}

function isFamily(value: unknown): value is Family {
  return typeof value === 'object' && value !== null && 'prefix' in value && 'member' in value;
}
