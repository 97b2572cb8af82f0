/**
 * Every BPF program and link of the host: what it is, where it is attached, how long it ran while somebody had the kernel's
 * statistics on. Listing needs CAP_SYS_ADMIN. pktcost's own are left out by their names.
 */
import type { BpfLinkRow, BpfProgramRow, BpfPrograms } from '../readings/programs.ts';
import { LITTLE, textOf, viewOf } from '../ffi/netlink.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { loadLibbpf, type Libbpf } from './libbpf.ts';

/** enum bpf_prog_type, include/uapi/linux/bpf.h */
const programTypes = [
  ...['unspec', 'socket_filter', 'kprobe', 'sched_cls', 'sched_act', 'tracepoint', 'xdp', 'perf_event', 'cgroup_skb'],
  ...['cgroup_sock', 'lwt_in', 'lwt_out', 'lwt_xmit', 'sock_ops', 'sk_skb', 'cgroup_device', 'sk_msg'],
  ...['raw_tracepoint', 'cgroup_sock_addr', 'lwt_seg6local', 'lirc_mode2', 'sk_reuseport', 'flow_dissector'],
  ...['cgroup_sysctl', 'raw_tracepoint_writable', 'cgroup_sockopt', 'tracing', 'struct_ops', 'ext', 'lsm', 'sk_lookup'],
  ...['syscall', 'netfilter'],
];

/** enum bpf_link_type */
const linkTypes = [
  ...['unspec', 'raw_tracepoint', 'tracing', 'cgroup', 'iter', 'netns', 'xdp', 'perf_event', 'kprobe_multi'],
  ...['struct_ops', 'netfilter', 'tcx', 'uprobe_multi', 'netkit', 'sockmap'],
];

/** enum bpf_attach_type, as far as links say it. */
const attachTypes = [
  ...['cgroup_inet_ingress', 'cgroup_inet_egress', 'cgroup_inet_sock_create', 'cgroup_sock_ops', 'sk_skb_parser'],
  ...['sk_skb_verdict', 'cgroup_device', 'sk_msg_verdict', 'cgroup_inet4_bind', 'cgroup_inet6_bind'],
  ...['cgroup_inet4_connect', 'cgroup_inet6_connect', 'cgroup_inet4_post_bind', 'cgroup_inet6_post_bind'],
  ...['cgroup_udp4_sendmsg', 'cgroup_udp6_sendmsg', 'lirc_mode2', 'flow_dissector', 'cgroup_sysctl'],
  ...['cgroup_udp4_recvmsg', 'cgroup_udp6_recvmsg', 'cgroup_getsockopt', 'cgroup_setsockopt', 'tp_btf', 'fentry'],
  ...['fexit', 'fmod_ret', 'lsm', 'iter', 'cgroup_inet4_getpeername', 'cgroup_inet6_getpeername'],
  ...['cgroup_inet4_getsockname', 'cgroup_inet6_getsockname', 'xdp_devmap', 'cgroup_inet_sock_release'],
  ...['xdp_cpumap', 'sk_lookup', 'xdp', 'sk_skb_verdict', 'sk_reuseport', 'sk_reuseport_migrate', 'perf_event'],
  ...['kprobe_multi', 'lsm_cgroup', 'struct_ops', 'netfilter', 'tcx_ingress', 'tcx_egress'],
];

const PROG_INFO = 208;
const LINK_INFO = 28;
const MOST = 4000;
const OURS = /^pktcost_/;

/** Parses struct bpf_prog_info. Kernels before 5.1 give a shorter one, without the statistics. */
export function parseProgramInfo(bytes: Uint8Array): Result<BpfProgramRow> {
  if (bytes.length < PROG_INFO) return fail('bpf_prog_info cut short', bytes.length);
  const view = viewOf(bytes);
  const u64 = (at: number): number => Math.min(Number(view.getBigUint64(at, LITTLE)), Number.MAX_SAFE_INTEGER);
  return ok({
    id: view.getUint32(4, LITTLE),
    type: programTypes[view.getUint32(0, LITTLE)] ?? `type ${view.getUint32(0, LITTLE)}`,
    name: textOf(bytes.subarray(64, 80)),
    uid: view.getUint32(48, LITTLE),
    runNs: u64(192),
    runs: u64(200),
  });
}

/** Parses struct bpf_link_info; `name` is where the kernel wrote the name of a raw tracepoint. */
export function parseLinkInfo(bytes: Uint8Array, name = new Uint8Array()): Result<BpfLinkRow> {
  if (bytes.length < LINK_INFO) return fail('bpf_link_info cut short', bytes.length);
  const view = viewOf(bytes);
  const [kind, id, program] = [0, 4, 8].map((at) => view.getUint32(at, LITTLE)) as [number, number, number];
  const type = linkTypes[kind] ?? `type ${kind}`;
  const [first, second] = [view.getUint32(16, LITTLE), view.getUint32(20, LITTLE)];
  const attach = (number: number): string => attachTypes[number] ?? `attach type ${number}`;
  const row = { id, program, type };
  switch (type) {
    case 'raw_tracepoint':
      return ok({ ...row, hook: type, target: textOf(name), ifindex: 0 });
    case 'tracing':
      return ok({ ...row, hook: attach(first), target: '', ifindex: 0 });
    case 'cgroup':
      return ok({ ...row, hook: attach(view.getUint32(24, LITTLE)), target: '', ifindex: 0 });
    case 'xdp':
      return ok({ ...row, hook: type, target: '', ifindex: first });
    case 'tcx':
    case 'netkit':
      return ok({ ...row, hook: attach(second), target: '', ifindex: first });
    default:
      return ok({ ...row, hook: type, target: '', ifindex: 0 });
  }
}

/** The dump `bpf_programs`. */
export function bpfPrograms(): Result<BpfPrograms> {
  const bpf = loadLibbpf();
  if (!bpf.ok) return bpf;
  const programs = listPrograms(bpf.value);
  if (!programs.ok) return programs;
  if (programs.value.length === 0) return ok({ programs: [], links: [] });
  const known = new Set(programs.value.map(({ id }) => id));
  const links: BpfLinkRow[] = [];
  let id: number | undefined = 0;
  for (let seen = 0; seen < MOST && (id = bpf.value.nextLink(id)) !== undefined; seen += 1) {
    const name = Buffer.allocUnsafeSlow(64).fill(0);
    const info = bpf.value.linkInfo(id, name);
    // One that went away between the question for its id and that for its description is no gap.
    const link = info.ok ? parseLinkInfo(info.value, name) : info;
    if (link.ok && known.has(link.value.program)) links.push(link.value);
  }
  return ok({ programs: programs.value, links });
}

function listPrograms(bpf: Libbpf): Result<readonly BpfProgramRow[]> {
  // Their ids are told to CAP_SYS_ADMIN alone (kernel/bpf/syscall.c:bpf_prog_get_fd_by_id), and few have it but root.
  if (process.geteuid?.() !== 0) return fail('listing BPF programs needs root');
  const rows: BpfProgramRow[] = [];
  let id: number | undefined = 0;
  for (let seen = 0; seen < MOST && (id = bpf.nextProgram(id)) !== undefined; seen += 1) {
    const info = bpf.programInfo(id);
    const row = info.ok ? parseProgramInfo(info.value) : info;
    if (row.ok && !OURS.test(row.value.name)) rows.push(row.value);
  }
  return ok(rows);
}
