/* SPDX-License-Identifier: MIT */
/* The contract between transmit.bpf.c and src/probe/transmit.ts, as profile.h is for the spans. */
#ifndef PKTCOST_TRANSMIT_H
#define PKTCOST_TRANSMIT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* How a packet came to the place where taps on transmit run. Each has a floor of its own. */
enum pktcost_way {
	PKTCOST_WAY_DIRECT = 0,	  /* no queueing discipline, or one that let it bypass its queue */
	PKTCOST_WAY_DEQUEUED = 1, /* taken from the queue, alone */
	PKTCOST_WAY_FOLLOWS = 2,  /* behind another of the same list: GSO segments, packets dequeued together */
	PKTCOST_WAYS = 3,
};

/* A device whose packets are timed; its spans are the three from `slot * PKTCOST_WAYS` on. */
struct pktcost_out {
	__u32 ifindex;
	__u32 netns; /* inode */
};

/* One per CPU. */
struct pktcost_xmit {
	__u64 skb;	/* given to the device, or taken from its queue, last */
	__u64 stamp_ns; /* 0: no stamp waits */
	__u64 device;	/* which sent the packet before, where the next is to follow it */
	__u32 way;
	__u32 list;	 /* more than one packet is on its way to the driver */
	__u32 countdown; /* packets until the next sample */
	__u32 unused;
	__u64 calls; /* packets that the taps saw, or would have seen */
	__u64 stamped;
	__u64 unwatched; /* timed, on devices that are not watched */
};

#endif
