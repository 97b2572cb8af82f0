import { cpuMs, monotonicMs } from '../base/clock.ts';
import { fail, ok, type Result } from '../base/result.ts';

/** What the lines of two samples of 20,000 UDP sockets take. */
const MOST_MS = 2000;
const PER_MS = 60_000;
/** Whatever is no longer than this takes next to nothing, and is not worth looking at a clock. */
const SHORT = 16 * 1024;

/** Told how much has been read of a file, after each piece: whether to go on. */
export type Meter = (length: number) => Result<undefined>;

/**
 * How much CPU time the kernel may take for a file of /proc/net, of all namespaces together: not on the clock, since what this thread
 * waits for on a host without a free CPU is no fault of the file. For some of them (udp, packet, ptype) it
 * begins at the front of its table with each page: twice the lines take four times as long, and 100,000 of them half a minute.
 */
export class Allowance {
  readonly #now: () => number;
  readonly #cpu: () => number;
  readonly #spent = new Map<string, { ms: number; since: number }>();

  constructor(cpu = cpuMs, now = monotonicMs) {
    this.#now = now;
    this.#cpu = cpu;
  }

  /** Undefined for a file that nothing is to be feared of. */
  meter(path: string): Meter | undefined {
    if (!path.startsWith('/proc/net/')) return undefined;
    let last: number | undefined;
    return (length) => {
      const spent = this.#of(path);
      if (last !== undefined && spent !== undefined) spent.ms += this.#cpu() - last;
      if (spent !== undefined && spent.ms > MOST_MS) return TOO_DEAR;
      if (length < SHORT) return ok(undefined);
      last = this.#cpu();
      if (spent === undefined) this.#spent.set(path, { ms: 0, since: this.#now() });
      return ok(undefined);
    };
  }

  #of(path: string): { ms: number; since: number } | undefined {
    const spent = this.#spent.get(path);
    if (spent === undefined || this.#now() - spent.since < PER_MS) return spent;
    this.#spent.delete(path);
    return undefined;
  }
}

const TOO_DEAR = fail(
  `given up: the kernel takes the square of its lines for it, more than the ${MOST_MS / 1000} s of CPU time that it may take in a minute`,
);
