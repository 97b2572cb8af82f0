/**
 * Work that is done because of something further out: an answer's way out is the answer's, the way of a packet that a tunnel has
 * wrapped is the tunnel's, a copy's delivery is the copy's. Rules, taps and programs on such a way keep what is theirs.
 */
import type { PartId } from './parts.ts';
import type { Frame } from './frames.ts';

const CLAIMS = new Map<string, PartId>(
  Object.entries({
    // net/ipv4/icmp.c, net/ipv6/icmp.c: messages and answers to what came, with their routes and their way to the device.
    icmp: ['__icmp_send', 'icmp_rcv', 'icmp_reply', 'icmp6_send', 'icmpv6_rcv', 'icmpv6_echo_reply'],
    multicast: ['__udp4_lib_mcast_deliver', '__udp6_lib_mcast_deliver', 'ip_mr_forward', 'ip6_mr_forward'],
    raw: ['raw_local_deliver', 'raw_v4_input', 'raw_rcv', 'raw6_local_deliver', 'ipv6_raw_deliver', 'rawv6_rcv'],
    bridge: ['br_flood', 'br_multicast_flood'],
    // What is below them sends a second time, with another header.
    tunnel: [
      ...[
        'vxlan_xmit',
        'vxlan_xmit_one',
        'geneve_xmit',
        'ipgre_xmit',
        'gre_tap_xmit',
        'erspan_xmit',
        'ipip_tunnel_xmit',
      ],
      ...['sit_tunnel_xmit', 'ip6_tnl_start_xmit', 'ip6gre_tunnel_xmit', 'ip6erspan_tunnel_xmit', 'gtp_dev_xmit'],
      ...[
        'bareudp_xmit',
        'iptunnel_xmit',
        'ip_tunnel_xmit',
        'ip_md_tunnel_xmit',
        'udp_tunnel_xmit_skb',
        'udp_tunnel6_xmit_skb',
      ],
    ],
  } satisfies Partial<Record<PartId, readonly string[]>>).flatMap(([part, names]) =>
    names.map((name) => [name, part as PartId] as const),
  ),
);

/** The functions that deliver datagrams; the loop over the members of a group may be inlined in them. */
const DELIVERERS = new Set(['__udp4_lib_rcv', '__udp6_lib_rcv']);
const TO_ONE_SOCKET = new Set([
  'udp_unicast_rcv_skb',
  'udp6_unicast_rcv_skb',
  '__udp4_lib_lookup',
  '__udp6_lib_lookup',
]);
/** Neighbours are asked by ICMPv6, and have a part of their own. */
const KEPT = new Set<PartId>(['neighbour', 'interrupt']);

/** The part that claims a stack whose innermost known function is an ordinary one. */
export function claimed(frames: readonly Frame[], found: PartId, fanOut: boolean): PartId | undefined {
  if (KEPT.has(found)) return undefined;
  for (let index = frames.length - 1; index >= 0; index -= 1) {
    const { name, program } = frames[index]!;
    if (program !== null) continue;
    const part = CLAIMS.get(name);
    if (part !== undefined) return part;
    if (fanOut && DELIVERERS.has(name)) return toGroup(frames[index + 1]?.name) ? 'multicast' : undefined;
  }
  return undefined;
}

function toGroup(called: string | undefined): boolean {
  return called !== undefined && !TO_ONE_SOCKET.has(called);
}

/**
 * Whether datagrams are copied for the members of a group: where the loop over them is inlined, its clones are called by the function
 * that delivers (net/ipv4/udp.c:__udp4_lib_mcast_deliver), which clones for nobody else. A few say nothing of the rest.
 */
export function hasFanOut(rows: readonly { readonly frames: readonly Frame[]; readonly samples: number }[]): boolean {
  let [clones, delivered] = [0, 0];
  for (const { frames, samples } of rows) {
    const at = frames.findLastIndex(({ name }) => DELIVERERS.has(name));
    const called = at < 0 ? undefined : frames[at + 1]?.name;
    if (called === undefined) continue;
    delivered += samples;
    if (called.startsWith('skb_clone')) clones += samples;
  }
  return clones > 0 && clones >= delivered * CLONES;
}
/** Of what is spent in delivery: one clone for each copy takes some 30 %, one for a group of two 10 %. */
const CLONES = 0.1;
