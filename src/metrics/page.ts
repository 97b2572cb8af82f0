import { pageCollector, pageTime } from './catalogue/index.ts';
import type { Metric } from './metric.ts';
import { OWN_NETNS, type Snapshot } from './snapshot.ts';

/**
 * Adds to a sample what the reader of its page cannot see: when it was taken, and how each collector fared. Nothing is said of a
 * collector that the page leaves metrics of out: what is not on the page would be taken for zero.
 * @param shown which metrics the page has
 */
export function describePage(snapshot: Snapshot, shown: (metric: Metric) => boolean = () => true): Snapshot {
  const cut = new Set(snapshot.metrics().flatMap((metric) => (shown(metric) ? [] : [metric.collector])));
  const { at } = snapshot;
  snapshot.add(pageTime, {}, Date.parse(snapshot.takenAt) / 1000, at);
  for (const { id, netns, status } of snapshot.collectors) {
    if (netns === OWN_NETNS && !cut.has(id)) snapshot.add(pageCollector, { collector: id, status }, 1, at);
  }
  return snapshot;
}
