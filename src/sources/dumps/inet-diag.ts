import type {
  BoundUdpRow,
  InetSockets,
  ListenerRow,
  PortsRow,
  SlowReaderRow,
  StalledSenderRow,
  TcpDropsRow,
  UdpQueuesRow,
  UdpSocketRow,
} from '../../collectors/dumps.ts';
import type { Reader } from '../../collectors/reader.ts';
import { parseSockstat } from '../../collectors/sockstat.ts';
import { LITTLE, NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, netlinkFold, viewOf } from '../../ffi/netlink.ts';
import { ok, type Result } from '../../base/result.ts';
import { AF_INET, AF_INET6 } from '../../ffi/libc.ts';
import { SKMEMINFO, parseInetDiag, type InetDiagMessage } from './inet-message.ts';
import { Connections, TCP_ESTABLISHED, UdpSockets, listenerRow } from './inet-rows.ts';
import { answersWithoutLoading, type LiveOptions } from './modules.ts';

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const SYN_SENT = 2;
const TIME_WAIT = 6;
const LISTEN = 10;
const ANY_STATE = 0xffffffff;

const REQUEST = 56;

/** The dump walks every connection of the host under locks that traffic needs: not worth it beyond this many. */
const MOST_CONNECTIONS = 50_000;
const SLOWEST = 20;
/** Connections in TIME_WAIT from which it is asked whom they were to: fewer leave ports enough, whatever the range. */
const MANY_WAITING = 1000;
const MOST_PEERS = 5;
const MOST_BOUND = 200;

/**
 * Listeners with queue and drops, UDP sockets that dropped, what waits in all of them, and the connections with the most
 * unread bytes, of the namespace this thread is in. Each UDP socket is passed once, where /proc/net/udp begins anew for every page. Tables that /proc/net/sockstat says are empty here are not asked for: each walk passes
 * over the sockets of all namespaces, which would add up over a thousand of them.
 * @param fold how the kernel is asked
 */
export function inetDiag(
  reader: Reader,
  { allowSystemChanges = false }: LiveOptions,
  fold: typeof netlinkFold = netlinkFold,
): Result<InetSockets> {
  const modules = ['inet_diag', 'tcp_diag', 'udp_diag'];
  const allowed = allowSystemChanges ? ok(undefined) : answersWithoutLoading(reader, modules);
  if (!allowed.ok) return allowed;
  const used = socketCounts(reader);
  const listeners: ListenerRow[] = [];
  const udp: UdpSocketRow[] = [];
  const boundUdp: BoundUdpRow[] = [];
  const udpQueues: UdpQueuesRow[] = [];
  const slowReaders: SlowReaderRow[] = [];
  const stalledSenders: StalledSenderRow[] = [];
  const tcpDrops: TcpDropsRow[] = [];
  const ports: PortsRow[] = [];
  const tooMany = (used.get('TCP_alloc') ?? 0) > MOST_CONNECTIONS;
  for (const [family, suffix] of [
    [AF_INET, ''],
    [AF_INET6, '6'],
  ] as const) {
    const tcpSockets = used.get(`TCP${suffix}_inuse`) ?? 0;
    if (tcpSockets > 0) {
      const begin = (): ListenerRow[] => [];
      const listening = ask(fold, [family, IPPROTO_TCP, 1 << LISTEN], begin, (rows, message) => {
        rows.push(listenerRow(message));
      });
      if (!listening.ok) return listening;
      for (const row of listening.value) listeners.push(row);
      if (!tooMany && tcpSockets > listening.value.length) {
        const waiting = (used.get('TCP_tw') ?? 0) >= MANY_WAITING ? 1 << TIME_WAIT : 0;
        const states = (1 << TCP_ESTABLISHED) | (1 << SYN_SENT) | waiting;
        const connections = ask(
          fold,
          [family, IPPROTO_TCP, states],
          () => new Connections(),
          (into, message) => {
            into.take(message);
          },
        );
        if (!connections.ok) return connections;
        for (const row of connections.value.slowReaders) slowReaders.push(row);
        for (const row of connections.value.stalledSenders) stalledSenders.push(row);
        for (const row of connections.value.drops) tcpDrops.push(row);
        for (const row of connections.value.ports()) ports.push(row);
      }
    }
    const udpSockets = used.get(`UDP${suffix}_inuse`);
    // A host without IPv6 has no such count, and no queues.
    if (udpSockets === undefined) continue;
    const begin = (): UdpSockets => new UdpSockets();
    const sockets =
      udpSockets === 0
        ? ok(begin())
        : ask(fold, [family, IPPROTO_UDP, ANY_STATE], begin, (into, message) => {
            into.take(message);
          });
    if (!sockets.ok) return sockets;
    const { dropping, bound, waiting } = sockets.value;
    for (const row of dropping) udp.push(row);
    for (const row of bound) boundUdp.push(row);
    udpQueues.push({ family: suffix === '' ? 'v4' : 'v6', ...waiting });
  }
  return ok({
    listeners,
    udp,
    boundUdp: boundUdp.sort((a, b) => b.waiting - a.waiting || a.inode - b.inode).slice(0, MOST_BOUND),
    slowReaders: slowReaders.sort((a, b) => b.unread - a.unread).slice(0, SLOWEST),
    stalledSenders:
      slowReaders.length === 0 ? [] : stalledSenders.sort((a, b) => b.unsent - a.unsent).slice(0, SLOWEST),
    tcpDrops: tcpDrops.sort((a, b) => b.drops - a.drops || a.inode - b.inode).slice(0, SLOWEST),
    ports: ports.sort((a, b) => b.ports - a.ports || (a.peer < b.peer ? -1 : 1)).slice(0, MOST_PEERS),
    udpQueues: used.get('UDP_inuse') === Infinity ? null : udpQueues,
    slowReadersSkipped: tooMany ? `connections not looked at: more than ${MOST_CONNECTIONS} TCP sockets` : null,
  });
}

/** Where sockstat cannot be read every table is asked for. */
function socketCounts(reader: Reader): ReadonlyMap<string, number> {
  const v4 = reader.read('/proc/net/sockstat');
  const parsed = v4.ok ? parseSockstat(v4.value) : v4;
  if (!parsed.ok)
    return new Map(['TCP_inuse', 'TCP6_inuse', 'UDP_inuse', 'UDP6_inuse'].map((name) => [name, Infinity]));
  const v6 = reader.read('/proc/net/sockstat6');
  const six = v6.ok ? parseSockstat(v6.value) : v6;
  return new Map([...parsed.value, ...(six.ok ? six.value : [])]);
}

function ask<T>(
  fold: typeof netlinkFold,
  [family, protocol, states]: readonly [family: number, protocol: number, states: number],
  begin: () => T,
  take: (into: T, message: InetDiagMessage) => void,
): Result<T> {
  const request = new Uint8Array(REQUEST);
  request[0] = family;
  request[1] = protocol;
  request[2] = 1 << (SKMEMINFO - 1);
  viewOf(request).setUint32(4, states, LITTLE);
  return fold(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, begin, (into, payload) => {
    const message = parseInetDiag(payload);
    if (!message.ok) return message;
    take(into, message.value);
    return ok(undefined);
  });
}
