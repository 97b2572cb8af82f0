import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { numa, parseNodeMeminfo } from '../../src/collectors/numa.ts';
import { cpuNode, meminfoNuma, numaMiss, numaOther, numaStatEnabled } from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

const node = (id: number, cpulist: string): Record<string, string | Uint8Array> => ({
  [`/sys/devices/system/node/node${id}/meminfo`]: fixture(`numa/node${id}/meminfo`),
  [`/sys/devices/system/node/node${id}/numastat`]: fixture(`numa/node${id}/numastat`),
  [`/sys/devices/system/node/node${id}/cpulist`]: cpulist,
});

describe('numa collector', () => {
  it('tells two nodes apart, and the CPUs of each', () => {
    const snapshot = collect(numa, {
      files: {
        ...node(0, '0-1\n'),
        ...node(1, '2,5\n'),
        '/sys/devices/system/node/possible': '0-1\n',
        '/proc/sys/vm/numa_stat': '1\n',
      },
    });
    assert.deepEqual(valuesOf(snapshot, numaMiss), { 'node=0': 120, 'node=1': 90441 });
    assert.deepEqual(valuesOf(snapshot, numaOther), { 'node=0': 1345678, 'node=1': 2436119 });
    assert.deepEqual(Object.keys(valuesOf(snapshot, cpuNode)), [
      'cpu=0,node=0',
      'cpu=1,node=0',
      'cpu=2,node=1',
      'cpu=5,node=1',
    ]);
    assert.equal(valueOf(snapshot, numaStatEnabled), 1);
    assert.equal(snapshot.collector('numa')?.status, 'ok');
  });

  it('keeps a node that has memory but no CPU', () => {
    const snapshot = collect(numa, { files: { ...node(0, '0-1\n'), ...node(1, '\n') } });
    assert.equal(valueOf(snapshot, numaMiss, { node: '1' }), 90441);
    assert.equal(snapshot.series(cpuNode).length, 2);
    assert.equal(snapshot.collector('numa')?.status, 'ok');
  });

  it('says that the counters are switched off, and nothing where they cannot be', () => {
    const off = collect(numa, { files: { ...node(0, '0\n'), '/proc/sys/vm/numa_stat': '0\n' } });
    assert.equal(valueOf(off, numaStatEnabled), 0);
    const old = collect(numa, { files: node(0, '0\n') });
    assert.equal(valueOf(old, numaStatEnabled), undefined);
    assert.equal(old.collector('numa')?.status, 'ok');
  });

  it('gives bytes for kB fields and counts for huge pages', () => {
    const parsed = parseNodeMeminfo(bytesOf('\nNode 1 Active(anon):   3 kB\nNode 1 HugePages_Free:     7\n'));
    assert.ok(parsed.ok);
    assert.deepEqual(
      [...parsed.value],
      [
        ['Active_anon', 3072],
        ['HugePages_Free', 7],
      ],
    );
    const snapshot = collect(numa, { files: node(0, '0\n') });
    assert.equal(valueOf(snapshot, meminfoNuma.member('MemTotal'), { node: '0' }), 4810964 * 1024);
  });

  it('is not applicable without NUMA', () => {
    assert.equal(collect(numa, {}).collector('numa')?.status, 'not-applicable');
  });
});
