// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Names of kernel functions by address, by the kernel's own search (bpf_snprintf with %ps; kallsyms_lookup). Run by hand from user
 * space (5.14), and attached to nothing: it spares the 60 ms and 12 MB of reading /proc/kallsyms.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "names.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pktcost_names);
} pktcost_names SEC(".maps");

static const char format[] = "%ps";

SEC("syscall")
int pktcost_name(void *ctx)
{
	struct pktcost_names *names;
	__u32 zero = 0, i;

	names = bpf_map_lookup_elem(&pktcost_names, &zero);
	if (!names)
		return 0;
	for (i = 0; i < PKTCOST_NAMES; i++) {
		if (names->addresses[i])
			bpf_snprintf(names->names[i], PKTCOST_NAME_BYTES, format, &names->addresses[i], sizeof(__u64));
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
