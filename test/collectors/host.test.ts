import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { host } from '../../src/collectors/host.ts';
import { kernelFeature, runAsRoot, unameInfo } from '../../src/metrics/catalogue/index.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

const identity = (release: string): Record<string, string> => ({
  '/proc/sys/kernel/ostype': 'Linux\n',
  '/proc/sys/kernel/osrelease': `${release}\n`,
  '/proc/sys/kernel/version': '#1 SMP PREEMPT_DYNAMIC Debian\n',
  '/proc/sys/kernel/hostname': 'node-7\n',
  '/proc/sys/kernel/domainname': '(none)\n',
});
const psi = { '/proc/pressure/cpu': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n' };
const irq = '/proc/pressure/irq';
const labels = {
  sysname: 'Linux',
  release: '5.10.0-32-amd64',
  version: '#1 SMP PREEMPT_DYNAMIC Debian',
  nodename: 'node-7',
  domainname: '(none)',
};
const feature = (files: Record<string, unknown>, name: string): number | undefined =>
  valueOf(collect(host, { files: files as never }), kernelFeature, { feature: name });

describe('host collector', () => {
  it('identifies the host; the machine comes from the kernel, or from uname, or stays empty without a gap', () => {
    const files = identity('5.10.0-32-amd64');
    const dumped = collect(host, {
      files,
      dumps: { sysconf: { pageSize: 4096, machine: 'aarch64', clockTicks: 100 } },
    });
    assert.equal(valueOf(dumped, unameInfo, { ...labels, machine: 'aarch64' }), 1);
    const told = collect(host, { files: { ...files, '/proc/sys/kernel/arch': 'x86_64\n' } });
    assert.equal(valueOf(told, unameInfo, { ...labels, machine: 'x86_64' }), 1);
    const unknown = collect(host, { files });
    assert.equal(valueOf(unknown, unameInfo, { ...labels, machine: '' }), 1);
    assert.equal(unknown.collector('host')?.status, 'ok');
  });

  it('gives no identity without a release, and says what is missing', () => {
    const snapshot = collect(host, { files: {} });
    assert.deepEqual(valuesOf(snapshot, unameInfo), {});
    assert.equal(snapshot.collector('host')?.gaps[0]?.path, '/proc/sys/kernel/osrelease');
  });

  it('tells whether it runs as root by the effective user id, and nothing where that cannot be read', () => {
    const as = (status: string): number | undefined =>
      valueOf(collect(host, { files: { ...identity('6.12.1'), '/proc/self/status': status } }), runAsRoot, {});
    assert.equal(as('Name:\tnode\nUid:\t1000\t0\t0\t0\nGid:\t0\t0\t0\t0\n'), 1);
    assert.equal(as('Name:\tnode\nUid:\t0\t65534\t0\t0\nGid:\t0\t0\t0\t0\n'), 0);
    assert.equal(valueOf(collect(host, { files: identity('6.12.1') }), runAsRoot, {}), undefined);
  });

  it('tells measured softirq time from sampled by /proc/pressure/irq', () => {
    const measured = { ...identity('6.12.1'), ...psi, [irq]: 'full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n' };
    assert.equal(feature(measured, 'irq_time_accounting'), 1);
    assert.equal(feature({ ...identity('6.1.0-18-amd64'), ...psi }, 'irq_time_accounting'), 0);
    assert.equal(feature({ ...identity('7.3.4'), ...psi }, 'irq_time_accounting'), 0);
  });

  it('does not claim to know where the kernel cannot tell: before 6.1, with psi=0, or switched off at run time', () => {
    assert.equal(feature({ ...identity('5.10.0'), ...psi }, 'irq_time_accounting'), undefined);
    assert.equal(feature(identity('6.12.1'), 'irq_time_accounting'), undefined);
    const off = { ...identity('6.12.1'), ...psi, [irq]: refusal('EOPNOTSUPP') };
    assert.equal(feature(off, 'irq_time_accounting'), undefined);
  });

  it('knows whether there is BTF, and nothing where /sys was not to be seen', () => {
    const files = identity('6.12.1');
    assert.equal(feature({ ...files, '/sys/kernel/btf/vmlinux': '' }, 'btf'), 1);
    assert.equal(feature({ ...files, '/sys/kernel/mm/ksm/run': '0\n' }, 'btf'), 0);
    assert.equal(feature(files, 'btf'), undefined);
  });
});
