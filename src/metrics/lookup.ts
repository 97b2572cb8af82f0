import * as catalogue from './catalogue/index.ts';
import { exposedAs, type Family, type Metric } from './metric.ts';

const metrics = new Map<string, Metric>();
const families: Family[] = [];
for (const each of Object.values(catalogue)) {
  if ('name' in each) metrics.set(each.name, each).set(exposedAs(each).name, each);
  else families.push(each);
}
// node_memory_numa_ before node_memory_: the longest prefix says what a name belongs to.
families.sort((a, b) => b.prefix.length - a.prefix.length);

/** The metric of this name, or that pages call so, members of families included; undefined for what pktcost does not know. */
export function metricNamed(name: string): Metric | undefined {
  const known = metrics.get(name);
  if (known !== undefined) return known;
  const of = families.find(({ prefix }) => name.startsWith(prefix) && name.length > prefix.length);
  return of?.member(name.slice(of.prefix.length));
}
