/**
 * The TC program of the one busy device rests with the tracepoints (shifts.ts): each packet meets it otherwise, all the time. What comes
 * meanwhile is estimated (rest-counts.ts), so it rests only where that can be told to a few per cent, and where the profile still
 * knows whose packet it samples: one device has next to all packets of the host, and its estimate was right while it was still counted.
 * Attaching and detaching wait for RCU under the lock of all devices (RTNL), so both are done on libuv's threads; where that takes
 * long the program stays from then on. A filter of clsact, XDP and devices of other namespaces stay: a link is made in the namespace
 * of the thread that makes it, and those of libuv are in our own.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileGuarded } from '../base/file.ts';
import { parseNetdev } from '../collectors/netdev.ts';
import { parseSoftnet } from '../collectors/softnet.ts';
import type { CpuState } from './layout.ts';
import type { Libbpf, MapFd } from './libbpf.ts';
import { ENOUGH_IN_SLICE, RestCounts, type PacketMoment, type PacketPart, type WholeCount } from './rest-counts.ts';
import { every, type WatchedDevice } from './watched.ts';

/** A change of the links costs two RCU grace periods: in a shorter rest they are not worth it. */
const SHORTEST_REST_MS = 200;
/** Of a slower device the program takes less than a ten-thousandth of a CPU. */
const LEAST_PER_SECOND = 2000;
/** Packets of all other watched devices: what they cost is booked to the one that rests, and of so few it is not material. */
const MOST_OF_OTHERS_PER_SECOND = 50;
/** Of what the host's CPUs took through the stack, what is the device's. */
const LEAST_SHARE = 0.9;
/** An estimate that may be further off than this gets no worse: the program stays. */
export const MOST_ERROR = 0.05;
/** An attach or detach takes 10 to 40 ms of RCU; what takes longer holds up everyone who needs the lock. */
const SLOW_MS = 100;
/** A slice begins without the program rather than late. */
const PATIENCE_MS = 250;
/** /proc/net/dev: the second column. */
const FRAMES = 1;
const CPU_COLUMN = 12;

/** What counts all the time, whoever rests. */
interface Witnesses {
  readonly nanoseconds: number;
  readonly frames: ReadonlyMap<string, number>;
  readonly passes: readonly number[] | undefined;
}

/** @param cpus possible CPUs of the host */
function witnesses(procfs: string, cpus: number): Witnesses {
  const text = readFileGuarded(join(procfs, 'net/dev'));
  const devices = text.ok ? parseNetdev(text.value) : text;
  const table = readFileGuarded(join(procfs, 'net/softnet_stat'));
  const rows = table.ok ? parseSoftnet(table.value) : table;
  const passes = Array<number>(cpus).fill(0);
  if (rows.ok) for (const [row, columns] of rows.value.entries()) passes[columns[CPU_COLUMN] ?? row] = columns[0] ?? 0;
  return {
    nanoseconds: Number(process.hrtime.bigint()),
    frames: new Map(devices.ok ? devices.value.map(({ device, counters }) => [device, counters[FRAMES] ?? 0]) : []),
    passes: rows.ok ? passes : undefined,
  };
}

/** What it asks of a device. */
export type RestingDevice = Pick<WatchedDevice, 'facts' | 'slot' | 'canRest' | 'detachForRest' | 'attachAfterRest'>;

export interface RestOptions {
  readonly bpf: Pick<Libbpf, 'writeOnly' | 'possibleCpus'>;
  /** Of the sampler: whose packets all are, while its program rests. */
  readonly home: MapFd;
  readonly procfs: string;
  readonly devices: readonly RestingDevice[];
  readonly slowChangeMs?: number;
}

export class TcRests {
  readonly #options: RestOptions;
  readonly #counts: ReadonlyMap<RestingDevice, RestCounts>;
  readonly #readCpus: () => readonly CpuState[];
  #resting: RestingDevice | undefined;
  #change: Promise<void> | undefined;
  #returning = false;
  #others: { readonly at: number; readonly of: RestingDevice; readonly seen: number } | undefined;
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
    if (this.#counts.size === 0 || this.#resting !== undefined) return;
    const [cpus, seen] = [this.#readCpus(), this.#witnesses()];
    for (const [device, counts] of this.#counts) counts.begins(momentOf(device, cpus, seen));
  }

  /** Tracepoints rest from now on, for so long. */
  sliceEnds(restMs: number): void {
    if (this.#counts.size === 0 || this.#resting !== undefined || this.#change !== undefined) return;
    const [cpus, seen] = [this.#readCpus(), this.#witnesses()];
    const slices = new Map(
      [...this.#counts].map(([device, counts]) => [device, counts.ends(momentOf(device, cpus, seen))] as const),
    );
    if (this.stays !== undefined || this.#closed || restMs < SHORTEST_REST_MS) return;
    const [device] = [...slices].sort((a, b) => (b[1]?.packets ?? 0) - (a[1]?.packets ?? 0))[0] ?? [];
    const [slice, counts] = device === undefined ? [] : [slices.get(device), this.#counts.get(device)];
    if (device === undefined || slice === undefined || counts === undefined) return;
    const others = this.#othersPerSecond(device, cpus);
    const { error, byCpu } = counts.whole(momentOf(device, cpus, seen));
    const packets = byCpu.reduce((sum, count) => sum + count, 0);
    if (!counts.trusted || error > MOST_ERROR * packets || !mayRest(slice, others)) return;
    this.#leave(device, counts);
  }

  /** Of the slice that has just ended, or since the last one. */
  #othersPerSecond(device: RestingDevice, cpus: readonly CpuState[]): number {
    const seen = this.#options.devices
      .filter((other) => other !== device)
      .reduce((sum, { slot }) => sum + cpus.reduce((all, { packets }) => all + (packets[slot] ?? 0), 0), 0);
    const now = performance.now();
    const before = this.#others;
    this.#others = { at: now, of: device, seen };
    // The first time nothing is known of them.
    if (before?.of !== device || now <= before.at) return Infinity;
    return ((seen - before.seen) * 1000) / (now - before.at);
  }

  #leave(device: RestingDevice, counts: RestCounts): void {
    if (!this.#options.bpf.writeOnly(this.#options.home, every(device.slot + 1)).ok) return;
    this.#resting = device;
    counts.leaves();
    this.#timed('detached', () => device.detachForRest());
  }

  #timed(what: string, work: () => Promise<void>): void {
    const began = performance.now();
    const change = work().finally(() => {
      const took = performance.now() - began;
      if (took > (this.#options.slowChangeMs ?? SLOW_MS))
        this.stays ??= `a TC program was ${what} in ${took.toFixed(0)} ms`;
      if (this.#change === change) this.#change = undefined;
    });
    this.#change = change;
  }

  /** Before the tracepoints come back: puts back what rests, as far as that does not take long. */
  async sliceNears(): Promise<void> {
    const device = this.#resting;
    if (device === undefined) {
      this.sliceBegins();
      return;
    }
    if (!this.#returning && !this.#closed) this.#return(device, this.#change);
    await this.#within(PATIENCE_MS);
  }

  #return(device: RestingDevice, leaving: Promise<void> | undefined): void {
    this.#returning = true;
    this.#timed('attached', async () => {
      await leaving;
      const attached = await device.attachAfterRest();
      this.#returning = false;
      if (!attached.ok) {
        // What it would count is estimated to the end.
        this.stays ??= attached.reason;
        return;
      }
      if (this.#abandoned) await device.detachForRest();
      if (this.#closed) return;
      this.#resting = undefined;
      const written = this.#options.bpf.writeOnly(this.#options.home, every(0));
      if (!written.ok) this.stays ??= written.reason;
      this.sliceBegins();
    });
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

  #witnesses(): Witnesses {
    return witnesses(this.#options.procfs, this.#options.bpf.possibleCpus);
  }
}

function momentOf(
  { facts, slot }: RestingDevice,
  cpus: readonly CpuState[],
  { nanoseconds, frames, passes }: Witnesses,
): PacketMoment {
  const counted = cpus.map(({ packets }) => packets[slot] ?? 0);
  return { nanoseconds, counted, frames: frames.get(facts.name), passes };
}

/** Whether a slice was such that the rest after it can be told. */
export function mayRest({ packets, seconds, passes, frames }: PacketPart, othersPerSecond: number): boolean {
  if (frames === undefined || frames === 0 || passes === undefined) return false;
  const all = passes.reduce((sum, count) => sum + count, 0);
  return (
    packets >= Math.max(ENOUGH_IN_SLICE, LEAST_PER_SECOND * seconds) &&
    packets >= LEAST_SHARE * all &&
    othersPerSecond <= MOST_OF_OTHERS_PER_SECOND
  );
}
