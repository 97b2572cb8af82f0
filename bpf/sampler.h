/* SPDX-License-Identifier: MIT */
/* The contract between the sampler and src/probe/profile/layout.ts, as profile.h is for the spans. */
#ifndef PKTCOST_SAMPLER_H
#define PKTCOST_SAMPLER_H

/* PERF_MAX_STACK_DEPTH, the default of kernel.perf_event_max_stack. A softirq with bridge and tunnel on top of a system call has
 * been seen with 70. */
#define PKTCOST_FRAMES 127
#define PKTCOST_COMM 16

/* A stack without its leaf: the leaf differs from sample to sample by a few instructions, its callers do not. */
struct pktcost_chain {
	__u32 frames;
	__u32 unused;
	__u64 ips[PKTCOST_FRAMES];
};

struct pktcost_sample {
	__u64 chain; /* key of the chain */
	__u64 leaf;
	__u32 cpu;
	__u32 tgid;
	__u32 slot; /* 1 + slot of the device whose packet was taken up last on this CPU, or whose program rests; 0: none */
	__u32 unused;
};

enum pktcost_sampler_count {
	PKTCOST_SAMPLER_SAMPLES = 0,
	PKTCOST_SAMPLER_NO_STACK = 1,
	PKTCOST_SAMPLER_TABLE_FULL = 2,
	PKTCOST_SAMPLER_OWN_NS = 3,
	PKTCOST_SAMPLER_COUNTS = 4,
};

#endif
