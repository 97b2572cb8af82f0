import { processOf } from './processes.ts';
import { socketOwner } from '../metrics/catalogue/index.ts';
import { latest } from '../metrics/expression.ts';
import type { Labels } from '../metrics/metric.ts';
import type { Window } from '../metrics/window.ts';
import type { Signal } from './signal.ts';

/** `10.0.0.1:80` or `[::]:80`, as ss prints them. */
export function endpoint(labels: Labels): string {
  const address = labels['address'] ?? '';
  return `${address.includes(':') ? `[${address}]` : address}:${labels['port'] ?? ''}`;
}

/** Who holds each socket: at the end of the window, and of a socket that nobody was seen to hold then, at its beginning. */
export const holdersOfSockets = latest(socketOwner, 'inode');

/** The oldest first: of several after a fork that is the one that opened it. */
export function byPid(a: string | undefined, b: string | undefined): number {
  return Number(a) - Number(b);
}

/** Labels of the holders of each socket, by inode. */
export function holdersBySocket(window: Window): ReadonlyMap<string, readonly Labels[]> {
  const holders = new Map<string, Labels[]>();
  for (const { labels } of holdersOfSockets.evaluate(window).points) {
    const { inode = '' } = labels;
    const own = holders.get(inode);
    if (own === undefined) holders.set(inode, [labels]);
    else own.push(labels);
  }
  for (const each of holders.values()) each.sort((a, b) => byPid(a['pid'], b['pid']));
  return holders;
}

export interface SocketHolder {
  /** `nginx (pid 812)`, with the number of other holders after a fork, or why nobody is named. */
  readonly name: string;
  readonly pid: string | undefined;
}

/** Who holds a socket, from the points of pktcost_socket_owner_info. Several after a fork: the oldest pid is named. */
export function ownerOf(inode: string | undefined, owners: readonly Signal[]): SocketHolder {
  const holders = pointsOf(owners, inode).toSorted((a, b) => byPid(a.labels['pid'], b.labels['pid']));
  const first = holders[0]?.labels;
  if (first === undefined) return { name: 'an unknown process', pid: undefined };
  const others = holders.length > 1 ? ` and ${holders.length - 1} more` : '';
  return { name: `${processOf(first)}${others}`, pid: first['pid'] };
}

/** The CPU that the holders of a socket ran on whenever they were looked at; nowhere if they moved. */
export function cpuOf(inode: string | undefined, ownerCpus: readonly Signal[]): { readonly cpus?: readonly string[] } {
  const seen = pointsOf(ownerCpus, inode).map(({ labels }) => labels['cpu'] ?? '');
  const [cpu, ...others] = new Set(seen);
  return cpu === undefined || others.length > 0 ? {} : { cpus: [cpu] };
}

/** The points above zero, largest first. */
export function risen(points: readonly Signal[]): readonly Signal[] {
  return points.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
}

/** Points by socket, in their order; made once of each list, since hosts have a million sockets. */
const bySocket = new WeakMap<readonly Signal[], Map<string | undefined, Signal[]>>();

function pointsOf(points: readonly Signal[], inode: string | undefined): readonly Signal[] {
  let sockets = bySocket.get(points);
  if (sockets === undefined) {
    sockets = new Map<string | undefined, Signal[]>();
    for (const point of points) {
      const socket = point.labels['inode'];
      const own = sockets.get(socket);
      if (own === undefined) sockets.set(socket, [point]);
      else own.push(point);
    }
    bySocket.set(points, sockets);
  }
  return sockets.get(inode) ?? [];
}

/** The value of the point that belongs to the same socket. */
export function ofSocket(points: readonly Signal[], inode: string | undefined): number | undefined {
  return pointsOf(points, inode)[0]?.value;
}

/** What the counters of the namespace say of the datagrams that its sockets refused. */
interface Refused {
  /** For want of room or memory. */
  readonly lost: number;
  /** Most that filters turned away or checksums failed for: those raise the drops of a socket too. Undefined when not counted. */
  readonly turnedAway: number | undefined;
  /** `lost` is not known to be all of it. */
  readonly partly: boolean;
}

/** Which socket lost them. */
export interface Loser {
  readonly socket: Signal | undefined;
  /** It lost some whatever the filters turned away. */
  readonly certain: boolean;
}

/**
 * The socket that lost most. sk_drops also rises for what its filter rejects (net/ipv4/udp.c:udp_queue_rcv_one_skb), so one
 * that dropped more than the namespace lost cannot be told from one that only filters, unless it is the only one.
 */
export function loserOf(drops: readonly Signal[], { lost, turnedAway, partly }: Refused): Loser {
  const dropped = risen(drops);
  const only = dropped.length === 1;
  const possible = only ? dropped : dropped.filter(({ value }) => value <= withSkew(lost));
  if (possible.length === 0 || (partly && possible.length < dropped.length))
    return { socket: undefined, certain: false };
  const all = dropped.reduce((sum, { value }) => sum + value, 0);
  // Others, which are closed, were not read, or may as well have turned datagrams away, dropped most of them.
  const explained = possible.reduce((sum, { value }) => sum + value, 0);
  if (2 * withSkew(explained) < lost) return { socket: undefined, certain: false };
  const socket = possible[0];
  const certain =
    only || all <= withSkew(lost) || (turnedAway !== undefined && (socket?.value ?? 0) > withSkew(turnedAway));
  return { socket, certain };
}

/** Sockets and counters are read a moment apart. */
export function withSkew(count: number): number {
  return 1.01 * count + 16;
}

/** The connection on which the owner of a socket waits for its peer, the one that holds most. */
export function clientOf(
  inode: string | undefined,
  waiting: readonly Signal[],
  owners: readonly Signal[],
): Signal | undefined {
  const pids = new Set(pointsOf(owners, inode).map(({ labels }) => labels['pid']));
  const held = new Set(owners.filter(({ labels }) => pids.has(labels['pid'])).map(({ labels }) => labels['inode']));
  return risen(waiting).find(({ labels }) => labels['inode'] !== inode && held.has(labels['inode']));
}
