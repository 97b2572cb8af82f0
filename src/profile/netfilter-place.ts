/** Which netfilter hook a stack is in, and whose rules it runs there. */
import type { PartId } from './parts.ts';
import { partOfFrame, type Frame } from './frames.ts';

export interface NetfilterPlace {
  /** As nftables calls it: inet, bridge, arp or netdev; '' where the hook is not known. */
  readonly family: string;
  readonly hook: string;
  readonly engine: string;
}

/** The hook is told by who called nf_hook_slow: NF_HOOK is inlined (include/linux/netfilter.h). */
const CALLERS = {
  inet: {
    prerouting: `ip_rcv ipv6_rcv ip_list_rcv ip_sublist_rcv ipv6_list_rcv ip6_sublist_rcv ip6_list_rcv_finish
      xfrm_trans_reinject br_nf_pre_routing br_nf_pre_routing_ipv6`,
    input: 'ip_local_deliver ip6_input ip6_mc_input br_nf_local_in',
    forward: 'ip_forward ip6_forward ipmr_queue_xmit ip_mr_forward br_nf_forward_ip br_nf_forward',
    output: `__ip_local_out __ip6_local_out raw_send_hdrinc raw_sendmsg rawv6_sendmsg rawv6_send_hdrinc ip6_xmit
      ndisc_send_skb mld_sendpack igmp6_send xfrm_output_resume`,
    postrouting: 'ip_output ip_mc_output ip6_output xfrm4_output xfrm6_output br_nf_post_routing',
  },
  netdev: { ingress: '__netif_receive_skb_core nf_ingress', egress: '__dev_queue_xmit' },
  bridge: {
    prerouting: 'br_handle_frame br_handle_frame_finish nf_hook_bridge_pre br_nf_hook_thresh',
    input: 'br_pass_frame_up br_multicast_rcv',
    forward: '__br_forward br_forward',
    output: 'br_dev_xmit',
    postrouting: 'br_forward_finish',
  },
  arp: { input: 'arp_rcv', output: 'arp_xmit arp_send_dst' },
} as const;

const HOOKS: ReadonlyMap<string, Pick<NetfilterPlace, 'family' | 'hook'>> = new Map(
  Object.entries(CALLERS).flatMap(([family, hooks]) =>
    Object.entries(hooks).flatMap(([hook, callers]) => callers.split(/\s+/).map((name) => [name, { family, hook }])),
  ),
);

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

export function netfilterOf(frames: readonly Frame[]): NetfilterPlace | undefined {
  const at = frames.findLastIndex(({ name }) => /^nf_hook_slow/.test(name));
  if (at < 0) return undefined;
  const caller = frames.slice(0, at).findLast(({ name }) => HOOKS.has(name))?.name ?? '';
  let engine: string | undefined;
  for (let index = frames.length - 1; index >= at; index -= 1) {
    const here = partOfFrame(frames, index);
    if (here === undefined || here.kind === 'common') continue;
    engine = ENGINES.get(here.id);
    // What a hook hands on (a verdict of NF_STOLEN that sends the packet) is no longer the hook.
    if (engine === undefined && here.kind === 'ordinary' && index > at) return undefined;
    if (engine !== undefined) break;
  }
  return { ...(HOOKS.get(caller) ?? { family: '', hook: 'other' }), engine: engine ?? 'other' };
}
