import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';

import { runCollector } from '../../src/collectors/collector.ts';
import { decodeDrops, drops } from '../../src/collectors/drops.ts';
import { skbDropReasons, skbDrops, skbDropsCounted } from '../../src/metrics/catalogue/index.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import type { DropsAnswer } from '../../src/readings/drops.ts';
import { fakeReader } from '../support/reader.ts';

const row = { reason: 'NO_SOCKET', location: '__udp4_lib_rcv', device: 'eth0', netns: '', packets: 7 };
const answer: DropsAnswer = {
  version: 1,
  reasons: true,
  total: 9,
  lookedAt: 9,
  estimated: 3,
  error: 1,
  noRoom: 0,
  rarest: 1,
  rows: [row, { ...row, netns: 'pod', packets: 2 }],
};

describe('the collector drops', () => {
  it('gives one series for each reason, place, device and namespace', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 1);
    const report = runCollector(drops, fakeReader({ dumps: { drops: answer } }), snapshot);
    assert.equal(report.status, 'ok');
    const labels = { reason: 'NO_SOCKET', location: '__udp4_lib_rcv', device: 'eth0' };
    assert.equal(snapshot.get(skbDrops, labels)?.value, 7);
    assert.equal(snapshot.get(skbDrops, { ...labels, netns: 'pod' })?.value, 2);
    assert.equal(snapshot.get(skbDropsCounted, {})?.value, 9);
    assert.equal(snapshot.get(skbDropReasons, {})?.value, 1);
  });

  it('says why where nothing was counted', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 1);
    const report = runCollector(drops, fakeReader({}), snapshot);
    assert.equal(report.status, 'unavailable');
    assert.equal(snapshot.series(skbDrops).length, 0);
  });

  it('takes no answer that is not whole', () => {
    const broken: readonly unknown[] = [
      null,
      [],
      { ...answer, version: 2 },
      { ...answer, total: -1 },
      { ...answer, rarest: 1.5 },
      { ...answer, estimated: -1 },
      { ...answer, error: 'much' },
      { ...answer, reasons: 'yes' },
      { ...answer, rows: 'none' },
      { ...answer, rows: [{ ...row, packets: '7' }] },
      { ...answer, rows: [{ ...row, netns: undefined }] },
      { ...answer, rows: [{ ...row, location: 'x'.repeat(257) }] },
      { ...answer, rows: Array.from({ length: 4097 }, () => row) },
    ];
    for (const each of broken) assert.ok(!decodeDrops(each).ok, JSON.stringify(each));
    assert.deepEqual(decodeDrops(JSON.parse(JSON.stringify(answer))), { ok: true, value: answer });
  });

  it('decodes anything without an exception', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        decodeDrops(value);
        decodeDrops({ ...answer, rows: value });
      }),
    );
  });
});
