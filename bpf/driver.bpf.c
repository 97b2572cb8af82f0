// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What of a timed NET_RX run passes in the driver, GRO and the softirq's own loop, and what in the stack: the clock is read where
 * the first packet enters the stack (netif_receive_skb, host.bpf.c) and where the stack gives the CPU back. It does that in two
 * places (net/core/dev.c, gro.c): GRO passes packets on in batches from within napi_gro_receive, and what it held back at the end
 * of the poll. A driver that calls netif_receive_skb itself is only seen up to its first packet of each poll, and the backlog
 * likewise: its part is a lower bound.
 *
 * napi_gro_receive_exit runs for every frame, so these are attached for a small part of the window (src/probe/shifts.ts).
 */
#include "span.h"

static __always_inline void stack_returned(int polled)
{
	struct pktcost_cpu *cpu = this_cpu_state();

	if (!cpu)
		return;
	cpu->driver_calls++;
	if (!cpu->entry_ns)
		return;
	/* Every run polls at least once; without these programs no run is split. */
	if (polled)
		cpu->split = 1;
	if (!cpu->stack_from_ns)
		return;
	cpu->run_stack_ns += bpf_ktime_get_ns() - cpu->stack_from_ns;
	cpu->stack_from_ns = 0;
	cpu->in_driver = 1;
}

SEC("raw_tp/napi_gro_receive_exit")
int BPF_PROG(pktcost_gro, int ret)
{
	stack_returned(0);
	return 0;
}

SEC("raw_tp/napi_gro_frags_exit")
int BPF_PROG(pktcost_frags, int ret)
{
	stack_returned(0);
	return 0;
}

SEC("raw_tp/napi_poll")
int BPF_PROG(pktcost_poll, void *napi, int work, int budget)
{
	stack_returned(1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
