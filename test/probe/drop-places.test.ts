import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail, ok, type Result } from '../../src/base/result.ts';
import { readPlaces } from '../../src/probe/drop-places.ts';
import type { MapFd } from '../../src/probe/libbpf.ts';

const refusal = fail('no memory (ENOMEM)');

describe('the places where packets were dropped', () => {
  const map = 1 as unknown as MapFd;
  const key = Buffer.alloc(64);
  const of = (keys: Result<Uint8Array[]>, lookups: readonly Result<void>[]) => {
    const left = [...lookups];
    return { possibleCpus: 1, keys: () => keys, lookup: () => left.shift() ?? ok(undefined) };
  };

  it('are all read, or the reason is told', () => {
    const both = readPlaces(of(ok([key, key]), []), map);
    assert.equal(both.ok && both.value.length, 2);
    assert.deepEqual(readPlaces(of(ok([key, key]), [ok(undefined), refusal]), map), refusal);
    assert.deepEqual(readPlaces(of(refusal, []), map), refusal);
  });
});
