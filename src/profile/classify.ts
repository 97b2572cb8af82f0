/** Which part a stack belongs to, what kind of work its leaf is, and which netfilter hook it is in. Pure; by names alone. */
import { parts, type Part, type PartId } from './parts.ts';

/** The second level: what the part was doing. `own` is its own code. */
export type LeafKind =
  'copy' | 'allocation' | 'freeing' | 'lock' | 'wake-up' | 'lookup' | 'checksum' | 'timestamp' | 'crypto' | 'own';

/** A function on a stack. */
export interface Frame {
  readonly name: string;
  /** The BPF program that it is, where it is one. */
  readonly program: ProgramFrame | null;
}

export interface ProgramFrame {
  readonly id: number;
  /** enum bpf_prog_type, include/uapi/linux/bpf.h. */
  readonly type: number;
  /** One of pktcost's. */
  readonly own: boolean;
}

export interface ClassifiedStack {
  readonly part: PartId;
  readonly leaf: LeafKind;
  readonly hook: NetfilterPlace | undefined;
  /** Of part `other`: the function to list, the innermost that is no mere helper. */
  readonly unnamed: string | undefined;
  /** Of part `tracing`: the function that is traced. */
  readonly traced?: string;
}

export interface NetfilterPlace {
  readonly hook: string;
  readonly engine: string;
}

const LEAVES: Readonly<Partial<Record<PartId, LeafKind>>> = {
  copy: 'copy',
  checksum: 'checksum',
  'skb-allocation': 'allocation',
  'page-allocation': 'allocation',
  reclaim: 'allocation',
  freeing: 'freeing',
  lock: 'lock',
  'wake-up': 'wake-up',
  scheduling: 'wake-up',
  timestamp: 'timestamp',
  crypto: 'crypto',
};

const LOOKUPS = marked([
  `__inet_lookup* inet_lookup* __inet6_lookup* inet6_lookup* __udp4_lib_lookup* __udp6_lib_lookup* udp4_lib_lookup* udp6_lib_lookup*
   fib_table_lookup fib_rules_lookup fib4_rule_* fib6_rule_* fib6_table_lookup fib6_node_lookup* find_exception
   nf_conntrack_find_get __nf_conntrack_find_get nf_conntrack_tuple_taken nft_*_lookup* nft_lookup_eval nft_set_* br_fdb_find* fdb_find_rcu
   masked_flow_lookup flow_lookup ovs_flow_tbl_lookup* neigh_lookup __neigh_lookup* rhashtable_* __rhashtable_* rht_* htab_*_lookup* __htab_*
   trie_lookup_elem htab_map_lookup* array_map_lookup* ip_set_test xfrm_lookup* xfrm_policy_lookup* xfrm_state_lookup
   vxlan_find_mac* __vxlan_find_mac ip_vs_conn_* raw_v4_match u32_classify fl_mask_lookup ip_check_mc_rcu reuseport_select_sock
   tcp_md5_do_lookup* macvlan_hash_lookup bond_xmit_hash`,
]);

function marked(texts: readonly string[]): (name: string) => boolean {
  const [exact, fronts] = split(texts.join(' '));
  return (name) => exact.has(name) || fronts.some((front) => name.startsWith(front));
}

function split(marks: string): readonly [ReadonlySet<string>, readonly string[]] {
  const words = marks.split(/\s+/).filter((word) => word !== '');
  return [
    new Set(words.filter((word) => !word.endsWith('*'))),
    words.filter((word) => word.endsWith('*')).map((word) => word.slice(0, -1)),
  ];
}

type AnyPart = Part & { readonly id: PartId };

const exactMarks = new Map<string, AnyPart>();
/** By their first three characters, the longest first: a few hundred fronts would be a long walk for each function. */
const frontMarks = new Map<string, (readonly [string, AnyPart])[]>();
const shortFronts: (readonly [string, AnyPart])[] = [];
for (const part of parts) {
  const [exact, fronts] = split(part.marks);
  for (const name of exact) exactMarks.set(name, part);
  for (const front of fronts) {
    if (front.length < 3) shortFronts.push([front, part]);
    else frontMarks.set(front.slice(0, 3), [...(frontMarks.get(front.slice(0, 3)) ?? []), [front, part]]);
  }
}
for (const list of frontMarks.values()) list.sort(([a], [b]) => b.length - a.length);

const marks = new Map<string, AnyPart | undefined>();

/** The part that a function marks by its name; remembered, since the same few hundred come again and again. */
function markOf(name: string): AnyPart | undefined {
  if (marks.has(name)) return marks.get(name);
  const fits = ([front]: readonly [string, AnyPart]): boolean => name.startsWith(front);
  const part = exactMarks.get(name) ?? frontMarks.get(name.slice(0, 3))?.find(fits)?.[1] ?? shortFronts.find(fits)?.[1];
  marks.set(name, part);
  return part;
}

export function partOfFunction(name: string): PartId | undefined {
  return markOf(name)?.id;
}

const part = (id: PartId): AnyPart => parts.find((each) => each.id === id)!;
const byStructure = {
  driverReceive: part('driver-receive'),
  driverTransmit: part('driver-transmit'),
  self: part('self'),
  other: part('other'),
};

/** The callers of a driver's functions, whose names are the driver's own. */
const POLLERS = new Set([
  '__napi_poll',
  'napi_poll',
  'net_rx_action',
  'napi_threaded_poll_loop',
  '__napi_busy_loop',
  'busy_poll_stop',
]);
const SENDERS = new Set([
  'dev_hard_start_xmit',
  'xmit_one',
  'netdev_start_xmit',
  '__dev_direct_xmit',
  'sch_direct_xmit',
]);

/** enum bpf_prog_type: where a program of this type runs. Tracing: kprobe, tracepoint, perf_event, raw_tracepoint, tracing. */
const PROGRAM_PARTS: Readonly<Record<number, PartId>> = {
  ...{ 1: 'socket-filter', 2: 'tracing', 3: 'tc-bpf', 4: 'tc-bpf', 5: 'tracing', 6: 'xdp', 7: 'tracing' },
  ...{ 8: 'cgroup-bpf', 9: 'cgroup-bpf', 10: 'tunnel', 11: 'tunnel', 12: 'tunnel', 13: 'cgroup-bpf' },
  ...{ 14: 'socket-filter', 16: 'socket-filter', 17: 'tracing', 18: 'cgroup-bpf', 19: 'tunnel', 21: 'socket-filter' },
  ...{
    22: 'stack-entry',
    24: 'tracing',
    25: 'cgroup-bpf',
    26: 'tracing',
    27: 'tcp',
    29: 'lsm',
    30: 'socket-filter',
    32: 'netfilter',
  },
};

function partOfFrame(frames: readonly Frame[], index: number): AnyPart | undefined {
  const { name, program } = frames[index]!;
  if (program !== null) {
    if (program.own) return byStructure.self;
    const id = PROGRAM_PARTS[program.type];
    return id === undefined ? undefined : part(id);
  }
  const named = markOf(name);
  if (named !== undefined) return named;
  const caller = frames[index - 1]?.name;
  if (caller === undefined) return undefined;
  if (POLLERS.has(caller)) return byStructure.driverReceive;
  return SENDERS.has(caller) ? byStructure.driverTransmit : undefined;
}

/**
 * The innermost function that a part knows decides. Memory, copies, locks and the like count for whatever owns them further out,
 * and for themselves where that is the ordinary way of a packet.
 *
 * @param frames from where the direction begins to the leaf
 * @param foreignTracing whether somebody else's programs or probes were seen on the path at all
 */
export function classify(frames: readonly Frame[], foreignTracing: boolean): ClassifiedStack {
  let found: AnyPart | undefined;
  let leaf: LeafKind | undefined;
  let at = -1;
  for (let index = frames.length - 1; index >= 0; index -= 1) {
    if (leaf === undefined && LOOKUPS(frames[index]!.name)) leaf = 'lookup';
    const here = partOfFrame(frames, index);
    if (here === undefined) continue;
    if (here.kind === 'common') {
      leaf ??= LEAVES[here.id];
      found ??= here;
      continue;
    }
    if (found === undefined || here.kind === 'owner') {
      found = here;
      at = index;
    }
    break;
  }
  const strange = at >= 0 && DISPATCHERS.has(frames[at]!.name) ? strangerOf(frames.slice(at + 1)) : undefined;
  if (found === undefined || strange !== undefined)
    return { part: 'other', leaf: leaf ?? 'own', hook: undefined, unnamed: strange ?? unnamedOf(frames) };
  const hook = netfilterOf(frames);
  const part = settle(found, frames, at, foreignTracing);
  const traced = part === 'tracing' ? tracedIn(frames.slice(0, at)) : undefined;
  return { part, leaf: leaf ?? 'own', hook, unnamed: undefined, ...(traced !== undefined && { traced }) };
}

/** The function that the tracing, its programs and its trampolines were called from. */
function tracedIn(callers: readonly Frame[]): string | undefined {
  return callers.findLast(({ name, program }) => program === null && markOf(name)?.id !== 'tracing')?.name;
}

/** Parts of receiving that come before a packet is in the stack. The tracepoint netif_receive_skb is the first thing in it. */
const ENTRANCE: ReadonlySet<PartId> = new Set([
  ...(['driver-receive', 'gro', 'backlog', 'softirq', 'stack-entry'] as const),
]);

/** Receive functions of packet sockets; that of a fanout group calls one of its members'. Source: net/packet/af_packet.c. */
const TAP_HOOKS = ['packet_rcv_fanout', 'tpacket_rcv', 'packet_rcv_spkt', 'packet_rcv'] as const;

/** The packet socket's function that a stack is in. */
export function tapHookOf(frames: readonly Frame[]): string | undefined {
  return TAP_HOOKS.find((hook) => frames.some(({ name, program }) => program === null && name === hook));
}

/** Whether what is traced lies where packets enter the stack, or before. */
export function isEntrance(traced: string): boolean {
  const part = markOf(traced);
  return part === undefined || ENTRANCE.has(part.id);
}

const onTheWay = (frames: readonly Frame[], to: number, name: string): boolean =>
  frames.slice(0, Math.max(0, to)).some((frame) => frame.name === name);

/** Names that mean one thing or another by what called them. */
function settle(found: AnyPart, frames: readonly Frame[], at: number, foreignTracing: boolean): PartId {
  if (found.id === 'tap-receive') return onTheWay(frames, at, 'dev_queue_xmit_nit') ? 'tap-transmit' : 'tap-receive';
  if (found.id === 'socket-filter') {
    // A packet socket's own filter is a program of the same type.
    if (frames.some(({ name }) => name === 'dev_queue_xmit_nit')) return 'tap-transmit';
    return frames.some(({ name }) => /^t?packet_rcv/.test(name)) ? 'tap-receive' : 'socket-filter';
  }
  if (found.id === 'xdp') return frames.some(({ name }) => GENERIC_XDP.has(name)) ? 'xdp-generic' : 'xdp';
  if (found.id === 'tracing') return isOwnTracing(frames, at, foreignTracing) ? 'self' : 'tracing';
  return found.id;
}

const GENERIC_XDP = new Set(['do_xdp_generic', 'netif_receive_generic_xdp', 'bpf_prog_run_generic_xdp']);

/** Thunks and returns to other work: the name of their caller says more. */
const HELPERS =
  /^(?:__x86_|srso_|retbleed_|_raw_spin_unlock|__local_bh_enable|asm_|entry_|el[01]|ret_from_|restore_|preempt_|__rcu_|rcu_|__fentry__|__cond_resched|need_resched)/;

/**
 * Functions that hand a packet to whoever has registered for it: what they call and nobody knows is no part of theirs. A driver's
 * poll and its transmit function, and netfilter's hooks, have parts of their own.
 */
const DISPATCHERS = new Set([
  ...['net_rx_action', 'process_backlog', '__netif_receive_skb_core', '__netif_receive_skb_one_core'],
  ...[
    '__netif_receive_skb_list_core',
    '__netif_receive_skb',
    'netif_receive_skb',
    'deliver_skb',
    'ip_protocol_deliver_rcu',
  ],
  ...['ip_local_deliver_finish', 'ip6_protocol_deliver_rcu', 'ip6_input_finish', '__dev_queue_xmit', '__qdisc_run'],
  ...[
    'sock_sendmsg',
    '__sock_sendmsg',
    'sock_recvmsg',
    '____sys_sendmsg',
    '____sys_recvmsg',
    'sock_write_iter',
    'sock_read_iter',
  ],
]);

/** What was called, where that is neither known nor a mere helper. */
function strangerOf(called: readonly Frame[]): string | undefined {
  const first = called.find(({ name }) => !HELPERS.test(name));
  return first !== undefined && markOf(first.name) === undefined ? first.name : undefined;
}

function unnamedOf(frames: readonly Frame[]): string | undefined {
  return frames.findLast(({ name }) => !HELPERS.test(name))?.name;
}

/** Programs of others on a tracepoint, whose frames say nothing of whose program they call. */
export function hasForeignTracing(frames: readonly Frame[]): boolean {
  return frames.some(
    ({ program }, index) =>
      program !== null &&
      !program.own &&
      PROGRAM_PARTS[program.type] === 'tracing' &&
      frames.slice(0, index).some(({ name }) => TRACEPOINT.test(name)),
  );
}

const TRACEPOINT = /^(?:bpf_trace_run|__bpf_trace_|__traceiter_)/;
const TRAMPOLINE = /^(?:bpf_trampoline|__bpf_prog_enter|__bpf_prog_exit|__bpf_tramp_)/;
/** On arm64 a function with hooks goes to its trampoline through this, before it has a frame of its own: the target may be unseen. */
const FTRACE = /^ftrace_caller/;
/** Where pktcost's own fentry and fexit programs are. */
const OWN_TARGETS = /^(?:t?packet_rcv|packet_rcv_fanout|dev_queue_xmit_nit)$/;

/** Of what leads to a program without one on the stack: a tracepoint on which only pktcost is, a trampoline at its targets. */
function isOwnTracing(frames: readonly Frame[], at: number, foreignTracing: boolean): boolean {
  const { name } = frames[at]!;
  if (TRACEPOINT.test(name) || FTRACE.test(name)) return !foreignTracing;
  return (
    TRAMPOLINE.test(name) &&
    OWN_TARGETS.test(frames.slice(0, at).findLast((frame) => !TRAMPOLINE.test(frame.name))?.name ?? '')
  );
}

/** The hook is told by who called nf_hook_slow: NF_HOOK is inlined (include/linux/netfilter.h). */
const HOOKS: Readonly<Record<string, string>> = {
  ...{ ip_rcv: 'prerouting', ipv6_rcv: 'prerouting', ip_list_rcv: 'prerouting', ip_sublist_rcv: 'prerouting' },
  ...{ ipv6_list_rcv: 'prerouting', ip6_sublist_rcv: 'prerouting', ip6_list_rcv_finish: 'prerouting' },
  ...{
    ip_local_deliver: 'input',
    ip6_input: 'input',
    ip6_mc_input: 'input',
    ip_forward: 'forward',
    ip6_forward: 'forward',
  },
  ...{ ipmr_queue_xmit: 'forward', ip_mr_forward: 'forward', __ip_local_out: 'output', __ip6_local_out: 'output' },
  ...{
    raw_send_hdrinc: 'output',
    raw_sendmsg: 'output',
    rawv6_sendmsg: 'output',
    rawv6_send_hdrinc: 'output',
    ip6_xmit: 'output',
  },
  ...{ ndisc_send_skb: 'output', mld_sendpack: 'output', igmp6_send: 'output', xfrm_output_resume: 'output' },
  ...{ ip_output: 'postrouting', ip_mc_output: 'postrouting', ip6_output: 'postrouting', xfrm4_output: 'postrouting' },
  ...{
    xfrm6_output: 'postrouting',
    __netif_receive_skb_core: 'ingress',
    nf_ingress: 'ingress',
    __dev_queue_xmit: 'egress',
  },
  ...{
    br_handle_frame: 'bridge prerouting',
    br_handle_frame_finish: 'bridge prerouting',
    nf_hook_bridge_pre: 'bridge prerouting',
  },
  ...{ br_pass_frame_up: 'bridge input', __br_forward: 'bridge forward', br_forward: 'bridge forward' },
  ...{ br_forward_finish: 'bridge postrouting', br_dev_xmit: 'bridge output', br_multicast_rcv: 'bridge input' },
  ...{ arp_rcv: 'arp input', arp_xmit: 'arp output', arp_send_dst: 'arp output', xfrm_trans_reinject: 'prerouting' },
  ...{
    br_nf_pre_routing: 'prerouting',
    br_nf_pre_routing_ipv6: 'prerouting',
    br_nf_forward_ip: 'forward',
    br_nf_forward: 'forward',
  },
  ...{ br_nf_post_routing: 'postrouting', br_nf_local_in: 'input', br_nf_hook_thresh: 'bridge prerouting' },
};

const ENGINES = new Map<PartId, string>([
  ['nftables', 'nftables'],
  ['iptables', 'iptables'],
  ['ebtables', 'ebtables'],
  ['conntrack', 'conntrack'],
  ['nat', 'nat'],
  ['netfilter', 'other'],
  ['ipvs', 'other'],
  ['flowtable', 'other'],
  ['nfqueue', 'other'],
]);

function netfilterOf(frames: readonly Frame[]): NetfilterPlace | undefined {
  const at = frames.findLastIndex(({ name }) => /^nf_hook_slow/.test(name));
  if (at < 0) return undefined;
  const caller = frames.slice(0, at).findLast(({ name }) => HOOKS[name] !== undefined)?.name ?? '';
  let engine: string | undefined;
  for (let index = frames.length - 1; index >= at; index -= 1) {
    const here = partOfFrame(frames, index);
    if (here === undefined || here.kind === 'common') continue;
    engine = ENGINES.get(here.id);
    // What a hook hands on (a verdict of NF_STOLEN that sends the packet) is no longer the hook.
    if (engine === undefined && here.kind === 'ordinary' && index > at) return undefined;
    if (engine !== undefined) break;
  }
  return { hook: HOOKS[caller] ?? 'other', engine: engine ?? 'other' };
}
