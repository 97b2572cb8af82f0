import type { ProbeReading } from '../readings/reading.ts';

/** Before its first sample a probe has counted nothing; from then on it counts, and what it takes is judged. */
export type Progress = { readonly name: 'settled' } | Counting;

interface Counting {
  readonly name: 'counting';
  readonly first: ProbeReading;
  /** What the budget is judged by: the first, or the reading at which the sampling was last thinned. */
  readonly judgedFrom: ProbeReading;
}

export function countingFrom(first: ProbeReading): Counting {
  return { name: 'counting', first, judgedFrom: first };
}
