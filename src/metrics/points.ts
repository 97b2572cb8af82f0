import type { Labels, Metric } from './metric.ts';
import { OWN_NETNS } from './snapshot.ts';

/** One value of an expression, and what it was made of. */
export interface Point {
  readonly labels: Labels;
  readonly value: number;
  readonly readings: readonly Reading[];
}

/** What was read from the host for a point: the bottom of every evidence line. */
export interface Reading {
  readonly metric: Metric;
  readonly labels: Labels;
  readonly before: number | null;
  readonly after: number;
  readonly value: number;
  readonly how: 'value' | 'peak' | 'increase' | 'rate';
}

/** What points are told apart by: some labels and, for what is kept by namespace, the namespace. */
export interface Key {
  readonly on: readonly string[];
  readonly perNetns: boolean;
}

/** The labels of a key, those of the point that it lacks being empty. pktcost's own namespace goes without saying. */
export function keyLabels(labels: Labels, { on, perNetns }: Key): Labels {
  const picked: Record<string, string> = {};
  for (const name of on) picked[name] = labels[name] ?? '';
  const netns = labels['netns'] ?? OWN_NETNS;
  if (perNetns && netns !== OWN_NETNS) picked['netns'] = netns;
  return picked;
}

function pointKey(labels: Labels, key: Key): string {
  return JSON.stringify(keyLabels(labels, key));
}

/** Points to be looked up by the key of another point: the one join there is. */
export class Keyed {
  readonly #key: Key;
  readonly #points = new Map<string, Point>();
  /** Keys that more than one point has; the last of them is found. */
  readonly several = new Set<string>();

  constructor(points: readonly Point[], key: Key) {
    this.#key = key;
    for (const point of points) {
      const name = pointKey(point.labels, key);
      if (this.#points.has(name)) this.several.add(name);
      this.#points.set(name, point);
    }
  }

  match({ labels }: Point): Point | undefined {
    return this.#points.get(pointKey(labels, this.#key));
  }

  has(point: Point): boolean {
    return this.match(point) !== undefined;
  }

  /** The one point of its key; undefined as well where there are several. */
  single({ labels }: Point): Point | undefined {
    const name = pointKey(labels, this.#key);
    return this.several.has(name) ? undefined : this.#points.get(name);
  }
}

/** One point for all that share a key. */
export function grouped(points: readonly Point[], key: Key, fold: (values: readonly number[]) => number): Point[] {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const name = pointKey(point.labels, key);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [point]);
    else group.push(point);
  }
  return [...groups.values()].map((group) => ({
    labels: keyLabels(group[0]!.labels, key),
    value: fold(group.map(({ value }) => value)),
    readings: group.flatMap(({ readings }) => readings),
  }));
}
