import type { PacketFilter, PacketSocketRow } from '../../collectors/dumps.ts';
import type { Reader } from '../../collectors/reader.ts';
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

const AF_PACKET = 17;
const MESSAGE = 16;

/** PACKET_SHOW_INFO | MCLIST | RING_CFG | FANOUT | MEMINFO; FILTER. */
const SHOW = 0x1f;
const SHOW_FILTER = 0x20;
/** Attributes, include/uapi/linux/packet_diag.h: INFO is type zero. */
const INFO = 0;
const MCLIST = 1;
const RX_RING = 2;
const FANOUT = 4;
const UID = 5;
const MEMINFO = 6;
const FILTER = 7;

const MCLIST_ENTRY = 44;
const PACKET_MR_PROMISC = 1;
const MEMINFO_VARS = 9;

const BPF_INSTRUCTION = 8;
const BPF_CLASS_MASK = 7;
const BPF_RET = 6;
const BPF_RET_K = 6;

/** Every AF_PACKET socket of the namespace this thread is in. The filters need CAP_NET_ADMIN there. */
export function packetDiag(
  reader: Reader,
  { allowSystemChanges = false }: LiveOptions,
): Result<readonly PacketSocketRow[]> {
  const allowed = allowSystemChanges ? ok(undefined) : answersWithoutLoading(reader, ['af_packet_diag']);
  if (!allowed.ok) return allowed;
  const whole = dump(SHOW | SHOW_FILTER);
  if (!whole.ok || whole.value.length >= listed(reader)) return whole;
  // A filter of some 4,000 instructions does not fit into the kernel's longest message, and ends the dump without a word.
  const bare = dump(SHOW);
  if (!bare.ok) return bare;
  const seen = new Set(whole.value.map(({ inode }) => inode));
  const unseen = bare.value.filter(({ inode }) => !seen.has(inode));
  return ok([...whole.value, ...unseen.map((row): PacketSocketRow => ({ ...row, filter: 'not-told' }))]);
}

function dump(show: number): Result<readonly PacketSocketRow[]> {
  const request = new Uint8Array(20);
  request[0] = AF_PACKET;
  viewOf(request).setUint32(8, show, LITTLE);
  return netlinkDump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, parsePacketDiag);
}

/** How many sockets the namespace has: the lines of /proc/net/packet below its header. Zero when it cannot be read. */
function listed(reader: Reader): number {
  const bytes = reader.read('/proc/net/packet');
  if (!bytes.ok) return 0;
  let lines = 0;
  for (const byte of bytes.value) if (byte === 0x0a) lines += 1;
  return Math.max(0, lines - 1);
}

/**
 * Parses one message of the dump: struct packet_diag_msg and attributes. No ring or fanout attribute means that the
 * socket has none. Source: net/packet/diag.c:sk_diag_fill.
 */
export function parsePacketDiag(bytes: Uint8Array): Result<PacketSocketRow> {
  if (bytes.length < MESSAGE) return fail('packet_diag message cut short', bytes.length);
  if (bytes[0] !== AF_PACKET) return fail('not a packet_diag message', 0);
  const attributes = parseAttributes(bytes, MESSAGE);
  if (!attributes.ok) return attributes;
  const info = u32List(attributes.value.get(INFO), 6);
  if (info === undefined) return fail('packet_diag message without PACKET_DIAG_INFO', MESSAGE);
  const ring = u32List(attributes.value.get(RX_RING), 7);
  const fanout = u32List(attributes.value.get(FANOUT), 1)?.[0];
  const view = viewOf(bytes);
  return ok({
    inode: view.getUint32(4, LITTLE),
    type: bytes[1]!,
    protocol: view.getUint16(2, LITTLE),
    ifindex: info[0]!,
    version: info[1]! + 1,
    flags: info[5]!,
    uid: u32List(attributes.value.get(UID), 1)?.[0] ?? 0,
    ring: ring === undefined ? null : { blockSize: ring[0]!, blocks: ring[1]!, frameSize: ring[2]! },
    fanout: fanout === undefined ? null : { id: fanout & 0xffff, type: fanout >>> 16 },
    filter: parseFilter(attributes.value.get(FILTER)),
    promiscuous: isPromiscuous(attributes.value.get(MCLIST)),
    memory: u32List(attributes.value.get(MEMINFO), MEMINFO_VARS) ?? null,
  });
}

/** Struct sock_filter[]. Without CAP_NET_ADMIN the attribute is there and empty (sock_diag_put_filterinfo). */
function parseFilter(bytes: Uint8Array | undefined): PacketSocketRow['filter'] {
  if (bytes === undefined) return 'absent';
  const instructions = Math.floor(bytes.length / BPF_INSTRUCTION);
  if (instructions === 0) return 'hidden';
  return { instructions, acceptsAll: instructions === 1 && keeps(bytes) > 0, snaplen: snaplenOf(bytes, instructions) };
}

/** What the first instruction returns, if it is a return at all. */
function keeps(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  return view.getUint16(0, LITTLE) === BPF_RET_K ? view.getUint32(4, LITTLE) : 0;
}

/** What the filter returns for the packets it accepts, when that is one constant: how tcpdump -s reaches the kernel. */
function snaplenOf(bytes: Uint8Array, instructions: number): PacketFilter['snaplen'] {
  const view = viewOf(bytes);
  const returned = new Set<number>();
  for (let index = 0; index < instructions; index += 1) {
    const code = view.getUint16(index * BPF_INSTRUCTION, LITTLE);
    if ((code & BPF_CLASS_MASK) !== BPF_RET) continue;
    if (code !== BPF_RET_K) return null;
    const kept = view.getUint32(index * BPF_INSTRUCTION + 4, LITTLE);
    if (kept > 0) returned.add(kept);
  }
  const [snaplen = null, ...others] = returned;
  return others.length === 0 ? snaplen : null;
}

/** Struct packet_diag_mclist[]: the memberships this socket asked for, promiscuous mode among them. */
function isPromiscuous(bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return false;
  const view = viewOf(bytes);
  for (let at = 0; at + MCLIST_ENTRY <= bytes.length; at += MCLIST_ENTRY) {
    if (view.getUint16(at + 8, LITTLE) === PACKET_MR_PROMISC) return true;
  }
  return false;
}
