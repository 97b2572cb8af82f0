/** The programs that count what the kernel drops (bpf/drops.bpf.c): attached, read, and gone with the process. */
import { join } from 'node:path';
import type { DropRow, DropsAnswer } from '../readings/drops.ts';
import { isAbsent } from '../base/errno.ts';
import { readFileGuarded } from '../base/file.ts';
import { askInNamespace } from '../ffi/namespaces.ts';
import { ELSEWHERE, NOWHERE } from '../metrics/snapshot.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { parseEnum } from './btf-enum.ts';
import { DROP_CPU_BYTES, readPlaces, readTotals, type DropPlace, type Totals } from './drop-places.ts';
import { loadLibbpf, type Libbpf, type LinkFd, type LoadedObject, type MapFd } from './libbpf.ts';
import { onlineCpuCount } from './budget.ts';
import { findObjects, readObject } from './objects.ts';
import { percent, type Overhead } from './overhead.ts';
import { dumpLinks } from './rtnetlink.ts';
import type { KernelSymbols } from './symbols.ts';

/** An estimate, not measured: a drop that is passed over, and one that is looked at. The rate of the sampling rests on it. */
const PASSED_NS = 15;
const LOOKED_NS = 200;

const SUBSYSTEMS = {
  mac80211: ['mac80211_drop_reason', '___mac80211_drop_reason'],
  openvswitch: ['ovs_drop_reason'],
} as const;

export interface DropNamespace {
  /** '' is pktcost's own. */
  readonly name: string;
  readonly inode: number;
  readonly path: string;
}

export interface DropOptions {
  readonly sysfs: string;
  readonly symbols: KernelSymbols;
  /** The namespaces looked into, as of now. */
  readonly namespaces: () => readonly DropNamespace[];
  readonly overhead: Overhead;
  readonly objectsDirectory?: string;
}

export class DropCounter {
  readonly #bpf: Libbpf;
  readonly #options: DropOptions;
  readonly #object: LoadedObject;
  readonly #places: MapFd;
  readonly #cpus: MapFd;
  #link: LinkFd | undefined;
  #reasons: ReadonlyMap<number, string> | undefined;
  readonly #functions = new Map<bigint, string>();
  readonly #devices = new Map<string, string>();
  /** By inode, as first told: a namespace that goes, or gets its name in the window, keeps what its drops were told under. */
  readonly #namespaces = new Map<number, DropNamespace | undefined>();
  #last: DropsAnswer | undefined;
  #lastAt = 0;
  readonly #openedAt = performance.now();
  #watched: { readonly at: number; readonly totals: Totals } | undefined;
  #leftEarly: string | undefined;
  /** Share of the host's CPU time between the last two looks. */
  #taken = 0;

  private constructor(
    bpf: Libbpf,
    options: DropOptions,
    object: LoadedObject,
    maps: { readonly places: MapFd; readonly cpus: MapFd },
    link: LinkFd,
  ) {
    this.#bpf = bpf;
    this.#options = options;
    this.#object = object;
    this.#places = maps.places;
    this.#cpus = maps.cpus;
    this.#link = link;
    options.overhead.takes('drops', () => this.#taken);
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
    if (places.ok && cpus.ok && link.ok)
      return ok(
        new DropCounter(bpf.value, options, object.value, { places: places.value, cpus: cpus.value }, link.value),
      );
    object.value.close();
    return [places, cpus, link].find((each) => !each.ok) ?? fail('not attached');
  }

  /** The dump `drops`. After `close` the last answer stands. */
  answer(): Result<DropsAnswer> {
    if (this.#leftEarly !== undefined) return fail(this.#leftEarly);
    if (this.#link === undefined) return this.#last === undefined ? fail('the counter is closed') : ok(this.#last);
    // Names take milliseconds of reading: what is dropped meanwhile would be in the rows and not in their sum.
    const names = this.#names();
    if (!names.ok) return names;
    const reasons = names.value;
    const totals = this.#totals();
    if (!totals.ok) return totals;
    const places = readPlaces(this.#bpf, this.#places);
    if (!places.ok) return places;
    const rows = this.#rows(places.value, reasons);
    this.#lastAt = performance.now();
    this.#last = { version: 1, reasons: reasons.size > 0, ...totals.value, rows };
    return ok(this.#last);
  }

  /** Between the samples: keeps the budget. */
  watch(): void {
    if (this.#link === undefined) return;
    const totals = this.#totals();
    const now = performance.now();
    if (!totals.ok) return;
    const before = this.#watched;
    this.#watched = { at: now, totals: totals.value };
    if (before !== undefined) this.#keepBudget(before.totals, totals.value, now - before.at);
  }

  #keepBudget(from: Totals, to: Totals, milliseconds: number): void {
    const share = this.#shareOf(from, to, milliseconds);
    const { overhead } = this.#options;
    this.#taken = share;
    if (milliseconds <= 0 || share <= overhead.left('drops')) return;
    this.#taken = 0;
    this.#detach();
    this.#leftEarly =
      `counting ${Math.round((to.total - from.total) / (milliseconds / 1000))} drops/s would take ${percent(share)} ` +
      `of the host's CPU time, above ${overhead.said('drops')}`;
  }

  /** Of all CPU time since it was opened, by what a drop is estimated to take. */
  cpuShare(): number | null {
    return this.#last === undefined
      ? null
      : this.#shareOf({ total: 0, lookedAt: 0 }, this.#last, this.#lastAt - this.#openedAt);
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
    if (this.#link === undefined) return;
    this.#detach();
  }

  #detach(): void {
    if (this.#link !== undefined) this.#bpf.closeLink(this.#link);
    this.#link = undefined;
    this.#object.close();
  }

  #totals(): Result<Totals> {
    const bytes = Buffer.allocUnsafeSlow(DROP_CPU_BYTES * this.#bpf.possibleCpus);
    const read = this.#bpf.lookupOnly(this.#cpus, bytes);
    return read.ok ? ok(readTotals(bytes, this.#bpf.possibleCpus)) : read;
  }

  #rows(places: readonly DropPlace[], reasons: ReadonlyMap<number, string>): DropRow[] {
    this.#nameFunctions(places.map(({ location }) => location));
    const present = new Map(this.#options.namespaces().map((each) => [each.inode, each]));
    const rows = new Map<string, DropRow>();
    for (const { location, reason, ifindex, netns, packets } of places) {
      if (!this.#namespaces.has(netns)) this.#namespaces.set(netns, present.get(netns));
      const namespace = this.#namespaces.get(netns);
      const place = {
        reason: nameOf(reason, reasons),
        location: this.#functions.get(location) ?? '',
        device: namespace === undefined ? '' : this.#device(namespace, ifindex),
        netns: namespace?.name ?? (netns === 0 ? NOWHERE : ELSEWHERE),
      };
      const key = JSON.stringify(Object.values(place));
      rows.set(key, { ...place, packets: packets + (rows.get(key)?.packets ?? 0) });
    }
    return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }

  /** Empty on a kernel without the enum; that it could not be read this time says nothing of the kernel. */
  #names(): Result<ReadonlyMap<number, string>> {
    if (this.#reasons !== undefined) return ok(this.#reasons);
    const names = readReasons(this.#options.sysfs);
    if (!names.ok && names.errno !== undefined && !isAbsent(names))
      return fail(`the names of the reasons: ${names.reason}`);
    this.#reasons = names.ok ? names.value : new Map();
    return ok(this.#reasons);
  }

  #nameFunctions(locations: readonly bigint[]): void {
    const unknown = locations.filter((location) => !this.#functions.has(location));
    if (unknown.length === 0) return;
    // Without symbols the reasons still stand.
    const found = this.#options.symbols.nameLocations(unknown);
    for (const location of unknown) this.#functions.set(location, found.get(location) ?? '');
  }

  #device({ inode, name, path }: DropNamespace, ifindex: number): string {
    if (ifindex === 0) return '';
    const key = `${inode} ${ifindex}`;
    const known = this.#devices.get(key);
    if (known !== undefined) return known;
    const links = askInNamespace(name === '' ? undefined : path, dumpLinks);
    for (const link of links.ok ? links.value : []) this.#devices.set(`${inode} ${link.ifindex}`, link.name);
    const found = this.#devices.get(key) ?? '';
    this.#devices.set(key, found);
    return found;
  }
}

function nameOf(reason: number, reasons: ReadonlyMap<number, string>): string {
  if (reasons.size === 0) return '';
  return reasons.get(reason) ?? (reason === 0 ? 'NOT_SPECIFIED' : `reason ${reason}`);
}

/** Value -> name, of the kernel's own enum and of the subsystems whose modules are loaded. */
export function readReasons(sysfs: string): Result<ReadonlyMap<number, string>> {
  const folder = join(sysfs, 'kernel/btf');
  const kernel = readFileGuarded(join(folder, 'vmlinux'));
  if (!kernel.ok) return kernel;
  const own = parseEnum(kernel.value, 'skb_drop_reason');
  if (!own.ok) return own;
  const names = new Map([...own.value].map(([value, name]) => [value, name.replace(/^SKB_DROP_REASON_/, '')]));
  for (const [module, enums] of Object.entries(SUBSYSTEMS)) {
    // A module that is not loaded has no file.
    const bytes = readFileGuarded(join(folder, module));
    if (!bytes.ok) continue;
    for (const each of enums) {
      const more = parseEnum(bytes.value, each, kernel.value);
      for (const [value, name] of more.ok ? more.value : []) if (value >= 1 << 16) names.set(value, name);
    }
  }
  return ok(names);
}
