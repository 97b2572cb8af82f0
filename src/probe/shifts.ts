/**
 * The tracepoints of the probe run host-wide and on every packet, and a hook costs some 150 ns beside its program's run time
 * (bench/probe/README.md). So in a long window they work in shifts: attached for a quarter of it, in slices spread over the whole,
 * at random distances so that they do not beat with the traffic. Spans and NET_RX times are samples in any case; packets are
 * counted by the devices' TC programs, which stay.
 */
import type { ProbeSession } from './session.ts';

/** The share of the window in which the tracepoints are attached. */
export const ON_SHARE = 0.25;

/**
 * What tells the driver's part from the stack's runs once per poll and once per frame: it joins the first slice and then one in so
 * many, or the first part of a window that is not cut.
 */
export const JOINED_SLICES = 4;

const SHORTEST_ROUND_MS = 500;
const LONGEST_ROUND_MS = 5000;
const ROUNDS = 8;

/** One slice and the rest after it; nothing for a window too short to be cut. */
export function roundMs(windowSeconds: number): number | undefined {
  const wanted = (windowSeconds * 1000) / ROUNDS;
  return wanted < SHORTEST_ROUND_MS ? undefined : Math.min(LONGEST_ROUND_MS, wanted);
}

export class Shifts {
  readonly #session: ProbeSession;
  readonly #roundMs: number | undefined;
  readonly #random: () => number;
  #timer: NodeJS.Timeout | undefined;
  #busy: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #slice = 0;
  readonly #windowMs: number;

  constructor(session: ProbeSession, windowSeconds: number, random: () => number = Math.random) {
    this.#session = session;
    this.#windowMs = windowSeconds * 1000;
    this.#roundMs = roundMs(windowSeconds);
    this.#random = random;
  }

  /** Begins with a slice of work, which may already be under way. */
  start(): void {
    this.#session.tracepoints?.join();
    this.#after((this.#roundMs ?? this.#windowMs) * ON_SHARE);
  }

  /** Runs `work` while the tracepoints are attached, at once: a slice begins where none is under way, and another after it. */
  async inSlice<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    await this.#busy;
    clearTimeout(this.#timer);
    await this.#session.tracepoints?.resume();
    try {
      return await work();
    } finally {
      if (!this.#stopped) await this.#goOn();
    }
  }

  /** With a slice; in a window that is not cut, the driver has been told apart long enough. */
  async #goOn(): Promise<void> {
    if (this.#roundMs === undefined) await this.#session.tracepoints?.part();
    else this.#after(this.#roundMs * ON_SHARE);
  }

  /** No more changes once this has returned; whatever is attached then stays so. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#busy;
  }

  #after(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#busy = this.#change();
    }, ms);
    this.#timer.unref();
  }

  async #change(): Promise<void> {
    const tracepoints = this.#session.tracepoints;
    if (tracepoints === undefined) return;
    const round = this.#roundMs;
    if (round === undefined) {
      await tracepoints.part();
      return;
    }
    const resting = tracepoints.attached;
    const changed = await (resting ? tracepoints.rest() : tracepoints.resume());
    // A failure stands in the readings (`gaps`): the state it left is kept.
    if (!changed.ok || this.#stopped) return;
    if (!resting && ++this.#slice % JOINED_SLICES === 0) tracepoints.join();
    this.#after(resting ? round * (1 - ON_SHARE) * (0.75 + this.#random() / 2) : round * ON_SHARE);
  }
}
