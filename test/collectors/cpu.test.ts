import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cpu, parseStat } from '../../src/collectors/cpu.ts';
import {
  bootTime,
  contextSwitches,
  cpuGuestSeconds,
  cpuIsolated,
  cpuSeconds,
  interruptsTotal,
  softirqsTotal,
} from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

// CPU 1 was taken offline: it has no row, while the sum row still contains its time.
const unplugged = `cpu  300 0 30 3000 3 0 30 0 0 0
cpu0 100 0 10 1000 1 0 10 0 0 0
cpu2 100 5 10 1000 1 2 940 7 40 4
intr 987654 1 2 3
ctxt 5000
btime 1700000000
processes 100
procs_running 1
procs_blocked 0
softirq 60 1 2 3 4 5 6 7 8 9 15
`;

describe('cpu collector', () => {
  it('gives the time of each online CPU in each mode, in seconds', () => {
    const snapshot = collect(cpu, { files: { '/proc/stat': unplugged } });
    assert.equal(valueOf(snapshot, cpuSeconds, { cpu: '2', mode: 'softirq' }), 9.4);
    assert.equal(valueOf(snapshot, cpuSeconds, { cpu: '2', mode: 'steal' }), 0.07);
    assert.deepEqual([...new Set(snapshot.series(cpuSeconds).map((series) => series.labels['cpu']))], ['0', '2']);
    assert.equal(snapshot.collector('cpu')?.status, 'ok');
  });

  it('keeps guest time out of the modes, since user and nice already contain it', () => {
    const snapshot = collect(cpu, { files: { '/proc/stat': unplugged } });
    assert.equal(snapshot.series(cpuSeconds).length, 2 * 8);
    assert.equal(valueOf(snapshot, cpuGuestSeconds, { cpu: '2', mode: 'user' }), 0.4);
    assert.equal(valueOf(snapshot, cpuGuestSeconds, { cpu: '2', mode: 'nice' }), 0.04);
  });

  it('reads the softirq vectors under the names of node_exporter, and the totals', () => {
    const snapshot = collect(cpu, { files: { '/proc/stat': unplugged } });
    assert.deepEqual(valuesOf(snapshot, softirqsTotal), {
      'vector=hi': 1,
      'vector=timer': 2,
      'vector=net_tx': 3,
      'vector=net_rx': 4,
      'vector=block': 5,
      'vector=block_iopoll': 6,
      'vector=tasklet': 7,
      'vector=sched': 8,
      'vector=hrtimer': 9,
      'vector=rcu': 15,
    });
    assert.equal(valueOf(snapshot, interruptsTotal), 987654);
    assert.equal(valueOf(snapshot, contextSwitches), 5000);
    assert.equal(valueOf(snapshot, bootTime), 1700000000);
  });

  it('reads a file of 6.18', () => {
    const snapshot = collect(cpu, { files: { '/proc/stat': fixture('cpu/stat-6.18') } });
    assert.equal(snapshot.series(cpuSeconds).length, 2 * 8);
    assert.equal(snapshot.series(softirqsTotal).length, 10);
    assert.ok((valueOf(snapshot, interruptsTotal) ?? 0) > 100_000);
  });

  it('takes the modes an old kernel does not tell apart for zero, as node_exporter does', () => {
    const snapshot = collect(cpu, { files: { '/proc/stat': 'cpu  100 0 10 1000\ncpu0 100 0 10 1000\nctxt 5\n' } });
    assert.equal(valueOf(snapshot, cpuSeconds, { cpu: '0', mode: 'idle' }), 10);
    assert.equal(valueOf(snapshot, cpuSeconds, { cpu: '0', mode: 'steal' }), 0);
    assert.equal(valueOf(snapshot, interruptsTotal), undefined);
  });

  it('names the isolated CPUs, and none where the file is empty or missing', () => {
    const isolatedCpus = (isolated: Record<string, string>): Record<string, number> =>
      valuesOf(collect(cpu, { files: { '/proc/stat': unplugged, ...isolated } }), cpuIsolated);
    const path = '/sys/devices/system/cpu/isolated';
    assert.deepEqual(isolatedCpus({ [path]: '1,3-5\n' }), { 'cpu=1': 1, 'cpu=3': 1, 'cpu=4': 1, 'cpu=5': 1 });
    assert.deepEqual(isolatedCpus({ [path]: '\n' }), {});
    assert.deepEqual(isolatedCpus({}), {});
  });

  it('reads past an intr line of a megabyte', () => {
    const long = unplugged.replace('1 2 3\n', `${'0 '.repeat(500_000)}\n`);
    const parsed = parseStat(bytesOf(long));
    assert.ok(parsed.ok);
    assert.equal(parsed.value.interrupts, 987654);
    assert.equal(parsed.value.contextSwitches, 5000);
  });

  it('gives no number for a file that is empty, cut anywhere or garbage', () => {
    for (let length = 0; length < unplugged.length; length += 1) {
      const parsed = parseStat(bytesOf(unplugged.slice(0, length)));
      // Cut at a line end the rows that are there are whole; what is missing stays missing.
      if (parsed.ok) assert.equal(unplugged[length - 1], '\n');
    }
    for (const garbage of [
      'garbage\n',
      'cpu0\n',
      'cpu  1 2 3 4\ncpu0 1 2 x 4\n',
      'cpu  1 2 3 4\ncpu0 1 2 -3 4\n',
      'cpu  1 2 3 4\ncpu0 1 2 3 4\nintr\n',
      '\0\xff\n',
    ]) {
      assert.equal(parseStat(bytesOf(garbage)).ok, false, JSON.stringify(garbage));
    }
    const snapshot = collect(cpu, { files: { '/proc/stat': '' } });
    assert.equal(snapshot.collector('cpu')?.status, 'unavailable');
    assert.deepEqual(snapshot.collector('cpu')?.gaps, [{ path: '/proc/stat', reason: 'empty file (byte 0)' }]);
  });
});
