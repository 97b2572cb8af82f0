/** Link, qdisc and filter dumps over rtnetlink: what is on each device of this thread's network namespace. Read only. */
import { fail, ok, type Result } from '../metrics/result.ts';
import { errno, errnoText, loadLibc } from './libc.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_GETLINK = 18;
const RTM_GETQDISC = 38;
const RTM_GETFILTER = 46;
const MAX_DUMP_BYTES = 64 << 20;

export interface XdpOnLink {
  readonly mode: 'native' | 'generic' | 'offloaded' | 'several';
  readonly programIds: readonly number[];
}

export interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly type: number;
  readonly up: boolean;
  readonly mtu: number;
  readonly operstate: string;
  readonly kind?: string;
  readonly master?: number;
  /** Lower device of a VLAN or macvlan, peer of a veth; of another namespace when `lowerNetns` is there. */
  readonly lower?: number;
  readonly lowerNetns?: number;
  readonly xdp?: XdpOnLink;
}

export interface Filter {
  readonly ifindex: number;
  readonly handle: number;
  readonly priority: number;
  readonly kind: string;
  readonly bpfName?: string;
  readonly bpfId?: number;
}

const OPERSTATES = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'];

function attributes(bytes: Buffer, start: number, end: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = start; at + 4 <= end;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > end) break;
    found.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

const text = (bytes: Buffer): string => bytes.toString('utf8').replace(/\0.*$/s, '');
const u32 = (bytes: Buffer | undefined): number | undefined =>
  bytes && bytes.length >= 4 ? bytes.readUInt32LE(0) : undefined;

function parseXdp(bytes: Buffer | undefined): XdpOnLink | undefined {
  if (!bytes) return undefined;
  const nested = attributes(bytes, 0, bytes.length);
  // IFLA_XDP_ATTACHED: 0 none, 1 driver, 2 generic, 3 hardware, 4 more than one.
  const mode = ([undefined, 'native', 'generic', 'offloaded', 'several'] as const)[nested.get(2)?.[0] ?? 0];
  if (mode === undefined) return undefined;
  const ids = [4, 5, 6, 7].map((type) => u32(nested.get(type)) ?? 0).filter((id) => id > 0);
  return { mode, programIds: [...new Set(ids)] };
}

export function parseLink(message: Buffer): Link | undefined {
  if (message.length < 16) return undefined;
  const all = attributes(message, 16, message.length);
  const name = all.get(3);
  if (!name) return undefined;
  const info = all.get(18);
  const kind = info && attributes(info, 0, info.length).get(1);
  const xdp = parseXdp(all.get(43));
  const [master, lower, lowerNetns] = [u32(all.get(10)), u32(all.get(5)), u32(all.get(37))];
  return {
    ifindex: message.readInt32LE(4),
    name: text(name),
    type: message.readUInt16LE(2),
    up: (message.readUInt32LE(8) & 1) === 1,
    mtu: u32(all.get(4)) ?? 0,
    operstate: OPERSTATES[all.get(16)?.[0] ?? 0] ?? 'unknown',
    ...(kind && { kind: text(kind) }),
    ...(master !== undefined && { master }),
    ...(lower !== undefined && { lower }),
    ...(lowerNetns !== undefined && { lowerNetns }),
    ...(xdp && { xdp }),
  };
}

export function parseFilter(message: Buffer): Filter | undefined {
  if (message.length < 20) return undefined;
  const all = attributes(message, 20, message.length);
  const options = all.get(2);
  const bpf = options && attributes(options, 0, options.length);
  const [name, id] = [bpf?.get(7), u32(bpf?.get(11))];
  const kind = text(all.get(1) ?? Buffer.alloc(0));
  return {
    ifindex: message.readInt32LE(4),
    handle: message.readUInt32LE(8),
    priority: message.readUInt32LE(16) >>> 16,
    kind,
    ...(kind === 'bpf' && name && { bpfName: text(name) }),
    ...(kind === 'bpf' && id !== undefined && { bpfId: id }),
  };
}

function dump<T>(type: number, header: Buffer, parse: (message: Buffer) => T | undefined): Result<T[]> {
  const c = loadLibc();
  const fd = c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, 0);
  if (fd < 0) return fail(`netlink socket: ${errnoText(errno())}`);
  try {
    const request = Buffer.alloc(16 + header.length);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt16LE(type, 4);
    request.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
    request.writeUInt32LE(1, 8);
    header.copy(request, 16);
    // Two seconds: a dump waits for the RTNL mutex, which somebody may hold.
    const patience = Buffer.alloc(16);
    patience.writeBigInt64LE(2n, 0);
    c.setsockopt(fd, 1, 20, patience, 16);
    if (Number(c.send(fd, request, request.length, 0)) < 0) return fail(`netlink request: ${errnoText(errno())}`);
    const found: T[] = [];
    const buffer = Buffer.allocUnsafeSlow(64 << 10);
    for (let total = 0; total < MAX_DUMP_BYTES;) {
      const got = Number(c.recv(fd, buffer, buffer.length, 0));
      if (got <= 0) return fail(`netlink answer: ${got === 0 ? 'closed' : errnoText(errno())}`);
      total += got;
      for (let at = 0; at + 16 <= got;) {
        const length = buffer.readUInt32LE(at);
        if (length < 16 || at + length > got) return fail('netlink answer is cut off', at);
        const kind = buffer.readUInt16LE(at + 4);
        if (kind === NLMSG_DONE) return ok(found);
        if (kind === NLMSG_ERROR) return fail(`netlink refused: ${errnoText(-buffer.readInt32LE(at + 16))}`);
        const parsed = parse(buffer.subarray(at + 16, at + length));
        if (parsed !== undefined) found.push(parsed);
        at += (length + 3) & ~3;
      }
    }
    return fail('netlink answer is longer than 64 MiB');
  } finally {
    c.close(fd);
  }
}

export function dumpLinks(): Result<Link[]> {
  const header = Buffer.alloc(24);
  // IFLA_EXT_MASK = RTEXT_FILTER_SKIP_STATS: statistics would make some drivers ask their hardware.
  header.writeUInt16LE(8, 16);
  header.writeUInt16LE(29, 18);
  header.writeUInt32LE(1 << 3, 20);
  return dump(RTM_GETLINK, header, parseLink);
}

/** Devices which have a clsact or ingress qdisc. */
export function dumpClsact(): Result<number[]> {
  const found = dump(RTM_GETQDISC, Buffer.alloc(20), (message) => {
    const kind = text(attributes(message, 20, message.length).get(1) ?? Buffer.alloc(0));
    return kind === 'clsact' || kind === 'ingress' ? message.readInt32LE(4) : undefined;
  });
  return found;
}

/** Filters of the clsact hook; entries without a handle are chain heads and not filters. */
export function dumpFilters(ifindex: number, hook: 'ingress' | 'egress'): Result<Filter[]> {
  const header = Buffer.alloc(20);
  header.writeInt32LE(ifindex, 4);
  header.writeUInt32LE(hook === 'ingress' ? 0xfffffff2 : 0xfffffff3, 12);
  const all = dump(RTM_GETFILTER, header, parseFilter);
  return all.ok ? ok(all.value.filter((filter) => filter.handle !== 0)) : all;
}
