/* SPDX-License-Identifier: MIT */
/* The contract between rings.bpf.c and src/probe/capture-rings.ts. */
#ifndef PKTCOST_RINGS_H
#define PKTCOST_RINGS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* One packet socket with a ring, as often as somebody has it open. */
struct pktcost_ring {
	__u64 inode;
	__u32 netns;
	__u32 drops;
};

#endif
