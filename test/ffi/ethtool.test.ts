import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { driverOf, parseStatistics, parseStrings, ringOf, statisticsOf } from '../../src/ffi/ethtool.ts';
import { LITTLE, viewOf } from '../../src/ffi/netlink.ts';
import { ok } from '../../src/base/result.ts';

const NAME = 32;

function strings(count: number, ...names: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(12 + names.length * NAME);
  viewOf(bytes).setUint32(8, count, LITTLE);
  names.forEach((name, index) => {
    bytes.set(new TextEncoder().encode(name).subarray(0, NAME), 12 + index * NAME);
  });
  return bytes;
}

function statistics(count: number, ...values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(8 + values.length * 8);
  const view = viewOf(bytes);
  view.setUint32(4, count, LITTLE);
  values.forEach((value, index) => {
    view.setBigUint64(8 + index * 8, value, LITTLE);
  });
  return bytes;
}

describe('answers of ethtool', () => {
  it('are names, which may fill their field, and their counts', () => {
    const long = 'x'.repeat(NAME);
    const names = parseStrings(strings(3, 'rx_drops', long, ''), 3);
    assert.deepEqual(names, ok(['rx_drops', long, '']));
    assert.deepEqual(
      parseStatistics(statistics(3, 7n, 0n, 2n ** 40n), ['rx_drops', long, '']),
      ok([
        ['rx_drops', 7],
        [long, 0],
        ['', 2 ** 40],
      ]),
    );
  });

  it('of another number than was asked for are none', () => {
    assert.deepEqual(parseStrings(strings(2, 'a', 'b', 'c'), 3), ok(undefined));
    assert.deepEqual(parseStatistics(statistics(0, 1n, 2n), ['a', 'b']), ok(undefined));
    assert.ok(!parseStrings(strings(2, 'a'), 2).ok);
    assert.ok(!parseStatistics(statistics(2, 1n), ['a', 'b']).ok);
  });

  it('may be anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(14), (bytes, count) => {
        const names = parseStrings(bytes, count);
        if (names.ok && names.value !== undefined) {
          assert.equal(names.value.length, count);
          const counters = parseStatistics(bytes, names.value);
          if (counters.ok) for (const [, each] of counters.value ?? []) assert.ok(Number.isFinite(each));
        }
      }),
      { seed: 20261130 },
    );
  });

  it('are none of a device without a driver, and a reason of one that is not there', () => {
    assert.equal((driverOf('lo') as { errno?: string }).errno, 'EOPNOTSUPP');
    assert.deepEqual(statisticsOf('lo'), ok([]));
    assert.deepEqual(ringOf('lo'), ok(undefined));
    assert.equal((statisticsOf('no-such-device0') as { errno?: string }).errno, 'ENODEV');
  });
});
