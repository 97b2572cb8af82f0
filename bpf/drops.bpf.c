// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Counts every packet that the kernel frees as dropped, by reason, place in the code, device and namespace. Runs only when
 * something is dropped: the hook takes most of its time, so user space takes it away for most of a flood (src/probe/drop-rests.ts).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "drops.h"
#include "kernel.h"

struct net_device {
	int ifindex;
	possible_net_t nd_net;
} KERNEL_STRUCT;

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	int skb_iif;
} KERNEL_STRUCT;

/* What the event carries tells which arguments the tracepoint has: the reason since 5.17, the socket since 6.11. */
enum skb_drop_reason {
	PKTCOST_ANY_REASON,
};

struct trace_event_raw_kfree_skb {
	enum skb_drop_reason reason;
	void *rx_sk;
} KERNEL_STRUCT;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, PKTCOST_DROP_PLACES);
	__type(key, struct pktcost_drop_place);
	__type(value, __u64);
} pktcost_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pktcost_drops);
} pktcost_drop_cpus SEC(".maps");

/* Inodes of network namespaces are of the dynamic range of proc (PROC_DYNAMIC_FIRST), the first one since 6.18 just below. */
#define LEAST_INODE 0xEFFFFF00u

static __always_inline __u32 inode_of(struct net *net)
{
	__u32 inode = 0;

	if (net)
		bpf_core_read(&inode, sizeof(inode), &net->ns.inum);
	return inode >= LEAST_INODE ? inode : 0;
}

/*
 * skb->dev shares its room with what sockets keep there (dev_scratch of UDP, the tree of TCP): it is a device only if it looks like
 * one in a namespace. The socket knows its namespace also where no device is left.
 */
static __always_inline void find_place(struct sk_buff *skb, struct sock *rx, struct pktcost_drop_place *place)
{
	struct net_device *dev = NULL;
	struct sock *sk = rx;
	struct net *net = NULL;
	__u32 index = 0;

	bpf_core_read(&dev, sizeof(dev), &skb->dev);
	if (dev) {
		bpf_core_read(&net, sizeof(net), &dev->nd_net.net);
		place->netns = inode_of(net);
		if (place->netns) {
			bpf_core_read(&index, sizeof(index), &dev->ifindex);
			place->ifindex = index;
			return;
		}
	}
	bpf_core_read(&index, sizeof(index), &skb->skb_iif);
	place->ifindex = index;
	if (!sk)
		bpf_core_read(&sk, sizeof(sk), &skb->sk);
	if (!sk)
		return;
	bpf_core_read(&net, sizeof(net), &sk->__sk_common.skc_net.net);
	place->netns = inode_of(net);
}

/*
 * One in `every` drops of a slot is looked at and stands for those since the last one. The distance is doubled while more than
 * PKTCOST_DROP_BURST are looked at in PKTCOST_DROP_BURST_NS, and halved again where a burst takes four times as long.
 */
static __always_inline void thin(struct pktcost_drops *cpu, struct pktcost_drop_slot *slot)
{
	__u64 now;

	if (++slot->burst >= PKTCOST_DROP_BURST) {
		now = bpf_ktime_get_ns();
		if (now - slot->burst_from < PKTCOST_DROP_BURST_NS) {
			if (slot->every < PKTCOST_DROP_MOST)
				slot->every = slot->every ? slot->every * 2 : 2;
		} else if (now - slot->burst_from > 4 * PKTCOST_DROP_BURST_NS && slot->every > 1) {
			slot->every /= 2;
		}
		if (slot->every > cpu->rarest)
			cpu->rarest = slot->every;
		slot->burst = 0;
		slot->burst_from = now;
	}
	/* every/2 .. 3*every/2: a fixed distance would beat with what drops in a pattern. */
	slot->distance = slot->every > 1 ? slot->every / 2 + bpf_get_prandom_u32() % slot->every : 0;
	slot->countdown = slot->distance;
}

SEC("tp_btf/kfree_skb")
int pktcost_drop(__u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct pktcost_drop_place place = {};
	struct pktcost_drop_slot *slot;
	struct pktcost_drops *cpu;
	struct sock *rx = NULL;
	__u64 weight, *count;
	__u32 zero = 0, hash;

	cpu = bpf_map_lookup_elem(&pktcost_drop_cpus, &zero);
	if (!cpu)
		return 0;
	cpu->total++;
	hash = (__u32)ctx[1];
	if (bpf_core_field_exists(((struct trace_event_raw_kfree_skb *)0)->reason))
		place.reason = (__u32)ctx[2];
	/* Knuth's multiplicative hash: 2^32 by the golden ratio; the upper bits are the good ones. */
	hash = (hash ^ place.reason << 16 ^ (__u32)skb->skb_iif) * 2654435761u;
	slot = &cpu->slots[hash >> 26 & (PKTCOST_DROP_SLOTS - 1)];
	if (slot->countdown) {
		slot->countdown--;
		return 0;
	}
	weight = (__u64)slot->distance + 1;
	cpu->looked_at++;
	thin(cpu, slot);
	place.location = ctx[1];
	if (bpf_core_field_exists(((struct trace_event_raw_kfree_skb *)0)->rx_sk))
		rx = (struct sock *)ctx[3];
	find_place(skb, rx, &place);
	count = bpf_map_lookup_elem(&pktcost_places, &place);
	if (count) {
		*count += weight;
		return 0;
	}
	if (bpf_map_update_elem(&pktcost_places, &place, &weight, BPF_NOEXIST) == 0)
		return 0;
	/* Another CPU may have made it in between. */
	count = bpf_map_lookup_elem(&pktcost_places, &place);
	if (count)
		*count += weight;
	else
		cpu->no_room += weight;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
