/**
 * The parts of a packet's cost, and the kernel functions that mark each. A word of `marks` is a function's name, or the front of
 * one where it ends with `*`; the longest word that fits a function decides. Names are those of Linux 5.10 to 6.18 without the
 * compiler's endings (.isra.0, .constprop.0, .cold); functions that the compiler may inline are marked together with their callers.
 */

/** The classes of "Understanding Host Network Stack Overheads" (SIGCOMM 2021), section 2 and table 1. */
export type PartClass = 'data-copy' | 'tcp-ip' | 'netdevice' | 'skb' | 'memory' | 'lock' | 'scheduling' | 'other';

/** Who can own a part: where to look for somebody to ask. */
export type PartOwner =
  | 'driver'
  | 'kernel'
  | 'packet-sockets'
  | 'bpf-programs'
  | 'netfilter'
  | 'tc'
  | 'virtual-device'
  | 'tunnel'
  | 'sockets'
  | 'tracing'
  | 'security'
  | 'pktcost';

/**
 * `owner` keeps what it calls: a copy made for a tap is the tap's. From an `ordinary` part the `common` ones (copies, memory,
 * locks) are told apart, and stand for themselves.
 */
type PartKind = 'owner' | 'ordinary' | 'common';

export interface Part {
  readonly id: string;
  readonly title: string;
  readonly kind: PartKind;
  readonly class: PartClass;
  readonly owner: PartOwner;
  /** What the time is spent on, in one sentence. */
  readonly means: string;
  readonly marks: string;
}

const table = [
  // What a host's owner put there.
  {
    id: 'tap-receive',
    title: 'taps (received)',
    kind: 'owner',
    class: 'netdevice',
    owner: 'packet-sockets',
    means: 'Packet sockets that see received packets: their filters, clones, copies and rings.',
    marks: `packet_rcv tpacket_rcv packet_rcv_spkt packet_rcv_fanout fanout_demux_* prb_* run_filter packet_lookup_frame*
      packet_current_rx_frame packet_increment_rx_head tpacket_get_timestamp tpacket_fill_skb __packet_* packet_parse_headers
     `,
  },
  {
    id: 'tap-transmit',
    title: 'taps (sent)',
    kind: 'owner',
    class: 'netdevice',
    owner: 'packet-sockets',
    means:
      'Packet sockets that see sent packets: each is cloned before any filter is asked, in the context of the sender.',
    marks: `dev_queue_xmit_nit`,
  },
  {
    id: 'packet-socket',
    title: 'packet sockets (reading and sending)',
    kind: 'owner',
    class: 'netdevice',
    owner: 'packet-sockets',
    means: 'What the readers of packet sockets, and those who send through them, spend in the kernel.',
    marks: `packet_recvmsg packet_sendmsg packet_snd tpacket_snd packet_poll packet_mmap packet_setsockopt packet_getsockopt
      packet_create packet_release packet_bind* packet_do_bind packet_read_pending tpacket_parse_header tpacket_destruct_skb
      packet_alloc_skb packet_direct_xmit packet_xmit packet_spkt_*`,
  },
  {
    id: 'xdp',
    title: 'XDP programs',
    kind: 'owner',
    class: 'netdevice',
    owner: 'bpf-programs',
    means: 'XDP programs in the driver, and what they redirect to.',
    marks: `xdp_do_redirect* xdp_do_flush* bpf_prog_run_xdp dev_map_* __dev_flush dev_flush cpu_map_* bq_* xsk_* __xsk_* xp_*
      bpf_xdp_* xdp_convert_* xdp_return_* __xdp_return xdp_do_generic_redirect_map`,
  },
  {
    id: 'xdp-generic',
    title: 'generic XDP',
    kind: 'owner',
    class: 'netdevice',
    owner: 'bpf-programs',
    means: 'XDP programs outside of the driver, after the packet has been allocated and perhaps copied for them.',
    marks: `do_xdp_generic netif_receive_generic_xdp bpf_prog_run_generic_xdp generic_xdp_tx netif_skb_check_for_xdp
      skb_pp_cow_data skb_cow_data_for_xdp xdp_do_generic_redirect`,
  },
  {
    id: 'tc-bpf',
    title: 'tc BPF programs',
    kind: 'owner',
    class: 'netdevice',
    owner: 'bpf-programs',
    means: 'BPF programs at tc ingress and egress (TCX, cls_bpf, act_bpf), and what they redirect.',
    marks: `cls_bpf_* tcf_bpf_* tcx_run bpf_redirect* skb_do_redirect __bpf_redirect* bpf_clone_redirect bpf_skb_* __bpf_skb_*
      bpf_l3_csum_replace bpf_l4_csum_replace bpf_csum_* netkit_* bpf_fib_lookup bpf_skb_fib_lookup bpf_ipv4_fib_lookup
      bpf_ipv6_fib_lookup sk_skb_*`,
  },
  {
    id: 'tc-filter',
    title: 'tc filters and actions',
    kind: 'owner',
    class: 'netdevice',
    owner: 'tc',
    means: 'Filters of tc (u32, flower, matchall, basic, fw) and their actions.',
    marks: `tcf_* __tcf_* tc_run sch_handle_ingress sch_handle_egress u32_classify fl_classify fl_mask_lookup mall_classify
      basic_classify flow_classify fw_classify route4_classify rsvp_classify cls_cgroup_classify tc_cls_act_* em_*
      tcindex_classify`,
  },
  {
    id: 'qdisc',
    title: 'queueing (qdiscs)',
    kind: 'owner',
    class: 'netdevice',
    owner: 'tc',
    means: 'Queueing disciplines: enqueue, dequeue and shaping.',
    marks: `__qdisc_run qdisc_run qdisc_* __qdisc_* sch_direct_xmit dev_qdisc_* __dev_xmit_skb dequeue_skb pfifo_* bfifo_* fq_*
      fq_codel_* codel_* htb_* tbf_* cake_* sfq_* sfb_* hfsc_* prio_* netem_* taprio_* mqprio_* cbs_* etf_* drr_* qfq_* pie_*
      fq_pie_* red_* choke_* multiq_* plug_* skbprio_* ingress_enqueue psched_* noqueue_* bpf_qdisc_*`,
  },
  {
    id: 'nftables',
    title: 'nftables',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Rules, sets and maps of nftables.',
    marks: `nft_* __nft_* nf_tables_* nf_dup_netdev_*`,
  },
  {
    id: 'iptables',
    title: 'iptables',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Rules of iptables, ip6tables and arptables, with their matches and targets.',
    marks: `ipt_* ip6t_* xt_* arpt_* iptable_* ip6table_* arptable_* tcp_mt udp_mt udplite_mt icmp_match icmp6_match string_mt
      comment_mt conntrack_mt* state_mt limit_mt hashlimit_mt* multiport_mt addrtype_mt* mark_mt connmark_mt recent_mt
      set_match* set_target* log_tg reject_tg* owner_mt iprange_mt* mac_mt length_mt physdev_mt bpf_mt* statistic_mt time_mt
      u32_mt socket_mt* tproxy_tg* connlimit_mt ctstate_mt tcpmss_mt tcpmss_tg* mark_tg connmark_tg* kmp_find bm_find
      textsearch_* skb_find_text skb_ts_* ip_set_* hash_*_kadt bitmap_*_kadt hash_ip* hash_net* list_set_*`,
  },
  {
    id: 'ebtables',
    title: 'ebtables',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Rules of ebtables on bridges.',
    marks: `ebt_* ebtable_*`,
  },
  {
    id: 'conntrack',
    title: 'connection tracking',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Connection tracking: lookup, creation, confirmation and its timeouts.',
    marks: `nf_conntrack_* __nf_conntrack_* nf_ct_* __nf_ct_* nf_confirm* ipv4_conntrack_* ipv6_conntrack_* ipv4_confirm
      ipv6_confirm ipv4_helper resolve_normal_ct init_conntrack __init_conntrack hash_conntrack* ct_nlmsg_* ctnetlink_*
      get_next_corpse gc_worker early_drop nf_ct_frag6_*`,
  },
  {
    id: 'nat',
    title: 'address translation (NAT)',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Address translation of connections.',
    marks: `nf_nat_* __nf_nat_* nf_nat_masquerade* masquerade_* iptable_nat_* nft_nat_eval nft_masq_* nft_redir_*`,
  },
  {
    id: 'flowtable',
    title: 'netfilter flow tables',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'The short cut of netfilter for connections that are known.',
    marks: `nf_flow_* flow_offload_* nf_flowtable_*`,
  },
  {
    id: 'ipvs',
    title: 'IPVS',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Load balancing by IPVS.',
    marks: `ip_vs_*`,
  },
  {
    id: 'nfqueue',
    title: 'netfilter queues and logs',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'Packets that rules hand to user space (NFQUEUE, NFLOG, LOG).',
    marks: `nfqnl_* nf_queue* __nf_queue nf_reinject nfulnl_* __nfulnl_* nf_log_* nf_log_packet dump_ipv4_packet dump_ipv6_packet`,
  },
  {
    id: 'netfilter',
    title: 'netfilter hooks',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'netfilter',
    means: 'The walk over hooks, and hook functions that belong to no engine named here.',
    marks: `nf_hook* nf_* nf_reject_* nf_send_* nf_synproxy_* synproxy_* nf_bridge_* br_nf_* ip_route_me_harder
      ip6_route_me_harder selinux_ip_* bpf_nf_*`,
  },
  {
    id: 'bridge',
    title: 'bridge',
    kind: 'owner',
    class: 'netdevice',
    owner: 'virtual-device',
    means: 'The Linux bridge: learning, lookup, flooding.',
    marks: `br_* __br_* nbp_* brnf_* maybe_deliver deliver_clone should_deliver`,
  },
  {
    id: 'openvswitch',
    title: 'Open vSwitch',
    kind: 'owner',
    class: 'netdevice',
    owner: 'virtual-device',
    means: 'The datapath of Open vSwitch: keys, masks, flows, actions, upcalls.',
    marks: `ovs_* netdev_frame_hook netdev_port_receive internal_dev_* do_execute_actions clone_execute queue_userspace_packet
      key_extract* masked_flow_lookup flow_lookup ovs_dp_* execute_*_action do_output output_userspace`,
  },
  {
    id: 'bonding',
    title: 'bonding and team',
    kind: 'owner',
    class: 'netdevice',
    owner: 'virtual-device',
    means: 'Bonds and teams, in both directions.',
    marks: `bond_* __bond_* team_* lb_transmit ab_transmit rr_transmit netdev_lag_*`,
  },
  {
    id: 'vlan',
    title: 'VLAN',
    kind: 'owner',
    class: 'netdevice',
    owner: 'virtual-device',
    means: 'Devices of VLANs, and tags taken off and put on.',
    marks: `vlan_* __vlan_* skb_vlan_* __skb_vlan_* vlan_do_receive`,
  },
  {
    id: 'macvlan',
    title: 'macvlan and ipvlan',
    kind: 'owner',
    class: 'netdevice',
    owner: 'virtual-device',
    means: 'macvlan, macvtap, ipvlan and their copies of broadcasts.',
    marks: `macvlan_* macvtap_* ipvlan_* ipvtap_* ipvl_* tap_handle_frame vrf_* l3mdev_*`,
  },
  {
    id: 'tun',
    title: 'tun, tap and vhost',
    kind: 'owner',
    class: 'netdevice',
    owner: 'virtual-device',
    means: 'Packets to and from virtual machines and VPN programs (tun, tap, vhost-net).',
    marks: `tun_* __tun_* tap_* vhost_* handle_rx handle_tx handle_rx_net handle_tx_net handle_tx_kick handle_rx_kick ifb_*`,
  },
  {
    id: 'tunnel',
    title: 'tunnels',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'tunnel',
    means: 'VXLAN, Geneve, GRE, IPIP and the like: their headers, their lookups, the second pass through the stack.',
    marks: `vxlan_* __vxlan_* encap_bypass_* geneve_* gre_* __gre_* ipgre_* ip6gre_* ip_tunnel_* __ip_tunnel_* iptunnel_* ipip_*
      ipip6_* sit_* ip6_tnl_* ip6ip6_* ip4ip6_* ip6_tunnel_* udp_tunnel_* udp_tunnel6_* __udp_tunnel_* udp_sock_create* gtp_*
      fou_* gue_* erspan_* l2tp_* pppol2tp_* ppp_* pppoe_* bareudp_* mpls_* gro_cells_* tunnel4_* tunnel6_* skb_tunnel_*
      seg6_* lwtunnel_* ila_* rpl_*`,
  },
  {
    id: 'xfrm',
    title: 'IPsec (xfrm)',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'tunnel',
    means: 'IPsec: policy lookup, states, encryption.',
    marks: `xfrm_* __xfrm_* xfrm4_* xfrm6_* __xfrm6_* esp_* esp4_* esp6_* esp_input* ah_* ah6_* ipcomp_* decode_session*`,
  },
  {
    id: 'wireguard',
    title: 'WireGuard',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'tunnel',
    means: 'WireGuard: encryption, queues, peers.',
    marks: `wg_*`,
  },
  {
    id: 'macsec',
    title: 'MACsec',
    kind: 'owner',
    class: 'netdevice',
    owner: 'tunnel',
    means: 'Encryption of frames by MACsec.',
    marks: `macsec_*`,
  },
  {
    id: 'ktls',
    title: 'kernel TLS',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'sockets',
    means: 'TLS in the kernel: records, encryption.',
    marks: `tls_* bpf_exec_tx_verdict strp_* __strp_*`,
  },
  {
    id: 'socket-filter',
    title: 'socket filters',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'bpf-programs',
    means: 'Filters on sockets, programs that choose a socket, and sockmaps.',
    marks: `sk_filter_trim_cap sk_filter sk_run_filter __sk_filter_* bpf_sk_lookup_run_v4 bpf_sk_lookup_run_v6
      bpf_run_sk_reuseport run_bpf_filter reuseport_* inet_lookup_reuseport inet_lookup_run_sk_lookup sk_psock_* tcp_bpf_*
      udp_bpf_* sock_map_* sock_hash_* sk_msg_* bpf_sock_ops*`,
  },
  {
    id: 'cgroup-bpf',
    title: 'cgroup BPF programs',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'bpf-programs',
    means: 'BPF programs of cgroups on packets, sockets and options.',
    marks: `__cgroup_bpf_run_* cgroup_bpf_* bpf_prog_run_array_cg`,
  },
  {
    id: 'lsm',
    title: 'security modules (LSM)',
    kind: 'owner',
    class: 'other',
    owner: 'security',
    means: 'Checks of security modules on packets and sockets.',
    marks: `security_* selinux_* avc_* apparmor_* aa_* smack_* tomoyo_* bpf_lsm_* netlbl_* cipso_* calipso_* landlock_* hook_socket*`,
  },
  {
    id: 'audit',
    title: 'audit and seccomp',
    kind: 'owner',
    class: 'other',
    owner: 'security',
    means: 'System call auditing and seccomp filters.',
    marks: `audit_* __audit_* syscall_trace_enter* syscall_exit_work syscall_exit_to_user_mode_prepare __seccomp_filter seccomp_*`,
  },
  {
    id: 'tracing',
    title: 'tracing',
    kind: 'owner',
    class: 'other',
    owner: 'tracing',
    means: 'Tracing of the packet path: tracepoints, kprobes, fentry, perf events, and the programs on them.',
    marks: `bpf_trace_run* __bpf_trace_* trace_call_bpf __traceiter_* perf_trace_* perf_tp_event perf_swevent_* perf_event_output*
      __perf_event_* perf_output_* perf_prepare_* perf_callchain* get_perf_callchain perf_event_overflow trace_event_raw_event_*
      trace_event_* trace_buffer_* trace_function ring_buffer_* rb_reserve_* __rb_* bpf_trampoline_* __bpf_prog_enter*
      __bpf_prog_exit* __bpf_tramp_* kprobe_* kretprobe_* __kretprobe* aggr_*_handler opt_pre_handler optimized_callback
      arch_rethook_* rethook_* fprobe_* ftrace_* __ftrace_* arch_ftrace_* function_trace_* function_graph_* do_int3 exc_int3
      asm_exc_int3 int3 brk_handler call_break_hook do_debug_exception el1_dbg uprobe_* uprobes_* handle_swbp bpf_get_stack* __bpf_get_stack* stack_map_* bpf_perf_event_output*
      __bpf_perf_event_* bpf_ringbuf_* __bpf_ringbuf_* bpf_probe_read_* do_trace_* trace_kprobe* process_fetch_insn*
      unwind_next_frame kunwind_* __unwind_start unwind_get_return_address* orc_find arch_stack_walk stack_trace_* copy_from_kernel_nofault*
      trace_drop_common net_dm_*`,
  },
  {
    id: 'self',
    title: 'pktcost itself',
    kind: 'owner',
    class: 'other',
    owner: 'pktcost',
    means: "pktcost's own programs while it measures.",
    marks: ``,
  },
  {
    id: 'interrupt',
    title: 'interrupts of others',
    kind: 'owner',
    class: 'other',
    owner: 'kernel',
    means: 'Hardware interrupts and calls from other CPUs that came in between.',
    marks: `common_interrupt asm_common_interrupt __common_interrupt handle_edge_irq handle_fasteoi_irq handle_irq_event*
      __handle_irq_event* sysvec_* asm_sysvec_* __sysvec_* flush_smp_call_function_queue __flush_smp_call_function_queue
      generic_smp_call_function_* __irq_exit_rcu irq_exit_rcu irq_enter_rcu el1_interrupt el1h_64_irq* gic_handle_irq
      do_interrupt_handler generic_handle_domain_irq handle_percpu_devid_* ipi_handler do_handle_IPI`,
  },
  // The way of every packet.
  {
    id: 'driver-receive',
    title: 'driver (receiving)',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'driver',
    means: "The driver's poll: descriptors, buffers, headers.",
    marks: `eth_get_headlen veth_poll veth_xdp_rcv* virtnet_poll virtnet_receive* receive_buf receive_mergeable
      receive_small page_to_skb mlx5e_napi_poll mlx5e_poll_rx_cq mlx5e_handle_rx_cqe*
      ixgbe_poll ixgbe_clean_rx_irq i40e_napi_poll ice_napi_poll ice_clean_rx_irq igb_poll igb_clean_rx_irq* igc_poll bnxt_poll*
      bnxt_rx_pkt ena_io_poll ena_clean_rx_irq e1000_clean* e1000e_poll tg3_poll* rtl8169_poll vmxnet3_poll* netvsc_poll
      xennet_poll gve_napi_poll* netdev_rx_csum_fault`,
  },
  {
    id: 'gro',
    title: 'GRO',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'kernel',
    means: 'Packets of one connection merged before they enter the stack.',
    marks: `napi_gro_* dev_gro_* gro_* __gro_* skb_gro_* __skb_gro_* inet_gro_* ipv6_gro_* tcp4_gro_* tcp6_gro_* tcp_gro_*
      udp4_gro_* udp6_gro_* udp_gro_* eth_gro_* vlan_gro_* napi_frags_* napi_get_frags napi_skb_finish napi_reuse_skb
      skb_gro_receive* gro_pull_* gro_find_* gro_normal_* gro_list_*`,
  },
  {
    id: 'backlog',
    title: 'backlog and RPS',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'kernel',
    means: 'Packets put into the queue of a CPU, the same one or another (RPS), and the hash that chooses it.',
    marks: `enqueue_to_backlog get_rps_cpu get_rps_cpu_and_* set_rps_cpu netif_rx* __netif_rx process_backlog flush_backlog
      net_rps_* rps_* __skb_flow_dissect* skb_flow_dissect* __skb_get_hash* skb_get_hash* flow_hash_* __flow_hash_* napi_schedule*
      __napi_schedule* ____napi_schedule dev_forward_skb* __dev_forward_skb* ____dev_forward_skb skb_scrub_packet
      backlog_lock_* netif_receive_skb_internal`,
  },
  {
    id: 'stack-entry',
    title: 'entry into the stack',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'kernel',
    means: 'The hand-over of a received packet to taps, tc, upper devices and protocols.',
    marks: `__netif_receive_skb* netif_receive_skb* deliver_skb deliver_ptype_list_skb eth_type_trans skb_defer_rx_timestamp napi_pass_up`,
  },
  {
    id: 'softirq',
    title: 'the softirq itself',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'kernel',
    means: 'The loop of NET_RX and NET_TX over the devices that have work.',
    marks: `net_rx_action net_tx_action napi_threaded_poll* __napi_poll napi_poll napi_complete_done napi_busy_loop
      __napi_busy_loop busy_poll_stop napi_schedule_prep napi_watchdog __do_softirq handle_softirqs do_softirq* run_ksoftirqd
      __raise_softirq_irqoff raise_softirq* rcu_* __rcu_* skb_defer_free_flush`,
  },
  {
    id: 'ip-receive',
    title: 'IP (receiving)',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Header checks of IP and delivery to the protocol above.',
    marks: `ip_rcv* ip_local_deliver* ip_protocol_deliver_rcu ip_list_rcv* ip_sublist_rcv* ip_call_ra_chain ipv6_rcv* ip6_rcv*
      ip6_input* ip6_protocol_deliver_rcu ipv6_list_rcv ip6_sublist_rcv* ip6_list_rcv* ipv6_raw_deliver ip_rcv_options
      ip_options_* __ip_options_* ipv6_parse_* ip6_parse_* ipv6_skip_exthdr ipv6_find_hdr arp_rcv`,
  },
  {
    id: 'ip-forward',
    title: 'IP (forwarding)',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Packets for others, passed on.',
    marks: `ip_forward* ip6_forward* ip_exceeds_mtu ip_sabotage_in`,
  },
  {
    id: 'ip-output',
    title: 'IP (sending)',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Headers of IP put on, and the way to the device.',
    marks: `ip_output ip_finish_output* __ip_finish_output ip_local_out __ip_local_out ip_queue_xmit __ip_queue_xmit ip_send_*
      ip_build_and_send_pkt ip_append_data __ip_append_data* ip_make_skb __ip_make_skb ip_push_pending_frames ip_copy_metadata
      ip_mc_output ip_reply_glue_bits ip_select_ident* __ip_select_ident ip6_output ip6_finish_output* __ip6_finish_output
      ip6_local_out __ip6_local_out ip6_xmit ip6_append_data __ip6_append_data* ip6_make_skb __ip6_make_skb ip6_send_skb
      ip6_push_pending_frames ip_cmsg_* ip_setup_cork ip6_setup_cork dst_output ip_ttl* ip_flush_pending_frames ip_cork_*`,
  },
  {
    id: 'fragments',
    title: 'fragments',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Packets put together from fragments, or taken apart.',
    marks: `ip_defrag ip_frag_* inet_frag_* ip_fragment ip_do_fragment ip_check_defrag ip6_fragment ip6_frag_* ipv6_frag_* ipfrag_*
      ip_expire fqdir_* nf_ct_frag6_gather ip6frag_*`,
  },
  {
    id: 'routing',
    title: 'routing',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Lookups of routes, policy rules and the caches of both.',
    marks: `fib_* __fib_* fib4_* fib6_* ip_route_* __ip_route_* inet_rtm_* ip6_route_* ip6_pol_* __ip6_route_* rt6_* rt_* __mkroute_*
      ip_mkroute_* ip_check_mc* ip_error ipv4_dst_* ipv4_mtu ip6_dst_* ip6_mtu dst_* __dst_* ip6_negative_advice inet_select_addr
      inet_addr_type* ip_dev_find __ip_dev_find ip6_find_* ipv6_chk_* ipv6_dev_get_saddr* __ipv6_dev_* find_exception
      update_or_create_fnhe sk_setup_caps sk_dst_check __sk_dst_check ip4_datagram_release_cb ip6_dst_lookup* ip_sk_*
      ip_mc_validate_source nexthop_* inet_rt_*`,
  },
  {
    id: 'neighbour',
    title: 'neighbours (ARP, ND)',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Hardware addresses of the next hop.',
    marks: `neigh_* __neigh_* arp_* __arp_* ndisc_* __ndisc_* eth_header* ip_neigh_* pneigh_*`,
  },
  {
    id: 'icmp',
    title: 'ICMP',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'ICMP messages received, and answers such as port unreachable.',
    marks: `icmp_* __icmp_* icmpv6_* icmp6_* ping_* xrlim_allow inet_peer* inet_getpeer mld_* igmp_* igmp6_*`,
  },
  {
    id: 'multicast',
    title: 'multicast',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'kernel',
    means: 'Copies of a packet for the members of a group, and multicast routing.',
    marks: `__udp4_lib_mcast_deliver __udp6_lib_mcast_deliver udp_multicast_* ip_mr_* ipmr_* ip6mr_* ip_mc_sf_allow inet6_mc_check
      mr_* ipmr_cache_* dev_loopback_xmit ip_mc_finish_output ip_mc_find_dev`,
  },
  {
    id: 'tcp',
    title: 'TCP',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'sockets',
    means: 'TCP: lookup of the connection, state, acknowledgements, congestion control, timers.',
    marks: `tcp_* __tcp_* tcpv6_* bictcp_* cubictcp_* bbr_* dctcp_* inet_csk_* inet_ehash_* inet_twsk_* __inet_lookup* inet6_lookup*
      __inet6_lookup* inet_hash* __inet_hash* inet_reqsk_* reqsk_* cookie_* __cookie_* mptcp_* __mptcp_* subflow_* sctp_* inet_sk_*
      sk_reset_timer sk_stop_timer sk_pacing_* inet6_csk_* dccp_* mdtcp_* inet_lhash2_* inet_ehashfn inet6_ehashfn
      secure_tcp_* skb_still_in_host_queue rds_* smc_*`,
  },
  {
    id: 'udp',
    title: 'UDP',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'sockets',
    means: 'UDP: lookup of the socket, its queue, and the way out.',
    marks: `udp_* __udp_* udp4_* __udp4_* udp6_* __udp6_* udpv6_* __udpv6_* udplite_* skb_consume_udp first_packet_length
      __first_packet_length ip4_datagram_* ip6_datagram_* inet_dgram_connect`,
  },
  {
    id: 'raw',
    title: 'raw IP sockets',
    kind: 'owner',
    class: 'tcp-ip',
    owner: 'packet-sockets',
    means: 'Raw IP sockets: each gets a clone of every packet of its protocol.',
    marks: `raw_* __raw_v4_* __raw_v6_* raw6_* rawv6_* raw_local_deliver raw_v4_* raw_v6_*`,
  },
  {
    id: 'gso',
    title: 'segmentation (GSO)',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'kernel',
    means: 'Large packets cut into frames, because the device below cannot.',
    marks: `skb_segment* __skb_gso_segment skb_gso_* skb_mac_gso_segment skb_eth_gso_segment tcp_gso_segment tcp4_gso_segment
      tcp6_gso_segment __tcp_gso_segment_list inet_gso_segment ipv6_gso_segment udp4_ufo_fragment __udp_gso_segment
      skb_udp_tunnel_segment gre_gso_segment skb_warn_bad_offload validate_xmit_skb* tso_* skb_gso_transport_seglen`,
  },
  {
    id: 'stack-exit',
    title: 'hand-over to the device',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'kernel',
    means: 'The way of a packet to the device: choice of a queue, checks, the lock of the queue.',
    marks: `__dev_queue_xmit dev_queue_xmit* __dev_direct_xmit dev_direct_xmit dev_hard_start_xmit xmit_one netdev_core_pick_tx
      netdev_pick_tx __netdev_pick_tx netif_skb_features skb_network_protocol skb_get_tx_queue get_xps_queue skb_tx_hash
      passthru_features_check dflt_features_check skb_csum_hwoffload_help netif_tx_* dql_* dev_xmit_recursion*
      netdev_xmit_* skb_clone_tx_timestamp is_skb_forwardable`,
  },
  {
    id: 'driver-transmit',
    title: 'driver (sending)',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'driver',
    means: "The driver's transmit function: descriptors, mappings, the doorbell.",
    marks: `veth_xmit veth_forward_skb loopback_xmit start_xmit xmit_skb virtnet_xmit* mlx5e_xmit mlx5e_sq_xmit* ixgbe_xmit_*
      i40e_lan_xmit_frame ice_start_xmit igb_xmit_frame* bnxt_start_xmit ena_start_xmit e1000_xmit_frame tg3_start_xmit
      vmxnet3_xmit_frame dummy_xmit netvsc_start_xmit xennet_start_xmit gve_tx* veth_skb_is_eligible_for_gro`,
  },
  {
    id: 'completion',
    title: 'completion of sent packets',
    kind: 'ordinary',
    class: 'netdevice',
    owner: 'driver',
    means: 'Sent packets taken back from the device.',
    marks: `free_old_xmit* virtnet_poll_tx virtnet_poll_cleantx mlx5e_poll_tx_cq ixgbe_clean_tx_irq i40e_clean_tx_irq
      ice_clean_tx_irq igb_clean_tx_irq bnxt_tx_int* __bnxt_tx_int ena_clean_tx_irq tg3_tx e1000_clean_tx_irq napi_consume_skb
      dev_kfree_skb_irq* dev_kfree_skb_any* __dev_kfree_skb* __netif_schedule netif_schedule_queue`,
  },
  {
    id: 'socket',
    title: 'socket layer',
    kind: 'ordinary',
    class: 'tcp-ip',
    owner: 'sockets',
    means: 'Queues and memory accounts of sockets, and the calls of programs on them.',
    marks: `sock_* __sock_* sk_* __sk_* skb_set_owner_* skb_orphan* sockfd_lookup* inet_sendmsg inet_recvmsg inet6_sendmsg
      inet6_recvmsg inet_* inet6_* __sys_* ___sys_* ____sys_* do_recvmmsg kernel_sendmsg kernel_recvmsg move_addr_to_* get_compat_msghdr
      copy_msghdr_from_user sendmsg_copy_msghdr recvmsg_copy_msghdr import_* __import_iovec import_iovec __skb_recv_* __skb_try_*
      __skb_wait_* skb_recv_datagram datagram_poll* skb_free_datagram* io_send* io_recv* io_issue_sqe io_submit_sqes
      mem_cgroup_charge_skmem mem_cgroup_uncharge_skmem mem_cgroup_sk_* put_cmsg scm_* __scm_* lock_sock*
      __lock_sock release_sock __release_sock bpf_sk_storage* zerocopy_* skb_zerocopy* msg_zerocopy_* sock_queue_* splice_to_socket
      svc_* xprt_* xs_* rpc_* nvmet_tcp_* nvme_tcp_* iscsi_* ceph_*`,
  },
  {
    id: 'epoll',
    title: 'epoll and poll',
    kind: 'ordinary',
    class: 'scheduling',
    owner: 'sockets',
    means: 'Programs that ask which of their sockets are ready.',
    marks: `ep_* do_epoll_* __ep_* do_sys_poll do_poll do_select core_sys_select __pollwait poll_freewait poll_schedule_timeout
      sock_poll tcp_poll udp_poll`,
  },
  // Work of every kind of part.
  {
    id: 'copy',
    title: 'copies',
    kind: 'common',
    class: 'data-copy',
    owner: 'sockets',
    means: 'Bytes copied between the kernel and programs, and within the kernel.',
    marks: `copy_user_* rep_movs_alternative copyin copyout _copy_to_iter _copy_from_iter* copy_to_iter copy_from_iter
      copy_page_to_iter* copy_page_from_iter* skb_copy_datagram_* __skb_datagram_iter skb_copy_and_csum_* simple_copy_to_iter
      copy_to_user* copy_from_user* _copy_to_user _copy_from_user raw_copy_* __arch_copy_* __copy_user* memcpy* __memcpy* memmove
      __memmove __pi_memcpy* __pi_memmove* memcpy_* skb_copy_bits skb_store_bits csum_and_copy_* csum_partial_copy_* __csum_partial_copy_*
      copy_mc_* ip_generic_getfrag udp_lib_getfrag skb_do_copy_data_nocache skb_copy_to_page_nocache skb_splice_* skb_zerocopy_iter_*
      iov_iter_* fault_in_*`,
  },
  {
    id: 'checksum',
    title: 'checksums',
    kind: 'common',
    class: 'netdevice',
    owner: 'driver',
    means: 'Checksums computed by the CPU, because the device did not.',
    marks: `csum_partial do_csum __skb_checksum* skb_checksum* csum_* __csum_* ip_compute_csum ip_fast_csum inet_proto_csum_* crc32c*
      __crc32c* crc32_* nf_ip_checksum nf_ip6_checksum udp_set_csum udp4_hwcsum udp6_set_csum tcp_v4_send_check __tcp_v4_send_check`,
  },
  {
    id: 'skb-allocation',
    title: 'allocation of packets (skbs)',
    kind: 'common',
    class: 'skb',
    owner: 'kernel',
    means: 'Packet structures and their heads allocated, cloned, copied and enlarged.',
    marks: `__alloc_skb alloc_skb* build_skb* __build_skb* napi_build_skb slab_build_skb __napi_alloc_skb napi_alloc_skb
      __netdev_alloc_skb netdev_alloc_* __napi_alloc_frag* napi_alloc_frag* skb_clone* __skb_clone skb_copy skb_copy_expand
      __pskb_copy_fclone pskb_expand_head __pskb_pull_tail pskb_* skb_expand_head skb_realloc_headroom skb_share_check skb_ext_*
      __skb_ext_* kmalloc_reserve __kmalloc_reserve skb_morph skb_cow* sock_alloc_send_* skb_put skb_push skb_pull* __skb_pad skb_split skb_append_*
      skb_shift skb_try_coalesce skb_condense skb_add_rx_frag* skb_coalesce_* napi_skb_cache_get skb_init`,
  },
  {
    id: 'page-allocation',
    title: 'allocation of memory',
    kind: 'common',
    class: 'memory',
    owner: 'kernel',
    means: 'Memory and pages allocated for packets.',
    marks: `kmem_cache_alloc* kmalloc* __kmalloc* __do_kmalloc_* __slab_alloc* ___slab_alloc slab_* __kmem_cache_alloc* new_slab allocate_slab
      alloc_pages* __alloc_pages* alloc_page* get_page_from_freelist rmqueue* __rmqueue* page_frag_alloc* __page_frag_* page_frag_*
      skb_page_frag_refill sk_page_frag_refill page_pool_alloc* page_pool_dev_alloc* __page_pool_alloc* page_pool_refill*
      __alloc_frozen_pages* alloc_frozen_pages* prep_new_page post_alloc_hook clear_page* __pi_clear_page* memset* __memset __pi_memset* memcg_* __memcg_* mem_cgroup_*
      __mem_cgroup_* obj_cgroup_* get_obj_cgroup* try_charge* refill_obj_stock consume_obj_stock should_failslab
      get_partial_node get_any_partial alloc_from_pcs __pcs_* refill_sheaf kvmalloc* vmalloc* __vmalloc*`,
  },
  {
    id: 'reclaim',
    title: 'reclaim of memory',
    kind: 'common',
    class: 'memory',
    owner: 'kernel',
    means: 'Memory looked for because none was free.',
    marks: `try_to_free_* shrink_* do_try_to_free_pages __alloc_pages_slowpath* __alloc_pages_direct_* compact_* try_to_compact_*
      __perform_reclaim wake_all_kswapds wakeup_kswapd drain_all_pages out_of_memory balance_pgdat kswapd isolate_* migrate_pages*
      reclaim_high mem_cgroup_handle_over_high`,
  },
  {
    id: 'freeing',
    title: 'freeing of packets and memory',
    kind: 'common',
    class: 'skb',
    owner: 'kernel',
    means: 'Packets and their memory given back.',
    marks: `kfree_skb* __kfree_skb* consume_skb __consume_stateless_skb skb_release_* skb_free_head kfree_skbmem skb_attempt_defer_free
      kfree __kfree kmem_cache_free* __kmem_cache_free* ___cache_free __slab_free slab_free* __free_slab free_slab discard_slab do_slab_free cache_free* free_to_pcs* __free_pages* free_pages*
      free_unref_* __free_one_page free_one_page free_pcppages_bulk free_frozen_page* __free_frozen_pages put_page __put_page __folio_put folio_put*
      free_large_kmalloc page_frag_free page_pool_put* page_pool_return* page_pool_recycle* page_pool_release* napi_pp_put_page
      napi_skb_cache_put napi_skb_free_stolen_head sock_wfree sock_rfree sock_efree tcp_wfree
      kfree_call_rcu kvfree* kfree_rcu* __skb_ext_put skb_ext_put_sp sk_skb_reason_drop
      put_pages_list release_pages mem_cgroup_uncharge* sock_pfree`,
  },
  {
    id: 'lock',
    title: 'locks',
    kind: 'common',
    class: 'lock',
    owner: 'kernel',
    means: 'Locks taken, and above all waited for.',
    marks: `native_queued_spin_lock_slowpath queued_spin_lock_slowpath __pv_queued_spin_lock_slowpath resilient_* _raw_spin_lock*
      _raw_spin_trylock* _raw_read_lock* _raw_write_lock* queued_read_lock_slowpath queued_write_lock_slowpath mutex_* __mutex_*
      osq_lock rwsem_* down_read* down_write* rt_spin_* rt_mutex_* rtlock_* percpu_down_read* percpu_rwsem_* lock_acquire lock_release
      __pv_queued_spin_unlock* pv_* __raw_callee_save___pv_* kvm_wait xen_qlock_wait local_lock_*`,
  },
  {
    id: 'wake-up',
    title: 'wake-ups of programs',
    kind: 'common',
    class: 'scheduling',
    owner: 'sockets',
    means: 'Programs woken because something came for them.',
    marks: `sock_def_readable sock_def_write_space sock_def_wakeup sk_stream_write_space tcp_data_ready __wake_up* wake_up_* wake_up
      try_to_wake_up ttwu_* autoremove_wake_function default_wake_function woken_wake_function receiver_wake_function
      ep_poll_callback ep_autoremove_* pollwake select_task_rq* select_idle_* available_idle_cpu enqueue_task* activate_task
      check_preempt_* wakeup_preempt* resched_curr* __resched_curr native_smp_send_reschedule smp_send_* __smp_call_single_*
      smp_call_function_* generic_exec_single native_send_call_func_* x2apic_send_* default_send_IPI* send_call_function_*
      io_poll_wake sock_wake_async kill_fasync kick_process swake_up_* set_task_cpu place_entity update_curr* enqueue_entity
      __task_rq_lock arch_smp_send_reschedule smp_cross_call ipi_send_* __ipi_send_* gic_ipi_send_* kvm_send_ipi* hv_send_ipi* hv_apic_* irq_work_*`,
  },
  {
    id: 'scheduling',
    title: 'scheduling',
    kind: 'common',
    class: 'scheduling',
    owner: 'sockets',
    means: 'Programs put to sleep and others put in their place, because they wait for packets.',
    marks: `schedule* __schedule pick_next_task* __pick_next_task* pick_task_* pick_next_entity pick_eevdf finish_task_switch* prepare_task_switch*
      __switch_to* switch_mm* context_switch prepare_to_wait* finish_wait add_wait_queue* remove_wait_queue dequeue_task*
      dequeue_entit* deactivate_task update_rq_clock* put_prev_* set_next_* psi_* sched_* update_load_avg __update_load_avg*
      newidle_balance sched_balance_* load_balance hrtick_* do_nanosleep cond_resched* __cond_resched preempt_schedule*
      exit_to_user_mode_* wait_woken reweight_* try_to_block_task block_task io_schedule* io_cqring_* raw_spin_rq_*`,
  },
  {
    id: 'timer',
    title: 'timers',
    kind: 'common',
    class: 'other',
    owner: 'kernel',
    means: 'Timers set and cancelled for packets and connections.',
    marks: `mod_timer* __mod_timer add_timer* del_timer* timer_delete* detach_if_pending internal_add_timer enqueue_timer
      get_target_base lock_timer_base hrtimer_* __hrtimer_* timerqueue_* tick_* clockevents_* call_timer_fn lapic_next_* arch_timer_set_next_event_* arch_timer_handler_*
      trigger_dyntick_cpu* wake_up_nohz_cpu calc_wheel_index get_nohz_timer_target`,
  },
  {
    id: 'timestamp',
    title: 'time stamps',
    kind: 'common',
    class: 'other',
    owner: 'sockets',
    means: 'Clocks read for packets, and the stamps that sockets asked for.',
    marks: `ktime_get* read_tsc read_hpet acpi_pm_read kvm_clock_* pvclock_* hyperv_* read_hv_* __skb_tstamp_tx* skb_tstamp_*
      __sock_recv_timestamp* sock_recv_timestamp __sock_recv_cmsgs net_timestamp_* __net_timestamp skb_defer_tx_* skb_complete_*
      sched_clock* local_clock* native_sched_clock arch_counter_* timekeeping_* tcp_mstamp_refresh skb_tx_timestamp`,
  },
  {
    id: 'crypto',
    title: 'encryption',
    kind: 'common',
    class: 'other',
    owner: 'tunnel',
    means: 'Encryption and authentication of packets.',
    marks: `crypto_* aesni_* aes_* __aes_* gcm_* ghash_* chacha* poly1305* sha1_* sha256_* sha512_* blake2s* gf128mul_* aead_* skcipher_*
      gcmaes_* ce_aes_* neon_aes_* pmull_* kernel_neon_* fpsimd_* rfc4106_* essiv_* clmul_* cbc_* ctr_* authenc_* hmac_*`,
  },
  {
    id: 'other',
    title: 'other',
    kind: 'ordinary',
    class: 'other',
    owner: 'kernel',
    means: 'Functions that no part names; the busiest are listed.',
    marks: ``,
  },
] as const satisfies readonly Part[];

export type PartId = (typeof table)[number]['id'];

export const parts: readonly (Part & { readonly id: PartId })[] = table;

const byId: ReadonlyMap<string, Part & { readonly id: PartId }> = new Map(parts.map((part) => [part.id, part]));

/** A name that this version does not know, from a report of another, is told as it is. */
export function partTitle(id: string): string {
  return byId.get(id)?.title ?? id;
}

export function isPartId(id: string): id is PartId {
  return byId.has(id);
}

export function partOf(id: PartId): Part & { readonly id: PartId } {
  return byId.get(id)!;
}
