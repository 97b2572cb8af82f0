/* SPDX-License-Identifier: MIT */
/* The contract between names.bpf.c and src/probe/names.ts, as profile.h is for the spans. */
#ifndef PKTCOST_NAMES_H
#define PKTCOST_NAMES_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* So many at a time. */
#define PKTCOST_NAMES 64
/* The start of a longer name is enough to know it by: what compilers append comes last. */
#define PKTCOST_NAME_BYTES 96

struct pktcost_names {
	__u64 addresses[PKTCOST_NAMES];
	char names[PKTCOST_NAMES][PKTCOST_NAME_BYTES];
};

#endif
