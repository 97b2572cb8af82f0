import type { CollectorFacts } from './collector.ts';
import { collectors } from './index.ts';
import { owners } from './owners.ts';
import { readers } from './readers.ts';

const byId = new Map<string, CollectorFacts>(
  [...collectors, owners, readers].map((collector) => [collector.id, collector]),
);

/** What the collector of that id says of itself; undefined where none has it, as for the metrics of a baseline. */
export function factsOf(id: string): CollectorFacts | undefined {
  return byId.get(id);
}
