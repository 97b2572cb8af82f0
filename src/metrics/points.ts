import type { Labels } from './metric.ts';
import { OWN_NETNS } from './snapshot.ts';

/** One value of an expression, and what it was made of. */
export interface Point {
  readonly labels: Labels;
  readonly value: number;
  readonly readings: readonly Reading[];
}

/** What was read from the host for a point, at either end of the window: the bottom of every evidence line. */
export interface Reading {
  readonly labels: Labels;
  readonly before: number | null;
  readonly after: number;
  /** Of a counter: seconds between the two reads, or in which it would have risen by as much as it is said to have. */
  readonly seconds?: number;
}

/** What points are told apart by: some labels and, for what is kept by namespace, the namespace. */
export interface Key {
  readonly on: readonly string[];
  readonly perNetns: boolean;
}

/** The labels of a key, those of the point that it lacks being empty. pktcost's own namespace goes without saying. */
export function keyLabels(labels: Labels, { on, perNetns }: Key): Labels {
  if (on.length === 1 && labels['netns'] === undefined && hasOnly(labels, on[0]!)) return labels;
  const picked: Record<string, string> = {};
  for (const name of on) picked[name] = labels[name] ?? '';
  const netns = labels['netns'] ?? OWN_NETNS;
  if (perNetns && netns !== OWN_NETNS) picked['netns'] = netns;
  return picked;
}

/** Nearly all points of a host with many devices: theirs are given on as they are. */
function hasOnly(labels: Labels, name: string): boolean {
  for (const each in labels) if (each !== name) return false;
  return labels[name] !== undefined;
}

/** No name of the kernel's has a NUL. */
function pointKey(labels: Labels, { on, perNetns }: Key): string {
  const netns = perNetns ? (labels['netns'] ?? OWN_NETNS) : OWN_NETNS;
  if (on.length === 1) return `${netns}\u0000${labels[on[0]!] ?? ''}`;
  return `${netns}\u0000${on.map((name) => labels[name] ?? '').join('\u0000')}`;
}

/** Points to be looked up by the key of another point: the one join there is. */
export class Keyed {
  readonly #key: Key;
  readonly #points = new Map<string, Point>();
  /** Keys that more than one point has, and their labels; the last of these points is found. */
  readonly several = new Map<string, Labels>();

  constructor(points: readonly Point[], key: Key) {
    this.#key = key;
    for (const point of points) {
      const name = pointKey(point.labels, key);
      if (this.#points.has(name)) this.several.set(name, keyLabels(point.labels, key));
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
  // Where most are alone in their group, an array for each would be half of all that is made.
  const groups = new Map<string, Point | Point[]>();
  for (const point of points) {
    const name = pointKey(point.labels, key);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, point);
    else if (Array.isArray(group)) group.push(point);
    else groups.set(name, [group, point]);
  }
  return Array.from(groups.values(), (group) => {
    const [first, readings, values] = Array.isArray(group)
      ? [group[0]!, group.flatMap((each) => each.readings), group.map(({ value }) => value)]
      : [group, group.readings, [group.value]];
    return { labels: keyLabels(first.labels, key), value: fold(values), readings };
  });
}
