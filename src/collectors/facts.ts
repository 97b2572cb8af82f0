import type { CollectorFacts } from './collector.ts';
import { collectors } from './index.ts';
import { owners } from './owners.ts';
import { readers } from './readers.ts';

/** Of every collector, those that run after all others among them. */
export const allFacts: readonly CollectorFacts[] = [...collectors, owners, readers];

const byId = new Map(allFacts.map((facts) => [facts.id, facts]));

/** What the collector of that id says of itself; undefined where none has it, as for the metrics of a baseline. */
export function factsOf(id: string): CollectorFacts | undefined {
  return byId.get(id);
}
