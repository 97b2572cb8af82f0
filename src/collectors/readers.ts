import { fail, ok, type Result } from '../base/result.ts';
import {
  acceptQueue,
  captureCpuSeconds,
  cgroupPeriods,
  cgroupQuota,
  cgroupThrottledPeriods,
  cgroupThrottledSeconds,
  cgroupWaiting,
  packetSocket,
  readerAllowed,
  readerCgroup,
  readerCpuSeconds,
  readerDoing,
  readerWaitSeconds,
  socketOwner,
  tcpSocketDrops,
  tcpSocketReceiveQueue,
  udpSocketDrops,
  udpSocketReceiveQueue,
} from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { defineCollector, type Collector, type CollectorFacts, type Emit, type Host } from './collector.ts';
import { Cursor, utf8Text } from './cursor.ts';
import { groupsAbove, groupsOfProcesses, type ProcessGroups } from './cgroups.ts';
import { MemoryGroups } from './memory-groups.ts';
import { parseLine } from './parse.ts';
import { parsePressure } from './pressure.ts';
import { parseAllowed, parseThreadStat } from './processes.ts';

/** Both ends of the window look at the same processes, so they are taken in the order of their ids. */
const MOST_PROCESSES = 200;
const MOST_THREADS = 1000;
/** Of one process; a server with more is judged by these. */
const THREADS_EACH = 64;

/** What there is to know of it before there is a snapshot. */
export const readers: CollectorFacts = {
  id: 'readers',
  scope: 'host',
  reads: [
    '/proc/*/task/*/{schedstat,stat,wchan,syscall}',
    '/proc/*/{stat,status,cgroup}',
    '/proc/self/mountinfo',
    '/sys/fs/cgroup/**/{cpu.*,memory.*}',
  ],
  holds: { '/proc/*/cgroup': 'control-groups', '/proc/self/mountinfo': 'mounts' },
};

/** The collector for why those who hold sockets do not read them; it runs when their owners are known. */
export function readersOf(snapshot: Snapshot): Collector {
  const pids = pidsOf(
    snapshot,
    udpSocketReceiveQueue,
    udpSocketDrops,
    acceptQueue,
    tcpSocketReceiveQueue,
    tcpSocketDrops,
  );
  const captures = pidsOf(snapshot, packetSocket);
  return defineCollector({
    ...readers,
    turn: Infinity,
    collect(host, emit) {
      for (const pid of captures.slice(0, MOST_PROCESSES)) lookAtCapture(host, emit, pid);
      if (captures.length > MOST_PROCESSES)
        host.gap(
          '/proc/*/stat',
          `${captures.length - MOST_PROCESSES} processes with packet sockets were not looked at`,
        );
      if (pids.length === 0) return;
      const looked = pids.slice(0, MOST_PROCESSES);
      const groupsOf = groupsOfProcesses(host);
      const quotas = new CpuGroups(host, emit);
      const memory = new MemoryGroups(host, emit);
      const arch = host.parseIfPresent('/proc/sys/kernel/arch', parseLine) ?? '';
      let threads = 0;
      let left = pids.length - looked.length;
      for (const pid of looked) {
        if (threads >= MOST_THREADS) {
          left += 1;
          continue;
        }
        const tids = host.listIfPresent(`/proc/${pid}/task`).filter((name) => /^\d+$/.test(name));
        for (const tid of tids.slice(0, THREADS_EACH)) lookAt(host, emit, pid, tid, arch);
        threads += Math.min(THREADS_EACH, tids.length);
        const allowed = host.parseIfPresent(`/proc/${pid}/status`, parseAllowed);
        if (allowed !== undefined) emit(readerAllowed, { pid, cpus: allowed.cpus }, 1);
        const groups = groupsOf(pid);
        if (groups === undefined) continue;
        quotas.of(pid, groups);
        memory.of(pid, groups);
      }
      if (left > 0) host.gap('/proc/*/task', `${left} of ${pids.length} processes with sockets were not looked at`);
    },
  });
}

/** Of a capture: what its reader takes beside what the kernel does for it in the path of packets. */
function lookAtCapture(host: Host, emit: Emit, pid: string): void {
  const stat = host.parseIfPresent(`/proc/${pid}/stat`, parseThreadStat);
  if (stat === undefined) return;
  emit(captureCpuSeconds, { pid, comm: stat.comm, mode: 'user' }, stat.userSeconds);
  emit(captureCpuSeconds, { pid, comm: stat.comm, mode: 'system' }, stat.systemSeconds);
}

function pidsOf(snapshot: Snapshot, ...metrics: readonly Metric[]): readonly string[] {
  const read = new Set(metrics.flatMap((metric) => snapshot.series(metric).map(({ labels }) => labels['inode'])));
  const pids = snapshot
    .series(socketOwner)
    .flatMap(({ labels }) => (read.has(labels['inode']) && labels['pid'] !== undefined ? [labels['pid']] : []));
  return [...new Set(pids)].sort((a, b) => Number(a) - Number(b));
}

function lookAt(host: Host, emit: Emit, pid: string, tid: string, arch: string): void {
  const folder = `/proc/${pid}/task/${tid}`;
  const stat = host.parseIfPresent(`${folder}/stat`, parseThreadStat);
  if (stat === undefined) return;
  const labels = { pid, tid, comm: stat.comm };
  const times = host.parseIfPresent(`${folder}/schedstat`, parseSchedstat);
  emit(readerCpuSeconds, labels, times?.ranSeconds ?? stat.cpuSeconds);
  if (times !== undefined) emit(readerWaitSeconds, labels, times.waitedSeconds);
  const sleep = sleepOf(host, pid, folder, stat.state, arch);
  emit(readerDoing, { pid, tid, state: stat.state, ...sleep, cpu: `${stat.lastCpu}` }, 1);
}

interface Sleep {
  readonly in: string;
  /** '' when not known. */
  readonly waits: '' | 'receive' | 'any' | 'other' | 'stopped';
}

function sleepOf(host: Host, pid: string, folder: string, state: string, arch: string): Sleep {
  const stopped = state === 'T' || state === 't';
  if (!stopped && state !== 'S' && state !== 'D') return { in: '', waits: '' };
  const wchan = host.parseIfPresent(`${folder}/wchan`, parseLine, 'EACCES', 'EPERM') ?? '0';
  const known = wchan !== '0' && wchan !== '';
  // The system call that it was in when it was stopped is not what keeps it.
  if (stopped) return { in: known ? wchan : 'a stop', waits: 'stopped' };
  return known ? { in: wchan, waits: waitsIn(wchan) } : sleepBySyscall(host, pid, folder, arch);
}

/** net/core/datagram.c, net/ipv4/inet_connection_sock.c, net/core/stream.c; fs/eventpoll.c, fs/select.c. */
function waitsIn(wchan: string): Sleep['waits'] {
  if (/wait_for_more_packets|inet_csk_accept|inet_csk_wait_for_connect|sk_wait_data|unix_stream_read/.test(wchan))
    return 'receive';
  return /^(?:ep_poll|do_epoll_wait|do_sys_poll|do_poll|do_select|poll_schedule_timeout|core_sys_select)/.test(wchan)
    ? 'any'
    : 'other';
}

/** Numbers of system calls by architecture, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. */
const calls: Readonly<Record<string, Readonly<Record<'receive' | 'any' | 'read' | 'other', readonly number[]>>>> = {
  x86_64: { receive: [43, 45, 47, 288, 299], any: [7, 23, 232, 270, 271, 281, 441], read: [0, 19], other: [] },
  aarch64: { receive: [202, 207, 212, 242, 243], any: [22, 72, 73, 441], read: [63, 65], other: [] },
};

function sleepBySyscall(host: Host, pid: string, folder: string, arch: string): Sleep {
  const call = host.parseIfPresent(`${folder}/syscall`, parseSyscall, 'EACCES', 'EPERM', 'EINVAL');
  const known = calls[arch];
  if (call === undefined || known === undefined) return { in: '', waits: '' };
  const target = known.read.includes(call.number) ? host.link(`/proc/${pid}/fd/${call.first}`) : undefined;
  const name = `system call ${call.number}${target === undefined ? '' : ` of ${target.replace(/\d{2,}/g, '...')}`}`;
  if (known.receive.includes(call.number) || target?.startsWith('socket:') === true)
    return { in: name, waits: 'receive' };
  if (known.read.includes(call.number) && target === undefined) return { in: name, waits: '' };
  return { in: name, waits: known.any.includes(call.number) ? 'any' : 'other' };
}

/**
 * Parses /proc/PID/task/TID/schedstat: nanoseconds on a CPU, nanoseconds ready and waiting, and time slices.
 * Source: fs/proc/base.c:proc_pid_schedstat.
 */
export function parseSchedstat(
  bytes: Uint8Array,
): Result<{ readonly ranSeconds: number; readonly waitedSeconds: number }> {
  const cursor = new Cursor(bytes);
  const [ran, waited, slices] = [cursor.decimal(), cursor.decimal(), cursor.decimal()];
  if (ran === undefined || waited === undefined || slices === undefined) return fail('no three numbers', 0);
  if (ran < 0 || waited < 0) return fail('a negative time', 0);
  return ok({ ranSeconds: ran / 1e9, waitedSeconds: waited / 1e9 });
}

/** Parses /proc/PID/task/TID/syscall: a number and its arguments, `running`, or -1. Source: fs/proc/base.c:proc_pid_syscall. */
export function parseSyscall(bytes: Uint8Array): Result<{ readonly number: number; readonly first: number }> {
  const [, number, first] = /^(\d{1,5}) 0x([0-9a-f]{1,16})/.exec(utf8Text(bytes)) ?? [];
  return number === undefined || first === undefined
    ? ok({ number: -1, first: -1 })
    : ok({ number: Number(number), first: Number.parseInt(first, 16) });
}

/** The groups with a quota, each read once. */
class CpuGroups {
  readonly #host: Host;
  readonly #emit: Emit;
  readonly #read = new Map<string, boolean>();
  #told = false;

  constructor(host: Host, emit: Emit) {
    this.#host = host;
    this.#emit = emit;
  }

  of(pid: string, { paths, placesOf }: ProcessGroups): void {
    const places = placesOf('cpu');
    const grouped = [paths.get('cpu'), paths.get('')].some((path) => path !== undefined && path !== '/');
    if (grouped && !places.some(({ at, path }) => this.#shows(at, path))) this.#unseen();
    for (const { version, at, path } of places)
      for (const cgroup of groupsAbove(path))
        if (this.#hasQuota(version, at, cgroup)) this.#emit(readerCgroup, { pid, cgroup }, 1);
  }

  #shows(at: string, path: string | undefined): boolean {
    return path !== undefined && this.#host.listIfPresent(`${at}${path}`).length > 0;
  }

  /** `ip netns exec` mounts a /sys of its own, without the control groups: who is throttled there cannot be told. */
  #unseen(): void {
    if (this.#told) return;
    this.#told = true;
    this.#host.gap('/sys/fs/cgroup', 'the control groups of processes are not mounted where pktcost runs');
  }

  #hasQuota(version: 1 | 2, at: string, group: string): boolean {
    const key = `${version} ${group}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const folder = `${at}${group}`;
    const emit = this.#emit;
    const quota =
      version === 2
        ? this.#host.parseIfPresent(`${folder}/cpu.max`, parseQuota)
        : this.#host.parseIfPresent(`${folder}/cpu.cfs_quota_us`, (bytes) =>
            parseQuota(Buffer.concat([bytes, Buffer.from(' '), this.#period(folder)])),
          );
    const has = quota !== undefined && quota > 0;
    this.#read.set(key, has);
    if (version === 2) this.#pressure(folder, group);
    if (!has) return false;
    emit(cgroupQuota, { cgroup: group }, quota);
    const stat = this.#host.parseIfPresent(`${folder}/cpu.stat`, parseCpuStat);
    if (stat === undefined) return true;
    emit(cgroupPeriods, { cgroup: group }, stat.periods);
    emit(cgroupThrottledPeriods, { cgroup: group }, stat.throttled);
    emit(cgroupThrottledSeconds, { cgroup: group }, stat.throttledSeconds);
    return true;
  }

  #period(folder: string): Uint8Array {
    const line = this.#host.parseIfPresent(`${folder}/cpu.cfs_period_us`, parseLine);
    return Buffer.from(line ?? '100000');
  }

  #pressure(folder: string, cgroup: string): void {
    for (const resource of ['io', 'memory']) {
      const stalls = this.#host.parseIfPresent(`${folder}/${resource}.pressure`, parsePressure, 'EOPNOTSUPP');
      if (stalls?.some !== undefined) this.#emit(cgroupWaiting, { cgroup, resource }, stalls.some);
    }
  }
}

/** Parses `quota period` in microseconds, of cpu.max or of the two files of v1: CPUs, 0 for none (max, -1). */
export function parseQuota(bytes: Uint8Array): Result<number> {
  const [quota = '', period = ''] = utf8Text(bytes).trim().split(/\s+/);
  if (quota === 'max' || quota === '-1') return ok(0);
  if (!/^\d{1,15}$/.test(quota) || !/^[1-9]\d{0,14}$/.test(period)) return fail('no quota and period', 0);
  return ok(Number(quota) / Number(period));
}

interface CpuStat {
  readonly periods: number;
  readonly throttled: number;
  readonly throttledSeconds: number;
}

/** Parses cpu.stat of either version. Source: kernel/sched/core.c:cpu_cfs_stat_show, cpu_extra_stat_show. */
export function parseCpuStat(bytes: Uint8Array): Result<CpuStat> {
  const fields = new Map(
    [...utf8Text(bytes).matchAll(/^(\w+) (\d{1,20})$/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );
  const [periods, throttled] = [fields.get('nr_periods'), fields.get('nr_throttled')];
  const [micros, nanos] = [fields.get('throttled_usec'), fields.get('throttled_time')];
  if (periods === undefined || throttled === undefined) return fail('no periods of a quota', 0);
  return ok({ periods, throttled, throttledSeconds: micros === undefined ? (nanos ?? 0) / 1e9 : micros / 1e6 });
}
