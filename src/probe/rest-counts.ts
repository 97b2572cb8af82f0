/**
 * The packets of a device whose TC program rests: how many came while nobody counted, and to which CPUs. Two witnesses count all the
 * time and cost nothing: the device's own counter, and what each CPU took through the stack (softnet_stat). The slices before and
 * after a rest say what a packet of the program is in either of them. Where both agree the estimate is good, and by how much they
 * do not is its error. Pure: counts in, counts out.
 */

/** What all witnesses had counted at one moment. */
export interface PacketMoment {
  readonly nanoseconds: number;
  /** By CPU: packets that the TC program counted. */
  readonly counted: readonly number[];
  /** Frames that the device received by its own counter; undefined where it could not be read. */
  readonly frames: number | undefined;
  /** By CPU: packets of all devices that it took through the stack; undefined where they could not be read. */
  readonly passes: readonly number[] | undefined;
}

/** What came between two moments. */
export interface PacketPart {
  readonly seconds: number;
  readonly counted: readonly number[];
  readonly packets: number;
  readonly frames: number | undefined;
  readonly passes: readonly number[] | undefined;
}

/** Packets by estimate, of which the program counted some while it came and went. */
interface RestEstimate {
  readonly byCpu: readonly number[];
  readonly packets: number;
  /** Of them, those that it did not count. */
  readonly uncounted: number;
  /** By how much the two witnesses differ beyond what each of them scatters. */
  readonly unexplained: number;
  /** By how much the better of them scatters from slice to slice: half of the difference. */
  readonly scatter: number;
}

export interface WholeCount {
  readonly byCpu: readonly number[];
  /** Of them, counted by the program itself. */
  readonly counted: number;
  /** By so many all of them may be wrong. */
  readonly error: number;
  /** Of those that it did not count, what came while no packet was marked as its. */
  readonly unmarked: number;
}

/** Of fewer in a slice nothing is concluded, and the program stays. */
export const ENOUGH_IN_SLICE = 300;
/** What a rest was estimated at, while the program stayed and counted it, may be off by so much. */
export const TRUSTED = 0.03;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Of 32 bits; a CPU that went offline is 0. */
function wrapped(difference: number): number {
  const grew = (difference + 2 ** 32) % 2 ** 32;
  return grew < 2 ** 31 ? grew : 0;
}

/** A counter that fell says nothing. */
function grown(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined || to < from ? undefined : to - from;
}

export function partBetween(from: PacketMoment, to: PacketMoment): PacketPart {
  const counted = to.counted.map((count, cpu) => Math.max(0, count - (from.counted[cpu] ?? 0)));
  const passes =
    from.passes === undefined ? undefined : to.passes?.map((count, cpu) => wrapped(count - (from.passes?.[cpu] ?? 0)));
  const seconds = (to.nanoseconds - from.nanoseconds) / 1e9;
  return { seconds, counted, packets: sum(counted), frames: grown(from.frames, to.frames), passes };
}

/** Packets by a witness: what it saw in the rest, times what a packet was of it in the slices; and how far those lie apart. */
function by(
  seen: number | undefined,
  slices: readonly PacketPart[],
  of: (slice: PacketPart) => number | undefined,
): { readonly packets: number; readonly scatter: number } | undefined {
  const told = slices.flatMap((slice) => {
    const witness = of(slice) ?? 0;
    return witness > 0 ? [{ witness, packets: slice.packets, ratio: slice.packets / witness }] : [];
  });
  const witness = sum(told.map((each) => each.witness));
  if (seen === undefined || witness === 0) return undefined;
  const ratios = told.map(({ ratio }) => ratio);
  return {
    packets: (seen * sum(told.map(({ packets }) => packets))) / witness,
    scatter: (seen * (Math.max(...ratios) - Math.min(...ratios))) / 2,
  };
}

/** What came in a rest, by the slices around it. */
export function estimate(rest: PacketPart, around: readonly PacketPart[]): RestEstimate {
  const good = around.filter(({ packets }) => packets >= ENOUGH_IN_SLICE);
  const slices = good.length > 0 ? good : around;
  const byCounter = by(rest.frames, slices, ({ frames }) => frames);
  const passesOf = (part: PacketPart): number | undefined => part.passes && sum(part.passes);
  const byPasses = by(passesOf(rest), slices, passesOf);
  const seconds = sum(slices.map((slice) => slice.seconds));
  const byTime = seconds > 0 ? (sum(slices.map(({ packets }) => packets)) * rest.seconds) / seconds : 0;
  const told = [byCounter, byPasses].flatMap((each) => each ?? []).sort((a, b) => a.scatter - b.scatter);
  // The program cannot have counted more than came.
  const packets = Math.max(rest.packets, told[0]?.packets ?? byTime);
  const [apart, explained] =
    byCounter === undefined || byPasses === undefined
      ? [packets, 0]
      : [Math.abs(byCounter.packets - byPasses.packets), byCounter.scatter + byPasses.scatter];
  return {
    byCpu: spreadOver(rest, slices, packets),
    packets,
    uncounted: packets - rest.packets,
    unexplained: Math.max(0, apart - explained),
    scatter: told[0]?.scatter ?? 0,
  };
}

/** Each CPU as it took packets through the stack in the rest, by what of them were the device's in the slices. */
function spreadOver(rest: PacketPart, slices: readonly PacketPart[], packets: number): readonly number[] {
  const inSlices = rest.counted.map((_, cpu) => sum(slices.map(({ counted }) => counted[cpu] ?? 0)));
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const passes = (cpu: number): number => sum(slices.map((slice) => slice.passes?.[cpu] ?? 0));
  const ofAll = share(sum(inSlices), sum(inSlices.map((_, cpu) => passes(cpu))));
  const weights = inSlices.map((count, cpu) => {
    if (rest.passes === undefined) return count;
    // One that took none before: it may have all of them now.
    return (rest.passes[cpu] ?? 0) * (passes(cpu) === 0 ? ofAll : share(count, passes(cpu)));
  });
  const known = sum(weights) > 0 ? weights : inSlices;
  return known.map((weight) => share(packets * weight, sum(known)));
}

interface Rest {
  readonly from: PacketMoment;
  /** The program is back. */
  to?: PacketMoment;
  readonly away: boolean;
  /** The profile knows the device's packets all the same. */
  readonly marked: boolean;
}

/** One device, slice by slice. */
export class RestCounts {
  #slice: PacketMoment | undefined;
  #before: PacketPart | undefined;
  #rest: Rest | undefined;
  /** By CPU: estimated and not counted. */
  #uncounted: number[] = [];
  #unmarked = 0;
  /** Of the rest, when the device's counter was last read. */
  #seen: PacketMoment | undefined;
  #unexplained = 0;
  #scatterSquared = 0;
  /** Packets that may have come before it was noticed that the device had gone. */
  #lost = 0;
  /** A rest in which the program stayed was estimated as it counted. */
  trusted = false;

  /** The program counts, from here to `ends`. */
  begins(now: PacketMoment): void {
    if (this.#rest !== undefined) this.#rest.to ??= this.#asSeen(now);
    this.#slice = now;
  }

  /** The end of a slice, before anything is detached: what came in it. */
  ends(now: PacketMoment): PacketPart | undefined {
    if (this.#slice === undefined) return undefined;
    const slice = partBetween(this.#slice, now);
    const settled = this.#estimate(now);
    const rest = this.#rest;
    if (rest?.to !== undefined && settled !== undefined) this.#settle(partBetween(rest.from, rest.to), settled, rest);
    [this.#slice, this.#before] = [undefined, slice];
    this.#rest = { from: now, away: false, marked: true };
    return slice;
  }

  /** The program goes, until `begins`. */
  leaves(marked = true): void {
    if (this.#rest === undefined) return;
    this.#rest = { from: this.#rest.from, away: true, marked };
    this.#seen = this.#rest.from;
  }

  /** A device that went away in a rest counted until it was last seen, and for all that is known no longer. */
  #asSeen(now: PacketMoment): PacketMoment {
    if (this.#rest?.away !== true || this.#rest.to !== undefined) return now;
    if (now.frames !== undefined) this.#seen = now;
    else if (this.#seen !== undefined && this.#lost === 0) {
      const seconds = (now.nanoseconds - this.#seen.nanoseconds) / 1e9;
      const { packets = 0, seconds: inSeconds = 0 } = this.#before ?? {};
      this.#lost = inSeconds > 0 ? (packets / inSeconds) * seconds : 0;
    }
    return this.#seen === undefined ? now : { ...this.#seen, counted: now.counted };
  }

  /** Of the rest that is not settled yet, by the slice before it, and the one after as far as it went. */
  #estimate(now: PacketMoment): RestEstimate | undefined {
    const rest = this.#rest;
    if (rest === undefined) return undefined;
    const since = this.#slice === undefined ? undefined : partBetween(this.#slice, now);
    const after = since !== undefined && since.packets >= ENOUGH_IN_SLICE ? [since] : [];
    const before = this.#before === undefined ? [] : [this.#before];
    return estimate(partBetween(rest.from, rest.to ?? now), [...before, ...after]);
  }

  #settle(rest: PacketPart, settled: RestEstimate, { away, marked }: Rest): void {
    if (!away) {
      if (rest.packets < ENOUGH_IN_SLICE) return;
      const wrong = Math.max(Math.abs(settled.packets - rest.packets), settled.unexplained);
      this.trusted = wrong <= TRUSTED * rest.packets;
      return;
    }
    this.#uncounted = added(this.#uncounted, settled);
    if (!marked) this.#unmarked += settled.uncounted;
    this.#unexplained += settled.unexplained;
    this.#scatterSquared += settled.scatter ** 2;
  }

  /** Up to now, of which the counts of the program are `now.counted`. */
  whole(moment: PacketMoment): WholeCount {
    const [rest, now] = [this.#rest, this.#asSeen(moment)];
    const open = rest?.away === true ? this.#estimate(now) : undefined;
    const uncounted = open === undefined ? this.#uncounted : added(this.#uncounted, open);
    const unmarked = open === undefined || rest?.marked === true ? 0 : open.uncounted;
    const scatter = Math.sqrt(this.#scatterSquared + (open?.scatter ?? 0) ** 2);
    return {
      byCpu: now.counted.map((count, cpu) => count + Math.round(uncounted[cpu] ?? 0)),
      counted: sum(now.counted),
      // Twice: nineteen times of twenty it is no more.
      error: Math.round(this.#unexplained + (open?.unexplained ?? 0) + 2 * scatter + this.#lost),
      unmarked: Math.round(this.#unmarked + unmarked),
    };
  }

  /** Whether a rest is part of it. */
  get rested(): boolean {
    return this.#rest?.away === true || this.#uncounted.length > 0;
  }
}

/** What the program counted while it came and went is counted already. */
function added(before: readonly number[], { byCpu, packets, uncounted }: RestEstimate): number[] {
  const part = packets === 0 ? 0 : uncounted / packets;
  return byCpu.map((count, cpu) => (before[cpu] ?? 0) + count * part);
}
