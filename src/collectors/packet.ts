import {
  packetHooks,
  packetSocket,
  packetSocketDrops,
  packetSocketMemory,
  packetSocketRing,
} from '../metrics/catalogue/index.ts';
import { fanoutLabel, filterLabel } from '../metrics/packet-socket-labels.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Host } from './collector.ts';
import { Cursor, utf8Text, U32_MAX, U64_MAX } from './cursor.ts';
import { decodePacketSockets, type PacketSocketRow } from './dumps.ts';
import { isCut, parseNumber } from './parse.ts';

const TAB = 9;
const LF = 10;
const packetFile = '/proc/net/packet';
const ptypeFile = '/proc/net/ptype';

const SOCK_PACKET = 10;
const types: Readonly<Record<number, string>> = { 2: 'dgram', 3: 'raw', [SOCK_PACKET]: 'packet' };
/** PACKET_FANOUT_*, include/uapi/linux/if_packet.h. */
const fanoutTypes = ['hash', 'lb', 'cpu', 'rollover', 'rnd', 'qm', 'cbpf', 'ebpf'];
const MEM_DROPS = 8;

export const packet = defineCollector({
  id: 'packet',
  turn: 120,
  scope: 'netns',
  reads: [packetFile, ptypeFile, 'packet_diag', '/proc/net/igmp', '/proc/net/dev_mcast', '/sys/class/net/*/ifindex'],
  holds: { '/proc/net/igmp': 'groups', '/proc/net/dev_mcast': 'mac-groups' },
  collect(host, emit) {
    const hooks = host.parse(ptypeFile, parsePtype) ?? [];
    for (const { protocol, device, handler, count } of hooks)
      emit(packetHooks, { protocol, device, function: handler }, count);
    const sockets = host.parseIfPresent(packetFile, parsePacketSockets);
    if (sockets === undefined) {
      host.notApplicable(packetFile, 'packet sockets are not built into this kernel');
      return;
    }
    if (sockets.length === 0) return;
    const rows = host.dump('packet_diag', decodePacketSockets);
    const byInode = new Map(rows?.map((row) => [row.inode, row]));
    const devices = deviceNames(host, sockets);
    const shares = sharedHooks(sockets, hooks);
    for (const socket of sockets) {
      const row = byInode.get(socket.inode);
      const device = devices.get(socket.ifindex) ?? `if${socket.ifindex}`;
      const inode = `${socket.inode}`;
      const labels = {
        inode,
        device,
        ifindex: `${socket.ifindex}`,
        protocol: hex(socket.protocol),
        type: types[socket.type] ?? `${socket.type}`,
        hook: hookOf(socket, row, hooks, device),
        uid: `${socket.uid}`,
        ...settings(row),
        ...(row === undefined && shares(socket, device) ? { fanout: fanoutLabel('unknown') } : {}),
      };
      emit(packetSocket, labels, 1);
      emit(packetSocketMemory, { inode }, socket.memory);
      if (row?.ring != null) emit(packetSocketRing, { inode }, row.ring.blocks * row.ring.blockSize);
      const drops = row?.memory?.[MEM_DROPS];
      if (drops !== undefined) emit(packetSocketDrops, { inode }, drops);
    }
  },
});

/**
 * Whether a socket is one of a fanout group, told without PACKET_DIAG: more sockets are running than there are hooks for
 * their protocol and device, and the hooks are one group's.
 */
function sharedHooks(
  sockets: readonly PacketSocket[],
  hooks: readonly PtypeHook[],
): (socket: PacketSocket, device: string) => boolean {
  const running = new Map<string, number>();
  const alike = ({ protocol, ifindex }: PacketSocket): string => `${protocol} ${ifindex}`;
  for (const socket of sockets) if (socket.running) running.set(alike(socket), (running.get(alike(socket)) ?? 0) + 1);
  const there = new Map<string, { readonly first: PtypeHook; several: boolean }>();
  for (const hook of hooks) {
    const place = `${hook.protocol} ${hook.device}`;
    const known = there.get(place);
    if (known === undefined) there.set(place, { first: hook, several: false });
    else known.several = true;
  }
  return (socket, device) => {
    const protocol = socket.protocol === 3 ? 'ALL' : hex(socket.protocol);
    const here = there.get(`${protocol} ${device}`);
    if (!socket.running || (running.get(alike(socket)) ?? 0) < 2 || here?.several !== false) return false;
    return here.first.handler === 'packet_rcv_fanout' && here.first.count === 1;
  };
}

/** What only PACKET_DIAG tells. */
function settings(row: PacketSocketRow | undefined): Record<'filter' | 'ring' | 'fanout' | 'promiscuous', string> {
  if (row === undefined)
    return { filter: filterLabel('unknown'), ring: 'unknown', fanout: 'unknown', promiscuous: 'unknown' };
  const { ring, fanout } = row;
  return {
    filter: filterOf(row),
    ring: ring === null ? 'none' : `v${row.version} ${ring.blocks}x${ring.blockSize}`,
    fanout: fanoutLabel(fanout && { id: fanout.id, type: fanoutTypes[fanout.type] ?? `${fanout.type}` }),
    promiscuous: row.promiscuous ? '1' : '0',
  };
}

function filterOf({ filter }: PacketSocketRow): string {
  if (filter === 'absent') return filterLabel('none');
  if (filter === 'hidden') return filterLabel('hidden');
  if (filter === 'not-told') return filterLabel('unknown');
  return filterLabel(filter.acceptsAll ? 'all' : filter);
}

/**
 * The function the socket's hook calls (af_packet.c:packet_create, packet_set_ring, fanout_add). Without PACKET_DIAG it
 * is known only where ptype lists one kind of function for that protocol and device; a socket bound to both one protocol
 * and a device is in no list.
 */
function hookOf(
  socket: PacketSocket,
  row: PacketSocketRow | undefined,
  hooks: readonly PtypeHook[],
  device: string,
): string {
  if (!socket.running) return 'none';
  if (row?.fanout) return 'packet_rcv_fanout';
  if (row?.ring) return 'tpacket_rcv';
  if (socket.type === SOCK_PACKET) return 'packet_rcv_spkt';
  if (row !== undefined) return 'packet_rcv';
  const protocol = socket.protocol === 3 ? 'ALL' : hex(socket.protocol);
  const handlers = hooks
    .filter((hook) => hook.protocol === protocol && hook.device === device)
    .map(({ handler }) => handler)
    .filter((handler) => /^t?packet_rcv(_fanout)?$/.test(handler));
  return handlers.length === 1 ? handlers[0]! : 'unknown';
}

function hex(protocol: number): string {
  return protocol.toString(16).padStart(4, '0');
}

/**
 * Interface number -> name, for the numbers that sockets are bound to. /proc/net/igmp has every device that is up,
 * dev_mcast those with a hardware multicast address: unlike sysfs, both follow the namespace.
 */
function deviceNames(host: Host, sockets: readonly PacketSocket[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>([[0, 'any']]);
  const unnamed = (): boolean => sockets.some(({ ifindex }) => !names.has(ifindex));
  for (const path of ['/proc/net/igmp', '/proc/net/dev_mcast']) {
    if (!unnamed()) return names;
    for (const [ifindex, name] of host.parseIfPresent(path, parseNumberedDevices) ?? []) names.set(ifindex, name);
  }
  if (!unnamed()) return names;
  for (const name of host.listIfPresent('/sys/class/net')) {
    const ifindex = host.parseIfPresent(`/sys/class/net/${name}/ifindex`, parseNumber);
    if (ifindex !== undefined) names.set(ifindex, name);
  }
  return names;
}

/**
 * Parses /proc/net/igmp and /proc/net/dev_mcast, whose rows begin with an interface number and its name. In igmp
 * a header comes first, a count of groups and the querier follow the name, and indented rows of groups lie between; in
 * dev_mcast two counts and a hardware address follow. Source: net/ipv4/igmp.c:igmp_mc_seq_show,
 * net/core/net-procfs.c:dev_mc_seq_show.
 */
export function parseNumberedDevices(bytes: Uint8Array): Result<ReadonlyMap<number, string>> {
  if (bytes.length > 0 && isCut(bytes)) return fail('cut short: the last line has no end', bytes.length);
  const names = new Map<number, string>();
  const cursor = new Cursor(bytes);
  const isIgmp = /^Idx\s/.test(utf8Text(bytes.subarray(0, 4)));
  if (isIgmp) cursor.nextLine();
  while (!cursor.done) {
    const at = cursor.at;
    if (isIgmp && cursor.byte === TAB) {
      if (cursor.hex() === undefined || cursor.unsigned(U32_MAX) === undefined) return fail('no row of a group', at);
      cursor.nextLine();
      continue;
    }
    const ifindex = cursor.unsigned(U32_MAX);
    // igmp puts a colon behind the name, with no blank between when the name is long.
    const name = isIgmp ? cursor.word().replace(/:$/, '') : cursor.word();
    if (ifindex === undefined || !isDeviceName(name)) return fail('no number and name of an interface', at);
    const rest = isIgmp ? /^\s*:?\s*\d+\s+\S+\s*$/ : /^\s+\d+\s+\d+\s+[0-9a-f]*\s*$/;
    const end = bytes.indexOf(LF, cursor.at);
    if (!rest.test(utf8Text(bytes.subarray(cursor.at, end))))
      return fail(`not a row of interface ${ifindex}`, cursor.at);
    names.set(ifindex, name);
    cursor.nextLine();
  }
  return ok(names);
}

/** What the kernel lets an interface be called (net/core/dev.c:dev_valid_name). */
function isDeviceName(name: string): boolean {
  return /^[^\s/:]{1,15}$/.test(name) && name !== '.' && name !== '..';
}

/** One AF_PACKET socket as /proc/net/packet shows it. */
export interface PacketSocket {
  readonly type: number;
  readonly protocol: number;
  readonly ifindex: number;
  readonly running: boolean;
  readonly memory: number;
  readonly uid: number;
  readonly inode: number;
}

/**
 * Parses /proc/net/packet: a header, then a row per socket: address, references, type, protocol in hexadecimal,
 * interface number, whether its hook is registered, receive memory in bytes, user, inode.
 * Source: net/packet/af_packet.c:packet_seq_show.
 */
export function parsePacketSockets(bytes: Uint8Array): Result<readonly PacketSocket[]> {
  if (isCut(bytes)) return fail('cut short: the last line has no end', bytes.length);
  const cursor = new Cursor(bytes);
  if (cursor.word() !== 'sk') return fail('no header with a column "sk"', 0);
  cursor.nextLine();
  const sockets: PacketSocket[] = [];
  while (!cursor.done) {
    const line = cursor.at;
    cursor.word();
    cursor.decimal();
    const type = cursor.unsigned(U32_MAX);
    const protocol = cursor.hex();
    const ifindex = cursor.unsigned(U32_MAX);
    const running = cursor.unsigned(1);
    const memory = cursor.unsigned(U32_MAX);
    const uid = cursor.unsigned(U32_MAX);
    const inode = cursor.unsigned(U64_MAX);
    if (type === undefined || protocol === undefined || protocol > 0xffff || ifindex === undefined)
      return fail('no type, protocol and interface of a packet socket', line);
    if (running === undefined || memory === undefined || uid === undefined || inode === undefined)
      return fail('no state, memory, user and inode of a packet socket', line);
    sockets.push({ type, protocol, ifindex, running: running === 1, memory, uid, inode });
    cursor.nextLine();
  }
  return ok(sockets);
}

/** Equal lines of /proc/net/ptype. */
export interface PtypeHook {
  /** ALL, or four hexadecimal digits. */
  readonly protocol: string;
  /** `any` for a hook on no particular device. */
  readonly device: string;
  readonly handler: string;
  readonly count: number;
}

/**
 * Parses /proc/net/ptype: a header, then protocol, device (blank for none) and function, which may be followed by its
 * module in brackets. Source: net/core/net-procfs.c:ptype_seq_show.
 */
export function parsePtype(bytes: Uint8Array): Result<readonly PtypeHook[]> {
  if (isCut(bytes)) return fail('cut short: the last line has no end', bytes.length);
  const cursor = new Cursor(bytes);
  if (cursor.word() !== 'Type') return fail('no header with a column "Type"', 0);
  cursor.nextLine();
  const hooks = new Map<string, PtypeHook>();
  while (!cursor.done) {
    const line = cursor.at;
    const words = cursor
      .restOfLine()
      .split(/\s+/)
      .filter((word) => word !== '' && !/^\[.*\]$/.test(word));
    const [protocol, second, third, ...more] = words;
    if (protocol === undefined || second === undefined || more.length > 0 || !/^(ALL|[0-9a-f]{4})$/.test(protocol))
      return fail('no protocol, device and function of a hook', line);
    const hook = { protocol, device: third === undefined ? 'any' : second, handler: third ?? second };
    const key = JSON.stringify(hook);
    hooks.set(key, { ...hook, count: (hooks.get(key)?.count ?? 0) + 1 });
  }
  return ok([...hooks.values()]);
}
