// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What taps take of sending a packet, where fentry is not to be had: dev_queue_xmit_nit runs right before net_dev_start_xmit
 * (net/core/dev.c:xmit_one), so the clock is read there and at the last event before it on the same CPU. That is net_dev_queue
 * where the packet goes straight to the driver, qdisc_dequeue where it waited in a queue, and net_dev_xmit of the packet before
 * where several go one after the other. The whole way runs with bottom halves off: nothing else sends on this CPU meanwhile, but
 * a stacked device does from within, whose events begin anew.
 *
 * Each start is behind one of those events on this CPU, so a stamp of a packet that was queued is gone before another could take
 * it for its own. __dev_direct_xmit (AF_XDP, PACKET_QDISC_BYPASS), pktgen and netpoll call the driver themselves: no tap sees
 * what they send, and no tracepoint here.
 */
#include "span.h"
#include "transmit.h"

struct net_device___out {
	int ifindex;
	possible_net_t nd_net;
} KERNEL_STRUCT;

volatile __u32 pktcost_sample_every = 16;

PER_CPU(pktcost_xmit, pktcost_xmits);

/* Filled by user space before the programs are attached. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PKTCOST_SLOTS);
	__type(key, struct pktcost_out);
	__type(value, __u32);
} pktcost_outs SEC(".maps");

/* As many devices as are watched; set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PKTCOST_WAYS);
	__type(key, __u32);
	__type(value, struct pktcost_span);
} pktcost_sent SEC(".maps");

static __always_inline struct pktcost_xmit *this_cpu_xmit(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pktcost_xmits, &zero);
}

static __always_inline void stamp(struct pktcost_xmit *cpu, __u32 way)
{
	if (cpu->countdown) {
		cpu->countdown--;
		return;
	}
	cpu->countdown = next_sample(pktcost_sample_every);
	cpu->way = way;
	cpu->stamped++;
	cpu->stamp_ns = warm_clock();
}

static __always_inline struct pktcost_span *span_of(void *device, __u32 way)
{
	struct net_device___out *dev = device;
	struct pktcost_out key;
	__u32 *slot, index;

	key.ifindex = BPF_CORE_READ(dev, ifindex);
	key.netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
	slot = bpf_map_lookup_elem(&pktcost_outs, &key);
	if (!slot)
		return 0;
	index = *slot * PKTCOST_WAYS + way;
	return bpf_map_lookup_elem(&pktcost_sent, &index);
}

SEC("tp_btf/net_dev_queue")
int BPF_PROG(pktcost_queue, struct sk_buff *skb)
{
	struct pktcost_xmit *cpu = this_cpu_xmit();

	if (!cpu)
		return 0;
	cpu->skb = (__u64)skb;
	cpu->list = 0;
	cpu->stamp_ns = 0;
	stamp(cpu, PKTCOST_WAY_DIRECT);
	return 0;
}

/* Without a packet where the queue is empty, or will not let one go yet. */
SEC("tp_btf/qdisc_dequeue")
int BPF_PROG(pktcost_dequeue, void *qdisc, void *txq, int packets, struct sk_buff *skb)
{
	struct pktcost_xmit *cpu = this_cpu_xmit();

	if (!cpu || !skb)
		return 0;
	cpu->skb = (__u64)skb;
	cpu->list = packets != 1;
	cpu->stamp_ns = 0;
	if (packets == 1)
		stamp(cpu, PKTCOST_WAY_DEQUEUED);
	return 0;
}

SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(pktcost_start, struct sk_buff *skb, void *dev)
{
	struct pktcost_xmit *cpu = this_cpu_xmit();
	struct pktcost_span *span;
	__u64 began, now;

	if (!cpu)
		return 0;
	cpu->calls++;
	began = cpu->stamp_ns;
	if (!cpu->list && cpu->skb != (__u64)skb) {
		/* Another address: the packet was cut into segments, of which this is the first. */
		cpu->list = 1;
		cpu->stamp_ns = 0;
		return 0;
	}
	if (!began)
		return 0;
	now = bpf_ktime_get_ns();
	cpu->stamp_ns = 0;
	if (cpu->way == PKTCOST_WAY_FOLLOWS && cpu->device != (__u64)dev)
		return 0;
	if (resting())
		return 0;
	span = span_of(dev, cpu->way);
	if (span)
		record(span, began, now);
	else
		cpu->unwatched++;
	return 0;
}

SEC("tp_btf/net_dev_xmit")
int BPF_PROG(pktcost_left, struct sk_buff *skb, int rc, void *dev, unsigned int length)
{
	struct pktcost_xmit *cpu = this_cpu_xmit();

	if (!cpu)
		return 0;
	cpu->stamp_ns = 0;
	if (!cpu->list)
		return 0;
	cpu->device = (__u64)dev;
	stamp(cpu, PKTCOST_WAY_FOLLOWS);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
