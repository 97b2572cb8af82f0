import { netstat, sockstat, udpMem } from '../metrics/catalogue/index.ts';
import { clampMin, total, where } from '../metrics/condition.ts';
import { andOn, either, peak, rate, ratio, subtract, type Expression, value, within } from '../metrics/expression.ts';
import { totalOf, type Signal } from './signal.ts';
import { risen, withSkew } from './sockets.ts';

type Version = '' | '6';

/** A counter of UDP, of version 4 or 6. */
export function udp(field: string, version: Version = ''): Expression {
  return within(netstat.member(`Udp${version}_${field}`));
}

function udpPerSecond(field: string, version: Version = ''): Expression {
  return rate(netstat.member(`Udp${version}_${field}`));
}

/** Pages that all UDP sockets of the host hold at the most, and how many they may. */
export const udpPages = peak(sockstat.member('UDP_mem'), { netns: '' });
export const udpPagesLimit = value(udpMem, { limit: 'max' });

/** The kernel keeps a part of the count in each CPU: the level that is read may be a little below the limit that was met. */
export const AT_LIMIT = 0.99;

/** Below this no limit that the kernel chooses is met, however little memory there is (net/ipv4/udp.c:__udp_sysctl_init). */
export const LEAST_UDP_PAGES = 190;

const both = (of: typeof udp, field: string): Expression => total(of(field), of(field, '6'));

/**
 * Datagrams refused for memory where kernels before 5.14 do not count them: what of InErrors is neither a full buffer nor a
 * wrong checksum, while the memory of all sockets is at its limit (net/ipv4/udp.c:__udp_queue_rcv_skb).
 */
function byLevel(of: typeof udp): Expression {
  const rest = clampMin(subtract(subtract(of('InErrors'), of('RcvbufErrors')), of('InCsumErrors')), 0);
  return andOn([], rest, where(ratio(udpPages, udpPagesLimit), '>=', AT_LIMIT));
}

function refusedForRoom(of: typeof udp): Expression {
  return total(either(of('MemErrors'), byLevel(of)), of('MemErrors', '6'));
}

export const refusedByLevel = byLevel(udp);

/** Datagrams dropped because the receive buffer of their socket was full. */
export const datagramsOverflowed = both(udp, 'RcvbufErrors');
export const overflowedPerSecond = both(udpPerSecond, 'RcvbufErrors');

/** Datagrams refused because udp_mem or the memory limit of a control group was reached. */
export const datagramsRefused = refusedForRoom(udp);
export const refusedPerSecond = refusedForRoom(udpPerSecond);

const arrived = total(both(udp, 'InDatagrams'), datagramsOverflowed, datagramsRefused);
export const overflowedShare = ratio(datagramsOverflowed, arrived);
export const refusedShare = ratio(datagramsRefused, arrived);

/** Datagrams that could not be sent. */
export const datagramsUnsent = both(udp, 'SndbufErrors');
export const unsentShare = ratio(datagramsUnsent, total(both(udp, 'OutDatagrams'), datagramsUnsent));

/**
 * Datagrams refused for memory that no counter of UDP has: Linux 6.18 drops them between its queue of a NUMA node and the socket
 * (net/ipv4/udp.c:__udp_enqueue_schedule_skb). Undefined where the reasons of drops tell of no more than was counted.
 */
export function refusedUncounted(counted: number, drops: readonly Signal[]): number | undefined {
  const byReason = totalOf(drops.filter(({ labels }) => /udp/.test(labels['location'] ?? '')));
  return byReason > withSkew(counted) ? byReason : undefined;
}

/**
 * What sockets dropped and no error of UDP has, which is the same on a host that does not tell reasons: otherwise InErrors has all
 * that a socket drops. Zero where the two are near each other.
 * @param errors InErrors of both versions; undefined where one could not be read
 */
export function droppedUncounted(errors: number | undefined, socketDrops: readonly Signal[]): number {
  const dropped = totalOf(risen(socketDrops));
  return errors === undefined || dropped <= 2 * withSkew(errors) ? 0 : dropped - errors;
}
