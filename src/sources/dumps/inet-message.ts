import { formatIpv4, formatIpv6 } from '../../collectors/address.ts';
import { LITTLE, parseAttributes, u32List, viewOf } from '../../ffi/netlink.ts';
import { AF_INET, AF_INET6 } from '../../ffi/libc.ts';
import { fail, ok, type Result } from '../../base/result.ts';

const MESSAGE = 72;
/** Attribute and extension number of the socket's memory, include/uapi/linux/inet_diag.h. */
export const SKMEMINFO = 7;
/** How many numbers it has at least, include/uapi/linux/sock_diag.h. */
const MEM_VARS = 9;

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
