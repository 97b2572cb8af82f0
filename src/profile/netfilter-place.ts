/** Which netfilter hook a stack is in, and whose rules it runs there. */
import type { PartId } from './parts.ts';
import { partOfFrame, type Frame } from './frames.ts';

export interface NetfilterPlace {
  readonly hook: string;
  readonly engine: string;
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

export function netfilterOf(frames: readonly Frame[]): NetfilterPlace | undefined {
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
