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

struct sock_common {
	unsigned short skc_family;
	possible_net_t skc_net;
} KERNEL_STRUCT;

struct socket;

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
} KERNEL_STRUCT;

struct inode {
	unsigned long i_ino;
} KERNEL_STRUCT;

struct file {
	struct inode *f_inode;
} KERNEL_STRUCT;

struct socket {
	struct file *file;
	struct sock *sk;
} KERNEL_STRUCT;

typedef struct {
	int counter;
} KERNEL_STRUCT atomic_t;

struct packet_ring_buffer {
	void *pg_vec;
} KERNEL_STRUCT;

struct packet_sock {
	struct packet_ring_buffer rx_ring;
	atomic_t tp_drops;
} KERNEL_STRUCT;

#endif
