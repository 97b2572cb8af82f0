import { counter, gauge } from '../metric.ts';

const netfilter = { collector: 'netfilter', source: 'netfilter', perNetns: true } as const;
const chainLabels = ['engine', 'family', 'table', 'chain', 'hook', 'device'] as const;

export const filterChainRules = gauge('pktcost_netfilter_chain_rules', {
  ...netfilter,
  labels: [...chainLabels, 'priority', 'policy'],
  unit: 'entries',
  help: 'Rules of a chain that a hook of the packet path runs.',
});
export const filterReachableRules = gauge('pktcost_netfilter_reachable_rules', {
  ...netfilter,
  labels: chainLabels,
  unit: 'entries',
  help: 'Rules of such a chain and of the chains that it jumps to, each once; those that a map chooses are not among them.',
});
export const filterEstablishedPosition = gauge('pktcost_netfilter_established_position', {
  ...netfilter,
  labels: chainLabels,
  unit: 'number',
  help: 'Which rule of the chain accepts packets of flows that conntrack knows, counted from 1; absent where none does.',
});
export const filterRulePackets = counter('pktcost_netfilter_rule_packets_total', {
  ...netfilter,
  labels: ['engine', 'family', 'table', 'chain', 'handle', 'position'],
  unit: 'packets',
  help: 'Packets that matched a rule as far as its counter, of the busiest rules that count; position is the number of rules evaluated up to it.',
});
export const hookFunction = gauge('pktcost_netfilter_hook_info', {
  ...netfilter,
  labels: ['family', 'hook', 'priority', 'function', 'module'],
  unit: 'none',
  help: 'A function on a hook of the packet path, where the kernel tells (nfnetlink_hook, since 5.14).',
});
export const filterComplete = gauge('pktcost_netfilter_counted', {
  ...netfilter,
  labels: [],
  unit: 'none',
  help: '1 when every rule was counted, 0 when there were too many and the chains say at most how many they have.',
});

const links = { collector: 'links', source: 'links', perNetns: true } as const;

export const linkInfo = gauge('pktcost_link_info', {
  ...links,
  labels: ['device', 'kind', 'master', 'lower'],
  unit: 'none',
  help: 'What a device is made of: bridge, vxlan, veth, macvlan; the bridge or bond it is a port of, the device below it.',
});
export const tcFilters = gauge('pktcost_tc_filters', {
  ...links,
  labels: ['device', 'hook', 'kind', 'side', 'qdisc', 'parent'],
  unit: 'entries',
  help: 'Filters by kind at a side of a device (ingress, egress), or at a queueing discipline that asks them, with its kind and handle as qdisc and parent; hook is the same in words (`ingress`, `htb 1:`).',
});
export const deviceProgram = gauge('pktcost_bpf_device_program_info', {
  ...links,
  labels: ['device', 'hook', 'program_id', 'kind', 'mode', 'side', 'qdisc', 'parent'],
  unit: 'none',
  help: 'A BPF program on the packet path of a device, by kind: xdp with its mode, tc or tcx with the side, or the qdisc and parent that ask it; hook is the same in words (`xdp generic`, `tc ingress`).',
});
export const routingRules = gauge('pktcost_routing_rules', {
  ...links,
  labels: ['family'],
  unit: 'entries',
  help: 'Rules that choose a routing table (ip rule), looked through one by one for each lookup.',
});

const programs = { collector: 'programs', source: 'bpf_programs' } as const;

export const programInfo = gauge('pktcost_bpf_program_info', {
  ...programs,
  labels: ['program_id', 'type', 'name', 'uid'],
  unit: 'none',
  help: "A BPF program of the host, pktcost's own left out.",
});
export const programRuns = counter('pktcost_bpf_program_runs_total', {
  ...programs,
  labels: ['program_id'],
  unit: 'calls',
  sparse: true,
  help: "Runs of a BPF program while the kernel's run-time statistics were on.",
});
export const programNanoseconds = counter('pktcost_bpf_program_run_nanoseconds_total', {
  ...programs,
  labels: ['program_id'],
  unit: 'nanoseconds',
  sparse: true,
  help: 'Time in those runs; the statistics lengthen each by some 50 to 100 ns.',
});
export const programLink = gauge('pktcost_bpf_link_info', {
  ...programs,
  labels: ['link_id', 'program_id', 'type', 'hook', 'target'],
  unit: 'none',
  help: 'What a BPF link ties a program to: its type (tracing, tcx), and as hook tp_btf, perf_event, tcx_ingress, a tracepoint by its name.',
});

const holders = { collector: 'programs', source: 'bpf_holders' } as const;

export const programHolder = gauge('pktcost_bpf_program_holder_info', {
  ...holders,
  labels: ['program_id', 'pid', 'comm'],
  unit: 'none',
  help: 'A process with a descriptor of the program or of a link to it; a pinned program needs none.',
});
export const perfEventHolder = gauge('pktcost_perf_events_held', {
  ...holders,
  labels: ['pid', 'comm'],
  unit: 'entries',
  help: 'Perf events that a process has open: one for each CPU, counter or tracepoint.',
});
export const tunHolder = gauge('pktcost_tun_holder_info', {
  ...holders,
  labels: ['tun', 'pid', 'comm'],
  unit: 'none',
  sparse: true,
  help: 'A process that holds the other end of a tun or tap device; which namespace the device is in its descriptor does not say.',
});
export const tracedFunctions = gauge('pktcost_traced_functions', {
  ...programs,
  source: '/sys/kernel/tracing/enabled_functions',
  labels: ['tracer'],
  unit: 'entries',
  help: 'Kernel functions with a hook of ftrace: trampolines of BPF (bpf), kprobes (kprobe), tracers (ftrace).',
});
