// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* One device, `taps` and `stack`: XDP stamps 1 packet in N, TC ingress and TC egress read the stamp. */
#include "tc.h"

volatile __u32 pktcost_stack_every = 64;

PER_CPU(pktcost_span, pktcost_stack_in);
PER_CPU(pktcost_span, pktcost_stack_out);

/* Metadata that differs makes GRO refuse to merge (gro_list_prepare), so the other packets are left as they came. */
SEC("xdp")
int pktcost_xdp(struct xdp_md *packet)
{
	struct pktcost_cpu *cpu = this_cpu_state();
	struct pktcost_stamp *stamp;
	struct pktcost_span *span;
	__u32 zero = 0;

	if (!cpu)
		return XDP_PASS;
	if (cpu->xdp_countdown) {
		cpu->xdp_countdown--;
		return XDP_PASS;
	}
	cpu->xdp_countdown = next_sample(pktcost_stack_every);
	span = bpf_map_lookup_elem(&pktcost_stack_in, &zero);
	if (!span)
		return XDP_PASS;
	span->stamped++;
	if (bpf_xdp_adjust_meta(packet, -(int)sizeof(*stamp))) {
		lose(span, PKTCOST_LOST_NO_METADATA);
		return XDP_PASS;
	}
	stamp = (void *)(long)packet->data_meta;
	if ((void *)(stamp + 1) > (void *)(long)packet->data)
		return XDP_PASS;
	stamp->magic = PKTCOST_MAGIC;
	stamp->ifindex = packet->ingress_ifindex;
	stamp->time_ns = warm_clock();
	return XDP_PASS;
}

/* Read only: a write on a clone would make the kernel reallocate the head, which drops the metadata (pskb_expand_head). */
static __always_inline struct pktcost_stamp *stamp_of(struct __sk_buff *skb)
{
	struct pktcost_stamp *stamp = (void *)(long)skb->data_meta;

	return (void *)(stamp + 1) > (void *)(long)skb->data ? 0 : stamp;
}

SEC("tc")
int pktcost_in(struct __sk_buff *skb)
{
	struct pktcost_cpu *cpu = this_cpu_state();
	struct pktcost_stamp *stamp = stamp_of(skb);
	struct pktcost_span *span;
	__u32 zero = 0;
	__u64 now;

	if (cpu)
		collect_taps(cpu, skb);
	if (!stamp)
		return PASS_ON;
	now = bpf_ktime_get_ns();
	span = bpf_map_lookup_elem(&pktcost_stack_in, &zero);
	if (!span)
		return PASS_ON;
	if (stamp->magic != PKTCOST_MAGIC)
		lose(span, PKTCOST_LOST_BAD_MAGIC);
	else if (stamp->ifindex != skb->ifindex)
		/* Metadata survives bridges and veth hops (skb_metadata in skb_shared_info): this stamp is an older one. */
		lose(span, PKTCOST_LOST_FOREIGN_IFINDEX);
	else
		record(span, stamp->time_ns, now);
	return PASS_ON;
}

/* Forwarded packets. The stamp's device is the one they came in by, so it is any watched device and not this one. */
SEC("tc")
int pktcost_out(struct __sk_buff *skb)
{
	struct pktcost_stamp *stamp = stamp_of(skb);
	struct pktcost_span *span;
	__u32 zero = 0;
	__u64 now;

	if (!stamp)
		return PASS_ON;
	now = bpf_ktime_get_ns();
	span = bpf_map_lookup_elem(&pktcost_stack_out, &zero);
	if (!span)
		return PASS_ON;
	if (stamp->magic != PKTCOST_MAGIC)
		lose(span, PKTCOST_LOST_BAD_MAGIC);
	else
		record(span, stamp->time_ns, now);
	return PASS_ON;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
