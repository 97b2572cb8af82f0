import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { wrap, wrapName } from '../../../src/report/text/layout.ts';

describe('a line that is broken', () => {
  it('keeps a figure and its unit together where there is room for both', () => {
    assert.deepEqual(wrap('it took 61 MiB of memory', 12), ['it took', '61 MiB of', 'memory']);
    assert.deepEqual(wrap('a window of 10 s', 14), ['a window of', '10 s']);
    assert.deepEqual(wrap('of 10 such', 7), ['of 10', 'such']);
    assert.deepEqual(wrap('200 ns', 3), ['200', 'ns']);
  });

  it('breaks a long name between its parts, and where it has none anywhere', () => {
    assert.deepEqual(wrap('tpacket_rcv', 9), ['tpacket_', 'rcv']);
    assert.deepEqual(wrap('abcdefghij', 4), ['abcd', 'efgh', 'ij']);
  });

  it('breaks the name of a series that is longer than a line between its parts', () => {
    assert.deepEqual(wrapName('pktcost_span_nanoseconds_total{device="eth0",span="taps"}', 28), [
      'pktcost_span_nanoseconds_',
      'total{device="eth0",',
      'span="taps"}',
    ]);
  });
});
