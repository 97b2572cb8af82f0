/**
 * Packet sockets for one ethertype. They sit on the list of that protocol, behind tc (net/core/dev.c:ptype_head), so that no span
 * holds them: packets of other protocols pass them by, and those of their own pay as for a tap. Only the profile sees that.
 */
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';
import { netRxPackets, netstat, packetSocket, softnetProcessed } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { increaseIn } from './figures.ts';
import { once } from './once.ts';
import type { PriceLimits } from './price.ts';
import { directionOf } from './profile.ts';
import type { Signal } from './signal.ts';
import { hostTapNs } from './tapped.ts';

const ETH_P_IP = '0800';
const ETH_P_IPV6 = '86dd';

const NO_HOOK = new Set(['none', '']);

/** Sockets with a hook for one ethertype that carries most of what is received. */
export function typedSockets(sockets: readonly Signal[], busy: ReadonlySet<string>): readonly Signal[] {
  return sockets.filter(
    ({ labels }) => busy.has((labels['protocol'] ?? '').toLowerCase()) && !NO_HOOK.has(labels['hook'] ?? ''),
  );
}

/** The ethertypes that at least half of the received IP packets have; IPv4 where that was not counted. */
export function busyTypes(v4: number | undefined, v6: number | undefined): ReadonlySet<string> {
  const [four, six] = [v4 ?? 0, v6 ?? 0];
  if (four + six === 0) return new Set([ETH_P_IP]);
  return new Set([...(four >= six ? [ETH_P_IP] : []), ...(six >= four ? [ETH_P_IPV6] : [])]);
}

export interface TypedPrice {
  readonly inodes: readonly string[];
  /** Of one of them, in the mean of the host's received packets; null where the profile cannot say. */
  readonly ns: number | null;
  readonly errorNs: number | null;
}

/** Which packet sockets for one ethertype most packets pay for, and how much. */
export const typedPrice = once((window: Window, limits: PriceLimits): TypedPrice => {
  const received = (name: string): number | undefined => {
    const { cells } = window.increase(netstat.member(name));
    return cells.length === 0 ? undefined : cells.reduce((sum, { increase }) => sum + increase, 0);
  };
  const sockets = window.value(packetSocket);
  const typed = typedSockets(sockets, busyTypes(received('Ip_InReceives'), received('Ip6_InReceives')));
  const inodes = typed.map(({ labels }) => labels['inode'] ?? '');
  const part = directionOf(window, 'receive')?.parts.find((each) => each.part === 'tap-receive');
  if (inodes.length === 0 || part?.ns == null || part.nsError === null) return { inodes, ns: null, errorNs: null };
  const tapped = sockets.some(({ labels }) => labels['protocol'] === ETH_P_ALL && !NO_HOOK.has(labels['hook'] ?? ''));
  // Of the packets that the profile's price is of.
  const packets = increaseIn(window, netRxPackets) || increaseIn(window, softnetProcessed);
  const spans = tapped ? hostTapNs(window, limits, packets) : 0;
  // What the profile met in taps and the spans do not explain; less than its error is nothing.
  const ns = spans === null ? null : part.ns - spans;
  if (ns === null || ns < part.nsError) return { inodes, ns: null, errorNs: null };
  return { inodes, ns: ns / inodes.length, errorNs: part.nsError / inodes.length };
});
