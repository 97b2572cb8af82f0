// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The price of each packet socket, where the kernel permits fentry. Covers both directions and every protocol, which the
 * TC span cannot. A fanout group's hook runs its member's hook inside (packet_rcv_fanout), so the group's time is kept
 * apart and never added to its members'.
 */
#include "span.h"

#define SOCKETS 1024

struct packet_type {
	struct net_device *dev;
	void *af_packet_priv;
} KERNEL_STRUCT;

volatile __u32 pktcost_sample_every = 16;

PER_CPU(pktcost_tapcpu, pktcost_tapcpus);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, SOCKETS);
	__type(key, __u64);
	__type(value, struct pktcost_bill);
} pktcost_bills SEC(".maps");

static __always_inline struct pktcost_tapcpu *this_cpu_taps(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pktcost_tapcpus, &zero);
}

static __always_inline __u64 begin(__u32 *countdown)
{
	if (*countdown) {
		(*countdown)--;
		return 0;
	}
	*countdown = next_sample(pktcost_sample_every);
	return warm_clock();
}

static __always_inline void identify(struct pktcost_bill *bill, struct packet_type *hook, struct sock *sk)
{
	bill->inode = BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
	bill->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	bill->ifindex = BPF_CORE_READ(hook, dev, ifindex);
}

/*
 * What a full ring lost is in no dump, and asking for it (PACKET_STATISTICS) would set it to zero for its owner. All CPUs count in
 * one place, so that each sees the rise of them all between two of its packets; the owner may have set it to zero in between.
 */
static __always_inline void look_at_ring(struct pktcost_bill *bill, struct sock *sk)
{
	struct packet_sock *ring = (struct packet_sock *)sk;
	__u32 drops;

	if (!bpf_core_field_exists(ring->tp_drops))
		return;
	drops = BPF_CORE_READ(ring, tp_drops.counter);
	if (bill->looked)
		bill->lost += drops >= bill->seen ? drops - bill->seen : drops;
	bill->seen = drops;
	bill->looked = 1;
}

static __always_inline int deliver_begin(void)
{
	struct pktcost_tapcpu *cpu = this_cpu_taps();

	if (!cpu)
		return 0;
	cpu->calls++;
	cpu->rcv_ns = begin(&cpu->countdown);
	return 0;
}

static __always_inline int deliver_end(struct packet_type *hook, int has_ring)
{
	struct pktcost_tapcpu *cpu = this_cpu_taps();
	struct pktcost_bill *bill, fresh = {};
	struct sock *sk;
	__u64 key, ns;

	if (!cpu || !cpu->rcv_ns)
		return 0;
	ns = bpf_ktime_get_ns() - cpu->rcv_ns;
	cpu->rcv_ns = 0;
	sk = hook->af_packet_priv;
	key = (__u64)sk;
	bill = bpf_map_lookup_elem(&pktcost_bills, &key);
	if (!bill) {
		bpf_map_update_elem(&pktcost_bills, &key, &fresh, BPF_NOEXIST);
		bill = bpf_map_lookup_elem(&pktcost_bills, &key);
		if (!bill) {
			cpu->full++;
			return 0;
		}
	}
	if (!bill->packets)
		identify(bill, hook, sk);
	if (has_ring)
		look_at_ring(bill, sk);
	bill->packets++;
	bill->ns += ns;
	if (cpu->in_nit) {
		bill->tx_packets++;
		bill->tx_ns += ns;
	}
	return 0;
}

SEC("fentry/packet_rcv")
int BPF_PROG(pktcost_pkt_in, struct sk_buff *skb, struct net_device *dev, struct packet_type *hook)
{
	return deliver_begin();
}

SEC("fexit/packet_rcv")
int BPF_PROG(pktcost_pkt_out, struct sk_buff *skb, struct net_device *dev, struct packet_type *hook)
{
	return deliver_end(hook, 0);
}

SEC("fentry/tpacket_rcv")
int BPF_PROG(pktcost_ring_in, struct sk_buff *skb, struct net_device *dev, struct packet_type *hook)
{
	return deliver_begin();
}

SEC("fexit/tpacket_rcv")
int BPF_PROG(pktcost_ring_out, struct sk_buff *skb, struct net_device *dev, struct packet_type *hook)
{
	return deliver_end(hook, 1);
}

SEC("fentry/packet_rcv_fanout")
int BPF_PROG(pktcost_fan_in, struct sk_buff *skb)
{
	struct pktcost_tapcpu *cpu = this_cpu_taps();

	if (!cpu)
		return 0;
	cpu->fanout_calls++;
	cpu->fanout_ns = begin(&cpu->fanout_countdown);
	return 0;
}

SEC("fexit/packet_rcv_fanout")
int BPF_PROG(pktcost_fan_out, struct sk_buff *skb)
{
	struct pktcost_tapcpu *cpu = this_cpu_taps();

	if (!cpu || !cpu->fanout_ns)
		return 0;
	cpu->fanout_total_ns += bpf_ktime_get_ns() - cpu->fanout_ns;
	cpu->fanout_count++;
	cpu->fanout_ns = 0;
	return 0;
}

SEC("fentry/dev_queue_xmit_nit")
int BPF_PROG(pktcost_nit_in, struct sk_buff *skb)
{
	struct pktcost_tapcpu *cpu = this_cpu_taps();

	if (!cpu)
		return 0;
	cpu->nit_calls++;
	cpu->in_nit = 1;
	cpu->nit_ns = begin(&cpu->nit_countdown);
	return 0;
}

SEC("fexit/dev_queue_xmit_nit")
int BPF_PROG(pktcost_nit_out, struct sk_buff *skb)
{
	struct pktcost_tapcpu *cpu = this_cpu_taps();

	if (!cpu)
		return 0;
	cpu->in_nit = 0;
	if (!cpu->nit_ns)
		return 0;
	cpu->nit_total_ns += bpf_ktime_get_ns() - cpu->nit_ns;
	cpu->nit_count++;
	cpu->nit_ns = 0;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
