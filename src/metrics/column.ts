import type { Labels, Metric } from './metric.ts';

/** One number of one metric. `labels` holds the metric's own labels, and `netns` where it is not the host's. */
export interface Series {
  readonly metric: Metric;
  readonly labels: Labels;
  readonly value: number;
  /** The u32 cells, one per CPU, that `value` is the sum of; only for width `u32-per-cpu`. */
  readonly cells?: readonly number[];
  /** CLOCK_MONOTONIC seconds at which the file behind it was read. */
  readonly at: number;
  /** Why no step can be told from an earlier reading to this one, where the source saw more than the two readings show. */
  readonly noStep?: string;
}

/** Labels written as one string, for use as a map key: `a=1,b=2` with names in order. */
export function labelKey(labels: Labels, between = ','): string {
  const names = Object.keys(labels);
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]!}=${labels[names[0]!]!}`;
  return names
    .sort()
    .map((name) => `${name}=${labels[name]!}`)
    .join(between);
}

/** No name of the kernel's has a NUL: those of one metric never read as those of another. */
function keyOf(labels: Labels): string {
  return labelKey(labels, '\u0000');
}

/**
 * The labels of a snapshot's series, each set of them once and under a number: the sixteen series of each of 100,000 devices
 * share theirs.
 */
export class LabelSets {
  readonly #numbers = new Map<string, number>();
  readonly #labels: Labels[] = [];
  readonly #sizes: number[] = [];
  #last: Labels | undefined;
  #lastNumber = 0;

  /** The number of these labels, which they get when they are first seen. */
  take(labels: Labels): number {
    // Series of one thing share one object, and so may their number.
    if (labels === this.#last) return this.#lastNumber;
    const key = keyOf(labels);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#labels.length;
      this.#numbers.set(key, number);
      this.#labels.push(labels);
      this.#sizes.push(key.length);
    }
    this.#last = labels;
    this.#lastNumber = number;
    return number;
  }

  find(labels: Labels): number | undefined {
    return labels === this.#last ? this.#lastNumber : this.#numbers.get(keyOf(labels));
  }

  at(number: number): Labels {
    return this.#labels[number]!;
  }

  /** Characters of what these labels are written as. */
  textOf(number: number): number {
    return this.#sizes[number]!;
  }
}

/** What few series have besides a value. */
export type Rare = Pick<Series, 'cells' | 'noStep'>;

/** The series of one metric as columns of numbers: a fifth of the memory of an object for each of millions. */
export class SeriesColumn {
  readonly metric: Metric;
  readonly #sets: LabelSets;
  readonly #numbers: number[] = [];
  readonly #values: number[] = [];
  readonly #at: number[] = [];
  readonly #rare = new Map<number, Rare>();
  /** Where each number stands, once they did not come in order. */
  #places: Map<number, number> | undefined;

  constructor(metric: Metric, sets: LabelSets) {
    this.metric = metric;
    this.#sets = sets;
  }

  get size(): number {
    return this.#numbers.length;
  }

  /** What was there of the same labels is replaced. */
  set(number: number, value: number, at: number, rare: Rare | undefined): void {
    const place = this.#placeOf(number) ?? this.#append(number);
    this.#values[place] = value;
    this.#at[place] = at;
    if (rare !== undefined) this.#rare.set(place, rare);
    else if (this.#rare.size > 0) this.#rare.delete(place);
  }

  get(number: number): Series | undefined {
    const place = this.#placeOf(number);
    return place === undefined ? undefined : this.#series(place);
  }

  has(number: number): boolean {
    return this.#placeOf(number) !== undefined;
  }

  all(): Series[] {
    return this.#numbers.map((_, place) => this.#series(place));
  }

  #series(place: number): Series {
    const series = {
      metric: this.metric,
      labels: this.#sets.at(this.#numbers[place]!),
      value: this.#values[place]!,
      at: this.#at[place]!,
    };
    const rare = this.#rare.size === 0 ? undefined : this.#rare.get(place);
    return rare === undefined ? series : { ...series, ...rare };
  }

  #append(number: number): number {
    const place = this.#numbers.length;
    if (this.#places === undefined && place > 0 && number < this.#numbers[place - 1]!)
      this.#places = new Map(this.#numbers.map((each, index) => [each, index]));
    this.#places?.set(number, place);
    this.#numbers.push(number);
    return place;
  }

  #placeOf(number: number): number | undefined {
    if (this.#places !== undefined) return this.#places.get(number);
    const numbers = this.#numbers;
    if (numbers.length === 0) return undefined;
    // A run, as of one thing after the other: where it must stand.
    const guess = number - numbers[0]!;
    if (numbers[guess] === number) return guess;
    let low = 0;
    let high = numbers.length - 1;
    if (number > numbers[high]!) return undefined;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = numbers[middle]!;
      if (found === number) return middle;
      if (found < number) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}
