import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { parseAllowed, parseThreadStat, processes } from '../../src/collectors/processes.ts';
import { processAllowed, processCpu, processLastCpu } from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

const KERNEL = 69238848;
const USER = 4194304;
interface Spec {
  readonly flags?: number;
  readonly threads?: number;
  readonly user?: number;
  readonly system?: number;
  readonly lastCpu?: number;
}
const stat = (
  pid: number,
  comm: string,
  { flags = KERNEL, threads = 1, user = 0, system = 0, lastCpu = 0 }: Spec,
): string =>
  `${pid} (${comm}) S 2 0 0 0 -1 ${flags} 0 0 0 0 ${user} ${system} 0 0 20 0 ${threads} 0 30 0 0 18446744073709551615 ` +
  `0 0 0 0 0 0 0 2147483647 0 1 0 0 17 ${lastCpu} 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
const status = (cpus: string): string =>
  `Name:\tx\nCpus_allowed:\tff\nCpus_allowed_list:\t${cpus}\nMems_allowed:\t1\nMems_allowed_list:\t0-1\nvoluntary_ctxt_switches:\t1\n`;

const files = {
  '/proc/uptime': '1 1\n',
  '/proc/14/stat': stat(14, 'ksoftirqd/0', { system: 16 }),
  '/proc/14/status': status('0'),
  '/proc/30/stat': stat(30, 'napi/eth0-8193', { system: 123456, lastCpu: 3 }),
  '/proc/30/status': status('0-3'),
  '/proc/31/stat': stat(31, 'kworker/0:1-events', { system: 5 }),
  '/proc/32/stat': stat(32, 'backlog_napi/1', { system: 7, lastCpu: 1 }),
  '/proc/32/status': status('1'),
  '/proc/1/stat': stat(1, 'systemd', { flags: USER, user: 900 }),
};

describe('processes collector', () => {
  it('prices the kernel threads of the packet path, with where they ran and may run, and no others', () => {
    const snapshot = collect(processes, { files });
    assert.deepEqual(valuesOf(snapshot, processCpu), {
      'comm=ksoftirqd/0,pid=14,role=ksoftirqd': 0.16,
      'comm=napi/eth0-8193,pid=30,role=napi': 1234.56,
      'comm=backlog_napi/1,pid=32,role=backlog': 0.07,
    });
    const napi = { pid: '30', comm: 'napi/eth0-8193', role: 'napi' };
    assert.equal(valueOf(snapshot, processLastCpu, napi), 3);
    assert.equal(valueOf(snapshot, processAllowed, { ...napi, cpus: '0-3', mems: '0-1' }), 1);
    assert.equal(snapshot.collector('processes')?.status, 'ok');
  });

  it('does not take a process for a kernel thread because of its name', () => {
    const impostor = { '/proc/99/stat': stat(99, 'napi/eth0-1', { flags: USER, user: 5 }) };
    const snapshot = collect(processes, { files: { ...files, ...impostor } });
    assert.equal(valueOf(snapshot, processCpu, { pid: '99', comm: 'napi/eth0-1', role: 'napi' }), undefined);
  });

  it('finds vhost workers as kernel threads (up to 6.3) and as threads of the hypervisor (since 6.4)', () => {
    const snapshot = collect(processes, {
      files: {
        ...files,
        '/proc/40/stat': stat(40, 'vhost-39', { system: 100 }),
        '/proc/40/status': status('0-7'),
        '/proc/50/stat': stat(50, 'qemu-system-x86', { flags: USER, threads: 3 }),
        '/proc/50/task/50/stat': stat(50, 'qemu-system-x86', { flags: USER, threads: 3 }),
        '/proc/50/task/51/stat': stat(51, 'CPU 0/KVM', { flags: USER, threads: 3, user: 100 }),
        '/proc/50/task/52/stat': stat(52, 'vhost-50', { flags: USER, threads: 3, system: 250, lastCpu: 6 }),
        '/proc/50/task/52/status': status('4-7'),
      },
    });
    const vhost = Object.entries(valuesOf(snapshot, processCpu)).filter(([labels]) => labels.endsWith('role=vhost'));
    assert.deepEqual(vhost, [
      ['comm=vhost-39,pid=40,role=vhost', 1],
      ['comm=vhost-50,pid=52,role=vhost', 2.5],
    ]);
    assert.equal(
      valueOf(snapshot, processAllowed, { pid: '52', comm: 'vhost-50', role: 'vhost', cpus: '4-7', mems: '0-1' }),
      1,
    );
  });

  it('gives every thread of ovs-vswitchd under its own name', () => {
    const snapshot = collect(processes, {
      files: {
        ...files,
        '/proc/60/stat': stat(60, 'ovs-vswitchd', { flags: USER, threads: 2 }),
        '/proc/60/task/60/stat': stat(60, 'ovs-vswitchd', { flags: USER, user: 10 }),
        '/proc/60/task/60/status': status('0-1'),
        '/proc/60/task/61/stat': stat(61, 'pmd-c01/id:8', { flags: USER, user: 500, lastCpu: 1 }),
        '/proc/60/task/61/status': status('1'),
      },
    });
    assert.equal(valueOf(snapshot, processCpu, { pid: '60', comm: 'ovs-vswitchd', role: 'ovs' }), 0.1);
    assert.equal(valueOf(snapshot, processCpu, { pid: '61', comm: 'pmd-c01/id:8', role: 'ovs' }), 5);
  });

  it('takes a process that ended since the listing for nothing special', () => {
    const gone = { '/proc/70/stat': refusal('ESRCH'), '/proc/71/comm': 'x\n' };
    const snapshot = collect(processes, { files: { ...files, ...gone } });
    assert.deepEqual(snapshot.collector('processes')?.gaps, []);
  });

  it('says that kernel threads are not visible instead of reporting none', () => {
    const snapshot = collect(processes, { files: { '/proc/1/stat': stat(1, 'sh', { flags: USER }) } });
    assert.equal(snapshot.collector('processes')?.status, 'unavailable');
    assert.match(snapshot.collector('processes')?.gaps[0]?.reason ?? '', /no kernel thread is visible/);
  });

  it('reads names with blanks, parentheses and line feeds', () => {
    const parsed = parseThreadStat(bytesOf(stat(5, 'a) R 1 (b\n c)', { flags: USER, user: 1, system: 2, lastCpu: 9 })));
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value, {
      comm: 'a) R 1 (b\n c)',
      state: 'S',
      kernelThread: false,
      threads: 1,
      cpuSeconds: 0.03,
      userSeconds: 0.01,
      systemSeconds: 0.02,
      lastCpu: 9,
    });
  });

  it('reads files of 6.18', () => {
    const parsed = parseThreadStat(fixture('processes/ksoftirqd-stat-6.18'));
    assert.ok(parsed.ok);
    assert.equal(parsed.value.comm, 'ksoftirqd/0');
    assert.equal(parsed.value.kernelThread, true);
    assert.deepEqual(parseAllowed(fixture('processes/ksoftirqd-status-6.18')), {
      ok: true,
      value: { cpus: '0', mems: '0' },
    });
  });

  it('gives no number for a stat that is cut before the fields it needs, or garbage', () => {
    const whole = stat(30, 'napi/eth0-8193', { system: 123456, lastCpu: 13 });
    const lastCpuEnd = whole.indexOf(' 17 13') + ' 17 13'.length;
    for (let length = 0; length <= lastCpuEnd; length += 1) {
      assert.equal(parseThreadStat(bytesOf(whole.slice(0, length))).ok, false, whole.slice(0, length));
    }
    for (const garbage of [
      ')(',
      '1 (x)',
      '1 (x) S a',
      '1 (x) 5',
      whole.replace('123456', '-5'),
      whole.replace('123456', '9'.repeat(400)),
    ]) {
      assert.equal(parseThreadStat(bytesOf(garbage)).ok, false, garbage);
    }
    assert.equal(parseAllowed(bytesOf('Cpus_allowed:\tff\n')).ok, false);
  });
});
