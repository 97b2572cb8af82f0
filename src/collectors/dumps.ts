import { fail, ok, type Result } from '../metrics/result.ts';

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
  /** Absent: no filter or an eBPF one; hidden: the dump was made without CAP_NET_ADMIN. */
  readonly filter: 'absent' | 'hidden' | PacketFilter;
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

export interface SlowReaderRow extends InetSocketRow {
  readonly peer: string;
  readonly unread: number;
}

/** Sockets of one network namespace. */
export interface InetSockets {
  readonly listeners: readonly ListenerRow[];
  /** Only those that ever dropped. */
  readonly udp: readonly UdpSocketRow[];
  /** Established connections with the most unread bytes. */
  readonly slowReaders: readonly SlowReaderRow[];
  /** Why connections were not looked at, or null. */
  readonly slowReadersSkipped: string | null;
}

export interface SocketOwners {
  readonly owners: readonly { readonly inode: number; readonly pid: number; readonly comm: string }[];
  /** Processes whose descriptors may not be looked at. */
  readonly unreadable: number;
}

export function decodePacketSockets(answer: unknown): Result<readonly PacketSocketRow[]> {
  return decode(() => list(answer, packetSocket));
}

export function decodeInetSockets(answer: unknown): Result<InetSockets> {
  return decode(() => {
    const { listeners, udp, slowReaders, slowReadersSkipped } = record(answer);
    return {
      listeners: list(listeners, (row) => ({
        ...inetSocket(row),
        queue: count(row['queue']),
        limit: orNull(row['limit'], count),
        drops: orNull(row['drops'], count),
      })),
      udp: list(udp, (row) => ({
        ...inetSocket(row),
        drops: count(row['drops']),
        receiveBuffer: orNull(row['receiveBuffer'], count),
      })),
      slowReaders: list(slowReaders, (row) => ({
        ...inetSocket(row),
        peer: string(row['peer']),
        unread: count(row['unread']),
      })),
      slowReadersSkipped: orNull(slowReadersSkipped, string),
    };
  });
}

export function decodeSocketOwners(answer: unknown): Result<SocketOwners> {
  return decode(() => {
    const { owners, unreadable } = record(answer);
    return {
      owners: list(owners, (row) => ({
        inode: count(row['inode']),
        pid: count(row['pid']),
        comm: string(row['comm']),
      })),
      unreadable: count(unreadable),
    };
  });
}

function packetSocket(row: Fields): PacketSocketRow {
  return {
    inode: count(row['inode']),
    type: count(row['type']),
    protocol: count(row['protocol']),
    ifindex: count(row['ifindex']),
    version: count(row['version']),
    flags: count(row['flags']),
    uid: count(row['uid']),
    ring: orNull(row['ring'], (value) => {
      const ring = record(value);
      return {
        blockSize: count(ring['blockSize']),
        blocks: count(ring['blocks']),
        frameSize: count(ring['frameSize']),
      };
    }),
    fanout: orNull(row['fanout'], (value) => {
      const fanout = record(value);
      return { id: count(fanout['id']), type: count(fanout['type']) };
    }),
    filter: packetFilter(row['filter']),
    promiscuous: row['promiscuous'] === true,
    memory: orNull(row['memory'], (value) => array(value).map(count)),
  };
}

function packetFilter(value: unknown): PacketSocketRow['filter'] {
  if (value === 'absent' || value === 'hidden') return value;
  const filter = record(value);
  return {
    instructions: count(filter['instructions']),
    acceptsAll: filter['acceptsAll'] === true,
    snaplen: orNull(filter['snaplen'], count),
  };
}

function inetSocket(row: Fields): InetSocketRow {
  const family = row['family'];
  if (family !== 'v4' && family !== 'v6') throw new Malformed('address family');
  return { family, address: string(row['address']), port: count(row['port']), inode: count(row['inode']) };
}

type Fields = Readonly<Record<string, unknown>>;

/** Ends a decoding from any depth; never leaves this file. */
class Malformed extends Error {}

function decode<T>(how: () => T): Result<T> {
  try {
    return ok(how());
  } catch (error) {
    if (error instanceof Malformed) return fail(`malformed dump: no ${error.message}`);
    throw error;
  }
}

function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed('object');
  return value as Fields;
}

function array(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Malformed('list');
  return value as readonly unknown[];
}

function list<T>(value: unknown, row: (fields: Fields) => T): readonly T[] {
  return array(value).map((each) => row(record(each)));
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Malformed('unsigned number');
  return value;
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Malformed('text');
  return value;
}

function orNull<T>(value: unknown, how: (value: unknown) => T): T | null {
  return value === null ? null : how(value);
}
