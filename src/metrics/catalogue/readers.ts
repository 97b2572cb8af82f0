import { counter, gauge } from '../metric.ts';

const thread = { collector: 'readers', labels: ['pid', 'tid', 'comm'], sparse: true } as const;
export const readerCpuSeconds = counter('pktcost_reader_cpu_seconds_total', {
  ...thread,
  source: '/proc/*/task/*/schedstat',
  unit: 'seconds',
  help: 'Time that a thread of a process which reads sockets was on a CPU.',
});
export const readerWaitSeconds = counter('pktcost_reader_run_delay_seconds_total', {
  ...thread,
  source: '/proc/*/task/*/schedstat',
  unit: 'seconds',
  help: 'Time that such a thread was ready to run and waited for a CPU.',
});
export const captureCpuSeconds = counter('pktcost_capture_cpu_seconds_total', {
  collector: 'readers',
  labels: ['pid', 'comm', 'mode'],
  sparse: true,
  source: '/proc/*/stat',
  unit: 'seconds',
  help: 'Time that a process with a packet socket spent in user space and in the kernel, all its threads together.',
});
export const readerDoing = gauge('pktcost_reader_thread_info', {
  collector: 'readers',
  source: '/proc/*/task/*/{stat,wchan,syscall}',
  labels: ['pid', 'tid', 'state', 'in', 'waits', 'cpu'],
  unit: 'none',
  sparse: true,
  help: 'What such a thread was doing when looked at: its state, the function or system call it slept in, whether that waits for sockets (receive), for any descriptor (any) or for something else (other), or that it was stopped (stopped), and its last CPU.',
});
export const readerAllowed = gauge('pktcost_reader_allowed_info', {
  collector: 'readers',
  source: '/proc/*/status',
  labels: ['pid', 'cpus'],
  unit: 'none',
  sparse: true,
  help: 'CPUs that such a process may run on.',
});
export const readerCgroup = gauge('pktcost_reader_cgroup_info', {
  collector: 'readers',
  source: '/proc/*/cgroup',
  labels: ['pid', 'cgroup'],
  unit: 'none',
  sparse: true,
  help: 'Control groups with a quota of CPU time that such a process is in, its own and those above.',
});
const cgroup = { collector: 'readers', labels: ['cgroup'], sparse: true } as const;
export const cgroupPeriods = counter('pktcost_cgroup_cpu_periods_total', {
  ...cgroup,
  source: '/sys/fs/cgroup/*/cpu.stat',
  unit: 'events',
  help: 'Periods of the quota in which the group wanted to run.',
});
export const cgroupThrottledPeriods = counter('pktcost_cgroup_cpu_throttled_periods_total', {
  ...cgroup,
  source: '/sys/fs/cgroup/*/cpu.stat',
  unit: 'events',
  help: 'Periods in which the group used its quota up and was stopped to the end of the period.',
});
export const cgroupThrottledSeconds = counter('pktcost_cgroup_cpu_throttled_seconds_total', {
  ...cgroup,
  source: '/sys/fs/cgroup/*/cpu.stat',
  unit: 'seconds',
  help: 'Time that the group was stopped, added up over CPUs.',
});
export const cgroupQuota = gauge('pktcost_cgroup_cpu_quota_cpus', {
  ...cgroup,
  source: '/sys/fs/cgroup/*/{cpu.max,cpu.cfs_quota_us}',
  unit: 'cpus',
  help: 'CPUs that the quota comes to: quota over period.',
});
export const cgroupWaiting = counter('pktcost_cgroup_pressure_waiting_seconds_total', {
  collector: 'readers',
  labels: ['cgroup', 'resource'],
  sparse: true,
  source: '/sys/fs/cgroup/*/{io,memory}.pressure',
  unit: 'seconds',
  help: 'Time in which some task of the group waited for I/O or for memory.',
});
export const readerMemoryGroup = gauge('pktcost_reader_memory_group_info', {
  collector: 'readers',
  source: '/proc/*/cgroup',
  labels: ['pid', 'cgroup'],
  unit: 'none',
  sparse: true,
  help: 'Control groups that bound the memory of the sockets of such a process, its own and those above.',
});
export const cgroupSocketMemoryRefused = counter('pktcost_cgroup_socket_memory_refused_total', {
  collector: 'readers',
  labels: ['cgroup', 'version'],
  sparse: true,
  source: '/sys/fs/cgroup/*/{memory.kmem.tcp.failcnt,memory.events}',
  unit: 'events',
  help: 'Times that memory was refused: of version 1 that of sockets alone (memory.kmem.tcp.failcnt), of version 2 any (max of memory.events).',
});
export const cgroupSocketMemoryUsed = gauge('pktcost_cgroup_socket_memory_used_ratio', {
  collector: 'readers',
  labels: ['cgroup'],
  sparse: true,
  source: '/sys/fs/cgroup/*/memory.kmem.tcp.usage_in_bytes',
  unit: 'ratio',
  help: 'Memory of the sockets of a group of version 1 relative to what they may have (memory.kmem.tcp.limit_in_bytes).',
});
