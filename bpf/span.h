/* SPDX-License-Identifier: MIT */
/* What the programs share: kernel structures, the per-CPU state, and the histogram. */
#ifndef PKTCOST_SPAN_H
#define PKTCOST_SPAN_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "kernel.h"
#include "profile.h"

struct net_device {
	int ifindex;
} KERNEL_STRUCT;

struct sk_buff {
	struct net_device *dev;
} KERNEL_STRUCT;

/* One value of a struct on each CPU. */
#define PER_CPU(struct_name, map) \
	struct { \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); \
		__uint(max_entries, 1); \
		__type(key, __u32); \
		__type(value, struct struct_name); \
	} map SEC(".maps")

PER_CPU(pktcost_cpu, pktcost_cpus);

/* One switch for all programs: user space sets it before it detaches the tracepoints, and clears it after they are back. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} pktcost_resting SEC(".maps");

/* Asked only where a stamp waits: with the tracepoints gone it may be of a packet of long ago at the same address. */
static __always_inline int resting(void)
{
	__u32 zero = 0;
	volatile __u32 *rests = bpf_map_lookup_elem(&pktcost_resting, &zero);

	return rests && *rests;
}

static __always_inline struct pktcost_cpu *this_cpu_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pktcost_cpus, &zero);
}

/* The clock at the start of a span: a first reading brings its code and data into the cache, so that the span does not pay for it. */
static __always_inline __u64 warm_clock(void)
{
	bpf_ktime_get_ns();
	return bpf_ktime_get_ns();
}

/* The distance to the next sample, every/2 .. 3*every/2: a fixed distance would beat with NAPI batches of 8 and 64. */
static __always_inline __u32 next_sample(__u32 every)
{
	if (every < 2)
		return 0;
	return every / 2 + bpf_get_prandom_u32() % every;
}

static __always_inline __u32 bucket_of(__u64 ns)
{
	__u64 v = ns;
	__u32 exponent = 0;

	if (ns < PKTCOST_LINEAR)
		return ns;
	if (v >> 16) {
		exponent += 16;
		v >>= 16;
	}
	if (v >> 8) {
		exponent += 8;
		v >>= 8;
	}
	if (v >> 4) {
		exponent += 4;
		v >>= 4;
	}
	if (v >> 2) {
		exponent += 2;
		v >>= 2;
	}
	if (v >> 1)
		exponent += 1;
	return PKTCOST_LINEAR + ((exponent - PKTCOST_FIRST_OCTAVE) << PKTCOST_SUB_BITS) +
	       ((ns >> (exponent - PKTCOST_SUB_BITS)) & ((1 << PKTCOST_SUB_BITS) - 1));
}

static __always_inline void lose(struct pktcost_span *span, __u32 kind)
{
	span->lost[kind]++;
}

static __always_inline void record(struct pktcost_span *span, __u64 from, __u64 to)
{
	__u64 ns = to - from;
	__u32 bucket;

	if (to < from) {
		lose(span, PKTCOST_LOST_BACKWARDS);
		return;
	}
	if (ns >> PKTCOST_RANGE_BITS) {
		lose(span, PKTCOST_LOST_OVER_RANGE);
		return;
	}
	if (span->count == 0 || ns < span->min_ns)
		span->min_ns = ns;
	if (ns > span->max_ns)
		span->max_ns = ns;
	span->count++;
	span->sum_ns += ns;
	if (ns >> PKTCOST_SMALL_BITS) {
		__u64 coarse = ns >> PKTCOST_LARGE_SHIFT;

		span->sum_sq_large += coarse * coarse;
	} else {
		span->sum_sq_small += ns * ns;
	}
	bucket = bucket_of(ns);
	if (bucket < PKTCOST_BUCKETS)
		span->buckets[bucket]++;
}

#endif
