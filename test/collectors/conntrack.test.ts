import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { conntrack, parseConntrackStat } from '../../src/collectors/conntrack.ts';
import { conntrackDrop, conntrackEntries, conntrackLimit } from '../../src/metrics/catalogue/index.ts';
import { collect, valueOf } from '../support/reader.ts';

// The header of 5.10, then of 6.1 and later: one column changed its name and its meaning.
const header510 =
  'entries clashres found new invalid ignore delete delete_list insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n';
const header61 = header510.replace('delete_list', 'chainlength');
const row = (drop: string): string =>
  `000001f4  00000000 00000000 00000000 00000003 00000000 00000000 00000000 00000000 00000000 ${drop} 00000002 00000000  00000000 00000000 00000000 00000001\n`;

const files = (stat: string): Record<string, string> => ({
  '/proc/sys/net/netfilter/nf_conntrack_count': '500\n',
  '/proc/sys/net/netfilter/nf_conntrack_max': '65536\n',
  '/proc/net/stat/nf_conntrack': stat,
});

describe('conntrack collector', () => {
  it('sums the per-CPU drops by column name and keeps the cells for wraps', () => {
    const snapshot = collect(conntrack, { files: files(header61 + row('000000c8') + row('00000010')) });
    assert.equal(valueOf(snapshot, conntrackEntries), 500);
    assert.equal(valueOf(snapshot, conntrackLimit), 65536);
    assert.deepEqual(snapshot.get(conntrackDrop, {})?.cells, [200, 16]);
    assert.equal(valueOf(snapshot, conntrackDrop), 216);
    assert.equal(snapshot.collector('conntrack')?.status, 'ok');
  });

  it('does not take the always-zero delete_list of 5.10 for a chain length', () => {
    const parsed = parseConntrackStat(new TextEncoder().encode(header510 + row('00000000')));
    assert.ok(parsed.ok);
    assert.equal(parsed.value.has('chainlength'), false);
  });

  it('says that conntrack is not loaded instead of reporting an empty table', () => {
    const snapshot = collect(conntrack, { files: {} });
    assert.equal(snapshot.collector('conntrack')?.status, 'not-applicable');
    assert.equal(valueOf(snapshot, conntrackEntries), undefined);
  });

  it('gives the count and limit, and a gap with path and reason, when the statistics file fails', () => {
    const snapshot = collect(conntrack, {
      files: { ...files(''), '/proc/net/stat/nf_conntrack': refusal('EACCES') },
    });
    assert.equal(valueOf(snapshot, conntrackEntries), 500);
    assert.equal(valueOf(snapshot, conntrackDrop), undefined);
    assert.deepEqual(snapshot.collector('conntrack')?.gaps, [
      { path: '/proc/net/stat/nf_conntrack', reason: 'permission denied (EACCES)', errno: 'EACCES' },
    ]);
  });

  it('refuses a file cut in the middle of a row, and says at which byte', () => {
    const whole = header61 + row('00000001');
    const parsed = parseConntrackStat(new TextEncoder().encode(whole.slice(0, -40)));
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, /cut off in the middle of a line/);
    assert.ok((parsed.offset ?? 0) > header61.length);
  });
});
