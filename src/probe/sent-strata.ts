/**
 * What was sent in all of the time, from its slices. A slice is the shorter the more is sent, so that packets by the seconds of all
 * slices would be too few for a device that is now busy and now idle: each slice stands for itself and the rest before it, by time.
 */

export interface SentClock {
  /** A sample stands for so many packets. */
  readonly every: number;
  /** Nanoseconds since the session began, and those of them in which sent packets were timed. */
  readonly attachedNs: number;
  readonly timedNs: number;
}

/** A moment: sampled packets of each device so far. */
export interface SentMoment extends SentClock {
  readonly counts: ReadonlyMap<string, number>;
}

export interface SentWhole {
  /** By device, from when sent packets were first timed. */
  readonly packets: ReadonlyMap<string, number>;
  readonly nanoseconds: number;
}

export class SentStrata {
  readonly #from: SentMoment;
  #last: SentMoment;
  #packets: ReadonlyMap<string, number> = new Map();

  /** @param from when they were first timed */
  constructor(from: SentMoment) {
    this.#from = from;
    this.#last = from;
  }

  /** At the end of a slice, and before samples stand for more packets. */
  close(now: SentMoment): void {
    // Nothing was timed: what comes next stands for this time as well.
    if (now.timedNs <= this.#last.timedNs) return;
    this.#packets = this.#upTo(now);
    this.#last = now;
  }

  /** Up to now, what has not been closed included; in a rest that is all that is known, and its time is not in it. */
  whole(now: SentMoment): SentWhole {
    const known = now.timedNs > this.#last.timedNs ? now : this.#last;
    return { packets: this.#upTo(now), nanoseconds: known.attachedNs - this.#from.attachedNs };
  }

  #upTo(now: SentMoment): ReadonlyMap<string, number> {
    const timed = now.timedNs - this.#last.timedNs;
    const stands = timed > 0 ? (now.attachedNs - this.#last.attachedNs) / timed : 0;
    return new Map(
      [...now.counts].map(([device, count]) => [
        device,
        (this.#packets.get(device) ?? 0) +
          Math.max(0, count - (this.#last.counts.get(device) ?? 0)) * now.every * stands,
      ]),
    );
  }
}
