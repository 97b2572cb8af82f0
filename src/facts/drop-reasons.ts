/**
 * What the kernel's reasons for a drop mean: every reason of Linux 5.17 to 6.18 (include/net/dropreason-core.h,
 * net/openvswitch/drop.h), and the functions that stand for one where the kernel gives none.
 */

/**
 * loss: somebody waits for the packet. policy: dropped as asked for, or as a protocol is meant to. noise: no packet of anybody's
 * was lost. unclear: the kernel does not say which.
 */
export type DropKind = 'loss' | 'policy' | 'noise' | 'unclear';

export interface DropMeaning {
  readonly kind: DropKind;
  /** In plain words, behind "because". */
  readonly means: string;
  /** The rule that speaks about it. */
  readonly owner: string;
  /** The counter of /proc that should agree, as `Proto_Field`, where there is one. */
  readonly counter?: string;
  /** What to type, in the namespace of the drop. */
  readonly type?: string;
}

type Row = readonly [kind: DropKind, owner: string, means: string, counter?: string | undefined, type?: string];

const ROUTES = 'ip route get DESTINATION from SOURCE iif DEVICE; ip rule; ip route show table all';
const SOCKETS = 'ss -lntu';
const NEIGHBOURS = 'ip -s neigh show nud failed; ip -s ntable show';
const QDISCS = 'tc -s qdisc show';
const TCP = 'ss -tinm';
/** Of each queue: number, pid of the reader, waiting, ..., dropped because full, dropped because the reader was not told. */
const NFQUEUES = 'cat /proc/net/netfilter/nfnetlink_queue';
const RULESET = 'nft list ruleset; iptables-save -c';

const rows: Readonly<Record<string, Row>> = {
  // Sockets.
  NO_SOCKET: ['policy', 'PKT0704', 'nobody listens on the port', 'Udp_NoPorts', SOCKETS],
  SOCKET_CLOSE: ['policy', 'PKT0704', 'the socket was being closed', undefined, 'ss -tan state closing'],
  SOCKET_FILTER: ['policy', 'PKT0704', 'the filter of the socket refused it', undefined, 'ss -lntup --bpf'],
  SOCKET_RCVBUFF: ['loss', 'PKT0405', 'the receive buffer of the socket was full', 'Udp_RcvbufErrors', 'ss -lnump'],
  SOCKET_BACKLOG: ['loss', 'PKT0403', 'the backlog of the socket was full', 'TcpExt_TCPBacklogDrop', TCP],
  PROTO_MEM: [
    'loss',
    'PKT0405',
    'the memory of the protocol or of the cgroup was used up',
    'Udp_MemErrors',
    'cat /proc/net/sockstat',
  ],
  UNIX_DISCONNECT: ['noise', 'PKT0704', 'a Unix socket was disconnected'],
  UNIX_SKIP_OOB: ['noise', 'PKT0704', 'a Unix socket passed over out-of-band data'],
  PACKET_SOCK_ERROR: ['noise', 'PKT0709', 'a packet socket had no room for its copy', undefined, 'pktcost taps'],
  SECURITY_HOOK: [
    'policy',
    'PKT0704',
    'a security module (SELinux, AppArmor, BPF LSM) refused it',
    undefined,
    'dmesg | tail',
  ],
  // TCP.
  TCP_CSUM: ['loss', 'PKT0409', 'its TCP checksum was wrong', 'Tcp_InCsumErrors', 'ethtool -k DEVICE'],
  TCP_FLAGS: ['policy', 'PKT0704', 'its TCP flags made no sense in that state'],
  TCP_ZEROWINDOW: ['policy', 'PKT0704', 'the receive window was closed', 'TcpExt_TCPZeroWindowDrop', TCP],
  TCP_OLD_DATA: ['policy', 'PKT0704', 'its data had been received already', 'TcpExt_DelayedACKLost'],
  TCP_OVERWINDOW: ['policy', 'PKT0704', 'it was beyond the receive window'],
  TCP_OFOMERGE: ['policy', 'PKT0704', 'its data was in the out-of-order queue already', 'TcpExt_TCPOFOMerge'],
  TCP_OFO_DROP: ['loss', 'PKT0403', 'there was no room for it in the out-of-order queue', 'TcpExt_TCPOFODrop', TCP],
  TCP_OFO_QUEUE_PRUNE: [
    'loss',
    'PKT0403',
    'the out-of-order queue was thrown away for want of memory',
    'TcpExt_OfoPruned',
    TCP,
  ],
  TCP_RFC7323_PAWS: ['policy', 'PKT0704', 'its timestamp was older than the last', 'TcpExt_PAWSEstab'],
  TCP_RFC7323_PAWS_ACK: ['policy', 'PKT0704', 'the timestamp of an acknowledgement was older than the last'],
  TCP_RFC7323_TW_PAWS: [
    'policy',
    'PKT0704',
    'its timestamp was older than that of the connection before',
    'TcpExt_PAWSTimewait',
  ],
  TCP_RFC7323_TSECR: ['policy', 'PKT0704', 'it echoed a timestamp that was never sent'],
  TCP_LISTEN_OVERFLOW: [
    'loss',
    'PKT0401',
    'the accept queue of the listener was full',
    'TcpExt_ListenOverflows',
    'ss -ltn',
  ],
  TCP_OLD_SEQUENCE: ['policy', 'PKT0704', 'its sequence number was an old one'],
  TCP_INVALID_SEQUENCE: ['policy', 'PKT0704', 'its sequence number was out of the window'],
  TCP_INVALID_END_SEQUENCE: ['policy', 'PKT0704', 'its end was out of the window'],
  TCP_INVALID_ACK_SEQUENCE: ['policy', 'PKT0704', 'it acknowledged what was not sent'],
  TCP_RESET: ['policy', 'PKT0704', 'it was a reset, and did its work'],
  TCP_INVALID_SYN: ['policy', 'PKT0704', 'a SYN came within a connection', 'TcpExt_TCPSYNChallenge'],
  TCP_CLOSE: ['policy', 'PKT0704', 'the connection was closed'],
  TCP_FASTOPEN: ['policy', 'PKT0704', 'its data had come with the SYN'],
  TCP_OLD_ACK: ['policy', 'PKT0704', 'it acknowledged nothing new'],
  TCP_TOO_OLD_ACK: ['policy', 'PKT0704', 'its acknowledgement was too old'],
  TCP_ACK_UNSENT_DATA: ['policy', 'PKT0704', 'it acknowledged data that was not sent yet'],
  TCP_ABORT_ON_DATA: [
    'policy',
    'PKT0704',
    'data came for a connection whose program had gone',
    'TcpExt_TCPAbortOnData',
  ],
  TCP_MINTTL: ['policy', 'PKT0704', 'its TTL was below IP_MINTTL of the socket', 'TcpExt_TCPMinTTLDrop'],
  TCP_MD5NOTFOUND: ['policy', 'PKT0704', 'it had no MD5 signature', 'TcpExt_TCPMD5NotFound'],
  TCP_MD5UNEXPECTED: ['policy', 'PKT0704', 'it had an MD5 signature that nobody asked for', 'TcpExt_TCPMD5Unexpected'],
  TCP_MD5FAILURE: ['policy', 'PKT0704', 'its MD5 signature was wrong', 'TcpExt_TCPMD5Failure'],
  TCP_AUTH_HDR: ['policy', 'PKT0704', 'its authentication options were malformed'],
  TCP_AONOTFOUND: ['policy', 'PKT0704', 'it had no TCP-AO signature', 'TcpExt_TCPAORequired'],
  TCP_AOUNEXPECTED: ['policy', 'PKT0704', 'it had a TCP-AO signature that nobody asked for'],
  TCP_AOKEYNOTFOUND: ['policy', 'PKT0704', 'its TCP-AO key is not known', 'TcpExt_TCPAOKeyNotFound'],
  TCP_AOFAILURE: ['policy', 'PKT0704', 'its TCP-AO signature was wrong', 'TcpExt_TCPAOBad'],
  // IP, routing.
  UDP_CSUM: ['loss', 'PKT0409', 'its UDP checksum was wrong', 'Udp_InCsumErrors', 'ethtool -k DEVICE'],
  ICMP_CSUM: ['loss', 'PKT0409', 'its ICMP checksum was wrong', 'Icmp_InCsumErrors', 'ethtool -k DEVICE'],
  IP_CSUM: ['loss', 'PKT0409', 'the checksum of its IP header was wrong', 'IpExt_InCsumErrors', 'ethtool -k DEVICE'],
  SKB_CSUM: ['loss', 'PKT0409', 'its checksum could not be computed', undefined, 'ethtool -k DEVICE'],
  IP_INHDR: [
    'loss',
    'PKT0701',
    'its IP header was wrong, or its TTL ran out',
    'Ip_InHdrErrors',
    'traceroute DESTINATION',
  ],
  IP_RPFILTER: [
    'loss',
    'PKT0701',
    'rp_filter found no route back to its source over that device',
    'TcpExt_IPReversePathFilter',
    ROUTES,
  ],
  IP_INNOROUTES: ['loss', 'PKT0701', 'there is no route to its destination', 'IpExt_InNoRoutes', ROUTES],
  IP_OUTNOROUTES: ['loss', 'PKT0701', 'there is no route out', 'Ip_OutNoRoutes', ROUTES],
  IP_INADDRERRORS: [
    'loss',
    'PKT0701',
    'it is for another host, and this one does not forward',
    'Ip_InAddrErrors',
    'sysctl net.ipv4.ip_forward',
  ],
  IP_LOCAL_SOURCE: [
    'loss',
    'PKT0701',
    'its source is an address of this host (martian)',
    undefined,
    'sysctl net.ipv4.conf.all.log_martians=1',
  ],
  IP_INVALID_SOURCE: [
    'loss',
    'PKT0701',
    'its source is no address of a host (martian)',
    undefined,
    'sysctl net.ipv4.conf.all.log_martians=1',
  ],
  IP_LOCALNET: [
    'loss',
    'PKT0701',
    'it has an address of 127.0.0.0/8 from outside (martian)',
    undefined,
    'sysctl net.ipv4.conf.all.route_localnet',
  ],
  IP_INVALID_DEST: ['loss', 'PKT0701', 'its destination is no address of a host (martian)', undefined, ROUTES],
  UNICAST_IN_L2_MULTICAST: ['policy', 'PKT0704', 'a unicast packet came as an Ethernet broadcast'],
  IP_NOPROTO: ['policy', 'PKT0704', 'nobody takes its IP protocol', 'Ip_InUnknownProtos'],
  OTHERHOST: [
    'policy',
    'PKT0704',
    'its MAC address is that of another host, or nobody here has its VLAN',
    undefined,
    'bridge fdb show; ip -s neigh; ip -d link show type vlan',
  ],
  IPV6DISABLED: [
    'policy',
    'PKT0704',
    'IPv6 is off on the device',
    'Ip6_InDiscards',
    'sysctl net.ipv6.conf.all.disable_ipv6',
  ],
  IPV6_BAD_EXTHDR: ['policy', 'PKT0704', 'its IPv6 extension headers were wrong', 'Ip6_InHdrErrors'],
  IPV6_NDISC_FRAG: ['policy', 'PKT0704', 'a neighbour discovery message came in fragments'],
  IPV6_NDISC_HOP_LIMIT: ['policy', 'PKT0704', 'a neighbour discovery message came from beyond the link'],
  IPV6_NDISC_BAD_CODE: ['policy', 'PKT0704', 'a neighbour discovery message had a wrong code'],
  IPV6_NDISC_BAD_OPTIONS: ['policy', 'PKT0704', 'a neighbour discovery message had wrong options'],
  IPV6_NDISC_NS_OTHERHOST: ['noise', 'PKT0704', 'a neighbour was looked for that is another host'],
  INVALID_PROTO: ['policy', 'PKT0704', 'its protocol does not fit its device'],
  ARP_PVLAN_DISABLE: ['policy', 'PKT0704', 'proxy ARP does not answer on the device it came from'],
  XFRM_POLICY: [
    'policy',
    'PKT0706',
    'an IPsec policy refused it',
    undefined,
    'ip -s xfrm policy; cat /proc/net/xfrm_stat',
  ],
  PSP_INPUT: ['policy', 'PKT0706', 'it lacked the PSP encryption that its socket wants'],
  PSP_OUTPUT: ['loss', 'PKT0706', 'it could not be encrypted by PSP'],
  IP_TUNNEL_ECN: ['policy', 'PKT0704', 'the ECN marks of a tunnel contradict each other'],
  TUNNEL_TXINFO: ['loss', 'PKT0708', 'a packet for a tunnel did not say where to'],
  SKB_RX_HEADROOM: [
    'loss',
    'PKT0708',
    'no room could be made in front of it for another header',
    undefined,
    'ip -d link',
  ],
  RECURSION_LIMIT: ['loss', 'PKT0708', 'devices send to each other in a circle', undefined, 'ip -d link'],
  // Size and fragments.
  PKT_TOO_BIG: [
    'loss',
    'PKT0703',
    'it is larger than the MTU and may not be fragmented',
    'Ip_FragFails',
    'ip -d link; ip route show cache',
  ],
  PKT_TOO_SMALL: ['policy', 'PKT0704', 'it was cut short', 'Ip_InTruncatedPkts'],
  DUP_FRAG: ['policy', 'PKT0704', 'its fragment had come already'],
  FRAG_REASM_TIMEOUT: [
    'loss',
    'PKT0703',
    'the other fragments did not come in time',
    'Ip_ReasmTimeout',
    'nstat -az | grep Reasm',
  ],
  FRAG_TOO_FAR: [
    'loss',
    'PKT0703',
    'fragments of a source came too far out of order',
    'Ip_ReasmFails',
    'sysctl net.ipv4.ipfrag_max_dist',
  ],
  HDR_TRUNC: ['loss', 'PKT0708', 'its headers were cut short'],
  SKB_GSO_SEG: ['loss', 'PKT0708', 'it could not be cut into segments', undefined, 'ethtool -k DEVICE'],
  SKB_UCOPY_FAULT: ['loss', 'PKT0708', 'the memory of the sender could not be read'],
  // Neighbours.
  NEIGH_CREATEFAIL: ['loss', 'PKT0702', 'no entry could be made in the neighbour table', undefined, NEIGHBOURS],
  NEIGH_FAILED: ['loss', 'PKT0702', 'the neighbour did not answer', undefined, NEIGHBOURS],
  NEIGH_QUEUEFULL: [
    'loss',
    'PKT0702',
    'too many packets waited for the address of their neighbour',
    undefined,
    NEIGHBOURS,
  ],
  NEIGH_DEAD: ['loss', 'PKT0702', 'the neighbour entry was being removed', undefined, NEIGHBOURS],
  NEIGH_HH_FILLFAIL: [
    'loss',
    'PKT0702',
    'the Ethernet header of the neighbour could not be written',
    undefined,
    NEIGHBOURS,
  ],
  // Filters.
  NETFILTER_DROP: [
    'policy',
    'PKT0704',
    'a netfilter rule (nftables, iptables, conntrack) dropped it',
    undefined,
    RULESET,
  ],
  XDP: ['policy', 'PKT0704', 'an XDP program dropped it', undefined, 'bpftool net'],
  TC_INGRESS: [
    'policy',
    'PKT0704',
    'a tc filter dropped it on the way in',
    undefined,
    'tc -s filter show dev DEVICE ingress; bpftool net',
  ],
  TC_EGRESS: [
    'policy',
    'PKT0704',
    'a tc filter dropped it on the way out',
    undefined,
    'tc -s filter show dev DEVICE egress; bpftool net',
  ],
  TC_ERROR: ['loss', 'PKT0708', 'tc could not classify it', undefined, 'tc -s filter show dev DEVICE'],
  TC_COOKIE_ERROR: ['loss', 'PKT0708', 'tc could not note where to go on', undefined, 'tc -s filter show dev DEVICE'],
  TC_CHAIN_NOTFOUND: [
    'policy',
    'PKT0704',
    'a tc filter went on to a chain that is not there',
    undefined,
    'tc -s filter show dev DEVICE',
  ],
  TC_RECLASSIFY_LOOP: [
    'loss',
    'PKT0708',
    'tc filters sent it round in a circle',
    undefined,
    'tc -s filter show dev DEVICE',
  ],
  BPF_CGROUP_EGRESS: ['policy', 'PKT0704', 'a BPF program of its cgroup dropped it', undefined, 'bpftool cgroup tree'],
  TAP_FILTER: ['policy', 'PKT0704', 'the filter of the tap device refused it'],
  TAP_TXFILTER: ['policy', 'PKT0704', 'the address filter of the tap device refused it'],
  // Queues and devices.
  QDISC_DROP: ['loss', 'PKT0503', 'the queueing discipline of the device dropped it', undefined, QDISCS],
  QDISC_OVERLIMIT: ['loss', 'PKT0503', 'the queueing discipline was over its limit', undefined, QDISCS],
  QDISC_CONGESTED: ['loss', 'PKT0503', 'the queueing discipline dropped it to signal congestion', undefined, QDISCS],
  CAKE_FLOOD: ['loss', 'PKT0503', 'cake dropped a flow that does not slow down', undefined, QDISCS],
  FQ_BAND_LIMIT: ['loss', 'PKT0503', 'a band of fq was full', undefined, QDISCS],
  FQ_HORIZON_LIMIT: ['loss', 'PKT0503', 'it was to leave later than the horizon of fq', undefined, QDISCS],
  FQ_FLOW_LIMIT: ['loss', 'PKT0503', 'its flow had too many packets in fq', undefined, QDISCS],
  DUALPI2_STEP_DROP: ['loss', 'PKT0503', 'dualpi2 dropped it for its delay', undefined, QDISCS],
  CPU_BACKLOG: ['loss', 'PKT0502', 'the backlog of the CPU was full', undefined, 'cat /proc/net/softnet_stat'],
  FULL_RING: [
    'loss',
    'PKT0504',
    'the ring of a tun or tap device was full: its reader does not keep up',
    undefined,
    'ip -s link; ss -xp',
  ],
  NOMEM: [
    'loss',
    'PKT0705',
    'there was no memory for it',
    undefined,
    'dmesg | grep -i "page allocation"; cat /proc/buddyinfo',
  ],
  PFMEMALLOC: [
    'loss',
    'PKT0705',
    'it was in memory kept for emergencies',
    'TcpExt_PFMemallocDrop',
    'sysctl vm.min_free_kbytes',
  ],
  DEV_READY: ['loss', 'PKT0504', 'the device it was to leave by was not ready', undefined, 'ip -s link'],
  DEV_HDR: ['policy', 'PKT0704', 'its header did not fit the device'],
  NO_TX_TARGET: ['policy', 'PKT0704', 'there was no other port to send it to', undefined, 'bridge fdb show'],
  UNHANDLED_PROTO: [
    'policy',
    'PKT0704',
    'nobody takes its Ethernet type, or it came by a port of a bond that is not active',
    undefined,
    'cat /proc/net/ptype',
  ],
  PTYPE_ABSENT: [
    'policy',
    'PKT0704',
    'nobody takes its Ethernet type, or it came by a port of a bond that is not active',
    undefined,
    'cat /proc/net/ptype',
  ],
  MAC_INVALID_SOURCE: ['policy', 'PKT0704', 'its source MAC address is none'],
  LOCAL_MAC: ['policy', 'PKT0704', 'its source MAC address is one of this host', undefined, 'bridge fdb show'],
  MAC_IEEE_MAC_CONTROL: ['noise', 'PKT0704', 'it was for the switch and not for the hosts (pause, LACP)'],
  BRIDGE_INGRESS_STP_STATE: [
    'policy',
    'PKT0704',
    'the port of the bridge does not forward (spanning tree)',
    undefined,
    'bridge -d link',
  ],
  VXLAN_INVALID_HDR: ['policy', 'PKT0704', 'its VXLAN header was wrong'],
  VXLAN_VNI_NOT_FOUND: [
    'policy',
    'PKT0704',
    'nobody here has its VXLAN number',
    undefined,
    'ip -d link show type vxlan',
  ],
  VXLAN_ENTRY_EXISTS: ['policy', 'PKT0704', 'a VXLAN neighbour moved that may not'],
  CAN_RX_INVALID_FRAME: ['policy', 'PKT0704', 'it was no valid CAN frame'],
  CANFD_RX_INVALID_FRAME: ['policy', 'PKT0704', 'it was no valid CAN FD frame'],
  CANXL_RX_INVALID_FRAME: ['policy', 'PKT0704', 'it was no valid CAN XL frame'],
  // Subsystems.
  OVS_DROP_LAST_ACTION: [
    'policy',
    'PKT0704',
    'the flow of Open vSwitch ends without an output',
    undefined,
    'ovs-appctl dpctl/dump-flows',
  ],
  OVS_DROP_ACTION_ERROR: [
    'loss',
    'PKT0708',
    'an action of Open vSwitch failed',
    undefined,
    'ovs-appctl dpctl/dump-flows',
  ],
  OVS_DROP_EXPLICIT: ['policy', 'PKT0704', 'a flow of Open vSwitch drops it', undefined, 'ovs-appctl dpctl/dump-flows'],
  OVS_DROP_EXPLICIT_WITH_ERROR: [
    'loss',
    'PKT0708',
    'a flow of Open vSwitch drops it for an error',
    undefined,
    'ovs-appctl dpctl/dump-flows',
  ],
  OVS_DROP_METER: [
    'policy',
    'PKT0704',
    'a meter of Open vSwitch dropped it',
    undefined,
    'ovs-ofctl meter-stats BRIDGE',
  ],
  OVS_DROP_RECURSION_LIMIT: ['loss', 'PKT0708', 'flows of Open vSwitch recirculate too often'],
  OVS_DROP_DEFERRED_LIMIT: ['loss', 'PKT0708', 'too many actions of Open vSwitch were put off'],
  OVS_DROP_FRAG_L2_TOO_LONG: ['loss', 'PKT0703', 'Open vSwitch cannot fragment behind so long a header'],
  OVS_DROP_FRAG_INVALID_PROTO: ['loss', 'PKT0703', 'Open vSwitch cannot fragment this protocol'],
  OVS_DROP_CONNTRACK: [
    'policy',
    'PKT0704',
    'conntrack of Open vSwitch refused it',
    undefined,
    'ovs-appctl dpctl/dump-conntrack',
  ],
  OVS_DROP_IP_TTL: ['loss', 'PKT0701', 'its TTL ran out in Open vSwitch'],
  // Neither a loss nor a word.
  NOT_SPECIFIED: ['unclear', '', 'the kernel does not say why'],
  QUEUE_PURGE: ['noise', '', 'a queue was emptied as its owner went'],
  SKB_CONSUMED: ['noise', '', 'it had done its work'],
  SKB_NOT_DROPPED_YET: ['noise', '', 'it had done its work'],
};

/** Functions that stand for a reason where the kernel gives none, by version: found by provoking them, and in the source. */
const byLocation: Readonly<Record<string, Row>> = {
  ip_error: [
    'loss',
    'PKT0701',
    'routing refuses it: no route, a blackhole or unreachable route, or no forwarding',
    'IpExt_InNoRoutes',
    ROUTES,
  ],
  // Of IPv6; what a blackhole route of IPv4 takes ends in ip_error.
  dst_discard_out: ['loss', 'PKT0701', 'a blackhole route takes it', undefined, ROUTES],
  dst_discard: ['loss', 'PKT0701', 'a blackhole route takes it', undefined, ROUTES],
  ip6_pkt_discard: ['loss', 'PKT0701', 'there is no route to its destination', 'Ip6_InNoRoutes', ROUTES],
  ip6_pkt_drop: ['loss', 'PKT0701', 'there is no route to its destination', 'Ip6_InNoRoutes', ROUTES],
  // Since 6.14 only the first is left, and rp_filter, which has a reason since 5.17, has always a counter that PKT0701 reads.
  ip_rcv_finish_core: [
    'unclear',
    '',
    'nobody here joined its multicast group, or its source is a martian',
    'IpExt_InMcastPkts',
    'ip maddress show',
  ],
  ip_forward: ['loss', 'PKT0701', 'it cannot be forwarded: TTL or MTU', 'Ip_InHdrErrors', ROUTES],
  ip6_forward: ['loss', 'PKT0701', 'it cannot be forwarded: hop limit or MTU', 'Ip6_InHdrErrors', ROUTES],
  neigh_invalidate: ['loss', 'PKT0702', 'the neighbour did not answer', undefined, NEIGHBOURS],
  arp_error_report: ['loss', 'PKT0702', 'the neighbour did not answer', undefined, NEIGHBOURS],
  ndisc_error_report: ['loss', 'PKT0702', 'the neighbour did not answer', undefined, NEIGHBOURS],
  __neigh_event_send: [
    'loss',
    'PKT0702',
    'too many packets waited for the address of their neighbour',
    undefined,
    NEIGHBOURS,
  ],
  neigh_resolve_output: ['loss', 'PKT0702', 'the address of the neighbour could not be found', undefined, NEIGHBOURS],
  nf_hook_slow: [
    'policy',
    'PKT0704',
    'a netfilter rule (nftables, iptables, conntrack) dropped it',
    undefined,
    RULESET,
  ],
  nf_hook_slow_list: [
    'policy',
    'PKT0704',
    'a netfilter rule (nftables, iptables, conntrack) dropped it',
    undefined,
    RULESET,
  ],
  // Since 6.12 part of nfnetlink_queue.c, and under the name of its caller where the compiler inlined it.
  ...Object.fromEntries(
    ['nf_reinject', 'nfqnl_reinject', 'nfqnl_recv_verdict'].map((name): [string, Row] => [
      name,
      ['policy', 'PKT0704', 'the reader of an NFQUEUE dropped it', undefined, NFQUEUES],
    ]),
  ),
  // No reader, a full queue or no memory, unless the rule lets it pass then (bypass, fail-open).
  nf_queue: ['loss', 'PKT0708', 'its NFQUEUE has no reader, or was full', undefined, NFQUEUES],
  enqueue_to_backlog: ['loss', 'PKT0502', 'the backlog of the CPU was full', undefined, 'cat /proc/net/softnet_stat'],
  tun_net_xmit: [
    'loss',
    'PKT0504',
    'the ring of a tun or tap device was full: its reader does not keep up',
    undefined,
    'ip -s link',
  ],
  veth_xmit: ['loss', 'PKT0504', 'the peer of the veth pair is down, or its queue is full', undefined, 'ip -s link'],
  br_handle_frame: ['policy', 'PKT0704', 'the port of the bridge does not take it', undefined, 'bridge -d link'],
  br_handle_frame_finish: [
    'policy',
    'PKT0704',
    'the port of the bridge does not forward it',
    undefined,
    'bridge -d link',
  ],
  br_dev_xmit: ['policy', 'PKT0704', 'the bridge does not forward it', undefined, 'bridge -d link'],
  br_flood: ['policy', 'PKT0704', 'the bridge has no other port for it', undefined, 'bridge -d link'],
  br_forward: ['policy', 'PKT0704', 'the bridge does not forward it to that port', undefined, 'bridge -d link'],
  br_stp_rcv: ['noise', '', 'it was a message of the spanning tree'],
  veth_xdp_rcv_skb: ['policy', 'PKT0704', 'an XDP program dropped it in the driver', undefined, 'bpftool net'],
  do_xdp_generic: ['policy', 'PKT0704', 'an XDP program dropped it', undefined, 'bpftool net'],
  __dev_queue_xmit: ['loss', 'PKT0503', 'the queueing discipline of the device dropped it', undefined, QDISCS],
  raw_rcv: ['loss', 'PKT0708', 'the raw socket refused it, or had no room', undefined, 'ss -wnmp'],
  raw_rcv_skb: ['loss', 'PKT0708', 'the receive buffer of a raw socket was full', undefined, 'ss -wnmp'],
  rawv6_rcv: ['loss', 'PKT0708', 'the raw socket refused it, or had no room', undefined, 'ss -wnmp'],
  ip6_mc_input: ['noise', '', 'nobody here joined its multicast group'],
  ip_mr_input: ['noise', '', 'nobody here joined its multicast group'],
  __udp4_lib_mcast_deliver: ['noise', '', 'nobody here joined its multicast group'],
  icmpv6_rcv: ['noise', '', 'it was an ICMPv6 message that had done its work'],
  ndisc_rcv: ['noise', '', 'it was a message of neighbour discovery'],
  arp_process: ['noise', '', 'it was an ARP message for others'],
  arp_rcv: ['noise', '', 'it was an ARP message for others'],
  igmp_rcv: ['noise', '', 'it was a message of group membership'],
  netlink_broadcast_filtered: ['noise', '', 'it was a netlink message, no packet'],
  netlink_unicast: ['noise', '', 'it was a netlink message, no packet'],
  unix_dgram_sendmsg: ['noise', '', 'it was a message of a Unix socket, no packet'],
  unix_stream_connect: ['noise', '', 'it was a message of a Unix socket, no packet'],
  unix_release_sock: ['noise', '', 'it was a message of a Unix socket, no packet'],
  packet_rcv: ['noise', 'PKT0709', 'a packet socket had no room for its copy', undefined, 'pktcost taps'],
  tpacket_rcv: ['noise', 'PKT0709', 'a packet socket had no room for its copy', undefined, 'pktcost taps'],
};

const UNNAMED = ['', 'NOT_SPECIFIED'] as const;

/** The kernel gives no reason: the function stands for it. */
export function isUnnamedDrop(reason: string): boolean {
  return (UNNAMED as readonly string[]).includes(reason);
}

function meaningOf([kind, owner, means, counter, type]: Row): DropMeaning {
  return { kind, owner, means, ...(counter !== undefined && { counter }), ...(type !== undefined && { type }) };
}

/** What a drop means: by its reason, and by the function where there is none. A reason that is not in the table is unclear. */
export function meaningOfDrop(reason: string, location: string): DropMeaning {
  const unnamed = isUnnamedDrop(reason);
  const row =
    (unnamed && Object.hasOwn(byLocation, location) ? byLocation[location] : undefined) ??
    (Object.hasOwn(rows, reason) ? rows[reason] : undefined);
  if (row !== undefined) return meaningOf(row);
  const means = reason === '' ? 'this kernel gives no reasons' : `the kernel says ${reason}`;
  return { kind: 'unclear', owner: '', means };
}

export const dropReasons: readonly string[] = Object.keys(rows);

/** How a label selects the drops that a rule speaks about: by reason, and by function where there is none. */
export function dropsOwnedBy(...codes: readonly string[]): { readonly reason: readonly string[] } {
  return { reason: Object.keys(rows).filter((reason) => codes.includes(rows[reason]![1])) };
}

export function unnamedDropsOwnedBy(...codes: readonly string[]): {
  readonly reason: readonly string[];
  readonly location: readonly string[];
} {
  return { reason: UNNAMED, location: Object.keys(byLocation).filter((name) => codes.includes(byLocation[name]![1])) };
}

/** Beginnings of reasons and functions: of packets that IP had delivered to a protocol, and of packets on their way out. */
const DELIVERED = [
  ...['SOCKET_', 'TCP_', 'UNIX_', 'PROTO_MEM', 'NO_SOCKET', 'UDP_CSUM', 'ICMP_CSUM', 'SKB_UCOPY', 'PACKET_SOCK'],
  'IPV6_NDISC',
];
const OUTGOING = [
  ...['QDISC_', 'CAKE_', 'FQ_', 'DUALPI2', 'NEIGH_', 'TC_EGRESS', 'BPF_CGROUP_EGRESS', 'IP_OUTNOROUTES', 'DEV_READY'],
  ...['FULL_RING', 'TAP_', 'TUNNEL_TXINFO', 'SKB_GSO_SEG', 'PSP_OUTPUT', 'QUEUE_PURGE'],
];
const DELIVERED_BY = [
  ...['tcp_', 'udp', '__udp', 'raw', 'icmp', 'igmp', 'ndisc_rcv', 'unix', 'netlink', 'packet_rcv', 'tpacket_rcv'],
];
const SENT_BY = [
  ...['neigh_', '__neigh', 'arp_error', 'ndisc_error', 'tun_net_xmit', 'veth_xmit', 'br_dev_xmit', '__dev_queue_xmit'],
];

/** Where on its way a packet was: not yet delivered, delivered to its protocol, or on the way out. */
export function stageOfDrop(reason: string, location: string): 'before' | 'delivered' | 'out' {
  const unnamed = isUnnamedDrop(reason);
  const [word, out, delivered] = unnamed ? [location, SENT_BY, DELIVERED_BY] : [reason, OUTGOING, DELIVERED];
  if (out.some((front) => word.startsWith(front))) return 'out';
  return delivered.some((front) => word.startsWith(front)) ? 'delivered' : 'before';
}
