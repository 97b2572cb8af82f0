import { filterKind, isFanoutGroup } from '../metrics/packet-socket-labels.ts';
import { errorOfShare } from './chance.ts';
import { processText } from '../base/process-text.ts';
import type { Signal } from './signal.ts';

/** One receive hook for ETH_P_ALL: a socket, or a fanout group however many sockets it has. */
export interface TapHook {
  readonly inodes: readonly string[];
  readonly device: string;
  readonly handler: string;
  readonly filter: string;
  readonly ring: string;
  readonly fanout: string;
  /** Unbound, in another namespace, on a kernel whose list of unbound taps is global: it rejects the packet early. */
  readonly elsewhere: boolean;
  readonly owners: readonly TapOwner[];
}

export interface TapOwner {
  readonly pid: string;
  readonly comm: string;
}

interface TapSockets {
  /** Sockets bound to the device. */
  readonly bound: readonly Signal[];
  /** Unbound sockets of the device's namespace. */
  readonly unbound: readonly Signal[];
  /** Unbound sockets of all namespaces, where each of them sees each packet of the host. */
  readonly everywhere: readonly Signal[];
  readonly owners: readonly Signal[];
}

/**
 * The taps that the packets of a device pass. A socket that is not running, or bound to one protocol, is none: it has no
 * hook, or one behind the taps (af_packet.c:register_prot_hook, net/core/dev.c:ptype_head). The sockets of a fanout group
 * share the group's hook, and each packet is delivered to one of them (af_packet.c:fanout_add).
 */
export function tapsOn({ bound, unbound, everywhere, owners }: TapSockets): readonly TapHook[] {
  const running = (points: readonly Signal[]): Signal[] => points.filter(({ labels }) => labels['hook'] !== 'none');
  const here = [...running(bound), ...running(unbound)];
  const known = new Set(here.map(({ labels }) => labels['inode']));
  const foreign = running(everywhere).filter(({ labels }) => !known.has(labels['inode']));
  if (here.length === 0 && foreign.length === 0) return [];
  const owned = holdersByInode(owners, new Set([...here, ...foreign].map(({ labels }) => labels['inode'] ?? '')));
  const groups = new Map<string, { first: Signal; inodes: string[]; elsewhere: boolean }>();
  for (const [signals, elsewhere] of [[here, false] as const, [foreign, true] as const]) {
    for (const signal of signals) {
      const { fanout = 'none', inode = '', device = 'any' } = signal.labels;
      // A group has one protocol and one device, so its number alone would do within a namespace.
      const key = isFanoutGroup(fanout) ? `${elsewhere ? 'elsewhere' : 'here'} ${device} ${fanout}` : inode;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { first: signal, inodes: [inode], elsewhere });
      else group.inodes.push(inode);
    }
  }
  return [...groups.values()].map(({ first: { labels }, inodes, elsewhere }) => ({
    inodes,
    device: labels['device'] ?? 'any',
    handler: labels['hook'] ?? 'unknown',
    filter: labels['filter'] ?? 'unknown',
    ring: labels['ring'] ?? 'unknown',
    fanout: labels['fanout'] ?? 'none',
    elsewhere,
    owners: distinct(inodes.flatMap((inode) => owned.get(inode) ?? [])),
  }));
}

/** Lines `ALL` of /proc/net/ptype that no AF_PACKET socket explains: how many, by the function they call. */
export function hooksWithoutSocket(hooks: readonly Signal[], taps: readonly TapHook[]): Map<string, number> {
  const byFunction = new Map<string, number>();
  for (const { labels, value } of hooks) {
    const name = labels['function'] ?? 'unknown';
    byFunction.set(name, (byFunction.get(name) ?? 0) + value);
  }
  const explained = taps.filter(({ elsewhere }) => !elsewhere).length;
  const ofSockets = [...byFunction].filter(([name]) => isPacketSocket(name));
  const listed = ofSockets.reduce((sum, [, count]) => sum + count, 0);
  const rest = new Map([...byFunction].filter(([name]) => !isPacketSocket(name)));
  // No socket was seen, yet its hook is listed: /proc/net/packet could not be read, or the socket came in between.
  if (listed > explained) rest.set('AF_PACKET', listed - explained);
  return rest;
}

/** af_packet.c: the functions that an AF_PACKET hook can call. */
function isPacketSocket(name: string): boolean {
  return /^t?packet_rcv(_fanout|_spkt)?$/.test(name);
}

/** Whether the tap takes every packet: no filter, or one that accepts all. A filter that looks at packets may reject most. */
export function takesEverything({ filter, elsewhere }: TapHook): boolean {
  return !elsewhere && ['all', 'none'].includes(filterKind(filter));
}

/**
 * Weights for splitting a measured span among its taps: measured price of one tap on 64-byte packets, in nanoseconds.
 * They only divide a bill that was measured, so their scale does not matter.
 */
const WEIGHT = { everything: 430, filtered: 240 } as const;

export interface Share {
  readonly tap: TapHook;
  readonly nanoseconds: number;
  readonly measured: boolean;
  /** The estimate is within plus or minus this, 95 times in 100; not there where nothing says how far it is off. */
  readonly error?: number;
}

/** Samples of the profile inside the receive functions of packet sockets, in one direction; and whether only these taps are there. */
export interface TapSamples {
  readonly hooks: readonly Signal[];
  /** Inodes of all running taps of the host that were seen: samples are of all of them together. */
  readonly inodes: readonly (string | undefined)[];
}

/** Fewer samples do not tell one function's taps from another's. */
const SAMPLES_TO_SPLIT = 50;

/**
 * Each tap's part of the bill: as measured per socket where that was done; else by what the profile saw in the receive function of
 * each kind, and within a kind by what its filter may do. An estimate, with its error where the profile alone decides.
 */
export function splitBill(
  taps: readonly TapHook[],
  nanoseconds: number,
  prices: readonly Signal[],
  seen?: TapSamples,
): readonly Share[] {
  const priced = taps.map((tap) => priceOfTap(tap, prices));
  if (priced.every((price) => price !== undefined) && taps.length > 0) {
    return taps.map((tap, index) => ({
      tap,
      nanoseconds: priced[index]!.nanoseconds,
      measured: priced[index]!.measured,
    }));
  }
  // One tap alone is the whole measured bill.
  const [only, ...others] = taps;
  if (only === undefined) return [];
  if (others.length === 0) return [{ tap: only, nanoseconds, measured: true }];
  return splitByKind(taps, nanoseconds, seen) ?? splitByWeight(taps, nanoseconds);
}

function splitByWeight(taps: readonly TapHook[], nanoseconds: number): readonly Share[] {
  const weights = taps.map((tap) => (takesEverything(tap) ? WEIGHT.everything : WEIGHT.filtered));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return taps.map((tap, index) => ({ tap, nanoseconds: (nanoseconds * weights[index]!) / total, measured: false }));
}

/** Taps with different receive functions, by the samples in each; undefined where the profile has too few, or met other taps too. */
function splitByKind(
  taps: readonly TapHook[],
  nanoseconds: number,
  seen: TapSamples | undefined,
): readonly Share[] | undefined {
  const kinds = new Set(taps.map(({ handler }) => handler));
  if (seen === undefined || kinds.size < 2) return undefined;
  const own = new Set<string | undefined>(taps.flatMap(({ inodes }) => inodes));
  if (!seen.inodes.every((inode) => own.has(inode))) return undefined;
  const count = (kind: string): number => seen.hooks.find(({ labels }) => labels['hook'] === kind)?.value ?? 0;
  const all = [...kinds].reduce((sum, kind) => sum + count(kind), 0);
  if (all < SAMPLES_TO_SPLIT) return undefined;
  const shares = [...kinds].flatMap((kind) => {
    const share = count(kind) / all;
    const alike = taps.filter(({ handler }) => handler === kind);
    const error = errorOfShare(share, all) * nanoseconds;
    const split = splitByWeight(alike, nanoseconds * share);
    return alike.length === 1 ? split.map((each) => ({ ...each, error })) : split;
  });
  return taps.map((tap) => shares.find((share) => share.tap === tap)!);
}

/** What unbound taps of other namespaces add to each packet; the span cannot tell it, because its floor contains them. */
export interface ForeignBill {
  readonly ns: number;
  readonly shares: readonly Share[];
  readonly unpriced: readonly TapHook[];
}

export function foreignBill(taps: readonly TapHook[], prices: readonly Signal[]): ForeignBill {
  const shares: Share[] = [];
  const unpriced: TapHook[] = [];
  for (const tap of taps.filter(({ elsewhere }) => elsewhere)) {
    const price = priceOfTap(tap, prices);
    if (price === undefined) unpriced.push(tap);
    else shares.push({ tap, ...price });
  }
  return { ns: shares.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0), shares, unpriced };
}

/** A packet goes to one socket of a fanout group, so the group costs what its sockets cost on average. */
export function priceOfTap(
  tap: TapHook,
  prices: readonly Signal[],
): { nanoseconds: number; measured: boolean } | undefined {
  const mine = prices.filter(({ labels }) => tap.inodes.includes(labels['inode'] ?? ''));
  if (mine.length === 0) return undefined;
  return {
    nanoseconds: mine.reduce((sum, { value }) => sum + value, 0) / mine.length,
    measured: mine.every(({ labels }) => labels['certainty'] === 'measured'),
  };
}

/** `tcpdump (pid 42) and 2 more`; what is known of a socket nobody was found for. */
export function ownersText(taps: readonly TapHook[]): string {
  const named = distinct(taps.flatMap(({ owners }) => owners));
  const orphans = taps.filter(({ owners }) => owners.length === 0).flatMap(({ inodes }) => inodes);
  const shown = named.slice(0, 4).map(processText);
  if (named.length > 4) shown.push(`${named.length - 4} more`);
  if (orphans.length > 0) shown.push(`no process found for socket ${orphans.slice(0, 3).join(', ')}`);
  return shown.length === 0 ? 'nobody found' : shown.join(', ');
}

/** The same as data. */
export function ownersData(taps: readonly TapHook[]): { pid: number; comm: string }[] {
  return distinct(taps.flatMap(({ owners }) => owners)).map(({ pid, comm }) => ({ pid: Number(pid), comm }));
}

/** The bill as data, dearest first. */
export function billData(shares: readonly Share[]): Readonly<Record<string, string | number | boolean | Owners>>[] {
  return [...shares]
    .sort((a, b) => b.nanoseconds - a.nanoseconds)
    .map(({ tap, nanoseconds, measured, error }) => ({
      owners: ownersData([tap]),
      device: tap.device,
      hook: tap.handler,
      filter: tap.filter,
      ring: tap.ring,
      fanout: tap.fanout,
      sockets: tap.inodes.length,
      elsewhere: tap.elsewhere,
      nsPerPacket: nanoseconds,
      measured,
      ...(error !== undefined && { error }),
    }));
}

type Owners = readonly { readonly pid: number; readonly comm: string }[];

/** One line per tap: owner, price, and what makes it dear or cheap. */
export function billText(shares: readonly Share[]): string {
  const lines = [...shares]
    .sort((a, b) => b.nanoseconds - a.nanoseconds)
    .slice(0, 6)
    .map(({ tap, nanoseconds, measured, error }) => {
      const how = error === undefined ? 'estimated' : `± ${Math.round(error)} ns by the profile`;
      const price = `${Math.round(nanoseconds)} ns${measured ? '' : ` (${how})`}`;
      return `${ownersText([tap])}: ${price}, ${describeTap(tap)}`;
    });
  if (shares.length > lines.length) lines.push(`${shares.length - lines.length} more`);
  return lines.join('; ');
}

export const elsewhereText = 'from another namespace';

export function describeTap({ device, handler, filter, ring, fanout, inodes, elsewhere }: TapHook): string {
  const group = inodes.length > 1 ? [`fanout ${fanout}, ${inodes.length} sockets`] : [];
  const where = device === 'any' ? `every device${elsewhere ? ` (${elsewhereText})` : ''}` : device;
  return [where, handler, `filter ${filter}`, `ring ${ring}`, ...group].join(', ');
}

function holdersByInode(owners: readonly Signal[], inodes: ReadonlySet<string>): Map<string, TapOwner[]> {
  const byInode = new Map<string, TapOwner[]>();
  for (const { labels } of owners) {
    const { inode = '', pid = '', comm = '' } = labels;
    if (!inodes.has(inode)) continue;
    const holders = byInode.get(inode);
    if (holders === undefined) byInode.set(inode, [{ pid, comm }]);
    else holders.push({ pid, comm });
  }
  return byInode;
}

function distinct(owners: readonly TapOwner[]): TapOwner[] {
  return [...new Map(owners.map((owner) => [owner.pid, owner])).values()];
}
