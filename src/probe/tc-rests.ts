/**
 * The TC programs of busy devices rest with the tracepoints (shifts.ts): each packet meets one otherwise, all the time. What comes
 * meanwhile is estimated (rest-counts.ts), so a program rests only where that can be told to a few per cent. While it does, nobody
 * marks whose packets a CPU takes: where one device has next to all packets of the host the profile knows them as its all the same,
 * else its samples are of no device (`unmarked`), and the programs go only once enough packets were marked.
 * Attaching and detaching wait for RCU under the lock of all devices (RTNL), so both are done on libuv's threads; those are in our own
 * namespace, where a link would be made, so in another it is made on this thread. Where a change takes long the programs stay from then
 * on. A filter of clsact and XDP stay.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.ts';
import type { CpuState } from './layout.ts';
import type { Libbpf, MapFd } from './libbpf.ts';
import { ENOUGH_IN_SLICE, RestCounts, type PacketMoment, type PacketPart, type WholeCount } from './rest-counts.ts';
import { witnesses, type Witnesses } from './rest-witnesses.ts';
import { every, type WatchedDevice } from './watched.ts';

/** A change of the links costs two RCU grace periods: in a shorter rest they are not worth it. */
const SHORTEST_REST_MS = 200;
/** Of a slower device the program takes less than a ten-thousandth of a CPU. */
const LEAST_PER_SECOND = 2000;
/** Packets of all other watched devices: what they cost is booked to the one that rests, and of so few it is not material. */
const MOST_OF_OTHERS_PER_SECOND = 50;
/** Of what the host's CPUs took through the stack, what is the device's. */
const LEAST_SHARE = 0.9;
/** Each takes its turn at the kernel's lock: the busiest. */
const MOST_RESTING = 4;
/** Samples of the profile that a device has by then: one in some thousand packets, and a few hundred tell its parts. */
const ENOUGH_MARKED = 150_000;
/** An estimate that may be further off than this gets no worse: the program stays. */
export const MOST_ERROR = 0.05;
/** An attach or detach takes 10 to 40 ms of RCU; what takes longer holds up everyone who needs the lock. */
const SLOW_MS = 100;
/** A slice begins without the programs rather than late. */
const PATIENCE_MS = 250;

/** In `home` (bpf/home.h): each packet is of the device that marked it; of no device. */
const AS_MARKED = 0;
const OF_NOBODY = 0xffffffff;

/** What it asks of a device. */
export type RestingDevice = Pick<WatchedDevice, 'facts' | 'slot' | 'canRest' | 'detachForRest' | 'attachAfterRest'>;

export interface RestOptions {
  readonly bpf: Pick<Libbpf, 'writeOnly' | 'possibleCpus'>;
  /** Of the sampler: whose packets all are, while programs rest. */
  readonly home: MapFd;
  readonly procfs: string;
  readonly devices: readonly RestingDevice[];
  readonly slowChangeMs?: number;
}

interface DeviceSlice {
  readonly device: RestingDevice;
  readonly counts: RestCounts;
  readonly part: PacketPart;
}

export class TcRests {
  readonly #options: RestOptions;
  readonly #counts: ReadonlyMap<RestingDevice, RestCounts>;
  readonly #readCpus: () => readonly CpuState[];
  readonly #away = new Set<RestingDevice>();
  #change: Promise<void> | undefined;
  #returning = false;
  #others: { readonly at: number; readonly of: RestingDevice; readonly seen: number } | undefined;
  /** By slot: packets that were counted while nobody was marked, and where the count stood when the last such time began. */
  readonly #unmarked = new Map<number, number>();
  #nobodyFrom: readonly CpuState[] | undefined;
  #closed = false;
  #abandoned = false;
  /** Why no program rests any more on this host. */
  stays: string | undefined;

  constructor(options: RestOptions, readCpus: () => readonly CpuState[]) {
    this.#options = options;
    this.#readCpus = readCpus;
    const able = options.devices.filter((device) => device.canRest);
    this.#counts = new Map(able.map((device) => [device, new RestCounts()]));
  }

  /** All programs are there, and count from here to `sliceEnds`. */
  sliceBegins(): void {
    if (this.#counts.size === 0 || this.#away.size > 0) return;
    const [cpus, seen] = [this.#readCpus(), this.#witnesses()];
    for (const [device, counts] of this.#counts) counts.begins(momentOf(device, cpus, seen));
  }

  /** Tracepoints rest from now on, for so long. */
  sliceEnds(restMs: number): void {
    if (this.#counts.size === 0 || this.#away.size > 0 || this.#change !== undefined) return;
    const [cpus, seen] = [this.#readCpus(), this.#witnesses()];
    const slices = [...this.#counts]
      .flatMap(([device, counts]): DeviceSlice[] => {
        const part = counts.ends(momentOf(device, cpus, seen));
        return part === undefined ? [] : [{ device, counts, part }];
      })
      .sort((a, b) => b.part.packets - a.part.packets);
    const [busiest] = slices;
    if (busiest === undefined || this.stays !== undefined || this.#closed || restMs < SHORTEST_REST_MS) return;
    const others = this.#othersPerSecond(busiest.device, cpus);
    const able = slices.filter(
      ({ device, counts, part }) => mayRest(part) && isKnown(counts, momentOf(device, cpus, seen)),
    );
    if (isAlone(busiest.part, others)) {
      if (able.includes(busiest)) this.#leave([busiest], busiest.device.slot + 1);
      return;
    }
    const marked = able.filter(({ device }) => countOf(device, cpus) - this.#unmarkedOf(device, cpus) >= ENOUGH_MARKED);
    if (marked.length === 0) return;
    if (this.#leave(marked.slice(0, MOST_RESTING), OF_NOBODY)) this.#nobodyFrom = cpus;
  }

  /** Of the slice that has just ended, or since the last one. */
  #othersPerSecond(device: RestingDevice, cpus: readonly CpuState[]): number {
    const seen = this.#options.devices
      .filter((other) => other !== device)
      .reduce((sum, other) => sum + countOf(other, cpus), 0);
    const now = monotonicMs();
    const before = this.#others;
    this.#others = { at: now, of: device, seen };
    // The first time nothing is known of them.
    if (before?.of !== device || now <= before.at) return Infinity;
    return ((seen - before.seen) * 1000) / (now - before.at);
  }

  /** Whether they go. */
  #leave(slices: readonly DeviceSlice[], home: number): boolean {
    if (!this.#options.bpf.writeOnly(this.#options.home, every(home)).ok) return false;
    for (const { device, counts } of slices) {
      this.#away.add(device);
      counts.leaves(home !== OF_NOBODY);
    }
    this.#inTurn(async () => {
      for (const { device } of slices) await this.#timed('detached', () => device.detachForRest());
    });
    return true;
  }

  #inTurn(work: () => Promise<void>): void {
    const change = work().finally(() => {
      if (this.#change === change) this.#change = undefined;
    });
    this.#change = change;
  }

  async #timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const began = monotonicMs();
    const done = await work();
    const took = monotonicMs() - began;
    if (took > (this.#options.slowChangeMs ?? SLOW_MS))
      this.stays ??= `a TC program was ${what} in ${took.toFixed(0)} ms`;
    return done;
  }

  /** Before the tracepoints come back: puts back what rests, as far as that does not take long. */
  async sliceNears(): Promise<void> {
    if (this.#away.size === 0) {
      this.sliceBegins();
      return;
    }
    if (!this.#returning && !this.#closed) this.#return(this.#change);
    await this.#within(PATIENCE_MS);
  }

  #return(leaving: Promise<void> | undefined): void {
    this.#returning = true;
    this.#inTurn(async () => {
      await leaving;
      const back = [...this.#away];
      for (const device of back) {
        const attached = await this.#timed('attached', () => device.attachAfterRest());
        // What it would count is estimated to the end.
        if (!attached.ok) this.stays ??= attached.reason;
        else if (this.#abandoned) await device.detachForRest();
        else this.#away.delete(device);
      }
      this.#returning = false;
      if (this.#closed || this.#away.size > 0) return;
      this.#mark();
      this.sliceBegins();
    });
  }

  #mark(): void {
    const written = this.#options.bpf.writeOnly(this.#options.home, every(AS_MARKED));
    if (!written.ok) {
      this.stays ??= written.reason;
      return;
    }
    if (this.#nobodyFrom === undefined) return;
    const cpus = this.#readCpus();
    for (const device of this.#options.devices) this.#unmarked.set(device.slot, this.#unmarkedOf(device, cpus));
    this.#nobodyFrom = undefined;
  }

  /** Of what was counted. */
  #unmarkedOf(device: RestingDevice, cpus: readonly CpuState[]): number {
    const before = this.#unmarked.get(device.slot) ?? 0;
    if (this.#nobodyFrom === undefined) return before;
    return before + Math.max(0, countOf(device, cpus) - countOf(device, this.#nobodyFrom));
  }

  /** Whether what is under way came to its end. */
  async #within(milliseconds: number): Promise<boolean> {
    const change = this.#change;
    if (change === undefined) return true;
    const patience = new AbortController();
    const given = sleep(milliseconds, false, { signal: patience.signal }).catch(() => false);
    const done = await Promise.race([change.then(() => true), given]);
    patience.abort();
    return done;
  }

  /** No changes after this; false where one is still under way. */
  async end(deadlineMs: number): Promise<boolean> {
    this.#closed = true;
    const ended = await this.#within(deadlineMs);
    this.#abandoned = !ended;
    return ended;
  }

  /** Read once for a whole reading, and only where something rests or did. */
  look(): Witnesses | undefined {
    return [...this.#counts.values()].some(({ rested }) => rested) ? this.#witnesses() : undefined;
  }

  /** Of a device that rested at some time. */
  whole(device: RestingDevice, cpus: readonly CpuState[], seen: Witnesses | undefined): WholeCount | undefined {
    const counts = this.#counts.get(device);
    return counts?.rested === true && seen !== undefined ? counts.whole(momentOf(device, cpus, seen)) : undefined;
  }

  /** Packets of the device, whether it rested or not, whose samples are of no device. */
  unmarked(device: RestingDevice, cpus: readonly CpuState[], whole: WholeCount | undefined): number {
    return this.#unmarkedOf(device, cpus) + (whole?.unmarked ?? 0);
  }

  #witnesses(): Witnesses {
    const { procfs, bpf } = this.#options;
    return witnesses(
      procfs,
      bpf.possibleCpus,
      [...this.#counts.keys()].map(({ facts }) => facts),
    );
  }
}

function countOf({ slot }: RestingDevice, cpus: readonly CpuState[]): number {
  return cpus.reduce((sum, { packets }) => sum + (packets[slot] ?? 0), 0);
}

function momentOf(
  { facts, slot }: RestingDevice,
  cpus: readonly CpuState[],
  { nanoseconds, frames, passes }: Witnesses,
): PacketMoment {
  const counted = cpus.map(({ packets }) => packets[slot] ?? 0);
  return { nanoseconds, counted, frames: frames.get(facts), passes };
}

/** What it is estimated at holds, so far. */
function isKnown(counts: RestCounts, now: PacketMoment): boolean {
  const { error, byCpu } = counts.whole(now);
  return counts.trusted && error <= MOST_ERROR * byCpu.reduce((sum, count) => sum + count, 0);
}

/** Whether a slice was such that the rest after it can be told. */
export function mayRest({ packets, seconds, passes, frames }: PacketPart): boolean {
  if (frames === undefined || frames === 0 || passes === undefined) return false;
  return packets >= Math.max(ENOUGH_IN_SLICE, LEAST_PER_SECOND * seconds);
}

/** Whether next to all packets of the host are the device's. */
export function isAlone({ packets, passes = [] }: PacketPart, othersPerSecond: number): boolean {
  const all = passes.reduce((sum, count) => sum + count, 0);
  return packets >= LEAST_SHARE * all && othersPerSecond <= MOST_OF_OTHERS_PER_SECOND;
}
