import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseSoftirqs, softirqs } from '../../src/collectors/softirqs.ts';
import { softirqFunctions } from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

// Four possible CPUs with a hole in the mask; CPU 3 is offline and keeps the count it stopped at.
const sparse = `                    CPU0       CPU1       CPU3       CPU4       
      NET_TX:          3          1          0          0
      NET_RX:       1644 4294967295        777          0
`;

describe('softirqs collector', () => {
  it('names CPUs by the header, not by the position', () => {
    const snapshot = collect(softirqs, { files: { '/proc/softirqs': sparse } });
    assert.equal(valueOf(snapshot, softirqFunctions, { cpu: '1', type: 'NET_RX' }), 4294967295);
    assert.equal(valueOf(snapshot, softirqFunctions, { cpu: '3', type: 'NET_RX' }), 777);
    assert.equal(valueOf(snapshot, softirqFunctions, { cpu: '2', type: 'NET_RX' }), undefined);
    assert.equal(Object.keys(valuesOf(snapshot, softirqFunctions)).length, 8);
  });

  it('reads a file of 6.18', () => {
    const snapshot = collect(softirqs, { files: { '/proc/softirqs': fixture('softirqs/softirqs-6.18') } });
    const types = new Set(snapshot.series(softirqFunctions).map((series) => series.labels['type']));
    assert.deepEqual(
      [...types],
      ['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'],
    );
  });

  it('refuses rows that are shorter or longer than the header, and says where', () => {
    const short = parseSoftirqs(bytesOf('  CPU0 CPU1\n NET_RX: 1\n'));
    assert.ok(!short.ok);
    assert.match(short.reason, /no 32-bit number for CPU 1 in row NET_RX:/);
    assert.equal(short.offset, 22);
    assert.equal(parseSoftirqs(bytesOf('  CPU0 CPU1\n NET_RX: 1 2 3\n')).ok, false);
  });

  it('gives no number for a file that is empty, cut anywhere or garbage', () => {
    for (let length = 0; length < sparse.length; length += 1) {
      const parsed = parseSoftirqs(bytesOf(sparse.slice(0, length)));
      if (parsed.ok) assert.equal(sparse[length - 1], '\n');
    }
    for (const garbage of [
      '\n',
      'x\n',
      'CPU0\n',
      'CPU0\nNET_RX 1\n',
      'CPU0\nNET_RX: -1\n',
      'CPU0\nNET_RX: 4294967296\n',
    ]) {
      assert.equal(parseSoftirqs(bytesOf(garbage)).ok, false, JSON.stringify(garbage));
    }
  });
});
