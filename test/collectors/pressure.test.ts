import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { parsePressure, pressure } from '../../src/collectors/pressure.ts';
import {
  pressureCpuWaiting,
  pressureIoStalled,
  pressureIoWaiting,
  pressureIrqStalled,
  pressureMemoryStalled,
} from '../../src/metrics/catalogue/index.ts';
import { bytesOf } from '../support/fixture.ts';
import { collect, valueOf } from '../support/reader.ts';

const line = (kind: string, total: number): string => `${kind} avg10=0.16 avg60=0.52 avg300=0.88 total=${total}\n`;
const both = line('some', 17_495_524) + line('full', 11_000_000);
// 5.10 prints no full line for cpu and has no irq file.
const on510 = {
  '/proc/pressure/cpu': line('some', 17_495_524),
  '/proc/pressure/io': both,
  '/proc/pressure/memory': both,
};

describe('pressure collector', () => {
  it('gives the totals in seconds', () => {
    const snapshot = collect(pressure, { files: on510 });
    assert.equal(valueOf(snapshot, pressureCpuWaiting), 17.495524);
    assert.equal(valueOf(snapshot, pressureIoWaiting), 17.495524);
    assert.equal(valueOf(snapshot, pressureIoStalled), 11);
    assert.equal(snapshot.collector('pressure')?.status, 'ok');
  });

  it('gives the interrupt stalls where the kernel measures them, which have a full line only', () => {
    const snapshot = collect(pressure, { files: { ...on510, '/proc/pressure/irq': line('full', 8494) } });
    assert.equal(valueOf(snapshot, pressureIrqStalled), 0.008494);
    assert.equal(valueOf(collect(pressure, { files: on510 }), pressureIrqStalled), undefined);
  });

  it('says that the kernel does not track pressure when the directory is absent', () => {
    const snapshot = collect(pressure, { files: {} });
    assert.equal(snapshot.collector('pressure')?.status, 'not-applicable');
    assert.match(snapshot.collector('pressure')?.gaps[0]?.reason ?? '', /psi=0/);
  });

  it('notes a file that is there and refuses to be read', () => {
    const refused = refusal('EOPNOTSUPP');
    const snapshot = collect(pressure, { files: { ...on510, '/proc/pressure/memory': refused } });
    assert.equal(valueOf(snapshot, pressureMemoryStalled), undefined);
    assert.equal(snapshot.collector('pressure')?.status, 'partial');
    assert.deepEqual(snapshot.collector('pressure')?.gaps, [
      { path: '/proc/pressure/memory', reason: refused.reason, errno: 'EOPNOTSUPP' },
    ]);
  });

  it('refuses a file that is empty, cut before the total, or garbage', () => {
    for (const content of [
      '',
      '\n',
      'some avg10=0.00 avg60=0.00\n',
      'some total=\n',
      'some total=-1\n',
      'all total=1\n',
      'some total=1x\n',
    ]) {
      assert.equal(parsePressure(bytesOf(content)).ok, false, JSON.stringify(content));
    }
  });
});
