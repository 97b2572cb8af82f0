import {
  acceptQueue,
  acceptQueueLimit,
  listenerDrops,
  tcpPortsTaken,
  tcpSocketDrops,
  tcpSocketReceiveQueue,
  tcpSocketSendQueue,
  udpQueues,
  udpSocketDrops,
  udpSocketReceiveBuffer,
  udpSocketReceiveQueue,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { formatEndpoint, formatIpv4, formatIpv6 } from './address.ts';
import { defineCollector, type Host } from './collector.ts';
import { Cursor, U32_MAX, U64_MAX } from './cursor.ts';
import { STALLED_BYTES, decodeInetSockets, type InetSocketRow, type InetSockets, type UdpQueuesRow } from './dumps.ts';
import { isCut } from './parse.ts';

const ESTABLISHED = 1;
const LISTEN = 10;
const UNTOLD = 'the sockets were listed without what each of them dropped';
const families = [
  ['v4', ''],
  ['v6', '6'],
] as const;

export const sockets = defineCollector({
  id: 'sockets',
  turn: 110,
  scope: 'netns',
  reads: ['inet_diag', '/proc/net/udp', '/proc/net/udp6', '/proc/net/tcp', '/proc/net/tcp6'],
  holds: { '/proc/net/{tcp,tcp6,udp,udp6}': 'inet-sockets' },
  collect(host, emit) {
    const asked = host.dump('inet_diag', decodeInetSockets);
    if (asked !== undefined) host.answered();
    // The kernel takes the square of their number for the files of UDP sockets: not where it has told already.
    const udp = asked?.udpQueues ? [] : udpFiles(host);
    for (const { family: ip, sent, received } of asked?.udpQueues ?? udp.map(queuesOf)) {
      emit(udpQueues, { queue: 'tx', ip }, sent);
      emit(udpQueues, { queue: 'rx', ip }, received);
    }
    const answer =
      asked ??
      fromFiles(
        host,
        udp.flatMap(({ rows }) => rows),
      );
    if (answer.slowReadersSkipped !== null) host.gap('inet_diag', answer.slowReadersSkipped);
    for (const row of answer.listeners) {
      emit(acceptQueue, labelsOf(row), row.queue);
      if (row.limit !== null) emit(acceptQueueLimit, labelsOf(row), row.limit);
      if (row.drops !== null) emit(listenerDrops, labelsOf(row), row.drops);
    }
    if (answer.listeners.some(({ drops }) => drops === null)) host.lack(listenerDrops, {}, UNTOLD);
    if (answer.udpDropsUntold === true) host.lack(udpSocketDrops, {}, UNTOLD);
    for (const row of answer.udp) {
      emit(udpSocketDrops, labelsOf(row), row.drops);
      if (row.receiveBuffer !== null) emit(udpSocketReceiveBuffer, labelsOf(row), row.receiveBuffer);
    }
    for (const row of answer.boundUdp) emit(udpSocketReceiveQueue, labelsOf(row), row.waiting);
    for (const row of answer.slowReaders) emit(tcpSocketReceiveQueue, { ...labelsOf(row), peer: row.peer }, row.unread);
    for (const row of answer.stalledSenders) emit(tcpSocketSendQueue, { ...labelsOf(row), peer: row.peer }, row.unsent);
    for (const row of answer.tcpDrops) emit(tcpSocketDrops, { ...labelsOf(row), peer: row.peer }, row.drops);
    for (const { family, address, peer, ports } of answer.ports) emit(tcpPortsTaken, { family, address, peer }, ports);
  },
});

function labelsOf({
  family,
  address,
  port,
  inode,
}: InetSocketRow): Record<'family' | 'address' | 'port' | 'inode', string> {
  return { family, address, port: `${port}`, inode: `${inode}` };
}

interface UdpFile {
  readonly family: 'v4' | 'v6';
  readonly rows: readonly InetSocket[];
}

function udpFiles(host: Host): readonly UdpFile[] {
  return families.flatMap(([family, suffix]) => {
    const rows = host.parseIfPresent(`/proc/net/udp${suffix}`, parseInetSockets);
    return rows === undefined ? [] : [{ family, rows }];
  });
}

function queuesOf({ family, rows }: UdpFile): UdpQueuesRow {
  return {
    family,
    sent: sum(rows.map(({ sendQueue }) => sendQueue)),
    received: sum(rows.map(({ receiveQueue }) => receiveQueue)),
  };
}

/** What the files have of it: accept queues without their limits, what waits in connections, and the drops of UDP sockets. */
function fromFiles(host: Host, udp: readonly InetSocket[]): InetSockets {
  const tcp = families.flatMap(([, suffix]) => host.parseIfPresent(`/proc/net/tcp${suffix}`, parseInetSockets) ?? []);
  const established = tcp.filter(({ state }) => state === ESTABLISHED);
  return {
    listeners: tcp
      .filter(({ state }) => state === LISTEN)
      .map((row) => ({ ...row, queue: row.receiveQueue, limit: null, drops: null })),
    udp: udp.flatMap((row) => (row.drops ? [{ ...row, drops: row.drops, receiveBuffer: null }] : [])),
    boundUdp: [],
    slowReaders: ofMost(established, ({ receiveQueue }) => receiveQueue).map((row) => ({
      ...row,
      unread: row.receiveQueue,
    })),
    stalledSenders: ofMost(established, ({ sendQueue }) => (sendQueue >= STALLED_BYTES ? sendQueue : 0)).map((row) => ({
      ...row,
      unsent: row.sendQueue,
    })),
    tcpDrops: [],
    ports: [],
    slowReadersSkipped: null,
    udpQueues: null,
  };
}

/** As many as a live look names. */
const MOST_SHOWN = 20;

function ofMost(rows: readonly InetSocket[], queue: (row: InetSocket) => number): readonly InetSocket[] {
  return rows
    .filter((row) => queue(row) > 0)
    .sort((a, b) => queue(b) - queue(a))
    .slice(0, MOST_SHOWN);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** One row of /proc/net/{tcp,udp}{,6}. */
export interface InetSocket extends InetSocketRow {
  readonly peer: string;
  readonly state: number;
  readonly sendQueue: number;
  /** Bytes; for a TCP listener the connections waiting to be accepted. */
  readonly receiveQueue: number;
  /** The last column of the UDP files; the TCP files have no such thing. */
  readonly drops: number | null;
}

/**
 * Parses /proc/net/tcp, tcp6, udp and udp6: a header, then slot, local and remote `address:port`, state,
 * `tx_queue:rx_queue`, all hexadecimal, timers, user, inode; for UDP drops at the end. Source:
 * net/ipv4/tcp_ipv4.c:get_tcp4_sock, net/ipv4/udp.c:udp4_format_sock, net/ipv6/datagram.c:__ip6_dgram_sock_seq_show.
 */
export function parseInetSockets(bytes: Uint8Array): Result<readonly InetSocket[]> {
  if (isCut(bytes)) return fail('cut short: the last line has no end', bytes.length);
  const cursor = new Cursor(bytes);
  if (cursor.word() !== 'sl') return fail('no header with a column "sl"', 0);
  const hasDrops = cursor.restOfLine().includes('drops');
  const rows: InetSocket[] = [];
  while (!cursor.done) {
    const line = cursor.at;
    const row = parseRow(cursor, hasDrops);
    if (row === undefined) return fail('no address, state, queues and inode of a socket', line);
    rows.push(row);
    cursor.nextLine();
  }
  return ok(rows);
}

function parseRow(cursor: Cursor, hasDrops: boolean): InetSocket | undefined {
  const slot = cursor.word();
  const local = parseEndpoint(cursor.word());
  const remote = parseEndpoint(cursor.word());
  const state = cursor.hex();
  const queues = /^([0-9a-f]{8}):([0-9a-f]{8})$/i.exec(cursor.word());
  cursor.word(); // timer and when it fires
  cursor.word(); // retransmissions
  const uid = cursor.unsigned(U32_MAX);
  cursor.decimal(); // probes
  const inode = cursor.unsigned(U64_MAX);
  if (!slot.endsWith(':') || local === undefined || remote === undefined || state === undefined || queues === null)
    return undefined;
  if (uid === undefined || inode === undefined) return undefined;
  let drops: number | null = null;
  if (hasDrops) {
    cursor.decimal(); // references
    cursor.word(); // address
    drops = cursor.unsigned(U32_MAX) ?? null;
    if (drops === null) return undefined;
  }
  const [sendQueue, receiveQueue] = [Number.parseInt(queues[1]!, 16), Number.parseInt(queues[2]!, 16)];
  const peer = formatEndpoint(remote.family, remote.address, remote.port);
  return { ...local, peer, state, sendQueue, receiveQueue, inode, drops };
}

/**
 * An address is printed as 32-bit words in the host's byte order: taken for little-endian, as every host but s390x is.
 */
function parseEndpoint(word: string): Pick<InetSocketRow, 'family' | 'address' | 'port'> | undefined {
  const match = /^([0-9a-f]{8}|[0-9a-f]{32}):([0-9a-f]{4})$/i.exec(word);
  if (match === null) return undefined;
  const printed = Buffer.from(match[1]!, 'hex');
  const bytes = printed.map((_, index) => printed[(index & ~3) + 3 - (index & 3)]!);
  const port = Number.parseInt(match[2]!, 16);
  return bytes.length === 4
    ? { family: 'v4', address: formatIpv4(bytes), port }
    : { family: 'v6', address: formatIpv6(bytes), port };
}
