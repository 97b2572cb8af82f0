// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* One device, `taps` only: the TC program right after the ETH_P_ALL taps. Reads the packet's address, nothing else. */
#include "tc.h"

SEC("tc")
int pktcost_in(struct __sk_buff *skb)
{
	struct pktcost_cpu *cpu = this_cpu_state();

	if (cpu)
		collect_taps(cpu, skb);
	return PASS_ON;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
