/* SPDX-License-Identifier: MIT */
/* Kernel structures as CO-RE wants them: only the members that are read; their offsets come from the running kernel's BTF. */
#ifndef PKTCOST_KERNEL_H
#define PKTCOST_KERNEL_H

#define KERNEL_STRUCT __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} KERNEL_STRUCT;

struct net {
	struct ns_common ns;
} KERNEL_STRUCT;

typedef struct {
	struct net *net;
} KERNEL_STRUCT possible_net_t;

#endif
