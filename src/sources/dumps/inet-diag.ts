import { formatEndpoint, formatIpv4, formatIpv6 } from '../../collectors/address.ts';
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
import {
  LITTLE,
  NETLINK_SOCK_DIAG,
  SOCK_DIAG_BY_FAMILY,
  netlinkDump,
  parseAttributes,
  u32List,
  viewOf,
} from '../../ffi/netlink.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { answersWithoutLoading, type LiveOptions } from './modules.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const ESTABLISHED = 1;
const SYN_SENT = 2;
const TIME_WAIT = 6;
const LISTEN = 10;
const ANY_STATE = 0xffffffff;

const REQUEST = 56;
const MESSAGE = 72;
/** Attribute and extension number of the socket's memory, include/uapi/linux/inet_diag.h. */
const SKMEMINFO = 7;
/** Places in it, include/uapi/linux/sock_diag.h. */
const MEM_RCVBUF = 1;
const MEM_DROPS = 8;
const MEM_VARS = 9;

/** The dump walks every connection of the host under locks that traffic needs: not worth it beyond this many. */
const MOST_CONNECTIONS = 50_000;
const SLOWEST = 20;
/** Connections in TIME_WAIT from which it is asked whom they were to: fewer leave ports enough, whatever the range. */
const MANY_WAITING = 1000;
const MOST_PEERS = 5;
const MOST_BOUND = 200;
/** What a sender holds whose peer takes nothing: more than the window of a connection that just began. */
const STALLED_BYTES = 16 * 1024;

/** One message of the dump. */
export interface InetDiagMessage {
  readonly family: 'v4' | 'v6';
  readonly address: string;
  readonly port: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly inode: number;
  readonly state: number;
  /** Listener: connections waiting to be accepted. Otherwise unread bytes. */
  readonly receiveQueue: number;
  /** Listener: the backlog's limit. Otherwise bytes not yet acknowledged or sent. */
  readonly sendQueue: number;
  readonly memory: readonly number[] | null;
}

/**
 * Listeners with queue and drops, UDP sockets that dropped, what waits in all of them, and the connections with the most
 * unread bytes, of the namespace this thread is in. Each UDP socket is passed once, where /proc/net/udp begins anew for every page. Tables that /proc/net/sockstat says are empty here are not asked for: each walk passes
 * over the sockets of all namespaces, which would add up over a thousand of them.
 */
export function inetDiag(reader: Reader, { allowSystemChanges = false }: LiveOptions): Result<InetSockets> {
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
  const ports = new PortCounts();
  const tooMany = (used.get('TCP_alloc') ?? 0) > MOST_CONNECTIONS;
  for (const [family, suffix] of [
    [AF_INET, ''],
    [AF_INET6, '6'],
  ] as const) {
    const tcpSockets = used.get(`TCP${suffix}_inuse`) ?? 0;
    if (tcpSockets > 0) {
      const listening = ask(family, IPPROTO_TCP, 1 << LISTEN, listenerRow);
      if (!listening.ok) return listening;
      listeners.push(...listening.value);
      if (!tooMany && tcpSockets > listening.value.length) {
        const waiting = (used.get('TCP_tw') ?? 0) >= MANY_WAITING ? 1 << TIME_WAIT : 0;
        const states = (1 << ESTABLISHED) | (1 << SYN_SENT) | waiting;
        const slow = ask(family, IPPROTO_TCP, states, (message) => {
          ports.add(message);
          if (message.state !== ESTABLISHED) return undefined;
          const dropping = tcpDropsRow(message);
          if (dropping !== undefined) tcpDrops.push(dropping);
          const stalled = stalledSenderRow(message);
          if (stalled !== undefined) stalledSenders.push(stalled);
          return slowReaderRow(message);
        });
        if (!slow.ok) return slow;
        slowReaders.push(...slow.value);
      }
    }
    const udpSockets = used.get(`UDP${suffix}_inuse`);
    // A host without IPv6 has no such count, and no queues.
    if (udpSockets === undefined) continue;
    const queues = { sent: 0, received: 0 };
    if (udpSockets > 0) {
      const dropping = ask(family, IPPROTO_UDP, ANY_STATE, (message) => {
        queues.sent += message.sendQueue;
        queues.received += message.receiveQueue;
        const bound = boundUdpRow(message);
        if (bound !== undefined) boundUdp.push(bound);
        return udpRow(message);
      });
      if (!dropping.ok) return dropping;
      for (const row of dropping.value) udp.push(row);
    }
    udpQueues.push({ family: suffix === '' ? 'v4' : 'v6', ...queues });
  }
  return ok({
    listeners,
    udp,
    boundUdp: boundUdp.sort((a, b) => b.waiting - a.waiting || a.inode - b.inode).slice(0, MOST_BOUND),
    slowReaders: slowReaders.sort((a, b) => b.unread - a.unread).slice(0, SLOWEST),
    stalledSenders:
      slowReaders.length === 0 ? [] : stalledSenders.sort((a, b) => b.unsent - a.unsent).slice(0, SLOWEST),
    tcpDrops: tcpDrops.sort((a, b) => b.drops - a.drops || a.inode - b.inode).slice(0, SLOWEST),
    ports: ports.most(MOST_PEERS),
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
  family: number,
  protocol: number,
  states: number,
  row: (message: InetDiagMessage) => T | undefined,
): Result<readonly T[]> {
  const request = new Uint8Array(REQUEST);
  request[0] = family;
  request[1] = protocol;
  request[2] = 1 << (SKMEMINFO - 1);
  viewOf(request).setUint32(4, states, LITTLE);
  return netlinkDump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, (payload) => {
    const message = parseInetDiag(payload);
    return message.ok ? ok(row(message.value)) : message;
  });
}

function listenerRow(message: InetDiagMessage): ListenerRow {
  const { family, address, port, inode, receiveQueue, sendQueue, memory } = message;
  return { family, address, port, inode, queue: receiveQueue, limit: sendQueue, drops: memory?.[MEM_DROPS] ?? null };
}

function udpRow({ family, address, port, inode, memory }: InetDiagMessage): UdpSocketRow | undefined {
  const drops = memory?.[MEM_DROPS] ?? 0;
  if (drops === 0) return undefined;
  return { family, address, port, inode, drops, receiveBuffer: memory?.[MEM_RCVBUF] ?? null };
}

function boundUdpRow({
  family,
  address,
  port,
  inode,
  peerPort,
  receiveQueue,
}: InetDiagMessage): BoundUdpRow | undefined {
  return peerPort !== 0 || inode === 0 ? undefined : { family, address, port, inode, waiting: receiveQueue };
}

function slowReaderRow(message: InetDiagMessage): SlowReaderRow | undefined {
  const { family, address, port, inode, receiveQueue, peerAddress, peerPort } = message;
  if (receiveQueue === 0) return undefined;
  const peer = formatEndpoint(family, peerAddress, peerPort);
  return { family, address, port, inode, peer, unread: receiveQueue };
}

function tcpDropsRow(message: InetDiagMessage): TcpDropsRow | undefined {
  const { family, address, port, inode, peerAddress, peerPort, memory } = message;
  const drops = memory?.[MEM_DROPS] ?? 0;
  if (drops === 0 || inode === 0) return undefined;
  return { family, address, port, inode, peer: formatEndpoint(family, peerAddress, peerPort), drops };
}

/** Local ports by the address they are of and the peer they go to: connections that were accepted share one. */
class PortCounts {
  readonly #ports = new Map<string, { readonly row: Omit<PortsRow, 'ports'>; readonly ports: Set<number> }>();

  add({ family, address, port, peerAddress, peerPort }: InetDiagMessage): void {
    const key = `${address} ${peerAddress} ${peerPort}`;
    let found = this.#ports.get(key);
    if (found === undefined) {
      const row = { family, address, peer: formatEndpoint(family, peerAddress, peerPort) };
      this.#ports.set(key, (found = { row, ports: new Set() }));
    }
    found.ports.add(port);
  }

  most(count: number): readonly PortsRow[] {
    return [...this.#ports.values()]
      .map(({ row, ports }) => ({ ...row, ports: ports.size }))
      .filter(({ ports }) => ports > 1)
      .sort((a, b) => b.ports - a.ports || (a.peer < b.peer ? -1 : 1))
      .slice(0, count);
  }
}

function stalledSenderRow(message: InetDiagMessage): StalledSenderRow | undefined {
  const { family, address, port, inode, sendQueue, peerAddress, peerPort } = message;
  if (sendQueue < STALLED_BYTES) return undefined;
  return { family, address, port, inode, peer: formatEndpoint(family, peerAddress, peerPort), unsent: sendQueue };
}

/**
 * Parses one message: struct inet_diag_msg and attributes. Source: net/ipv4/inet_diag.c:inet_sk_diag_fill; what the
 * queues mean for a listener: net/ipv4/tcp_diag.c:tcp_diag_get_info.
 */
export function parseInetDiag(bytes: Uint8Array): Result<InetDiagMessage> {
  if (bytes.length < MESSAGE) return fail('inet_diag message cut short', bytes.length);
  const family = bytes[0];
  if (family !== AF_INET && family !== AF_INET6) return fail('not an inet_diag message', 0);
  const attributes = parseAttributes(bytes, MESSAGE);
  if (!attributes.ok) return attributes;
  const address = family === AF_INET ? formatIpv4 : formatIpv6;
  const view = viewOf(bytes);
  return ok({
    family: family === AF_INET ? 'v4' : 'v6',
    state: bytes[1]!,
    port: view.getUint16(4),
    peerPort: view.getUint16(6),
    address: address(bytes.subarray(8, 24)),
    peerAddress: address(bytes.subarray(24, 40)),
    receiveQueue: view.getUint32(56, LITTLE),
    sendQueue: view.getUint32(60, LITTLE),
    inode: view.getUint32(68, LITTLE),
    memory: u32List(attributes.value.get(SKMEMINFO), MEM_VARS) ?? null,
  });
}
