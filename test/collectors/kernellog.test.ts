import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { kernellog, parseKernelLog } from '../../src/collectors/kernellog.ts';
import { kernelLogLines } from '../../src/metrics/catalogue/index.ts';
import { bytesOf } from '../support/fixture.ts';
import { collect, valuesOf } from '../support/reader.ts';

describe('kernellog collector', () => {
  it('counts the lines about each loss', () => {
    const rows = [{ about: 'conntrack', lines: 3 }];
    const snapshot = collect(kernellog, { dumps: { kernel_log: rows } });
    assert.deepEqual(valuesOf(snapshot, kernelLogLines), { 'about=conntrack': 3 });
  });

  it('is quiet where nobody has a log, and says when an answer is malformed', () => {
    assert.equal(collect(kernellog, {}).collector('kernellog')?.status, 'not-applicable');
    const malformed = collect(kernellog, { dumps: { kernel_log: [{ about: 7, lines: 3 }] } });
    assert.equal(malformed.collector('kernellog')?.status, 'unavailable');
  });
});

describe('lines of the kernel log', () => {
  it('are known in all their spellings, and told with the last of them', () => {
    const log = [
      '[   12.1] nf_conntrack: table full, dropping packet',
      '[Thu Feb 10 09:52:10 2022] nf_conntrack: nf_conntrack: table full, dropping packet',
      '[   14.1] nf_conntrack: nf_conntrack: table full in netns 4026531840, dropping packet',
      '[   15.1] neighbour: arp_cache: neighbor table overflow!',
      '[   16.1] net_ratelimit: 12 callbacks suppressed',
      '[   17.1] TCP: out of memory -- consider tuning tcp_mem',
      '[   18.1] TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.',
    ];
    const rows = parseKernelLog(bytesOf(log.join('\n')));
    assert.ok(rows.ok);
    assert.deepEqual(
      rows.value.map(({ about, lines }) => [about, lines]),
      [
        ['conntrack', 3],
        ['syn-flood', 1],
        ['tcp-memory', 1],
        ['neighbours', 1],
      ],
    );
    assert.equal(rows.value[0]?.last, log[2]);
  });
});
