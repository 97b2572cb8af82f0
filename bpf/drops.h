/* SPDX-License-Identifier: MIT */
/* The contract between drops.bpf.c and src/probe/drops.ts, as profile.h is for the spans. */
#ifndef PKTCOST_DROPS_H
#define PKTCOST_DROPS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Reasons, places in the code, devices and namespaces that occur together. What does not fit is counted as such. */
#define PKTCOST_DROP_PLACES 2048

/*
 * Drops of one reason and place of the code share a slot with few others, and are thinned with them alone: what is rare is looked at
 * beside any flood. So many of a slot looked at in so little time, and the next are further apart: 4,000 a second and CPU.
 */
#define PKTCOST_DROP_SLOTS 64
#define PKTCOST_DROP_BURST 32
#define PKTCOST_DROP_BURST_NS 8000000
#define PKTCOST_DROP_MOST 1024

struct pktcost_drop_place {
	__u64 location; /* address behind the call of kfree_skb */
	__u32 reason;	/* 0: this kernel gives none */
	__u32 ifindex;	/* 0: not known */
	__u32 netns;	/* inode; 0: not known */
	__u32 unused;
};

struct pktcost_drop_slot {
	__u64 burst_from; /* ns */
	__u32 burst;
	__u32 every;
	__u32 distance; /* drops passed over before the next one is looked at, as drawn */
	__u32 countdown; /* of these, still to come */
};

/* One per CPU. */
struct pktcost_drops {
	__u64 total;
	__u64 looked_at;
	__u64 no_room; /* told, but there was no room for their place */
	__u32 rarest;  /* the largest `every` so far; 0: each was looked at */
	__u32 unused;
	struct pktcost_drop_slot slots[PKTCOST_DROP_SLOTS];
};

#endif
