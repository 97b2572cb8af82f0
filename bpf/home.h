/* SPDX-License-Identifier: MIT */
/* One map of two objects: user space makes it with host.bpf.c and hands it to sampler.bpf.c. */
#ifndef PKTCOST_HOME_H
#define PKTCOST_HOME_H

/*
 * 1 + slot of the device whose program rests, and whose packets next to all of the host's are meanwhile; 0: each is of the device that
 * marked it last; another number: of none, while programs of several rest.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} pktcost_home SEC(".maps");

#endif
