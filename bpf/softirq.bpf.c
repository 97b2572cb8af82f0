// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Time spent in the NET_RX softirq. The clock is read on 1 run in N: with one packet per run, as on veth under UDP, two
 * readings on every run cost 125 ns per packet on the development machine, more than all other programs together. Runs are
 * all counted, so time and packets of the sampled ones scale to the whole.
 *
 * These read nothing of the kernel's, so that libbpf need not read its BTF for them (raw_tp, not tp_btf): some 30 ms of CPU an object.
 */
#include "span.h"

#define NET_RX_SOFTIRQ 3

volatile __u32 pktcost_net_rx_every = 8;

SEC("raw_tp/softirq_entry")
int BPF_PROG(pktcost_entry, unsigned int vector)
{
	struct pktcost_cpu *cpu;

	if (vector != NET_RX_SOFTIRQ)
		return 0;
	cpu = this_cpu_state();
	if (!cpu)
		return 0;
	cpu->net_rx_runs++;
	cpu->in_driver = 0;
	if (cpu->net_rx_countdown) {
		cpu->net_rx_countdown--;
		cpu->entry_ns = 0;
		return 0;
	}
	cpu->net_rx_countdown = next_sample(pktcost_net_rx_every);
	cpu->entry_skbs = cpu->skbs;
	cpu->stack_from_ns = 0;
	cpu->run_stack_ns = 0;
	cpu->split = 0;
	cpu->in_driver = 1;
	cpu->entry_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("raw_tp/softirq_exit")
int BPF_PROG(pktcost_exit, unsigned int vector)
{
	struct pktcost_cpu *cpu;
	__u64 now;

	if (vector != NET_RX_SOFTIRQ)
		return 0;
	cpu = this_cpu_state();
	if (!cpu || !cpu->entry_ns)
		return 0;
	/* A packet that comes from elsewhere (tun, in process context) begins nothing. */
	cpu->in_driver = 0;
	if (resting()) {
		cpu->entry_ns = 0;
		return 0;
	}
	now = bpf_ktime_get_ns();
	cpu->net_rx_ns += now - cpu->entry_ns;
	cpu->net_rx_skbs += cpu->skbs - cpu->entry_skbs;
	cpu->net_rx_sampled++;
	if (cpu->split) {
		if (cpu->stack_from_ns)
			cpu->run_stack_ns += now - cpu->stack_from_ns;
		cpu->split_ns += now - cpu->entry_ns;
		cpu->split_stack_ns += cpu->run_stack_ns;
		cpu->split_skbs += cpu->skbs - cpu->entry_skbs;
	}
	cpu->stack_from_ns = 0;
	cpu->entry_ns = 0;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
