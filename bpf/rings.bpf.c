// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What the rings of packet sockets had no room for (po->tp_drops, since 5.3), where no program sees them at work: a walk over the
 * open files of all tasks, as often as somebody reads it (bpf_sock_from_file, 5.11). It is attached to nothing that a packet passes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel.h"
#include "rings.h"

#define AF_PACKET 17

/* The context of the walk: include/linux/bpf.h and kernel/bpf/task_iter.c. Members of 32 bits are padded to 64. */
struct seq_file;

struct walk {
	struct seq_file *seq;
};

struct visit {
	struct walk *walk;
	void *task;
	__u64 fd;
	struct file *file;
};

/* A function of its own so that the object's BTF has the struct. */
static __noinline int tell(struct seq_file *seq, struct pktcost_ring *ring)
{
	return bpf_seq_write(seq, ring, sizeof(*ring));
}

SEC("iter/task_file")
int pktcost_rings(struct visit *visit)
{
	struct file *file = visit->file;
	struct pktcost_ring found = {};
	struct socket *socket;
	struct packet_sock *ring;
	struct sock *sk;

	if (!file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_PACKET)
		return 0;
	ring = (struct packet_sock *)sk;
	if (!bpf_core_field_exists(ring->tp_drops) || !BPF_CORE_READ(ring, rx_ring.pg_vec))
		return 0;
	found.inode = BPF_CORE_READ(file, f_inode, i_ino);
	found.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	found.drops = BPF_CORE_READ(ring, tp_drops.counter);
	tell(visit->walk->seq, &found);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
