import type { Labels } from '../metrics/metric.ts';

/** A plain reading: what is left of a point of an expression when nobody asks where it came from. */
export interface Signal {
  readonly value: number;
  readonly labels: Labels;
}
