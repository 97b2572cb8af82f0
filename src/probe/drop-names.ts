/** Whose the kernel's drops are, in words: reason, function, device and namespace. */
import { join } from 'node:path';
import type { DropRow } from '../readings/drops.ts';
import { isAbsent } from '../base/errno.ts';
import { readFileGuarded } from '../base/file.ts';
import { askInNamespace } from '../ffi/namespaces.ts';
import { ELSEWHERE, NOWHERE } from '../metrics/snapshot.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { parseEnum } from './btf-enum.ts';
import type { DropPlace } from './drop-places.ts';
import { dumpLinks } from './rtnetlink.ts';
import type { KernelSymbols } from './symbols.ts';

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

export interface DropNamesOptions {
  readonly sysfs: string;
  readonly symbols: KernelSymbols;
  /** The namespaces looked into, as of now. */
  readonly namespaces: () => readonly DropNamespace[];
}

export class DropNames {
  readonly #options: DropNamesOptions;
  #reasons: ReadonlyMap<number, string> | undefined;
  readonly #functions = new Map<bigint, string>();
  readonly #devices = new Map<string, string>();
  /** By inode, as first told: a namespace that goes, or gets its name in the window, keeps what its drops were told under. */
  readonly #namespaces = new Map<number, DropNamespace | undefined>();

  constructor(options: DropNamesOptions) {
    this.#options = options;
  }

  rows(places: readonly DropPlace[], reasons: ReadonlyMap<number, string>): DropRow[] {
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
  reasons(): Result<ReadonlyMap<number, string>> {
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
