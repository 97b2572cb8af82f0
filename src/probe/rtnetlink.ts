/** Link, qdisc and filter dumps over rtnetlink: what is on each device of this thread's network namespace. Read only. */
import { LITTLE, NETLINK_ROUTE, netlinkDump, parseAttributes, textOf, u32, viewOf } from '../ffi/netlink.ts';
import { fail, ok, type Result } from '../base/result.ts';

const RTM_GETLINK = 18;
const RTM_GETQDISC = 38;
const RTM_GETFILTER = 46;

/** struct ifinfomsg and struct tcmsg. */
const IFINFO = 16;
const TCMSG = 20;

/** include/uapi/linux/if_link.h */
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_QDISC = 6;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_STATS64 = 23;
/** struct rtnl_link_stats64 */
const RX_MISSED_ERRORS = 15 * 8;
const IFLA_INFO_KIND = 1;
const IFLA_EXT_MASK = 29;
const IFLA_LINK_NETNSID = 37;
const IFLA_XDP = 43;
const IFLA_XDP_ATTACHED = 2;
/** Of the one in force, and since 4.19 of each mode. */
const IFLA_XDP_PROG_ID = 4;
const IFLA_XDP_IDS = { native: 5, generic: 6, offloaded: 7 } as const;
const IFF_UP = 1;
const RTEXT_FILTER_SKIP_STATS = 1 << 3;

/** include/uapi/linux/rtnetlink.h and pkt_cls.h */
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_NAME = 7;
const TCA_BPF_ID = 11;

/** How a program is attached. `several`: one in the hardware and another, and an old kernel does not say which is which. */
export type XdpPlace = keyof typeof IFLA_XDP_IDS | 'several';

export interface XdpOnLink {
  readonly mode: XdpPlace;
  readonly programs: readonly { readonly id: number; readonly mode: XdpPlace }[];
}

export interface Link {
  readonly ifindex: number;
  readonly name: string;
  readonly type: number;
  readonly up: boolean;
  readonly mtu: number;
  readonly operstate: string;
  readonly kind?: string;
  /** Kind of the root queueing discipline; `noqueue` for none. */
  readonly qdisc?: string;
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

/** IFLA_XDP_ATTACHED: 0 none, 1 driver, 2 generic, 3 hardware, 4 more than one. */
const XDP_MODES = [undefined, 'native', 'generic', 'offloaded', 'several'] as const;

function parseXdp(bytes: Uint8Array): Result<XdpOnLink | undefined> {
  const nested = parseAttributes(bytes, 0);
  if (!nested.ok) return nested;
  const mode = XDP_MODES[nested.value.get(IFLA_XDP_ATTACHED)?.[0] ?? 0];
  if (mode === undefined) return ok(undefined);
  const idAt = (type: number): number => u32(nested.value.get(type)) ?? 0;
  const byMode = (['native', 'generic', 'offloaded'] as const).map((each) => ({
    id: idAt(IFLA_XDP_IDS[each]),
    mode: each,
  }));
  const told = byMode.some(({ id }) => id > 0) ? byMode : [{ id: idAt(IFLA_XDP_PROG_ID), mode }];
  return ok({ mode, programs: told.filter(({ id }) => id > 0) });
}

/** Parses one message of the dump; a link without a name is none. Source: net/core/rtnetlink.c:rtnl_fill_ifinfo. */
export function parseLink(bytes: Uint8Array): Result<Link | undefined> {
  if (bytes.length < IFINFO) return fail('link message cut short', bytes.length);
  const attributes = parseAttributes(bytes, IFINFO);
  if (!attributes.ok) return attributes;
  const all = attributes.value;
  const name = all.get(IFLA_IFNAME);
  if (name === undefined) return ok(undefined);
  const info = parseAttributes(all.get(IFLA_LINKINFO) ?? new Uint8Array(), 0);
  if (!info.ok) return info;
  const xdp = parseXdp(all.get(IFLA_XDP) ?? new Uint8Array());
  if (!xdp.ok) return xdp;
  const kind = info.value.get(IFLA_INFO_KIND);
  const qdisc = all.get(IFLA_QDISC);
  const [master, lower, lowerNetns] = [IFLA_MASTER, IFLA_LINK, IFLA_LINK_NETNSID].map((type) => u32(all.get(type)));
  const view = viewOf(bytes);
  return ok({
    ifindex: view.getInt32(4, LITTLE),
    name: textOf(name),
    type: view.getUint16(2, LITTLE),
    up: (view.getUint32(8, LITTLE) & IFF_UP) !== 0,
    mtu: u32(all.get(IFLA_MTU)) ?? 0,
    operstate: OPERSTATES[all.get(IFLA_OPERSTATE)?.[0] ?? 0] ?? 'unknown',
    ...(kind !== undefined && { kind: textOf(kind) }),
    ...(qdisc !== undefined && { qdisc: textOf(qdisc) }),
    ...(master !== undefined && { master }),
    ...(lower !== undefined && { lower }),
    ...(lowerNetns !== undefined && { lowerNetns }),
    ...(xdp.value !== undefined && { xdp: xdp.value }),
  });
}

/** Parses one message of the dump. Source: net/sched/cls_api.c:tcf_fill_node, cls_bpf.c:cls_bpf_dump. */
export function parseFilter(bytes: Uint8Array): Result<Filter> {
  if (bytes.length < TCMSG) return fail('filter message cut short', bytes.length);
  const attributes = parseAttributes(bytes, TCMSG);
  if (!attributes.ok) return attributes;
  const kind = textOf(attributes.value.get(TCA_KIND));
  const options = kind === 'bpf' ? attributes.value.get(TCA_OPTIONS) : undefined;
  const bpf = parseAttributes(options ?? new Uint8Array(), 0);
  if (!bpf.ok) return bpf;
  const [name, id] = [bpf.value.get(TCA_BPF_NAME), u32(bpf.value.get(TCA_BPF_ID))];
  const view = viewOf(bytes);
  return ok({
    ifindex: view.getInt32(4, LITTLE),
    handle: view.getUint32(8, LITTLE),
    priority: view.getUint32(16, LITTLE) >>> 16,
    kind,
    ...(name !== undefined && { bpfName: textOf(name) }),
    ...(id !== undefined && { bpfId: id }),
  });
}

/** Parses one message of the dump to the device it speaks of, when the qdisc is one that takes filters on ingress. */
export function parseClsact(bytes: Uint8Array): Result<number | undefined> {
  if (bytes.length < TCMSG) return fail('qdisc message cut short', bytes.length);
  const attributes = parseAttributes(bytes, TCMSG);
  if (!attributes.ok) return attributes;
  const kind = textOf(attributes.value.get(TCA_KIND));
  return ok(kind === 'clsact' || kind === 'ingress' ? viewOf(bytes).getInt32(4, LITTLE) : undefined);
}

export function dumpLinks(): Result<readonly Link[]> {
  const request = new Uint8Array(IFINFO + 8);
  const view = viewOf(request);
  // Statistics would make some drivers ask their hardware.
  view.setUint16(IFINFO, 8, LITTLE);
  view.setUint16(IFINFO + 2, IFLA_EXT_MASK, LITTLE);
  view.setUint32(IFINFO + 4, RTEXT_FILTER_SKIP_STATS, LITTLE);
  return netlinkDump(NETLINK_ROUTE, RTM_GETLINK, request, parseLink);
}

/** Parses one message of the dump to a device and its rx_missed_errors. Source: net/core/rtnetlink.c:rtnl_fill_stats. */
export function parseMissed(bytes: Uint8Array): Result<readonly [device: string, missed: number] | undefined> {
  if (bytes.length < IFINFO) return fail('link message cut short', bytes.length);
  const attributes = parseAttributes(bytes, IFINFO);
  if (!attributes.ok) return attributes;
  const [name, counts] = [IFLA_IFNAME, IFLA_STATS64].map((type) => attributes.value.get(type));
  if (name === undefined || counts === undefined || counts.length < RX_MISSED_ERRORS + 8) return ok(undefined);
  const missed = Number(viewOf(counts).getBigUint64(RX_MISSED_ERRORS, LITTLE));
  return ok(Number.isSafeInteger(missed) ? [textOf(name), missed] : undefined);
}

/** With the statistics of all devices: only where there is a card whose are wanted. */
export function dumpMissed(): Result<ReadonlyMap<string, number>> {
  const all = netlinkDump(NETLINK_ROUTE, RTM_GETLINK, new Uint8Array(IFINFO), parseMissed);
  return all.ok ? ok(new Map(all.value)) : all;
}

/** Devices which have a clsact or ingress qdisc. */
export function dumpClsact(): Result<readonly number[]> {
  return netlinkDump(NETLINK_ROUTE, RTM_GETQDISC, new Uint8Array(TCMSG), parseClsact);
}

const CLSACT = { ingress: 0xfffffff2, egress: 0xfffffff3 } as const;

/**
 * Filters of a clsact hook, or of the queueing discipline with a handle; entries without a handle of their own are chain heads and
 * not filters.
 */
export function dumpFilters(ifindex: number, at: keyof typeof CLSACT | number): Result<readonly Filter[]> {
  const request = new Uint8Array(TCMSG);
  const view = viewOf(request);
  view.setInt32(4, ifindex, LITTLE);
  view.setUint32(12, typeof at === 'number' ? at : CLSACT[at], LITTLE);
  const all = netlinkDump(NETLINK_ROUTE, RTM_GETFILTER, request, parseFilter);
  return all.ok ? ok(all.value.filter(({ handle }) => handle !== 0)) : all;
}
