/* SPDX-License-Identifier: MIT */
/* The contract between drops.bpf.c and src/probe/drops.ts, as profile.h is for the spans. */
#ifndef PKTCOST_DROPS_H
#define PKTCOST_DROPS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Reasons, places in the code, devices and namespaces that occur together. What does not fit is counted as such. */
#define PKTCOST_DROP_PLACES 2048

/* So many drops looked at in so little time, and the next are further apart. At 250 Hz 64 in 4 ms: 16,000 a second and CPU. */
#define PKTCOST_DROP_BURST 64
#define PKTCOST_DROP_JIFFIES 1
#define PKTCOST_DROP_MOST 1024

struct pktcost_drop_place {
	__u64 location; /* address behind the call of kfree_skb */
	__u32 reason;	/* 0: this kernel gives none */
	__u32 ifindex;	/* 0: not known */
	__u32 netns;	/* inode; 0: not known */
	__u32 unused;
};

/* One per CPU. */
struct pktcost_drops {
	__u64 total;
	__u64 told;	 /* of these, told by the drops that were looked at */
	__u64 looked_at;
	__u64 no_room;	 /* told, but there was no room for their place */
	__u64 burst_from; /* jiffies */
	__u32 burst;
	__u32 every;
	__u32 rarest;	 /* the largest `every` so far; 0: each was looked at */
	__u32 countdown;
};

#endif
