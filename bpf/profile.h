/* SPDX-License-Identifier: MIT */
/*
 * The contract between the probe's programs and src/probe/layout.ts, which reads by the offsets in the objects' BTF (npm run
 * generate). Only fixed-width members, every struct a multiple of 8 bytes, no implicit padding.
 */
#ifndef PKTCOST_PROFILE_H
#define PKTCOST_PROFILE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Devices which can be watched at once; the count of each lives in the per-CPU state, so that the TC program needs one
 * map lookup per packet and not two. */
#define PKTCOST_SLOTS 64

/*
 * Log-linear histogram: one bucket per nanosecond below 32, then 16 per power of two up to 2^30 ns. A bucket is at most
 * 1/16 of its lower bound wide, so a quantile taken at its middle is off by at most 3.1 %.
 */
#define PKTCOST_SUB_BITS 4
#define PKTCOST_LINEAR 32
#define PKTCOST_FIRST_OCTAVE 5
#define PKTCOST_RANGE_BITS 30
#define PKTCOST_BUCKETS (PKTCOST_LINEAR + (PKTCOST_RANGE_BITS - PKTCOST_FIRST_OCTAVE) * (1 << PKTCOST_SUB_BITS))

/* Squares of spans below 2^16 ns are summed exactly; above, of spans in units of 256 ns: neither sum overflows before
 * 10 minutes of spans of one second each. */
#define PKTCOST_SMALL_BITS 16
#define PKTCOST_LARGE_SHIFT 8

/* Every way in which a sampled packet yields no measurement. */
enum pktcost_lost {
	PKTCOST_LOST_NO_METADATA = 0,	  /* XDP: the driver refused room for the stamp */
	PKTCOST_LOST_FOREIGN_IFINDEX = 1, /* stamped on another device than the one that read it */
	PKTCOST_LOST_BAD_MAGIC = 2,	  /* metadata is there, but it is not ours (or the header length changed) */
	PKTCOST_LOST_UNMATCHED = 3,	  /* another packet of this CPU reached TC while a stamp was waiting */
	PKTCOST_LOST_BACKWARDS = 4,	  /* time went backwards */
	PKTCOST_LOST_OVER_RANGE = 5,	  /* span of 2^30 ns or more */
	PKTCOST_LOST_KINDS = 6,
};

struct pktcost_span {
	__u64 count;
	__u64 sum_ns;
	__u64 sum_sq_small; /* ns^2 */
	__u64 sum_sq_large; /* (256 ns)^2 */
	__u64 min_ns;	    /* 0 while count is 0 */
	__u64 max_ns;
	__u64 stamped; /* stamps given, where the program that stamps belongs to one device */
	__u64 lost[PKTCOST_LOST_KINDS];
	__u32 buckets[PKTCOST_BUCKETS];
};

/* One per CPU, shared by all programs. The first cache line is what the receive tracepoint writes on every packet. */
struct pktcost_cpu {
	__u64 skb;	  /* the packet that carries the stamp; 0: no stamp waits */
	__u64 stamp_ns;
	__u32 ifindex;
	__u32 countdown;  /* packets until the next sample */
	__u64 skbs;	  /* packets seen by netif_receive_skb */
	__u64 stamped;
	__u64 uncollected; /* stamps that no TC program met: devices which are not watched, packets that skip TC */
	__u32 in_driver;  /* a timed run has handed no packet to the stack since it began, or since the stack returned */
	__u32 split;	  /* the programs of driver.bpf.c were there in this run */
	__u64 entry_ns;	  /* a timed NET_RX softirq began; 0: not in one */
	__u64 entry_skbs;
	__u64 net_rx_runs;    /* all of them */
	__u64 net_rx_sampled; /* of those, the timed ones; the next two are theirs */
	__u64 net_rx_ns;
	__u64 net_rx_skbs;
	__u32 net_rx_countdown;
	__u32 xdp_countdown;
	__u64 stack_from_ns; /* the stack has had the packets of a timed run since; 0: the driver or GRO has them */
	__u64 run_stack_ns;
	__u64 split_ns;	     /* of the timed runs that were split: all of their time, and what of it the stack took */
	__u64 split_stack_ns;
	__u64 split_skbs;
	__u64 driver_calls;
	__u32 device; /* 1 + slot of the device whose packet came to TC last, for the sampler; 0: none yet */
	__u32 unused;
	__u64 packets[PKTCOST_SLOTS]; /* packets seen by the TC ingress program of each device */
};

/* Carried in front of the packet, from XDP to TC. */
struct pktcost_stamp {
	__u32 magic;
	__u32 ifindex;
	__u64 time_ns;
};
#define PKTCOST_MAGIC 0x706b7463u

/* One socket's bill, fentry tier only. */
struct pktcost_bill {
	__u64 packets; /* priced, that is sampled, packets */
	__u64 ns;
	__u64 tx_packets; /* of those, on the way out (dev_queue_xmit_nit) */
	__u64 tx_ns;
	__u64 inode;
	__u32 netns;
	__u32 ifindex; /* the device of the hook, 0 for all */
	__u64 lost; /* by how much this CPU saw the drops of its ring rise */
	__u32 seen; /* drops of the ring when this CPU last looked */
	__u32 looked;
};

/* Per CPU, fentry tier only. */
struct pktcost_tapcpu {
	__u64 rcv_ns;	 /* entry of packet_rcv or tpacket_rcv, 0: not sampled */
	__u64 fanout_ns; /* entry of packet_rcv_fanout */
	__u64 nit_ns;	 /* entry of dev_queue_xmit_nit */
	__u32 countdown;
	__u32 nit_countdown;
	__u32 fanout_countdown;
	__u32 in_nit;
	__u64 calls;	/* of packet_rcv and tpacket_rcv */
	__u64 nit_calls;
	__u64 nit_count;
	__u64 nit_total_ns;
	__u64 fanout_calls;
	__u64 fanout_count;
	__u64 fanout_total_ns;
	__u64 full;	/* no room left in the table of sockets */
};

#endif
