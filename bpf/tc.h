/* SPDX-License-Identifier: MIT */
/* The TC half of the `taps` span, shared by the object that measures only taps and the one that also measures the stack. */
#ifndef PKTCOST_TC_H
#define PKTCOST_TC_H

#include "span.h"

/* TCX_NEXT and TC_ACT_UNSPEC are the same number: go on with the next program, as if we were not there. */
#define PASS_ON (-1)

/* Which device this copy of the object watches; set before load. */
const volatile __u32 pktcost_slot = 0;

PER_CPU(pktcost_span, pktcost_taps);

/*
 * The context of a TC program is the address of the sk_buff (net/core/filter.c), so it compares with what the tracepoint
 * stored, on every kernel and without bpf_cast_to_kern_ctx (6.2).
 */
static __always_inline void collect_taps(struct pktcost_cpu *cpu, struct __sk_buff *skb)
{
	struct pktcost_span *span;
	__u32 zero = 0;
	__u64 now;

	cpu->packets[pktcost_slot % PKTCOST_SLOTS]++;
	cpu->device = pktcost_slot + 1;
	if (!cpu->skb)
		return;
	now = bpf_ktime_get_ns();
	if (resting()) {
		cpu->skb = 0;
		return;
	}
	span = bpf_map_lookup_elem(&pktcost_taps, &zero);
	if (!span)
		return;
	if (cpu->skb != (__u64)skb) {
		lose(span, PKTCOST_LOST_UNMATCHED);
		return;
	}
	cpu->skb = 0;
	/* VLAN and bond: the lower device, which nobody watches, gave the stamp; its taps and ours are in the span. */
	if (cpu->ifindex != skb->ifindex) {
		lose(span, PKTCOST_LOST_FOREIGN_IFINDEX);
		return;
	}
	record(span, cpu->stamp_ns, now);
}

#endif
