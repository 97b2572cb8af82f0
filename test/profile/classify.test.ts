import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { classify } from '../../src/profile/classify.ts';
import { hasFanOut } from '../../src/profile/claims.ts';
import { hasForeignTracing } from '../../src/profile/tracing-owner.ts';
import { partOfFunction } from '../../src/profile/marks.ts';
import type { Frame } from '../../src/profile/frames.ts';
import { directionOfStack } from '../../src/profile/direction.ts';
import { partOf, partTitle, parts, type PartClass } from '../../src/profile/parts.ts';

/** `bpf:7:26` is program 7 of type 26, `own:9:3` one of pktcost's. */
function framesOf(stack: string): Frame[] {
  return stack.split(';').map((name) => {
    const program = /^(bpf|own):(\d+):(\d+)$/.exec(name);
    if (program === null) return { name, program: null };
    return { name, program: { id: Number(program[2]), type: Number(program[3]), own: program[1] === 'own' } };
  });
}

function placed(
  stack: string,
  foreignTracing = true,
  fanOut = false,
): ReturnType<typeof classify> & { readonly direction: string } {
  const frames = framesOf(stack);
  const way = directionOfStack(frames.map(({ name }) => name));
  assert.ok(way, stack);
  return { direction: way.direction, ...classify(frames.slice(way.from), { foreignTracing, fanOut }) };
}

const RX =
  'entry_SYSCALL_64_after_hwframe;do_syscall_64;__x64_sys_sendto;__sys_sendto;udp_sendmsg;__local_bh_enable_ip;do_softirq;handle_softirqs;net_rx_action;__napi_poll';
const CORE = `${RX};process_backlog;__netif_receive_skb_one_core;__netif_receive_skb_core`;
const TX =
  'do_syscall_64;__x64_sys_sendto;__sys_sendto;udp_sendmsg;udp_send_skb;ip_send_skb;ip_output;ip_finish_output2;__dev_queue_xmit';

const cases: readonly (readonly [stack: string, part: string, leaf?: string])[] = [
  [`${RX};veth_poll;veth_xdp_rcv`, 'driver-receive'],
  [`${RX};some_vendor_poll;some_vendor_clean_rx`, 'driver-receive'],
  [`${RX};mlx5e_napi_poll;napi_gro_receive;dev_gro_receive;inet_gro_receive;tcp4_gro_receive`, 'gro'],
  [`${RX};virtnet_poll;napi_alloc_skb;kmem_cache_alloc_noprof`, 'page-allocation', 'allocation'],
  [`${RX};virtnet_poll;bpf:5:6`, 'xdp'],
  [`${CORE};do_xdp_generic;bpf_prog_run_generic_xdp;bpf:5:6`, 'xdp-generic'],
  [`${CORE};tcf_classify;cls_bpf_classify;bpf:5:3`, 'tc-bpf'],
  [`${CORE};bpf:5:3;bpf_skb_load_bytes`, 'tc-bpf'],
  [`${CORE};tcf_classify;u32_classify`, 'tc-filter', 'lookup'],
  [`${CORE};packet_rcv`, 'tap-receive'],
  [`${CORE};tpacket_rcv;skb_copy_bits;memcpy`, 'tap-receive', 'copy'],
  [`${CORE};packet_rcv;run_filter;bpf:8:1`, 'tap-receive'],
  [
    `${CORE};packet_rcv;sock_def_readable;__wake_up_sync_key;try_to_wake_up;_raw_spin_lock_irqsave`,
    'tap-receive',
    'lock',
  ],
  [`${CORE};vlan_do_receive`, 'vlan'],
  [`${CORE};bond_handle_frame`, 'bonding'],
  [`${CORE};br_handle_frame;br_handle_frame_finish;br_forward;maybe_deliver`, 'bridge'],
  [
    `${CORE};netdev_frame_hook;ovs_vport_receive;ovs_dp_process_packet;ovs_flow_tbl_lookup_stats;masked_flow_lookup`,
    'openvswitch',
    'lookup',
  ],
  [`${CORE};macvlan_handle_frame`, 'macvlan'],
  [`${CORE};ip_rcv;nf_hook_slow;nft_do_chain_ipv4;nft_do_chain;nft_payload_eval`, 'nftables'],
  [`${CORE};ip_rcv;nf_hook_slow;ipt_do_table;string_mt;bm_find`, 'iptables'],
  [`${CORE};ip_rcv;nf_hook_slow;ipt_do_table;tcp_mt`, 'iptables'],
  [`${CORE};br_handle_frame;nf_hook_slow;ebt_do_table`, 'ebtables'],
  [`${CORE};ip_rcv;nf_hook_slow;nf_conntrack_in;__nf_conntrack_find_get`, 'conntrack', 'lookup'],
  [`${CORE};ip_rcv;nf_hook_slow;nf_nat_ipv4_pre_routing;nf_nat_inet_fn`, 'nat'],
  [`${CORE};ip_rcv;nf_hook_slow;ip_vs_in_hook;ip_vs_in`, 'ipvs'],
  [`${CORE};nf_hook_slow;nf_flow_offload_ip_hook`, 'flowtable'],
  [`${CORE};ip_rcv;nf_hook_slow`, 'netfilter'],
  [`${CORE};ip_rcv;ip_rcv_finish_core;ip_route_input_noref;ip_route_input_slow;fib_table_lookup`, 'routing', 'lookup'],
  [`${CORE};ip_rcv;ip_rcv_finish_core;fib_rules_lookup;fib4_rule_match`, 'routing', 'lookup'],
  [`${CORE};ip_rcv;ip_local_deliver;ip_local_deliver_finish`, 'ip-receive'],
  [`${CORE};ip_rcv;ip_forward;ip_forward_finish`, 'ip-forward'],
  [`${CORE};ip_rcv;ip_forward;ip_output;ip_finish_output2`, 'ip-output'],
  [`${CORE};ip_rcv;ip_local_deliver;ip_protocol_deliver_rcu;udp_rcv;udp_queue_rcv_one_skb;vxlan_rcv`, 'tunnel'],
  [
    `${CORE};ip_rcv;ip_local_deliver;xfrm4_rcv;xfrm_input;esp_input;crypto_aead_decrypt;aesni_ctr_enc`,
    'xfrm',
    'crypto',
  ],
  [`${CORE};ip_rcv;ip_local_deliver;udp_rcv;wg_receive`, 'wireguard'],
  [`${CORE};macsec_handle_frame`, 'macsec'],
  [`${CORE};ip_rcv;tcp_v4_rcv;tcp_v4_do_rcv;tcp_rcv_established`, 'tcp'],
  [`${CORE};ip_rcv;tcp_v4_rcv;__inet_lookup_established`, 'tcp', 'lookup'],
  [`${CORE};ip_rcv;udp_rcv;__udp4_lib_rcv;udp_queue_rcv_skb;__udp_enqueue_schedule_skb`, 'udp'],
  [
    `${CORE};ip_rcv;ip_local_deliver;raw_local_deliver;raw_v4_input;raw_rcv;skb_clone;kmem_cache_alloc_noprof`,
    'raw',
    'allocation',
  ],
  [`${CORE};ip_rcv;udp_rcv;udp_queue_rcv_one_skb;sk_filter_trim_cap;bpf:4:1`, 'socket-filter'],
  [`${CORE};ip_rcv;udp_rcv;sk_filter_trim_cap;__cgroup_bpf_run_filter_skb;bpf:4:8`, 'cgroup-bpf'],
  [`${CORE};ip_rcv;udp_rcv;sk_filter_trim_cap;security_sock_rcv_skb;selinux_socket_sock_rcv_skb`, 'lsm'],
  [
    `${CORE};ip_rcv;udp_rcv;__udp_enqueue_schedule_skb;sock_def_readable;__wake_up_common;ep_poll_callback`,
    'wake-up',
    'wake-up',
  ],
  [`${CORE};ip_rcv;icmp_rcv;icmp_reply`, 'icmp'],
  // What is done because of something further out is that one's: answers, copies for a group, the second way of a tunnel.
  [`${CORE};ip_rcv;udp_rcv;__udp4_lib_mcast_deliver;skb_clone`, 'multicast', 'allocation'],
  [`${CORE};ip_rcv;udp_rcv;__udp4_lib_mcast_deliver;udp_queue_rcv_one_skb;__udp_enqueue_schedule_skb`, 'multicast'],
  [
    `${CORE};ip_rcv;__udp4_lib_rcv;__icmp_send;icmp_route_lookup;ip_route_output_key_hash_rcu;fib_table_lookup`,
    'icmp',
    'lookup',
  ],
  [
    `${CORE};ip_rcv;icmp_rcv;icmp_reply;ip_push_pending_frames;ip_output;__dev_queue_xmit;dev_hard_start_xmit;veth_xmit`,
    'icmp',
  ],
  [`${CORE};ip_rcv;icmp_rcv;icmp_reply;ip_output;nf_hook_slow;nft_do_chain`, 'nftables'],
  [
    `${CORE};ip_rcv;ip_protocol_deliver_rcu;raw_local_deliver;raw_rcv;sock_queue_rcv_skb_reason;_raw_spin_lock`,
    'raw',
    'lock',
  ],
  [
    `${CORE};br_handle_frame;br_handle_frame_finish;br_flood;deliver_clone;__br_forward;br_dev_queue_push_xmit;__dev_queue_xmit;veth_xmit`,
    'bridge',
  ],
  [`${CORE};icmpv6_rcv;ndisc_rcv;neigh_update`, 'neighbour'],
  [
    `${TX};dev_hard_start_xmit;vxlan_xmit;vxlan_xmit_one;udp_tunnel_xmit_skb;iptunnel_xmit;ip_output;ip_finish_output2;__dev_queue_xmit;veth_xmit`,
    'tunnel',
  ],
  [`${TX};dev_hard_start_xmit;vxlan_xmit;iptunnel_xmit;ip_output;nf_hook_slow;nft_do_chain`, 'nftables'],
  [`${CORE};ip_rcv;udp_rcv;__udp4_lib_mcast_deliver`, 'multicast'],
  [`${CORE};ip_rcv;udp_rcv;kfree_skb_reason;skb_release_data`, 'freeing', 'freeing'],
  [`${CORE};ip_rcv;tcp_v4_rcv;native_queued_spin_lock_slowpath`, 'lock', 'lock'],
  [`${CORE};ip_rcv;ktime_get_with_offset`, 'timestamp', 'timestamp'],
  [
    `${RX};virtnet_poll;page_pool_alloc_pages;__alloc_pages_slowpath;try_to_free_pages;shrink_node`,
    'reclaim',
    'allocation',
  ],
  [`${CORE};__traceiter_netif_receive_skb;bpf_trace_run1;bpf:6:17;bpf_get_stackid_raw_tp;unwind_next_frame`, 'tracing'],
  [`${CORE};ip_rcv;kprobe_ftrace_handler;aggr_pre_handler`, 'tracing'],
  // A guest's own way to let interrupts in, after a fault of what a tracer reads, and elsewhere.
  [
    `${CORE};__traceiter_netif_receive_skb;perf_trace_run_bpf_submit;perf_tp_event;perf_callchain_user;exc_page_fault;__raw_callee_save_pvm_irq_enable;pvm_irq_enable`,
    'tracing',
  ],
  [`${CORE};ip_rcv;ip_rcv_finish;__raw_callee_save_xen_irq_enable;xen_irq_enable`, 'ip-receive'],
  [`${CORE};__raw_callee_save_pvm_irq_enable;pvm_irq_enable`, 'stack-entry'],
  [`${CORE};__traceiter_netif_receive_skb;bpf_trace_run1;own:6:26`, 'self'],
  [`${CORE};own:6:3`, 'self'],
  [`${CORE};ip_rcv;some_new_function`, 'ip-receive'],
  // As arm64 names them.
  [`${CORE};tpacket_rcv;skb_copy_bits;__pi_memcpy`, 'tap-receive', 'copy'],
  [`${CORE};ip_rcv;udp_rcv;skb_clone;__pi_memset_generic`, 'page-allocation', 'allocation'],
  [`${CORE};ip_rcv;tcp_v4_rcv;queued_spin_lock_slowpath`, 'lock', 'lock'],
  [
    `${CORE};ip_rcv;el1h_64_irq;el1h_64_irq_handler;el1_interrupt;call_on_irq_stack;do_interrupt_handler;gic_handle_irq;generic_handle_domain_irq;handle_percpu_devid_irq`,
    'interrupt',
  ],
  [
    `${CORE};ip_rcv;ip_local_deliver;xfrm4_rcv;xfrm_input;esp_input;crypto_aead_decrypt;ce_aes_ctr_encrypt`,
    'xfrm',
    'crypto',
  ],
  [`net_rx_action`, 'softirq'],
  [`${TX};dev_hard_start_xmit;dev_queue_xmit_nit;packet_rcv;skb_clone`, 'tap-transmit', 'allocation'],
  [`${TX};dev_hard_start_xmit;dev_queue_xmit_nit;tpacket_rcv;run_filter;bpf:3:1`, 'tap-transmit'],
  [`${TX};__qdisc_run;fq_dequeue`, 'qdisc'],
  [`${TX};dev_hard_start_xmit;some_vendor_start_xmit;dma_map_page_attrs`, 'driver-transmit'],
  [`${TX};dev_hard_start_xmit;veth_xmit;__dev_forward_skb;netif_rx;enqueue_to_backlog`, 'backlog'],
  [`${TX};validate_xmit_skb;__skb_gso_segment;skb_mac_gso_segment;tcp4_gso_segment;skb_segment`, 'gso'],
  [
    `do_syscall_64;__sys_recvfrom;sock_recvmsg;inet_recvmsg;tcp_recvmsg;skb_copy_datagram_iter;_copy_to_iter;rep_movs_alternative`,
    'copy',
    'copy',
  ],
  [
    `do_syscall_64;__sys_recvfrom;sock_recvmsg;udp_recvmsg;__skb_recv_udp;schedule_timeout;schedule;__schedule`,
    'scheduling',
    'wake-up',
  ],
  [`do_syscall_64;__x64_sys_epoll_wait;do_epoll_wait;ep_poll;ep_send_events`, 'epoll'],
  [`do_syscall_64;__sys_sendto;udp_sendmsg;__audit_sockaddr`, 'audit'],
  [`do_syscall_64;__sys_sendto;sock_sendmsg;packet_sendmsg;packet_snd`, 'packet-socket'],
];

describe('a stack', () => {
  for (const [stack, part, leaf = 'own'] of cases) {
    it(`${stack.split(';').slice(-3).join(' > ')} is ${part}`, () => {
      const place = placed(stack);
      assert.equal(place.part, part, stack);
      assert.equal(place.leaf, leaf, stack);
    });
  }

  it('is of no part when nothing on it is known, and tells its function', () => {
    const place = classify(framesOf('surprising_function;__x86_return_thunk'), {
      foreignTracing: false,
      fanOut: false,
    });
    assert.deepEqual(place, { part: 'other', leaf: 'own', hook: undefined, unnamed: 'surprising_function' });
  });

  it('in a loop over the members of a group that was inlined is told by the clones in the profile', () => {
    const stack = (rest: string): string => `${CORE};ip_rcv;ip_protocol_deliver_rcu;__udp4_lib_rcv;${rest}`;
    const rows = (clones: number): Parameters<typeof hasFanOut>[0] =>
      (
        [
          ['udp_queue_rcv_one_skb;__udp_enqueue_schedule_skb', 80],
          ['skb_clone;kmem_cache_alloc_noprof', clones],
        ] as const
      ).map(([rest, samples]) => ({ frames: framesOf(stack(rest)), samples }));
    assert.ok(hasFanOut(rows(20)));
    assert.ok(!hasFanOut(rows(2)), 'a few clones say nothing of the rest');
    assert.ok(!hasFanOut(rows(0)));
    const part = (rest: string, fanOut: boolean): string => placed(stack(rest), true, fanOut).part;
    assert.equal(part('udp_queue_rcv_one_skb;__udp_enqueue_schedule_skb', true), 'multicast');
    assert.equal(part('skb_clone;kmem_cache_alloc_noprof', true), 'multicast');
    assert.equal(part('udp_queue_rcv_one_skb;__udp_enqueue_schedule_skb', false), 'udp');
    assert.equal(part('udp_unicast_rcv_skb;udp_queue_rcv_one_skb', true), 'udp', 'to one socket');
    assert.equal(part('__udp4_lib_lookup', true), 'udp');
  });

  it('of a protocol that nobody knows is of no part, and is told', () => {
    const place = placed(`${CORE};novel_protocol_rcv;novel_lookup`);
    assert.deepEqual([place.part, place.unnamed], ['other', 'novel_protocol_rcv']);
    // What it copies or allocates is known for what it is; a spin lock let go is no function of its own.
    assert.equal(placed(`${CORE};novel_protocol_rcv;skb_clone`).part, 'skb-allocation');
    assert.equal(placed(`${RX};process_backlog;_raw_spin_unlock_irq`).part, 'backlog');
  });

  it('of a tracepoint that only pktcost is on is its own cost', () => {
    const stack = `${CORE};__traceiter_netif_receive_skb;bpf_trace_run1`;
    assert.equal(placed(stack, false).part, 'self');
    assert.equal(placed(stack, true).part, 'tracing');
    assert.equal(hasForeignTracing(framesOf(`${stack};own:3:26`)), false);
    assert.equal(hasForeignTracing(framesOf(`${stack};bpf:3:17`)), true);
  });

  it('of a trampoline is of whoever is at its target', () => {
    assert.equal(placed(`${CORE};packet_rcv;bpf_trampoline;__bpf_prog_enter_recur`, false).part, 'self');
    // On arm64 the function that was hooked has no frame yet.
    assert.equal(placed(`${CORE};ftrace_caller`, false).part, 'self');
    assert.equal(placed(`${CORE};ftrace_caller`, true).part, 'tracing');
    assert.equal(placed(`${CORE};ip_rcv;bpf_trampoline;__bpf_prog_enter_recur`, false).part, 'tracing');
    assert.equal(placed(`${CORE};ip_rcv;kprobe_ftrace_handler`, false).part, 'tracing');
  });
});

describe('the direction of a stack', () => {
  it('is receive from the softirq up, whatever system call it runs on top of', () => {
    const names = `${CORE};ip_rcv`.split(';');
    assert.deepEqual(directionOfStack(names), {
      direction: 'receive',
      from: names.indexOf('net_rx_action'),
      ofProcess: false,
    });
  });

  it('stays receive when the packet is answered or forwarded', () => {
    assert.equal(
      directionOfStack(`${CORE};ip_rcv;ip_forward;ip_output;__dev_queue_xmit;dev_hard_start_xmit`.split(';'))
        ?.direction,
      'receive',
    );
  });

  it('is receive for NAPI threads, busy polling and tun', () => {
    for (const stack of [
      'kthread;napi_threaded_poll;napi_threaded_poll_loop;__napi_poll;veth_poll',
      'do_syscall_64;do_epoll_wait;napi_busy_loop;__napi_busy_loop;virtnet_poll',
      'do_syscall_64;ksys_write;tun_chr_write_iter;tun_get_user;netif_receive_skb;__netif_receive_skb_core',
    ]) {
      const names = stack.split(';');
      const way = directionOfStack(names);
      assert.equal(way?.direction, 'receive', stack);
      assert.match(names[way.from]!, /^(?:napi_threaded_poll|napi_busy_loop|netif_receive_skb)$/);
    }
  });

  it('is transmit from the hand-over to the device, and the process pays unless a softirq does it', () => {
    assert.deepEqual(directionOfStack(TX.split(';')), { direction: 'transmit', from: 8, ofProcess: true });
    assert.equal(directionOfStack('do_syscall_64;__do_softirq;net_tx_action;__qdisc_run'.split(';'))?.ofProcess, false);
  });

  it('is socket for the rest of a call, and nothing for sockets that carry no packets', () => {
    assert.equal(
      directionOfStack('do_syscall_64;__sys_sendto;sock_sendmsg;udp_sendmsg'.split(';'))?.direction,
      'socket',
    );
    assert.equal(directionOfStack('do_syscall_64;__sys_sendto;sock_sendmsg;unix_stream_sendmsg'.split(';')), undefined);
    assert.equal(directionOfStack('do_syscall_64;__sys_sendmsg;sock_sendmsg;netlink_sendmsg'.split(';')), undefined);
    assert.equal(directionOfStack('do_syscall_64;ksys_read;vfs_read'.split(';')), undefined);
    assert.equal(directionOfStack([]), undefined);
  });
});

describe('a netfilter hook', () => {
  const hooks: readonly (readonly [stack: string, hook: string, engine: string, family?: string])[] = [
    [`${CORE};ip_rcv;nf_hook_slow;nft_do_chain_ipv4;nft_do_chain`, 'prerouting', 'nftables'],
    [
      `${CORE};ip_sublist_rcv;nf_hook_slow_list;nf_hook_slow;ipv4_conntrack_in;nf_conntrack_in`,
      'prerouting',
      'conntrack',
    ],
    [
      `${CORE};ip_rcv;ip_local_deliver;nf_hook_slow;nft_do_chain_inet;nft_do_chain;nft_cmp_fast_eval`,
      'input',
      'nftables',
    ],
    [`${CORE};ip_rcv;ip_forward;nf_hook_slow;ipt_do_table`, 'forward', 'iptables'],
    [`do_syscall_64;__sys_sendto;udp_sendmsg;ip_send_skb;__ip_local_out;nf_hook_slow;nf_nat_inet_fn`, 'output', 'nat'],
    [
      `do_syscall_64;__sys_sendto;udp_sendmsg;ip_send_skb;ip_output;nf_hook_slow;nft_do_chain_inet`,
      'postrouting',
      'nftables',
    ],
    [`${CORE};nf_hook_slow;nft_do_chain_netdev`, 'ingress', 'nftables', 'netdev'],
    [`${CORE};br_handle_frame;nf_hook_slow;ebt_do_table`, 'prerouting', 'ebtables', 'bridge'],
    [`${CORE};br_handle_frame;br_forward;nf_hook_slow;nft_do_chain_bridge`, 'forward', 'nftables', 'bridge'],
    [`${CORE};arp_rcv;nf_hook_slow;nft_do_chain_arp`, 'input', 'nftables', 'arp'],
    [`${CORE};ip_rcv;nf_hook_slow;some_module_hook`, 'prerouting', 'other'],
  ];
  for (const [stack, hook, engine, family = 'inet'] of hooks) {
    it(`is ${hook} of ${family}, ${engine}`, () => {
      assert.deepEqual(placed(stack).hook, { family, hook, engine });
    });
  }

  it('is over once the packet has left it', () => {
    assert.equal(placed(`${CORE};ip_rcv;nf_hook_slow;ip_vs_in_hook;ip_output;__dev_queue_xmit`).hook, undefined);
    assert.equal(placed(`${CORE};ip_rcv;ip_local_deliver`).hook, undefined);
  });
});

/** Names that anybody who has profiled the stack has seen, and the class that "Host Network Stack Overheads" gives their kind. */
const yardstick: Readonly<Record<PartClass, string>> = {
  'data-copy':
    'copy_user_enhanced_fast_string copy_user_generic_string _copy_to_iter _copy_from_iter_full skb_copy_datagram_iter __memcpy',
  'tcp-ip':
    'tcp_sendmsg_locked tcp_recvmsg tcp_v4_rcv tcp_ack tcp_write_xmit tcp_rcv_established ip_rcv ip_queue_xmit __ip_queue_xmit ip_local_deliver ip_output fib_table_lookup tcp_clean_rtx_queue __tcp_transmit_skb tcp_rack_advance',
  netdevice:
    'mlx5e_napi_poll mlx5e_poll_rx_cq net_rx_action napi_gro_receive dev_gro_receive tcp4_gro_receive __netif_receive_skb_core __dev_queue_xmit dev_hard_start_xmit skb_segment fq_codel_dequeue sch_direct_xmit validate_xmit_skb_list eth_type_trans',
  skb: '__alloc_skb build_skb __kfree_skb skb_release_data skb_clone kfree_skb consume_skb pskb_expand_head __pskb_pull_tail skb_free_head napi_alloc_skb',
  memory:
    'kmem_cache_alloc_node __kmalloc_node_track_caller get_page_from_freelist __alloc_pages_nodemask page_frag_alloc rmqueue_bulk page_pool_alloc_pages skb_page_frag_refill ___slab_alloc',
  lock: '_raw_spin_lock _raw_spin_lock_bh native_queued_spin_lock_slowpath _raw_spin_lock_irqsave queued_spin_lock_slowpath mutex_spin_on_owner',
  scheduling:
    '__schedule try_to_wake_up pick_next_task_fair __wake_up_common ep_poll_callback schedule_timeout dequeue_task_fair enqueue_task_fair ttwu_do_activate select_task_rq_fair update_curr',
  other: 'ktime_get_with_offset read_tsc mod_timer',
};

describe('the parts', () => {
  for (const [group, names] of Object.entries(yardstick)) {
    it(`agree with the field on ${group}`, () => {
      for (const name of names.split(' ')) {
        const id = partOfFunction(name);
        assert.equal(id === undefined ? 'none' : partOf(id).class, group, name);
      }
    });
  }

  it('have a title, and one of another version is told as it is', () => {
    assert.equal(partTitle('tap-transmit'), 'taps (sent)');
    assert.equal(partTitle('of-tomorrow'), 'of-tomorrow');
  });

  it('have one name each, and no mark stands in two of them', () => {
    assert.equal(new Set(parts.map(({ id }) => id)).size, parts.length);
    const seen = new Map<string, string>();
    for (const { id, marks } of parts) {
      for (const word of marks.split(/\s+/).filter((each) => each !== '')) {
        assert.equal(seen.get(word), undefined, `${word} in ${id} and ${seen.get(word) ?? ''}`);
        seen.set(word, id);
      }
    }
  });
});
