import type { Labels } from '../metrics/metric.ts';

/** A plain reading: what is left of a point of an expression when nobody asks where it came from. */
export interface Signal {
  readonly value: number;
  readonly labels: Labels;
}

/** Of those that are known. */
export function addUp(...parts: readonly (Signal | undefined)[]): number {
  return totalOf(parts);
}

export function totalOf(parts: readonly (Signal | undefined)[]): number {
  return parts.reduce((total, part) => total + (part?.value ?? 0), 0);
}
