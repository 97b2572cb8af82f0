/**
 * What the taps of a device take of a packet, in one direction: the one answer, for the rules and for whatever the report shows. Both
 * hand in the same readings, from their signals and from the window.
 */
import { errorOfShare } from './chance.ts';
import type { PriceLimits } from './price.ts';
import type { Signal } from './signal.ts';
import { takesEverything, type TapHook } from './taps.ts';

/** One tap's part of the price, in nanoseconds per packet of the device; of a fanout group, of all its sockets together. */
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

export interface TapsToPrice {
  readonly taps: readonly TapHook[];
  /** Hooks that no socket explains: they are in the span, and nothing times them by themselves. */
  readonly loose: number;
  /** Of each socket of the host that the kernel lets us time by itself, nanoseconds per packet. */
  readonly prices: readonly Signal[];
  /** Of all of this namespace together, by the span that contains them; or why that has no price. */
  readonly together: number | string;
  /** Whether packets pass unbound taps of other namespaces; undefined where the kernel was not asked. */
  readonly foreignPaid: boolean | undefined;
  readonly seen: TapSamples;
}

export interface PricedTaps {
  /** Of all of them per packet; or why that is not known. */
  readonly ns: number | string;
  /** Of it, what unbound taps of other namespaces take; the span cannot tell it, because its floor contains them. */
  readonly foreignNs: number;
  /** Where `ns` is not known, those of the taps that were timed by themselves. */
  readonly shares: readonly Share[];
  /** Taps that are not in there. */
  readonly unpriced: readonly TapHook[];
}

/** Up to 6.12 whatever passes a device without a tap, to show the floor, passes the unbound taps of all namespaces too. */
const FOREIGN_UNTIMED = 'on this kernel every packet of the host passes them, so that no floor is without them';
const FOREIGN_UNSURE =
  'whether packets pass unbound taps of other namespaces is not known: neither the release of the kernel nor its BTF says';

/** Of the taps that were not timed by themselves, where the others already take as much as the span says of all. */
export const NOTHING_LEFT = 'others take as much by themselves as the span says of all of them';

/**
 * The sum of what each socket takes, where each was timed by itself. Else what they take together, of which those that were timed
 * keep their own price and the others share the rest.
 */
export function pricesOfTaps({ taps, loose, together, ...given }: TapsToPrice, limits: PriceLimits): PricedTaps {
  const local = taps.filter(({ elsewhere }) => !elsewhere);
  const foreign = taps.filter(({ elsewhere }) => elsewhere);
  const own = timed(local, given.prices, limits);
  if (foreign.length > 0 && given.foreignPaid === undefined)
    return { ns: FOREIGN_UNSURE, foreignNs: 0, shares: own, unpriced: without(taps, own) };
  const theirs = timed(foreign, given.prices, limits);
  const foreignNs = totalNs(theirs);
  const rest = without(local, own);
  const unpriced = without(foreign, theirs);
  if (local.length > 0 && rest.length === 0 && loose === 0)
    return { ns: totalNs(own) + foreignNs, foreignNs, shares: [...own, ...theirs], unpriced };
  if (local.length + loose === 0 && foreign.length > 0 && theirs.length === 0)
    return { ns: FOREIGN_UNTIMED, foreignNs, shares: [], unpriced };
  if (typeof together === 'string')
    return { ns: together, foreignNs, shares: [...own, ...theirs], unpriced: [...rest, ...unpriced] };
  const left = together - totalNs(own);
  // Some take as much by themselves as the span says of all: of the others nothing is known.
  const shared = own.length > 0 && left <= 0 ? [] : split(rest, left, given.seen);
  return {
    ns: Math.max(together, totalNs(own)) + foreignNs,
    foreignNs,
    shares: [...own, ...shared, ...theirs],
    unpriced: [...without(rest, shared), ...unpriced],
  };
}

const inodesOf = new WeakMap<readonly Signal[], ReadonlyMap<string, readonly Signal[]>>();

/** Made once of each list: the taps of each device look for their own among those of the whole host. */
function pricesByInode(prices: readonly Signal[]): ReadonlyMap<string, readonly Signal[]> {
  const made = inodesOf.get(prices);
  if (made !== undefined) return made;
  const known = new Map<string, Signal[]>();
  for (const price of prices) {
    const inode = price.labels['inode'] ?? '';
    const same = known.get(inode);
    if (same === undefined) known.set(inode, [price]);
    else same.push(price);
  }
  inodesOf.set(prices, known);
  return known;
}

/** A packet goes to one socket of a fanout group, so the group costs what its sockets cost on average. */
function timed(taps: readonly TapHook[], prices: readonly Signal[], { dearest }: PriceLimits): readonly Share[] {
  const known = pricesByInode(prices);
  return taps.flatMap((tap) => {
    const mine = tap.inodes.flatMap((inode) => known.get(inode) ?? []);
    const nanoseconds = mine.reduce((sum, { value }) => sum + value, 0) / mine.length;
    if (mine.length === 0 || nanoseconds >= dearest) return [];
    return [{ tap, nanoseconds, measured: mine.every(({ labels }) => labels['certainty'] === 'measured') }];
  });
}

function without(taps: readonly TapHook[], shares: readonly Share[]): readonly TapHook[] {
  return taps.filter((tap) => !shares.some((share) => share.tap === tap));
}

function totalNs(shares: readonly Share[]): number {
  return shares.reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
}

/**
 * Each tap's part of a bill: by what the profile saw in the receive function of each kind, and within a kind by what its filter may do.
 * An estimate, with its error where the profile alone decides.
 */
function split(taps: readonly TapHook[], nanoseconds: number, seen: TapSamples): readonly Share[] {
  // One tap alone is the whole measured bill.
  const [only, ...others] = taps;
  if (only === undefined) return [];
  if (others.length === 0) return [{ tap: only, nanoseconds, measured: true }];
  return splitByKind(taps, nanoseconds, seen) ?? splitByWeight(taps, nanoseconds);
}

/**
 * Weights for splitting a measured span among its taps: measured price of one tap on 64-byte packets, in nanoseconds.
 * They only divide a bill that was measured, so their scale does not matter.
 */
const WEIGHT = { everything: 430, filtered: 240 } as const;

function splitByWeight(taps: readonly TapHook[], nanoseconds: number): readonly Share[] {
  const weights = taps.map((tap) => (takesEverything(tap) ? WEIGHT.everything : WEIGHT.filtered));
  const sum = weights.reduce((all, weight) => all + weight, 0);
  return taps.map((tap, index) => ({ tap, nanoseconds: (nanoseconds * weights[index]!) / sum, measured: false }));
}

/** Fewer samples do not tell one function's taps from another's. */
const SAMPLES_TO_SPLIT = 50;

/** Taps with different receive functions, by the samples in each; undefined where the profile has too few, or met other taps too. */
function splitByKind(taps: readonly TapHook[], nanoseconds: number, seen: TapSamples): readonly Share[] | undefined {
  const kinds = new Set(taps.map(({ handler }) => handler));
  if (kinds.size < 2) return undefined;
  const own = new Set<string | undefined>(taps.flatMap(({ inodes }) => inodes));
  if (!seen.inodes.every((inode) => own.has(inode))) return undefined;
  const count = (kind: string): number => seen.hooks.find(({ labels }) => labels['hook'] === kind)?.value ?? 0;
  const all = [...kinds].reduce((sum, kind) => sum + count(kind), 0);
  if (all < SAMPLES_TO_SPLIT) return undefined;
  const shares = [...kinds].flatMap((kind) => {
    const share = count(kind) / all;
    const alike = taps.filter(({ handler }) => handler === kind);
    const error = errorOfShare(share, all) * nanoseconds;
    const parts = splitByWeight(alike, nanoseconds * share);
    return alike.length === 1 ? parts.map((each) => ({ ...each, error })) : parts;
  });
  return taps.map((tap) => shares.find((share) => share.tap === tap)!);
}
