/** Which part a stack belongs to, and what kind of work its leaf is. Pure; by names alone. */
import type { PartId } from './parts.ts';
import { marked, markOf, type AnyPart } from './marks.ts';
import { partOfFrame, type Frame } from './frames.ts';
import { netfilterOf, type NetfilterPlace } from './netfilter-place.ts';
import { tracedIn, isOwnTracing } from './tracing-owner.ts';
import { claimed } from './claims.ts';

export interface SeenInProfile {
  /** Somebody else's programs or probes on the path. */
  readonly foreignTracing: boolean;
  /** Copies for the members of a group, made in the function that delivers to one socket as well. */
  readonly fanOut: boolean;
}

/** The second level: what the part was doing. `own` is its own code. */
export type LeafKind =
  'copy' | 'allocation' | 'freeing' | 'lock' | 'wake-up' | 'lookup' | 'checksum' | 'timestamp' | 'crypto' | 'own';

export interface ClassifiedStack {
  readonly part: PartId;
  readonly leaf: LeafKind;
  readonly hook: NetfilterPlace | undefined;
  /** Of part `other`: the function to list, the innermost that is no mere helper. */
  readonly unnamed: string | undefined;
  /** Of part `tracing`: the function that is traced. */
  readonly traced?: string;
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

/**
 * The innermost function that a part knows decides. Memory, copies, locks and the like count for whatever owns them further out,
 * and for themselves where that is the ordinary way of a packet.
 *
 * @param frames from where the direction begins to the leaf
 * @param seen what the profile as a whole says of names that mean one thing or another
 */
export function classify(frames: readonly Frame[], seen: SeenInProfile): ClassifiedStack {
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
  const claim = found.kind === 'owner' ? undefined : claimed(frames, found.id, seen.fanOut);
  const part = claim ?? settle(found, frames, at, seen.foreignTracing);
  const traced = part === 'tracing' ? tracedIn(frames.slice(0, at)) : undefined;
  return { part, leaf: leaf ?? 'own', hook, unnamed: undefined, ...(traced !== undefined && { traced }) };
}

/** Receive functions of packet sockets; that of a fanout group calls one of its members'. Source: net/packet/af_packet.c. */
const TAP_HOOKS = ['packet_rcv_fanout', 'tpacket_rcv', 'packet_rcv_spkt', 'packet_rcv'] as const;

/** The packet socket's function that a stack is in. */
export function tapHookOf(frames: readonly Frame[]): string | undefined {
  return TAP_HOOKS.find((hook) => frames.some(({ name, program }) => program === null && name === hook));
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

/** Thunks, a guest's own way to let interrupts in, and returns to other work: the name of their caller says more. */
const HELPERS =
  /^(?:__raw_callee_save_|(?:native|pvm|xen)_(?:irq_|save_fl|restore_fl)|__x86_|srso_|retbleed_|_raw_spin_unlock|__local_bh_enable|asm_|entry_|el[01]|ret_from_|restore_|preempt_|__rcu_|rcu_|__fentry__|__cond_resched|need_resched)/;

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
