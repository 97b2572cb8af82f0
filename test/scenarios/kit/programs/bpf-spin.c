// A BPF program that reads the clock many times for each packet, or walks the kernel's stack as tracers do, and may drop it: on a raw
// tracepoint, by TCX or XDP at a device, in a control group. Held until it is ended.
#include "program.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sys/syscall.h>

enum { MOST_CALLS = 2000, STACK = 480 };

static int call_bpf(int command, union bpf_attr *attr) { return syscall(__NR_bpf, command, attr, sizeof *attr); }

static struct bpf_insn move(int to, int from) {
	return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from};
}

static struct bpf_insn set(int to, int value) {
	return (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value};
}

static struct bpf_insn call(int helper) { return (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = helper}; }

static int load(int type, int attach_type, int calls, int verdict) {
	static struct bpf_insn code[6 * MOST_CALLS + 3];
	int n = 0, stacks = number("stacks", 0) == 1;
	if (calls > MOST_CALLS) calls = MOST_CALLS;
	code[n++] = move(BPF_REG_6, BPF_REG_1);
	for (int i = 0; i < calls; i++) {
		if (stacks) {
			code[n++] = move(BPF_REG_1, BPF_REG_6);
			code[n++] = move(BPF_REG_2, BPF_REG_10);
			code[n++] = (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -STACK};
			code[n++] = set(BPF_REG_3, STACK);
			code[n++] = set(BPF_REG_4, 0);
		}
		code[n++] = call(stacks ? BPF_FUNC_get_stack : BPF_FUNC_ktime_get_ns);
	}
	code[n++] = set(BPF_REG_0, verdict);
	code[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	attr.insns = (unsigned long)code;
	attr.insn_cnt = n;
	attr.license = (unsigned long)"GPL";
	strcpy(attr.prog_name, "spin");
	int fd = call_bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0) die("BPF_PROG_LOAD");
	return fd;
}

static void link_to(int program, int attach_type, int target, unsigned flags) {
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.link_create.prog_fd = program;
	attr.link_create.target_fd = target;
	attr.link_create.attach_type = attach_type;
	attr.link_create.flags = flags;
	if (call_bpf(BPF_LINK_CREATE, &attr) < 0) die("BPF_LINK_CREATE");
}

static void link_to_tracepoint(int program, const char *name) {
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.raw_tracepoint.name = (unsigned long)name;
	attr.raw_tracepoint.prog_fd = program;
	if (call_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr) < 0) die("BPF_RAW_TRACEPOINT_OPEN");
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	const char *kind = text("kind", "tcx");
	int calls = number("calls", 200), drop = number("drop", 0) == 1, device = if_nametoindex(text("device", "lo"));
	// What lets a packet go on, and what drops it: TCX_NEXT and TCX_DROP, XDP_PASS and XDP_DROP, 1 and 0 in a control group.
	if (strcmp(kind, "tcx") == 0) link_to(load(BPF_PROG_TYPE_SCHED_CLS, 46, calls, drop ? 2 : -1), 46, device, 0);
	else if (strcmp(kind, "tcx-egress") == 0) link_to(load(BPF_PROG_TYPE_SCHED_CLS, 47, calls, drop ? 2 : -1), 47, device, 0);
	else if (strcmp(kind, "xdp") == 0) link_to(load(BPF_PROG_TYPE_XDP, BPF_XDP, calls, drop ? 1 : 2), BPF_XDP, device, number("native", 0) == 1 ? 1U << 2 : 1U << 1);
	else if (strcmp(kind, "cgroup-ingress") == 0 || strcmp(kind, "cgroup-egress") == 0) {
		int at = strcmp(kind, "cgroup-egress") == 0 ? BPF_CGROUP_INET_EGRESS : BPF_CGROUP_INET_INGRESS;
		int group = open(text("cgroup", ""), O_RDONLY | O_DIRECTORY);
		if (group < 0) die("cgroup");
		link_to(load(BPF_PROG_TYPE_CGROUP_SKB, at, calls, drop ? 0 : 1), at, group, 0);
	}
	else link_to_tracepoint(load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, calls, 0), kind);
	ready();
	pause();
}
