/** The host-wide tracepoints of a session: attached together, and taken away and put back in shifts (shifts.ts). */
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Result } from '../base/result.ts';
import { closeLinks, DETACH_DEADLINE_MS } from './detach.ts';
import type { Libbpf, LinkFd, LoadedObject, MapFd, ProgramFd } from './libbpf.ts';
import { linkAll } from './tracing.ts';
import { every } from './watched.ts';

/** A packet that passed the place of a tracepoint before it was back is through by then. */
const SETTLE_MS = 5;

interface Group {
  readonly object: LoadedObject;
  readonly names: readonly string[];
  links: readonly LinkFd[];
}

/** A group that came later than the others, with its own time: attached since, and before that. */
interface LateGroup extends Group {
  since: bigint | undefined;
  before: bigint;
}

/** Programs that are there for a part of the time only, because they cost more than the others. */
interface Extra extends Group {
  /** Why they cannot be attached; they are not tried again. */
  refused?: string;
}

/** A change takes some milliseconds on a busy host, and where in it the programs come or go is not known. */
function middle(began: bigint): bigint {
  return began + (process.hrtime.bigint() - began) / 2n;
}

export class Tracepoints {
  readonly #bpf: Libbpf;
  /** The switch of bpf/span.h: set while they are away, so that no stamp of before is believed. */
  readonly #resting: MapFd;
  readonly #groups: Group[] = [];
  #extra: Extra | undefined;
  #late: LateGroup | undefined;
  readonly #attachedAt = process.hrtime.bigint();
  #since: bigint | undefined;
  #before = 0n;
  #closed = false;
  #rests = 0;
  #changing = false;
  /** What went wrong in a change: they are there or away against their shift, or time nothing. */
  trouble: string | undefined;

  constructor(bpf: Libbpf, resting: MapFd) {
    this.#bpf = bpf;
    this.#resting = resting;
  }

  /** The programs that were linked, all or none. */
  attach(object: LoadedObject, names: readonly string[]): Result<readonly ProgramFd[]> {
    const linked = linkAll(this.#bpf, object, names);
    if (!linked.ok) return linked;
    this.#groups.push({ object, names, links: linked.value.links });
    this.#since ??= process.hrtime.bigint();
    return ok(linked.value.programs);
  }

  /** The same for one group that comes later: it shares the shifts of the others from now on, and has its own clock. */
  async include(object: LoadedObject, names: readonly string[]): Promise<Result<void>> {
    if (this.#closed) return fail('the session is closed');
    const late: LateGroup = { object, names, links: [], since: undefined, before: 0n };
    const working = this.attached;
    if (working) {
      const linked = await this.untimed(async () => {
        const made = linkAll(this.#bpf, object, names);
        if (made.ok) await sleep(SETTLE_MS);
        return made.ok ? ok(made.value.links) : fail(`${made.program}: ${made.reason}`);
      });
      if (!linked.ok) return linked;
      late.links = linked.value;
      late.since = process.hrtime.bigint();
    }
    this.#groups.push(late);
    this.#late = late;
    return ok(undefined);
  }

  /** For how many nanoseconds the group that came later was attached; undefined without one. */
  lateNs(): number | undefined {
    const late = this.#late;
    if (late === undefined) return undefined;
    return Number(late.before + (late.since === undefined ? 0n : process.hrtime.bigint() - late.since));
  }

  #lateRests(at: bigint): void {
    if (this.#late?.since === undefined) return;
    this.#late.before += at - this.#late.since;
    this.#late.since = undefined;
  }

  /** Programs for `join`: not attached yet. */
  offer(object: LoadedObject, names: readonly string[]): void {
    this.#extra = { object, names, links: [] };
  }

  /** Attaches what was offered beside the others, until they rest or `part` is called. */
  join(): void {
    const extra = this.#extra;
    if (this.#closed || !this.attached || extra === undefined || extra.links.length > 0) return;
    if (extra.refused !== undefined) return;
    const linked = linkAll(this.#bpf, extra.object, extra.names);
    if (linked.ok) extra.links = linked.value.links;
    else extra.refused = linked.reason;
  }

  /** Why what was offered could not be attached, if so. */
  get refused(): string | undefined {
    return this.#extra?.refused;
  }

  async part(): Promise<Result<void>> {
    const hung = await closeLinks(this.#bpf, this.#takeExtra(), DETACH_DEADLINE_MS);
    return hung === 0 ? ok(undefined) : this.#failed(`${String(hung)} tracepoint(s) did not detach`);
  }

  get attached(): boolean {
    return this.#since !== undefined;
  }

  /** A number for each time in which they are away and nothing is timed; undefined while they are there. */
  get still(): number | undefined {
    return this.#since === undefined && !this.#changing ? this.#rests : undefined;
  }

  /**
   * Nanoseconds since the session began, and those of them in which the tracepoints were attached: counting, though timing nothing
   * in the first SETTLE_MS. Without those the counts of a slice of 125 ms came out 6 % too high.
   */
  clock(): { attachedNs: number; tracedNs: number } {
    const now = process.hrtime.bigint();
    const traced = this.#before + (this.#since === undefined ? 0n : now - this.#since);
    return { attachedNs: Number(now - this.#attachedAt), tracedNs: Number(traced) };
  }

  /** Detaches them for a while; the devices' programs stay and count their packets. */
  async rest(): Promise<Result<void>> {
    if (this.#closed || this.#since === undefined) return ok(undefined);
    const written = this.#bpf.writeOnly(this.#resting, every(1));
    if (!written.ok) return this.#failed(`the tracepoints could not be told to rest: ${written.reason}`);
    const began = process.hrtime.bigint();
    this.#changing = true;
    const hung = await closeLinks(this.#bpf, this.#take(), DETACH_DEADLINE_MS);
    this.#changing = hung > 0;
    this.#rests += 1;
    const ended = middle(began);
    this.#before += ended - this.#since;
    this.#lateRests(ended);
    this.#since = undefined;
    return hung === 0 ? ok(undefined) : this.#failed(`${String(hung)} tracepoint(s) did not detach`);
  }

  /** Attaches them again. After a failure nothing they count is believed, and the readings say so. */
  async resume(): Promise<Result<void>> {
    if (this.#closed || this.#since !== undefined || this.#groups.length === 0) return ok(undefined);
    const began = process.hrtime.bigint();
    this.#rests += 1;
    for (const group of this.#groups) {
      const linked = linkAll(this.#bpf, group.object, group.names);
      if (!linked.ok) {
        await closeLinks(this.#bpf, this.#take(), DETACH_DEADLINE_MS);
        return this.#failed(`the tracepoints could not be attached again: ${linked.reason}`);
      }
      group.links = linked.value.links;
    }
    this.#since = middle(began);
    if (this.#late) this.#late.since = this.#since;
    await sleep(SETTLE_MS);
    const written = this.#bpf.writeOnly(this.#resting, every(0));
    return written.ok ? written : this.#failed(`the tracepoints could not be told to go on: ${written.reason}`);
  }

  /** While `work` runs, everything is attached and counted and nothing is timed. */
  async untimed<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
    const written = this.#bpf.writeOnly(this.#resting, every(1));
    if (!written.ok) return written;
    try {
      return await work();
    } finally {
      const timing = this.attached && !this.#closed ? this.#bpf.writeOnly(this.#resting, every(0)) : written;
      if (!timing.ok) this.#failed(`the tracepoints could not be told to go on: ${timing.reason}`);
    }
  }

  /** Whoever asks detaches them: no change of shifts after this. */
  surrender(): LinkFd[] {
    this.#closed = true;
    return this.#take();
  }

  #take(): LinkFd[] {
    const links = this.#groups.flatMap((group) => group.links);
    for (const group of this.#groups) group.links = [];
    return [...this.#takeExtra(), ...links];
  }

  #takeExtra(): readonly LinkFd[] {
    const links = this.#extra?.links ?? [];
    if (this.#extra !== undefined) this.#extra.links = [];
    return links;
  }

  #failed(reason: string): Result<never> {
    this.trouble = reason;
    return fail(reason);
  }
}
