import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { formatCpuList, parseCpuList } from '../../src/base/cpu-list.ts';

describe('a list of CPUs', () => {
  it('is read and written as the kernel does', () => {
    assert.deepEqual(parseCpuList('0-2,8,10-11\n'), { ok: true, value: [0, 1, 2, 8, 10, 11] });
    assert.deepEqual(parseCpuList('(null)\n'), { ok: true, value: [] });
    assert.equal(formatCpuList([11, 0, 1, 2, 8, 10, 2]), '0-2,8,10-11');
    assert.equal(formatCpuList([]), '');
  });

  it('is refused as a whole where a part of it is none, or beyond what any kernel has', () => {
    for (const text of ['0,x', '-1', '3-', '2-1', '0-999999', '40000'])
      assert.equal(parseCpuList(text).ok, false, text);
  });
});
