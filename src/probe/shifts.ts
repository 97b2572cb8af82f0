/**
 * The tracepoints of the probe run host-wide and on every packet, and a hook costs some 150 ns beside its program's run time
 * (bench/probe/README.md). So they work in shifts: slices spread over the window at random distances, so that they do not beat with
 * the traffic, each as long as it takes to time enough packets (certainty.ts), and never longer than a quarter of the time. The
 * last slice is at the window's end, and one begins at once where taps come or go. Spans and NET_RX times are samples in any case.
 */
import { monotonicMs } from '../base/clock.ts';
import { pricesOf, secondsToGo, type CountedSoFar } from './certainty.ts';
import type { Tracepoints } from './tracepoints.ts';
import { ok, type Result } from '../base/result.ts';
import type { TransmitReading, DeviceReading } from '../readings/reading.ts';

/** The most of a window in which the tracepoints are attached. */
export const ON_SHARE = 0.25;

/**
 * What tells the driver's part from the stack's runs once per poll and once per frame: it joins the first slice and then one in so
 * many, and of a short window the first quarter at most.
 */
export const JOINED_SLICES = 4;

const SHORTEST_ROUND_MS = 500;
const LONGEST_ROUND_MS = 5000;
const ROUNDS = 8;
/** Shorter windows are too short to be without the tracepoints for long: a slice may take all of its round. */
const SHORT_WINDOW_MS = SHORTEST_ROUND_MS * ROUNDS;

/** The first look into the first slice; the least and the most between two looks. */
const FIRST_LOOK_MS = 20;
const LEAST_LOOK_MS = 10;
const MOST_LOOK_MS = 250;
const MOST_LOOK_SHARE = 1 / 16;
/** Taking the tracepoints away and putting them back takes some of it. */
const SHORTEST_REST_MS = 60;
/** The last slice is so many times as long as the one before took, to be sure. */
const LAST_SLICE = 1.5;
const SHORTEST_LAST_MS = 60;
/** A capture that is started over and over waits for the next slice like everyone else. */
const MOST_CHANGES = 8;

export interface Rounds {
  /** One slice and the rest after it. */
  readonly roundMs: number;
  /** The most of a round in which the tracepoints are attached. */
  readonly onShare: number;
}

export function roundsOf(windowSeconds: number): Rounds {
  const windowMs = windowSeconds * 1000;
  const roundMs = Math.min(Math.max(windowMs / ROUNDS, SHORTEST_ROUND_MS), LONGEST_ROUND_MS, windowMs);
  return { roundMs, onShare: windowMs < SHORT_WINDOW_MS ? 1 : ON_SHARE };
}

export interface ShiftOptions {
  readonly random?: () => number;
  /** Whether taps of this device are to be priced. */
  readonly tapped?: (device: Pick<DeviceReading | TransmitReading, 'device' | 'netns' | 'ifindex'>) => boolean;
}

/** What the shifts ask of a session. */
export interface Shifted {
  readonly tracepoints: Pick<Tracepoints, 'attached' | 'join' | 'part' | 'clock'>;
  beginSlice(): Promise<Result<void>>;
  /** For so long. */
  endSlice(restMs: number): Promise<Result<void>>;
  progress(): CountedSoFar;
}

export class Shifts {
  readonly #session: Shifted;
  readonly #windowMs: number;
  readonly #rounds: Rounds;
  readonly #random: () => number;
  readonly #tapped: NonNullable<ShiftOptions['tapped']>;
  #timer: NodeJS.Timeout | undefined;
  #busy: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #beganAt = 0;
  /** Of when the taps came that are priced. */
  #from: CountedSoFar | undefined;
  #fromTracedNs = 0;
  #slices = 0;
  #changes = 0;
  #since: CountedSoFar | undefined;
  #sliceAt = 0;
  #lastSliceMs = 0;
  /** What it took to attach everything, the last time. */
  #beginningMs = 0;

  constructor(session: Shifted, windowSeconds: number, options: ShiftOptions = {}) {
    this.#session = session;
    this.#windowMs = windowSeconds * 1000;
    this.#rounds = roundsOf(windowSeconds);
    this.#random = options.random ?? Math.random;
    this.#tapped = options.tapped ?? (() => true);
  }

  /** Begins with a slice of work, which may already be under way. */
  start(): void {
    this.#beganAt = monotonicMs();
    this.#beginSlice();
  }

  /** Taps came or went: what was timed before says nothing of their price, and a slice begins at once. */
  async pricesChanged(): Promise<void> {
    this.#from = undefined;
    this.#changes += 1;
    // That it could not begin stands in the readings.
    if (this.#changes <= MOST_CHANGES) await this.inSlice(() => Promise.resolve(ok(undefined)));
  }

  /**
   * Runs `work` while the tracepoints are attached, at once: a slice begins where none is under way, and another after it. Where they
   * cannot be attached it does not run: what it looks at is not there.
   */
  async inSlice<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    clearTimeout(this.#timer);
    await this.#busy;
    clearTimeout(this.#timer);
    const begun = await this.#session.beginSlice();
    if (!begun.ok) {
      this.#after(this.#rounds.roundMs);
      return begun;
    }
    try {
      return await work();
    } finally {
      if (!this.#stopped) this.#beginSlice();
    }
  }

  /** No more changes once this has returned; whatever is attached then stays so. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#busy;
  }

  get #sinceBegan(): number {
    return monotonicMs() - this.#beganAt;
  }

  #beginSlice(): void {
    if (this.#slices % JOINED_SLICES === 0) this.#session.tracepoints.join();
    this.#slices += 1;
    this.#countFromHere();
  }

  #countFromHere(): void {
    this.#sliceAt = monotonicMs();
    const now = this.#session.progress();
    this.#since = now;
    if (this.#from === undefined) {
      this.#from = now;
      this.#fromTracedNs = this.#tracedNs();
    }
    this.#after(
      Math.min(Math.max(this.#msToGo(0, this.#windowMs - this.#sinceBegan, now), LEAST_LOOK_MS), FIRST_LOOK_MS),
    );
  }

  #tracedNs(): number {
    return this.#session.tracepoints.clock().tracedNs;
  }

  #after(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#busy = this.#change();
    }, ms);
    this.#timer.unref();
  }

  async #change(): Promise<void> {
    const { tracepoints } = this.#session;
    if (!tracepoints.attached) {
      const began = monotonicMs();
      const changed = await this.#session.beginSlice();
      this.#beginningMs = monotonicMs() - began;
      // A failure stands in the readings (`gaps`), and may pass.
      if (!changed.ok) this.#after(this.#rounds.roundMs);
      else if (!this.#stopped) this.#beginSlice();
      return;
    }
    const elapsed = monotonicMs() - this.#sliceAt;
    const left = this.#windowMs - this.#sinceBegan;
    // A short window has its driver told apart in a quarter of it.
    if (this.#rounds.onShare === 1 && this.#sinceBegan >= this.#windowMs * ON_SHARE) await tracepoints.part();
    if (this.#stopped) return;
    const { roundMs, onShare } = this.#rounds;
    const more = Math.min(roundMs * onShare - elapsed, this.#msToGo(elapsed, left));
    if (more > 0) {
      this.#after(Math.min(Math.max(more, LEAST_LOOK_MS), MOST_LOOK_MS, this.#windowMs * MOST_LOOK_SHARE));
      return;
    }
    const restMs = this.#restMs(elapsed, left);
    if (restMs < SHORTEST_REST_MS) {
      // The window's end, or a round without a rest: the next slice follows at once.
      if (left > 0) this.#countFromHere();
      else this.#after(MOST_LOOK_MS);
      return;
    }
    this.#lastSliceMs = elapsed;
    const changed = await this.#session.endSlice(restMs);
    if (changed.ok) this.#after(restMs);
  }

  /** Until this slice has had its share of what the prices need. */
  #msToGo(elapsedMs: number, leftMs: number, now = this.#session.progress()): number {
    const { roundMs, onShare } = this.#rounds;
    const tracedSeconds = (this.#tracedNs() - this.#fromTracedNs) / 1e9;
    const slice = {
      left: Math.max(1, Math.round((leftMs + elapsedMs) / roundMs)),
      tracedSeconds,
      mostSeconds: tracedSeconds + (Math.max(0, leftMs) * onShare) / 1000,
    };
    const prices = pricesOf(this.#from ?? now, this.#since ?? now, now, this.#tapped);
    return secondsToGo(prices, slice) * 1000;
  }

  /** As far as the next round, or as the last slice before the window's end. */
  #restMs(elapsedMs: number, leftMs: number): number {
    const rest = (this.#rounds.roundMs - elapsedMs) * (0.75 + this.#random() / 2);
    const { roundMs, onShare } = this.#rounds;
    const needed = Math.max(SHORTEST_LAST_MS, Math.max(elapsedMs, this.#lastSliceMs) * LAST_SLICE);
    const last = leftMs - Math.min(needed, roundMs * onShare) - this.#beginningMs;
    // So near to the end that no slice would fit in after it, the next one is the last.
    return rest > last - SHORTEST_REST_MS ? last : rest;
  }
}
