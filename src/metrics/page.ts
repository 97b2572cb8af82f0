import { pageCollector, pageTime } from './catalogue/index.ts';
import { OWN_NETNS, type Snapshot } from './snapshot.ts';

/** Adds to a sample what the reader of its page cannot see: when it was taken, and how each collector fared. */
export function describePage(snapshot: Snapshot): Snapshot {
  const { at } = snapshot;
  snapshot.add(pageTime, {}, Date.parse(snapshot.takenAt) / 1000, at);
  for (const { id, netns, status } of snapshot.collectors) {
    if (netns === OWN_NETNS) snapshot.add(pageCollector, { collector: id, status }, 1, at);
  }
  return snapshot;
}
