// A BPF program that reads the clock many times for each packet, and may drop it: on a raw tracepoint, by TCX or XDP at a device, in
// a control group. Held until it is ended.
#include "program.h"
#include <fcntl.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sys/syscall.h>

enum { MOST_CALLS = 2000 };

static int call_bpf(int command, union bpf_attr *attr) { return syscall(__NR_bpf, command, attr, sizeof *attr); }

static int load(int type, int attach_type, int calls, int verdict) {
	static struct bpf_insn code[MOST_CALLS + 2];
	if (calls > MOST_CALLS) calls = MOST_CALLS;
	for (int i = 0; i < calls; i++)
		code[i] = (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns};
	code[calls] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict};
	code[calls + 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	attr.insns = (unsigned long)code;
	attr.insn_cnt = calls + 2;
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
	else if (strcmp(kind, "xdp") == 0) link_to(load(BPF_PROG_TYPE_XDP, BPF_XDP, calls, drop ? 1 : 2), BPF_XDP, device, 1U << 1);
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
