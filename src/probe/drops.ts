/** The programs that count what the kernel drops (bpf/drops.bpf.c): attached, read, and gone with the process. */
import { monotonicMs } from '../base/clock.ts';
import type { DropsAnswer } from '../readings/drops.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { DropNames, type DropNamesOptions } from './drop-names.ts';
import { DROP_CPU_BYTES, readPlaces, readTotals, type DropPlace, type Totals } from './drop-places.ts';
import {
  DropRests,
  MET_PER_SECOND,
  MOST_MET_PER_SECOND,
  SLICE_MS,
  STAYS_PER_SECOND,
  type DropMoment,
} from './drop-rests.ts';
import { loadLibbpf, type Libbpf, type LinkFd, type LoadedObject, type MapFd, type ProgramFd } from './libbpf.ts';
import { onlineCpuCount } from './budget.ts';
import { findObjects, readObject } from './objects.ts';
import { percent, type Overhead } from './overhead.ts';
import { readPasses } from './rest-witnesses.ts';

/** Of a drop that the counter meets, with the hook: passed over, and looked at (bench/probe/README.md). */
const PASSED_NS = 100;
const LOOKED_NS = 250;

/**
 * Of the budget it may take so much whatever spans and profile take: that something is lost, and why, comes before what a packet costs,
 * and they make room as soon as they see what it takes.
 */
const OWN_PART = 0.25;
/** What it takes is judged by the second: slices and rests take turns within one. */
const JUDGED_MS = 1000;

/** Between two looks whether drops have become a flood. */
const LOOK_MS = 200;

/** A reading of sum and places takes less, and is tried so many times. */
const READ_MS = 1;
const READINGS = 3;

interface DropsReading {
  readonly totals: Totals;
  readonly places: readonly DropPlace[];
  readonly moment: DropMoment;
}

export interface DropOptions extends DropNamesOptions {
  readonly procfs: string;
  readonly overhead: Overhead;
  readonly objectsDirectory?: string;
}

export class DropCounter {
  readonly #bpf: Libbpf;
  readonly #options: DropOptions;
  readonly #names: DropNames;
  readonly #object: LoadedObject;
  readonly #program: ProgramFd;
  readonly #places: MapFd;
  readonly #cpus: MapFd;
  /** Not there while it rests. */
  #link: LinkFd | undefined;
  readonly #rests = new DropRests();
  #timer: NodeJS.Timeout | undefined;
  #looked = { at: monotonicMs(), total: 0 };
  /** When a flood was last noticed: until it rests it takes what it may not take for long. */
  #noticedAt = 0;
  #closed = false;
  #last: DropsAnswer | undefined;
  #lastTotals: { readonly at: number; readonly totals: Totals } | null = null;
  readonly #openedAt = monotonicMs();
  #watched: { readonly at: number; readonly totals: Totals } | undefined;
  #leftEarly: string | undefined;
  /** Share of the host's CPU time between the last two looks. */
  #taken = 0;

  private constructor(
    bpf: Libbpf,
    options: DropOptions,
    object: LoadedObject,
    parts: { readonly places: MapFd; readonly cpus: MapFd; readonly program: ProgramFd; readonly link: LinkFd },
  ) {
    this.#bpf = bpf;
    this.#options = options;
    this.#names = new DropNames(options);
    this.#object = object;
    this.#program = parts.program;
    this.#places = parts.places;
    this.#cpus = parts.cpus;
    this.#link = parts.link;
    options.overhead.takes('drops', () => this.#taken);
    this.#next(LOOK_MS);
  }

  static async open(options: DropOptions): Promise<Result<DropCounter>> {
    const bpf = loadLibbpf();
    if (!bpf.ok) return bpf;
    const folder = options.objectsDirectory === undefined ? findObjects() : ok(options.objectsDirectory);
    if (!folder.ok) return folder;
    const bytes = readObject(folder.value, 'drops');
    if (!bytes.ok) return bytes;
    const object = await bpf.value.loadObject('pktcost_drops', bytes.value, (opened) => {
      const cpus = opened.expectValueSize('pktcost_drop_cpus', DROP_CPU_BYTES);
      return cpus.ok ? opened.expectValueSize('pktcost_places', 8) : cpus;
    });
    if (!object.ok) return object;
    const places = object.value.map('pktcost_places');
    const cpus = object.value.map('pktcost_drop_cpus');
    const program = object.value.program('pktcost_drop');
    const link = program.ok ? bpf.value.linkTracing(program.value) : program;
    if (places.ok && cpus.ok && program.ok && link.ok) {
      const parts = { places: places.value, cpus: cpus.value, program: program.value, link: link.value };
      return ok(new DropCounter(bpf.value, options, object.value, parts));
    }
    object.value.close();
    return [places, cpus, link].find((each) => !each.ok) ?? fail('not attached');
  }

  /** The dump `drops`. After `close` the last answer stands. */
  answer(): Result<DropsAnswer> {
    if (this.#leftEarly !== undefined) return fail(this.#leftEarly);
    if (this.#closed) return this.#last === undefined ? fail('the counter is closed') : ok(this.#last);
    // Names take milliseconds of reading: what is dropped meanwhile would be in the rows and not in their sum.
    const names = this.#names.reasons();
    if (!names.ok) return names;
    const reasons = names.value;
    const found = this.#moment();
    if (!found.ok) return found;
    const { totals, places, moment } = found.value;
    const { total, estimated, error, places: packets } = this.#rests.whole(moment);
    const rows = this.#names.rows(
      places.map((place) => ({ ...place, packets: packets.get(place.key) ?? place.packets })),
      reasons,
    );
    this.#lastTotals = { at: moment.milliseconds, totals };
    this.#last = { version: 1, reasons: reasons.size > 0, ...totals, total, estimated, error, rows };
    return ok(this.#last);
  }

  /** The moment up to which the last answer counts. */
  get countedAt(): number | undefined {
    return this.#lastTotals?.at;
  }

  /** Between the samples: keeps the budget. */
  watch(): void {
    if (this.#closed) return;
    const totals = this.#totals();
    const now = monotonicMs();
    if (!totals.ok) return;
    const before = this.#watched;
    if (before === undefined || before.at <= this.#noticedAt) {
      this.#watched = { at: now, totals: totals.value };
      return;
    }
    this.#keepBudget(before.totals, totals.value, now - before.at);
    if (now - before.at >= JUDGED_MS) this.#watched = { at: now, totals: totals.value };
  }

  get #allowed(): number {
    const { overhead } = this.#options;
    return Math.max(overhead.left('drops'), OWN_PART * overhead.limit);
  }

  /** So many drops a second may be met. */
  get #mostMet(): number {
    const perSecond = (this.#allowed * onlineCpuCount() * 1e9) / PASSED_NS;
    return Math.max(MET_PER_SECOND, Math.min(MOST_MET_PER_SECOND, perSecond / 2));
  }

  #next(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#look();
    }, milliseconds).unref();
  }

  #look(): void {
    if (this.#closed) return;
    if (this.#link === undefined) this.#comeBack();
    else if (this.#rests.inSlice) this.#endSlice();
    else this.#next(this.#floods() && this.#beginSlice() ? SLICE_MS : LOOK_MS);
  }

  #floods(): boolean {
    const totals = this.#totals();
    if (!totals.ok) return false;
    const [at, { total }] = [monotonicMs(), totals.value];
    const before = this.#looked;
    this.#looked = { at, total };
    return (total - before.total) * 1000 > STAYS_PER_SECOND * (at - before.at);
  }

  #beginSlice(): boolean {
    const now = this.#moment();
    if (!now.ok) return false;
    this.#noticedAt = now.value.moment.milliseconds;
    this.#rests.begins(now.value.moment);
    return true;
  }

  #endSlice(): void {
    const totals = this.#totals();
    const passes = this.#passes();
    const milliseconds = monotonicMs();
    const rest = totals.ok
      ? this.#rests.restAfter({ milliseconds, total: totals.value.total, passes }, Math.random(), this.#mostMet)
      : undefined;
    if (rest === undefined || rest === 0) {
      const now = this.#moment();
      if (now.ok && rest === 0) this.#rests.goesOn(now.value.moment);
      else if (now.ok) this.#rests.stays(now.value.moment);
      this.#next(this.#rests.inSlice ? SLICE_MS : LOOK_MS);
      return;
    }
    // While it surely counts: how long it takes to go is of no slice.
    const now = this.#moment();
    this.#unlink();
    if (!now.ok) {
      this.#leave(`the counter could not be read: ${now.reason}`);
      return;
    }
    this.#rests.leaves(now.value.moment);
    this.#next(rest);
  }

  #comeBack(): void {
    const link = this.#bpf.linkTracing(this.#program);
    if (!link.ok) {
      this.#leave(`the counter could not be attached again: ${link.reason}`);
      return;
    }
    this.#link = link.value;
    // Once it surely counts: to come may take milliseconds, and it counts only at their end, as it no longer does from the beginning of its going
    // (kernel/tracepoint.c: tracepoint_add_func waits and enables the key last, tracepoint_remove_func disables it first).
    const now = this.#moment();
    if (!now.ok) {
      this.#leave(`the counter could not be read: ${now.reason}`);
      return;
    }
    this.#rests.begins(now.value.moment);
    this.#next(SLICE_MS);
  }

  #unlink(): void {
    if (this.#link !== undefined) this.#bpf.closeLink(this.#link);
    this.#link = undefined;
  }

  #leave(reason: string): void {
    this.#taken = 0;
    this.#detach();
    this.#leftEarly = reason;
  }

  #keepBudget(from: Totals, to: Totals, milliseconds: number): void {
    const share = this.#shareOf(from, to, Math.max(milliseconds, JUDGED_MS));
    const { overhead } = this.#options;
    this.#taken = share;
    if (milliseconds <= 0 || share <= this.#allowed) return;
    const perSecond = Math.round((to.total - from.total) / (milliseconds / 1000));
    this.#leave(
      `counting ${perSecond} drops/s would take ${percent(share)} of the host's CPU time, above ${overhead.said('drops')}`,
    );
  }

  /** Of all CPU time since it was opened, by what a drop is estimated to take. */
  cpuShare(): number | null {
    const last = this.#lastTotals;
    return last && this.#shareOf({ total: 0, lookedAt: 0 }, last.totals, last.at - this.#openedAt);
  }

  #shareOf(
    from: Pick<Totals, 'total' | 'lookedAt'>,
    to: Pick<Totals, 'total' | 'lookedAt'>,
    milliseconds: number,
  ): number {
    const looked = to.lookedAt - from.lookedAt;
    const passed = to.total - from.total - looked;
    return milliseconds <= 0 ? 0 : (looked * LOOKED_NS + passed * PASSED_NS) / (milliseconds * 1e6 * onlineCpuCount());
  }

  close(): void {
    if (!this.#closed) this.#detach();
  }

  #detach(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#unlink();
    this.#object.close();
  }

  /**
   * Read anew where that took long: on a busy host the process may be kept waiting in the middle of it, and sum, places and time were not of
   * one moment.
   */
  #moment(): Result<DropsReading> {
    let quickest: { readonly took: number; readonly reading: Result<DropsReading> } | undefined;
    for (let tries = 0; tries < READINGS && (quickest === undefined || quickest.took > READ_MS); tries += 1) {
      const began = monotonicMs();
      const reading = this.#readOnce(began);
      const took = monotonicMs() - began;
      if (quickest === undefined || took < quickest.took) quickest = { took, reading };
    }
    return quickest?.reading ?? fail('not read');
  }

  #readOnce(began: number): Result<DropsReading> {
    const totals = this.#totals();
    if (!totals.ok) return totals;
    const places = readPlaces(this.#bpf, this.#places);
    if (!places.ok) return places;
    const milliseconds = (began + monotonicMs()) / 2;
    const passes = this.#passes();
    const packets = new Map(places.value.map((place) => [place.key, place.packets]));
    const { total } = totals.value;
    return ok({ totals: totals.value, places: places.value, moment: { milliseconds, total, passes, places: packets } });
  }

  #passes(): number | undefined {
    return readPasses(this.#options.procfs, this.#bpf.possibleCpus)?.reduce((sum, passes) => sum + passes, 0);
  }

  #totals(): Result<Totals> {
    const bytes = Buffer.allocUnsafeSlow(DROP_CPU_BYTES * this.#bpf.possibleCpus);
    const read = this.#bpf.lookupOnly(this.#cpus, bytes);
    return read.ok ? ok(readTotals(bytes, this.#bpf.possibleCpus)) : read;
  }
}
