// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Takes the kernel's stack at each tick of a clock, and counts it. Runs in the interrupt of an hrtimer or in an NMI: everything is
 * allocated before, nothing waits. Measured on the development machine: some 2 us a sample, most of it the unwinding.
 */
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_helpers.h>
#include "home.h"
#include "profile.h"
#include "sampler.h"

#define EEXIST 17

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct pktcost_chain);
} pktcost_chains SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct pktcost_sample);
	__type(value, __u64);
} pktcost_samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u32);
	__type(value, char[PKTCOST_COMM]);
} pktcost_comms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pktcost_chain);
} pktcost_scratches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PKTCOST_SAMPLER_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} pktcost_sampler_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pktcost_cpu);
} pktcost_cpus SEC(".maps");

static __always_inline void count(__u32 what, __u64 amount)
{
	__u64 *counter = bpf_map_lookup_elem(&pktcost_sampler_counts, &what);

	if (counter)
		*counter += amount;
}

static __always_inline void take(struct bpf_perf_event_data *ctx)
{
	struct pktcost_sample key = {};
	struct pktcost_chain *chain;
	struct pktcost_cpu *cpu;
	__u64 hash = 14695981039346656037ull;
	__u64 one = 1, *known;
	__u32 zero = 0, frames, i, *home;
	long bytes, failed;

	chain = bpf_map_lookup_elem(&pktcost_scratches, &zero);
	if (!chain)
		return;
	bytes = bpf_get_stack(ctx, chain->ips, sizeof(chain->ips), 0);
	if (bytes < 8) {
		count(PKTCOST_SAMPLER_NO_STACK, 1);
		return;
	}
	frames = (__u32)bytes / 8;
	if (frames > PKTCOST_FRAMES)
		frames = PKTCOST_FRAMES;
	key.leaf = chain->ips[0];
	chain->ips[0] = 0;
	chain->frames = frames;
	for (i = 1; i < PKTCOST_FRAMES; i++) {
		if (i >= frames)
			break;
		hash = (hash ^ chain->ips[i]) * 1099511628211ull;
		hash ^= hash >> 29;
	}
	key.chain = hash;
	key.cpu = bpf_get_smp_processor_id();
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	cpu = bpf_map_lookup_elem(&pktcost_cpus, &zero);
	home = bpf_map_lookup_elem(&pktcost_home, &zero);
	if (home && *home)
		key.slot = *home;
	else if (cpu)
		key.slot = cpu->device;
	known = bpf_map_lookup_elem(&pktcost_samples, &key);
	if (known) {
		__sync_fetch_and_add(known, 1);
		return;
	}
	if (!bpf_map_lookup_elem(&pktcost_chains, &hash)) {
		failed = bpf_map_update_elem(&pktcost_chains, &hash, chain, BPF_NOEXIST);
		if (failed && failed != -EEXIST) {
			count(PKTCOST_SAMPLER_TABLE_FULL, 1);
			return;
		}
	}
	if (bpf_map_update_elem(&pktcost_samples, &key, &one, BPF_NOEXIST)) {
		count(PKTCOST_SAMPLER_TABLE_FULL, 1);
		return;
	}
	if (key.tgid && !bpf_map_lookup_elem(&pktcost_comms, &key.tgid)) {
		char comm[PKTCOST_COMM] = {};

		bpf_get_current_comm(comm, sizeof(comm));
		bpf_map_update_elem(&pktcost_comms, &key.tgid, comm, BPF_NOEXIST);
	}
}

SEC("perf_event")
int pktcost_sample(struct bpf_perf_event_data *ctx)
{
	__u64 began = bpf_ktime_get_ns();

	count(PKTCOST_SAMPLER_SAMPLES, 1);
	take(ctx);
	count(PKTCOST_SAMPLER_OWN_NS, bpf_ktime_get_ns() - began);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
