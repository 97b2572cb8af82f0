// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Programs which see every received packet of the host: the stamp, and an empty one for calibration. */
#include "span.h"
#include "home.h"

/* Written by user space while the programs run; .data and not .rodata, which is frozen at load. */
volatile __u32 pktcost_sample_every = 16;

/*
 * First thing in __netif_receive_skb_core, before the ETH_P_ALL taps (net/core/dev.c). An unsampled packet costs the map
 * lookup, two stores and two branches. A stamp still waiting is dropped here, because the slab hands the same sk_buff
 * address out again and a stale stamp would match it.
 */
SEC("tp_btf/netif_receive_skb")
int BPF_PROG(pktcost_recv, struct sk_buff *skb)
{
	struct pktcost_cpu *cpu = this_cpu_state();

	if (!cpu)
		return 0;
	cpu->skbs++;
	if (cpu->in_driver) {
		cpu->in_driver = 0;
		cpu->stack_from_ns = bpf_ktime_get_ns();
	}
	if (cpu->skb) {
		cpu->uncollected++;
		cpu->skb = 0;
	}
	if (cpu->countdown) {
		cpu->countdown--;
		return 0;
	}
	cpu->countdown = next_sample(pktcost_sample_every);
	cpu->ifindex = skb->dev->ifindex;
	cpu->stamped++;
	cpu->skb = (__u64)skb;
	cpu->stamp_ns = warm_clock();
	return 0;
}

/*
 * What BPF_ENABLE_STATS itself adds to each run: its run time is all overhead. Not on netif_receive_skb, where it would run
 * after the stamp was given and so inside the span.
 */
SEC("tp_btf/softirq_exit")
int BPF_PROG(pktcost_null, unsigned int vector)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
