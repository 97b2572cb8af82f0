import type { Result } from '../base/result.ts';
import {
  array,
  asCount,
  decode,
  asList,
  malformed,
  nullable,
  asRecord,
  asText,
  type Fields,
} from '../readings/decode.ts';

/**
 * The answers of the kernel that come from sockets instead of files, as plain JSON values: made by sources/, kept in
 * bundles, and read back from there, so that they are checked like any other input.
 */

/** One AF_PACKET socket as PACKET_DIAG shows it. */
export interface PacketSocketRow {
  readonly inode: number;
  /** SOCK_DGRAM 2, SOCK_RAW 3, SOCK_PACKET 10. */
  readonly type: number;
  /** In host order; 3 is ETH_P_ALL. */
  readonly protocol: number;
  /** 0 when bound to no device. */
  readonly ifindex: number;
  /** TPACKET version counted from 1. */
  readonly version: number;
  /** PDI_*: 1 is a registered hook, 16 a socket that wants to know of losses. */
  readonly flags: number;
  readonly uid: number;
  readonly ring: { readonly blockSize: number; readonly blocks: number; readonly frameSize: number } | null;
  readonly fanout: { readonly id: number; readonly type: number } | null;
  /** Absent: no filter or an eBPF one; hidden: the dump was made without CAP_NET_ADMIN; not-told: too long for the dump, or after one that is. */
  readonly filter: 'absent' | 'hidden' | 'not-told' | PacketFilter;
  readonly promiscuous: boolean;
  /** SK_MEMINFO_*: [0] is receive memory, [8] drops. */
  readonly memory: readonly number[] | null;
}

/** A classic BPF filter. */
export interface PacketFilter {
  readonly instructions: number;
  readonly acceptsAll: boolean;
  /** Bytes of each accepted packet that are kept, when the filter always says the same. */
  readonly snaplen: number | null;
}

/** What a sender holds whose peer takes nothing: more than the window of a connection that just began. */
export const STALLED_BYTES = 16 * 1024;

export interface InetSocketRow {
  readonly family: 'v4' | 'v6';
  readonly address: string;
  readonly port: number;
  readonly inode: number;
}

export interface ListenerRow extends InetSocketRow {
  readonly queue: number;
  /** Null where only /proc/net/tcp could be read, which does not have it; so are the drops. */
  readonly limit: number | null;
  readonly drops: number | null;
}

export interface UdpSocketRow extends InetSocketRow {
  readonly drops: number;
  readonly receiveBuffer: number | null;
}

export interface BoundUdpRow extends InetSocketRow {
  readonly waiting: number;
}

/** Bytes in the queues of all UDP sockets of a family together. */
export interface UdpQueuesRow {
  readonly family: 'v4' | 'v6';
  readonly sent: number;
  readonly received: number;
}

export interface SlowReaderRow extends InetSocketRow {
  readonly peer: string;
  readonly unread: number;
}

export interface StalledSenderRow extends InetSocketRow {
  readonly peer: string;
  /** Bytes not acknowledged or not sent. */
  readonly unsent: number;
}

export interface TcpDropsRow extends InetSocketRow {
  readonly peer: string;
  readonly drops: number;
}

/** Connections from one address to one peer, each of which takes a port of its own. */
export interface PortsRow {
  readonly family: 'v4' | 'v6';
  readonly address: string;
  readonly peer: string;
  readonly ports: number;
}

/** Sockets of one network namespace. */
export interface InetSockets {
  readonly listeners: readonly ListenerRow[];
  /** Only those that ever dropped. */
  readonly udp: readonly UdpSocketRow[];
  /** Sockets that are not connected, the fullest first: those that datagrams from anybody come to. */
  readonly boundUdp: readonly BoundUdpRow[];
  /** Established connections with the most unread bytes. */
  readonly slowReaders: readonly SlowReaderRow[];
  /** Established connections with the most bytes that wait for their peer; empty where no connection has unread bytes. */
  readonly stalledSenders: readonly StalledSenderRow[];
  /** Established connections that dropped the most segments, for whatever reason. */
  readonly tcpDrops: readonly TcpDropsRow[];
  /** The peers to which most local ports are taken, by connections that stand, begin, or were closed a while ago. */
  readonly ports: readonly PortsRow[];
  /** Why connections were not looked at, or null. */
  readonly slowReadersSkipped: string | null;
  /** What UDP sockets dropped was not told of all of them. */
  readonly udpDropsUntold?: boolean;
  /** Of the families that the host has; null where only /proc/net/udp has it. */
  readonly udpQueues: readonly UdpQueuesRow[] | null;
}

export interface SocketOwners {
  readonly owners: readonly { readonly inode: number; readonly pid: number; readonly comm: string }[];
  /** Processes whose descriptors may not be looked at. */
  readonly unreadable: number;
}

export function decodePacketSockets(answer: unknown): Result<readonly PacketSocketRow[]> {
  return decode(() => asList(answer, packetSocket));
}

export function decodeInetSockets(answer: unknown): Result<InetSockets> {
  return decode(() => {
    const {
      listeners,
      udp,
      boundUdp,
      slowReaders,
      stalledSenders,
      tcpDrops,
      ports,
      slowReadersSkipped,
      udpDropsUntold,
      udpQueues,
    } = asRecord(answer);
    return {
      listeners: asList(listeners, (row) => ({
        ...inetSocket(row),
        queue: asCount(row['queue']),
        limit: nullable(row['limit'], asCount),
        drops: nullable(row['drops'], asCount),
      })),
      udp: asList(udp, (row) => ({
        ...inetSocket(row),
        drops: asCount(row['drops']),
        receiveBuffer: nullable(row['receiveBuffer'], asCount),
      })),
      slowReaders: asList(slowReaders, (row) => ({
        ...inetSocket(row),
        peer: asText(row['peer']),
        unread: asCount(row['unread']),
      })),
      // None of these is in bundles of the first version.
      boundUdp: asList(boundUdp ?? [], (row) => ({ ...inetSocket(row), waiting: asCount(row['waiting']) })),
      stalledSenders: asList(stalledSenders ?? [], (row) => ({
        ...inetSocket(row),
        peer: asText(row['peer']),
        unsent: asCount(row['unsent']),
      })),
      tcpDrops: asList(tcpDrops ?? [], (row) => ({
        ...inetSocket(row),
        peer: asText(row['peer']),
        drops: asCount(row['drops']),
      })),
      ports: asList(ports ?? [], (row) => ({
        family: family(row['family']),
        address: asText(row['address']),
        peer: asText(row['peer']),
        ports: asCount(row['ports']),
      })),
      slowReadersSkipped: nullable(slowReadersSkipped, asText),
      udpDropsUntold: udpDropsUntold === true,
      udpQueues: nullable(udpQueues ?? null, (rows) =>
        asList(rows, (row) => ({
          family: family(row['family']),
          sent: asCount(row['sent']),
          received: asCount(row['received']),
        })),
      ),
    };
  });
}

export function decodeSocketOwners(answer: unknown): Result<SocketOwners> {
  return decode(() => {
    const { owners, unreadable } = asRecord(answer);
    return {
      owners: asList(owners, (row) => ({
        inode: asCount(row['inode']),
        pid: asCount(row['pid']),
        comm: asText(row['comm']),
      })),
      unreadable: asCount(unreadable),
    };
  });
}

function packetSocket(row: Fields): PacketSocketRow {
  return {
    inode: asCount(row['inode']),
    type: asCount(row['type']),
    protocol: asCount(row['protocol']),
    ifindex: asCount(row['ifindex']),
    version: asCount(row['version']),
    flags: asCount(row['flags']),
    uid: asCount(row['uid']),
    ring: nullable(row['ring'], (value) => {
      const ring = asRecord(value);
      return {
        blockSize: asCount(ring['blockSize']),
        blocks: asCount(ring['blocks']),
        frameSize: asCount(ring['frameSize']),
      };
    }),
    fanout: nullable(row['fanout'], (value) => {
      const fanout = asRecord(value);
      return { id: asCount(fanout['id']), type: asCount(fanout['type']) };
    }),
    filter: packetFilter(row['filter']),
    promiscuous: row['promiscuous'] === true,
    memory: nullable(row['memory'], (value) => array(value).map(asCount)),
  };
}

function packetFilter(value: unknown): PacketSocketRow['filter'] {
  if (value === 'absent' || value === 'hidden' || value === 'not-told') return value;
  const filter = asRecord(value);
  return {
    instructions: asCount(filter['instructions']),
    acceptsAll: filter['acceptsAll'] === true,
    snaplen: nullable(filter['snaplen'], asCount),
  };
}

function inetSocket(row: Fields): InetSocketRow {
  return {
    family: family(row['family']),
    address: asText(row['address']),
    port: asCount(row['port']),
    inode: asCount(row['inode']),
  };
}

function family(value: unknown): 'v4' | 'v6' {
  if (value !== 'v4' && value !== 'v6') malformed('address family');
  return value;
}
