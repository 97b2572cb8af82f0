import { processAllowed, processCpu, processLastCpu } from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { Cursor, U64_MAX, utf8Text } from './cursor.ts';

/** Times in /proc are in USER_HZ, which is 100 whatever CONFIG_HZ is. */
const USER_HZ = 100;

type ThreadRole = 'napi' | 'ksoftirqd' | 'backlog' | 'vhost' | 'ovs';

/** The kernel's own threads by the front of their name: net/core/dev.c, kernel/softirq.c, drivers/vhost/vhost.c. */
const kernelThreads: readonly (readonly [string, ThreadRole])[] = [
  ['napi/', 'napi'],
  ['ksoftirqd/', 'ksoftirqd'],
  ['backlog_napi/', 'backlog'],
  ['vhost-', 'vhost'],
];

export const processes = defineCollector({
  id: 'processes',
  turn: 150,
  scope: 'host',
  reads: ['/proc/*/stat', '/proc/*/status', '/proc/*/task/*/{stat,status}'],
  holds: {
    '/proc/*/stat': 'thread-stat',
    '/proc/*/task/*/stat': 'thread-stat',
    '/proc/*/status': 'thread-status',
    '/proc/*/task/*/status': 'thread-status',
  },
  collect(host, emit) {
    let seenKsoftirqd = false;
    const pids = host.list('/proc')?.filter(isNumber);
    if (pids === undefined) return;
    for (const pid of pids) {
      // One small file for each process of the host, and nothing more for those that do not matter. A process that
      // ended since the listing is absent, which is no gap.
      const stat = host.parseIfPresent(`/proc/${pid}/stat`, parseThreadStat);
      if (stat === undefined) continue;
      if (stat.kernelThread) {
        const role = kernelThreadRole(stat.comm);
        if (role === 'ksoftirqd') seenKsoftirqd = true;
        if (role !== undefined) emitThread(host, emit, pid, `/proc/${pid}`, role, stat);
      } else if (stat.comm === 'ovs-vswitchd') {
        collectThreads(host, emit, pid, () => 'ovs');
      } else if (stat.threads > 1 && /^(qemu|kvm$|cloud-hyp|crosvm)/.test(stat.comm)) {
        // Since 6.4 a vhost worker is a thread of the process that opened /dev/vhost-net, no longer a kernel thread
        // (kernel/vhost_task.c), so it has to be looked for among the threads of the hypervisors.
        collectThreads(host, emit, pid, (comm) => (comm.startsWith('vhost-') ? 'vhost' : undefined));
      }
    }
    // Every kernel has ksoftirqd/N: not seeing one means not seeing kernel threads, not that there are none.
    if (!seenKsoftirqd) {
      host.gap(
        '/proc',
        'no kernel thread is visible: not the PID namespace of the host, or processes are hidden (hidepid)',
      );
    }
  },
});

function collectThreads(host: Host, emit: Emit, pid: string, roleOf: (comm: string) => ThreadRole | undefined): void {
  for (const tid of host.listIfPresent(`/proc/${pid}/task`).filter(isNumber)) {
    const directory = `/proc/${pid}/task/${tid}`;
    const stat = host.parseIfPresent(`${directory}/stat`, parseThreadStat);
    const role = stat === undefined ? undefined : roleOf(stat.comm);
    if (stat !== undefined && role !== undefined) emitThread(host, emit, tid, directory, role, stat);
  }
}

function emitThread(host: Host, emit: Emit, pid: string, directory: string, role: ThreadRole, stat: ThreadStat): void {
  const labels = { pid, comm: stat.comm, role };
  emit(processCpu, labels, stat.cpuSeconds);
  emit(processLastCpu, labels, stat.lastCpu);
  const allowed = host.parseIfPresent(`${directory}/status`, parseAllowed);
  if (allowed !== undefined) emit(processAllowed, { ...labels, ...allowed }, 1);
}

function kernelThreadRole(comm: string): ThreadRole | undefined {
  return kernelThreads.find(([front]) => comm.startsWith(front))?.[1];
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

interface ThreadStat {
  readonly comm: string;
  /** R, S, D and the like. */
  readonly state: string;
  /** PF_KTHREAD: a name alone proves nothing, any process may call itself napi/eth0. */
  readonly kernelThread: boolean;
  readonly threads: number;
  /** utime + stime. */
  readonly cpuSeconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly lastCpu: number;
}

const OPEN = 40;
const CLOSE = 41;
const PF_KTHREAD = 0x00200000;
/** Fields as proc(5) counts them, from 1. */
const field: Readonly<Record<'ppid' | 'flags' | 'utime' | 'stime' | 'threads' | 'processor', number>> = {
  ppid: 4,
  flags: 9,
  utime: 14,
  stime: 15,
  threads: 20,
  processor: 39,
};

/**
 * Parses /proc/PID/stat or /proc/PID/task/TID/stat: `pid (comm) state numbers...`. A comm may hold blanks, parentheses
 * and line feeds, so the numbers begin after the last parenthesis. Source: fs/proc/array.c:do_task_stat.
 */
export function parseThreadStat(bytes: Uint8Array): Result<ThreadStat> {
  const open = bytes.indexOf(OPEN);
  const close = bytes.lastIndexOf(CLOSE);
  if (open < 0 || close < open) return fail('no name in parentheses', 0);
  const cursor = new Cursor(bytes);
  cursor.at = close + 1;
  const state = cursor.word();
  if (!/^[A-Za-z]$/.test(state)) return fail('no state after the name', cursor.at);
  const numbers: number[] = [];
  for (let index = field.ppid; index <= field.processor; index += 1) {
    const number = cursor.decimal();
    if (number === undefined) return fail(`no number in field ${index}`, cursor.at);
    numbers.push(number);
  }
  // The kernel always goes on after it: at the end of the input this may be the front of a longer number.
  if (cursor.done) return fail('cut off before the last field', cursor.at);
  const at = (index: number): number => numbers[index - field.ppid]!;
  const inRange = (index: number): boolean => at(index) >= 0 && at(index) <= U64_MAX;
  if (!inRange(field.utime) || !inRange(field.stime) || !inRange(field.processor)) {
    return fail('a time or a CPU out of range', cursor.at);
  }
  return ok({
    comm: utf8Text(bytes.subarray(open + 1, close)),
    state,
    kernelThread: (at(field.flags) & PF_KTHREAD) !== 0,
    threads: at(field.threads),
    cpuSeconds: (at(field.utime) + at(field.stime)) / USER_HZ,
    userSeconds: at(field.utime) / USER_HZ,
    systemSeconds: at(field.stime) / USER_HZ,
    lastCpu: at(field.processor),
  });
}

/**
 * Parses the two lists of /proc/PID/status that say where a thread may run and take memory from. Mems_allowed_list is
 * missing on kernels without cpusets. Source: fs/proc/array.c:task_cpus_allowed, kernel/cgroup/cpuset.c.
 */
export function parseAllowed(bytes: Uint8Array): Result<{ readonly cpus: string; readonly mems: string }> {
  const status = utf8Text(bytes);
  const cpus = /^Cpus_allowed_list:[\t ]*([\d,-]*)$/m.exec(status)?.[1];
  const mems = /^Mems_allowed_list:[\t ]*([\d,-]*)\n/m.exec(status)?.[1];
  return cpus === undefined ? fail('no line Cpus_allowed_list') : ok({ cpus, mems: mems ?? '' });
}
