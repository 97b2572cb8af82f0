/**
 * In a flood the counter of drops works in slices: a hook costs some 100 ns beside its program, whatever that does, and a drop itself
 * not much more than 1 us. What is dropped while it rests is estimated from the slices on both sides: by time, or by the packets
 * that the host's CPUs took through the stack meanwhile, whichever tells one slice better from the others and is less off in all.
 */

/** How long a slice takes. */
export const SLICE_MS = 50;
/** Up to so many drops a second, of all CPUs, the counter stays. */
export const STAYS_PER_SECOND = 20_000;
/** Of a steady flood it meets about so many a second; of one that slices tell badly more, and so many at most. */
export const MET_PER_SECOND = 10_000;
export const MOST_MET_PER_SECOND = 100_000;
/** A flood that scatters by 5 % from slice to slice is met for a tenth of the time: ten seconds of it are told to 2 % or better. */
const DUTY_BY_SCATTER = 2;
const LEAST_DUTY = 1 / 16;
/** When a slice began and ended is known to 0.2 ms. */
const LEAST_SCATTER = 0.01;
/** Scatter by one step alone may be three times as much. */
const FEW_STEPS = 2;
/** Of so many slices the scatter is told. */
const SLICES = 8;
/** Of fewer nothing is concluded. */
const FEWEST_IN_FLOOD = 200;

/** What the counter has counted at one moment since it was opened, by place, and what counts all the time. */
export interface DropMoment {
  readonly milliseconds: number;
  readonly total: number;
  readonly places: ReadonlyMap<string, number>;
  /** Packets that all CPUs took through the stack; undefined where they could not be read. */
  readonly passes: number | undefined;
}

/** Packets that were dropped, counted or by estimate. */
export interface WholeDrops {
  readonly total: number;
  readonly places: ReadonlyMap<string, number>;
  /** Of the total, not counted. */
  readonly estimated: number;
  /** By so many the total may be wrong. */
  readonly error: number;
}

interface DropPart {
  readonly milliseconds: number;
  readonly total: number;
  readonly places: ReadonlyMap<string, number>;
  readonly passes: number | undefined;
}

interface Rest {
  readonly from: DropMoment;
  /** The slice just before. */
  readonly before: DropPart;
  /** The counter is back. */
  to?: DropMoment;
}

interface RestDrops {
  readonly total: number;
  readonly places: ReadonlyMap<string, number>;
  readonly scatter: number;
  /** Does not grow less with the number of rests. */
  readonly off: number;
}

interface Witness {
  readonly of: (part: Pick<DropPart, 'milliseconds' | 'passes'>) => number | undefined;
  /** By so much, of what is estimated, all rests may be off in the same direction. */
  readonly off: number;
}

/**
 * A sender that sends all it can is slowed while its drops are counted: the rests have more of them in the same time, not to the packet
 * (bench/probe/README.md). The 0.2 ms by which a slice is known are the same in each.
 */
const witnesses: readonly Witness[] = [
  { of: ({ passes }) => passes, off: 0.01 },
  { of: ({ milliseconds }) => milliseconds, off: 0.04 },
];

function between(from: DropMoment, to: DropMoment): DropPart {
  const grew = (to.passes ?? NaN) - (from.passes ?? NaN);
  return {
    milliseconds: to.milliseconds - from.milliseconds,
    total: to.total - from.total,
    places: new Map([...to.places].map(([place, packets]) => [place, packets - (from.places.get(place) ?? 0)])),
    passes: grew >= 0 ? grew : undefined,
  };
}

/** By how much drops per unit of a witness scatter from slice to slice, of their mean; a trend is no scatter. */
function scatterBy({ of: witness }: Witness, slices: readonly DropPart[]): number {
  // Where neither came, nothing is told of the other.
  const told = slices.filter((slice) => slice.total > 0 || witness(slice) !== 0);
  const ratios = told.map((slice) => slice.total / (witness(slice) ?? 0));
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const steps = ratios.slice(1).map((ratio, index) => ratio - ratios[index]!);
  const scatter = Math.sqrt(steps.reduce((sum, step) => sum + step ** 2, 0) / (2 * steps.length)) / mean;
  // By one slice alone it is not known, and by few not well; nor by a witness that saw nothing in one of them.
  return Number.isFinite(scatter) ? scatter * (1 + FEW_STEPS / steps.length) : 1;
}

function leastScatter(slices: readonly DropPart[]): number {
  return Math.min(...witnesses.map((witness) => scatterBy(witness, slices)));
}

/** @param around one or two of the slices, which are next to the rest */
function estimate(
  rest: Pick<DropPart, 'milliseconds' | 'passes'>,
  around: readonly DropPart[],
  slices: readonly DropPart[],
): RestDrops {
  const told = witnesses.flatMap((witness) => {
    const seen = witness.of(rest);
    const sum = (parts: readonly DropPart[]): number => parts.reduce((all, part) => all + (witness.of(part) ?? 0), 0);
    // Both may lie in a pause of what came in the rest.
    const by = sum(around) > 0 ? around : slices;
    return seen === undefined || sum(by) === 0
      ? []
      : [{ by, factor: seen / sum(by), scatter: scatterBy(witness, slices), off: witness.off }];
  });
  const [best] = told.sort((a, b) => a.scatter + a.off - b.scatter - b.off);
  const { by, factor, scatter, off } = best ?? { by: around, factor: 0, scatter: 0, off: 0 };
  const places = new Map<string, number>();
  for (const slice of by) for (const [place, packets] of slice.places) add(places, place, packets * factor);
  const total = by.reduce((sum, slice) => sum + slice.total, 0) * factor;
  // What came in the rest scatters about its mean as the slices do.
  const share = 1 / by.length + SLICE_MS / Math.max(rest.milliseconds, SLICE_MS);
  return { places, total, scatter: total * Math.max(scatter, LEAST_SCATTER) * Math.sqrt(share), off: total * off };
}

/** Until it is gone, and before it is back for sure, the counter counts in a rest: that is told already. */
function withoutCounted(estimated: RestDrops, counted: DropPart): RestDrops {
  const places = new Map(
    [...estimated.places].map(([place, packets]) => [place, Math.max(0, packets - (counted.places.get(place) ?? 0))]),
  );
  return { ...estimated, places, total: Math.max(0, estimated.total - counted.total) };
}

function add(to: Map<string, number>, place: string, packets: number): void {
  to.set(place, (to.get(place) ?? 0) + packets);
}

/** Slice by slice; pure, so that what it estimates can be held against what came. */
export class DropRests {
  #slice: DropMoment | undefined;
  #rest: Rest | undefined;
  /** The last few of this flood. */
  #slices: readonly DropPart[] = [];
  readonly #places = new Map<string, number>();
  #estimated = 0;
  #scatterSquared = 0;
  #off = 0;
  /** What was told once is never taken back: it would look as if the counter had begun anew. */
  readonly #told = new Map<string, number>();
  #toldTotal = 0;
  #toldEstimated = 0;

  /** Whether a slice is under way. */
  get inSlice(): boolean {
    return this.#slice !== undefined;
  }

  /** A flood was noticed, or the counter has just come back. */
  begins(now: DropMoment): void {
    if (this.#rest !== undefined) this.#rest.to = now;
    this.#slice = now;
  }

  /**
   * How long to rest after the slice so far; 0: not yet, another slice is to follow; undefined: it is no flood any more.
   * @param most of the drops a second that may be met, whatever the slices scatter
   */
  restAfter(now: Omit<DropMoment, 'places'>, random: number, most = MOST_MET_PER_SECOND): number | undefined {
    if (this.#slice === undefined) return undefined;
    const slice = between(this.#slice, { ...now, places: new Map() });
    const perSecond = (slice.total * 1000) / slice.milliseconds;
    if (slice.total < FEWEST_IN_FLOOD || perSecond <= STAYS_PER_SECOND) return undefined;
    const duty = Math.max(
      LEAST_DUTY,
      MET_PER_SECOND / perSecond,
      Math.min(most / perSecond, DUTY_BY_SCATTER * leastScatter([...this.#slices, slice])),
    );
    // Of no fixed length: it would beat with what drops in a pattern.
    const rest = SLICE_MS * (1 / duty - 1) * (0.75 + random / 2);
    return rest < SLICE_MS / 2 ? 0 : rest;
  }

  /** The counter stays for another slice. */
  goesOn(now: DropMoment): void {
    this.#endSlice(now);
    this.#slice = now;
  }

  /** The counter has just left, and rests. */
  leaves(now: DropMoment): void {
    const slice = this.#endSlice(now);
    if (slice !== undefined) this.#rest = { from: now, before: slice };
    this.#slice = undefined;
  }

  #endSlice(now: DropMoment): DropPart | undefined {
    if (this.#slice === undefined) return undefined;
    this.#settle(now);
    const slice = between(this.#slice, now);
    this.#slices = [...this.#slices, slice].slice(-SLICES);
    return slice;
  }

  /** It is no flood any more. */
  stays(now: DropMoment): void {
    this.#settle(now);
    this.#slices = [];
    this.#slice = undefined;
  }

  /** The rest before this slice lies between two. */
  #settle(now: DropMoment): void {
    const found = this.#open(now);
    if (found === undefined) return;
    for (const [place, packets] of found.places) add(this.#places, place, packets);
    this.#estimated += found.total;
    this.#scatterSquared += found.scatter ** 2;
    this.#off += found.off;
    this.#rest = undefined;
  }

  #open(now: DropMoment): RestDrops | undefined {
    const rest = this.#rest;
    if (rest === undefined) return undefined;
    const after = this.#slice === undefined ? undefined : between(this.#slice, now);
    const part = between(rest.from, rest.to ?? now);
    const next = after !== undefined && after.milliseconds >= SLICE_MS / 2 ? [after] : [];
    return withoutCounted(estimate(part, [rest.before, ...next], [...this.#slices, ...next]), part);
  }

  whole(now: DropMoment): WholeDrops {
    const open = this.#open(now);
    const places = new Map(now.places);
    for (const [place, packets] of this.#places) add(places, place, packets);
    for (const [place, packets] of open?.places ?? []) add(places, place, packets);
    for (const [place, packets] of places)
      this.#told.set(place, Math.max(Math.round(packets), this.#told.get(place) ?? 0));
    const estimated = Math.round(this.#estimated + (open?.total ?? 0));
    this.#toldEstimated = Math.max(estimated, this.#toldEstimated);
    this.#toldTotal = Math.max(now.total + estimated, this.#toldTotal);
    const scatter = Math.sqrt(this.#scatterSquared + (open?.scatter ?? 0) ** 2);
    // Twice: nineteen times of twenty it is no more.
    return {
      total: this.#toldTotal,
      places: new Map(this.#told),
      estimated: this.#toldEstimated,
      error: Math.round(2 * scatter + this.#off + (open?.off ?? 0)),
    };
  }
}
