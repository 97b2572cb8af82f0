import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseSoftnet, softnet } from '../../src/collectors/softnet.ts';
import {
  softnetBacklog,
  softnetDropped,
  softnetFlowLimit,
  softnetProcessed,
  softnetReceivedRps,
  softnetSqueezed,
} from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

const hex = (value: number): string => value.toString(16).padStart(8, '0');
/** A row of the first `width` columns: processed, dropped, squeezed, 5 zeros, collision, rps, flow limit, backlog, cpu ... */
const row = (cpu: number, width: number): string =>
  [1000 + cpu, 20, 3, 0, 0, 0, 0, 0, 0, 7, 5, 11, cpu, 6, 5].slice(0, width).map(hex).join(' ') + '\n';

describe('softnet collector', () => {
  for (const [kernel, width] of [
    ['5.10 and 6.1', 13],
    ['6.12 and later', 15],
  ] as const) {
    it(`takes the CPU from the row on ${kernel} (${width} columns), with CPU 1 offline`, () => {
      const snapshot = collect(softnet, { files: { '/proc/net/softnet_stat': row(0, width) + row(2, width) } });
      assert.deepEqual(valuesOf(snapshot, softnetProcessed), { 'cpu=0': 1000, 'cpu=2': 1002 });
      assert.equal(valueOf(snapshot, softnetDropped, { cpu: '2' }), 20);
      assert.equal(valueOf(snapshot, softnetSqueezed, { cpu: '2' }), 3);
      assert.equal(valueOf(snapshot, softnetReceivedRps, { cpu: '2' }), 7);
      assert.equal(valueOf(snapshot, softnetFlowLimit, { cpu: '2' }), 5);
      assert.equal(valueOf(snapshot, softnetBacklog, { cpu: '2' }), 11);
    });
  }

  it('takes the nth online CPU for the nth row where a row does not say its CPU', () => {
    const files = { '/proc/net/softnet_stat': row(0, 11) + row(2, 11) };
    const known = collect(softnet, { files: { ...files, '/sys/devices/system/cpu/online': '0,2\n' } });
    assert.deepEqual(valuesOf(known, softnetProcessed), { 'cpu=0': 1000, 'cpu=2': 1002 });
    const stat = 'cpu  9 0 9 9\ncpu0 1 0 1 1\ncpu8 1 0 1 1\n';
    const byStat = collect(softnet, {
      files: { ...files, '/sys/devices/system/cpu/online': '0-15\n', '/proc/stat': stat },
    });
    assert.deepEqual(valuesOf(byStat, softnetProcessed), { 'cpu=0': 1000, 'cpu=8': 1002 });
    const byHeader = collect(softnet, { files: { ...files, '/proc/interrupts': '           CPU4       CPU5\n' } });
    assert.deepEqual(valuesOf(byHeader, softnetProcessed), { 'cpu=4': 1000, 'cpu=5': 1002 });
  });

  it('takes rows of several widths, each of them whole', () => {
    const snapshot = collect(softnet, { files: { '/proc/net/softnet_stat': row(0, 13) + row(1, 11) + row(2, 9) } });
    assert.deepEqual(valuesOf(snapshot, softnetProcessed), { 'cpu=0': 1000, 'cpu=1': 1001, 'cpu=2': 1002 });
  });

  it('names no CPU that nothing names', () => {
    const files = { '/proc/net/softnet_stat': row(0, 11) + row(2, 11) };
    const unknown = collect(softnet, { files });
    assert.deepEqual(valuesOf(unknown, softnetProcessed), {});
    assert.match(unknown.collectors[0]!.gaps.at(-1)!.reason, /do not say of which CPUs/);
  });

  it('does not show a backlog of zero where the kernel prints none', () => {
    const snapshot = collect(softnet, { files: { '/proc/net/softnet_stat': row(0, 11) } });
    assert.deepEqual(valuesOf(snapshot, softnetBacklog), {});
  });

  it('reads a file of 6.18', () => {
    const snapshot = collect(softnet, { files: { '/proc/net/softnet_stat': fixture('softnet/softnet_stat-6.18') } });
    assert.deepEqual(Object.keys(valuesOf(snapshot, softnetProcessed)), ['cpu=0', 'cpu=1']);
  });

  it('refuses a file cut within a number or within the last row, garbage, and an empty file', () => {
    const whole = row(0, 15) + row(1, 15);
    const lengths = Array.from(whole)
      .map((_, index) => index)
      .filter((length) => parseSoftnet(bytesOf(whole.slice(0, length))).ok);
    // Whole only after the first row, with and without its line feed, and after the second without.
    assert.deepEqual(
      lengths.filter((length) => length >= row(0, 15).length - 1),
      [row(0, 15).length - 1, row(0, 15).length, whole.length - 1],
    );
    for (const garbage of [
      '',
      '\n',
      'garbage\n',
      '0000 0000\n',
      `${hex(1)} `.repeat(8) + '\n',
      `${hex(1)}0 `.repeat(13) + '\n',
    ]) {
      assert.equal(parseSoftnet(bytesOf(garbage)).ok, false, JSON.stringify(garbage));
    }
  });
});
