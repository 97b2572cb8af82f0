import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { runCollector } from '../../src/collectors/collector.ts';
import { parseCpuStat, parseQuota, parseSchedstat, readersOf } from '../../src/collectors/readers.ts';
import {
  captureCpuSeconds,
  cgroupQuota,
  cgroupThrottledPeriods,
  cgroupThrottledSeconds,
  packetSocket,
  readerCgroup,
  readerCpuSeconds,
  readerDoing,
  readerWaitSeconds,
  socketOwner,
  udpSocketReceiveQueue,
} from '../../src/metrics/catalogue/index.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { fakeReader, valuesOf } from '../support/reader.ts';

const stat = (comm: string, state: string): string =>
  `600 (${comm}) ${state} 1 1 1 0 -1 4194304 1 0 0 0 30 20 0 0 20 0 1 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 17 3 0 0 0 0 0\n`;
const files = {
  '/proc/sys/kernel/arch': 'x86_64\n',
  '/proc/600/task/600/stat': stat('syslogd', 'S'),
  '/proc/600/task/600/schedstat': '2500000000 1500000000 99\n',
  '/proc/600/task/600/wchan': '0',
  '/proc/600/task/600/syscall': '0 0x3 0x7f 0x1 0x0 0x0 0x0 0x7ffe 0x7f00\n',
  '/proc/700/stat': stat('tcpdump', 'S').replace('600', '700'),
  '/proc/600/status': 'Name:\tsyslogd\nCpus_allowed_list:\t0-1\nMems_allowed_list:\t0\n',
  '/proc/600/cgroup': '1:cpu,cpuacct:/a/b\n0::/\n',
  '/proc/self/mountinfo':
    '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n33 31 0:30 / /mnt rw - cgroup cgroup rw,pids\n',
  '/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us': '50000\n',
  '/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/cpu/a/b/cpu.stat': 'nr_periods 40\nnr_throttled 30\nthrottled_time 1500000000\n',
  '/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '-1\n',
  '/sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000\n',
};

function read(given: Readonly<Record<string, string>> = files): Snapshot {
  const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
  const socket = { family: 'v4', address: '0.0.0.0', port: '514' };
  snapshot.add(udpSocketReceiveQueue, { ...socket, inode: '31' }, 0, 0);
  snapshot.add(packetSocket, { inode: '32' }, 1, 0);
  snapshot.add(socketOwner, { inode: '31', pid: '600', comm: 'syslogd' }, 1, 0);
  snapshot.add(socketOwner, { inode: '32', pid: '700', comm: 'tcpdump' }, 1, 0);
  const reader = fakeReader({ files: given });
  runCollector(
    readersOf(snapshot),
    { ...reader, link: (path) => (path === '/proc/600/fd/3' ? { ok: true, value: 'pipe:[99]' } : reader.link(path)) },
    snapshot,
  );
  return snapshot;
}

describe('readers collector', () => {
  it('tells what a process with a packet socket takes in user space and in the kernel', () => {
    assert.deepEqual(valuesOf(read(), captureCpuSeconds), {
      'comm=tcpdump,mode=user,pid=700': 0.3,
      'comm=tcpdump,mode=system,pid=700': 0.2,
    });
    const { ['/proc/700/stat']: ended, ...rest } = files;
    assert.ok(ended);
    assert.deepEqual(valuesOf(read(rest), captureCpuSeconds), {});
  });

  it('tells the time of the threads, what they sleep in, and the quotas above them, of those who read sockets', () => {
    const snapshot = read();
    assert.deepEqual(valuesOf(snapshot, readerCpuSeconds), { 'comm=syslogd,pid=600,tid=600': 2.5 });
    assert.deepEqual(valuesOf(snapshot, readerWaitSeconds), { 'comm=syslogd,pid=600,tid=600': 1.5 });
    assert.deepEqual(Object.keys(valuesOf(snapshot, readerDoing)), [
      'cpu=3,in=system call 0 of pipe:[...],pid=600,state=S,tid=600,waits=other',
    ]);
    assert.deepEqual(valuesOf(snapshot, readerCgroup), { 'cgroup=/a/b,pid=600': 1 });
    assert.deepEqual(valuesOf(snapshot, cgroupQuota), { 'cgroup=/a/b': 0.5 });
    assert.deepEqual(valuesOf(snapshot, cgroupThrottledPeriods), { 'cgroup=/a/b': 30 });
    assert.deepEqual(valuesOf(snapshot, cgroupThrottledSeconds), { 'cgroup=/a/b': 1.5 });
    assert.equal(snapshot.collector('readers')?.status, 'ok');
  });

  it('tells one that is stopped, whatever system call it was in', () => {
    const stopped = {
      ...files,
      '/proc/600/task/600/stat': stat('syslogd', 'T'),
      '/proc/600/task/600/syscall': '45 0x3 0x7f 0x1 0x0 0x0 0x0 0x7ffe 0x7f00\n',
    };
    const doing = (given: Readonly<Record<string, string>>): readonly string[] =>
      Object.keys(valuesOf(read(given), readerDoing));
    assert.deepEqual(doing(stopped), ['cpu=3,in=a stop,pid=600,state=T,tid=600,waits=stopped']);
    assert.deepEqual(doing({ ...stopped, '/proc/600/task/600/wchan': 'do_signal_stop' }), [
      'cpu=3,in=do_signal_stop,pid=600,state=T,tid=600,waits=stopped',
    ]);
  });

  it('says so where the control groups are not mounted: that nobody is throttled is not known there', () => {
    const report = read({ ...files, '/proc/self/mountinfo': '33 31 0:30 / /mnt rw - cgroup cgroup rw,pids\n' });
    assert.equal(report.collector('readers')?.status, 'partial');
    assert.deepEqual(
      report.collector('readers')?.gaps.map(({ path }) => path),
      ['/sys/fs/cgroup'],
    );
    assert.ok(report.unread(cgroupThrottledPeriods).length > 0);
    const root = { ...files, '/proc/600/cgroup': '1:cpu,cpuacct:/\n0::/\n', '/proc/self/mountinfo': '' };
    assert.equal(read(root).collector('readers')?.status, 'ok');
  });

  it('reads both versions of a quota and of its statistics', () => {
    assert.deepEqual(parseQuota(Buffer.from('50000 100000\n')), { ok: true, value: 0.5 });
    assert.deepEqual(parseQuota(Buffer.from('max 100000\n')), { ok: true, value: 0 });
    assert.equal(parseQuota(Buffer.from('50000 0\n')).ok, false);
    assert.deepEqual(parseCpuStat(Buffer.from('nr_periods 4\nnr_throttled 3\nthrottled_usec 2500000\n')), {
      ok: true,
      value: { periods: 4, throttled: 3, throttledSeconds: 2.5 },
    });
    assert.equal(parseCpuStat(Buffer.from('usage_usec 4\n')).ok, false);
    assert.equal(parseSchedstat(Buffer.from('1 2\n')).ok, false);
  });
});
