import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail } from '../../src/base/result.ts';
import { parseRawSockets, rawsockets } from '../../src/collectors/rawsockets.ts';
import { rawSocketDrops } from '../../src/metrics/catalogue/index.ts';
import { collect, valuesOf } from '../support/reader.ts';

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const v4 =
  ' 253: 00000000:00FD 00000000:0000 07 00000000:00000B00 00:00000000 00000000     0        0 48211 2 00000000d3c9ba7f 982\n' +
  '   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 48300 2 0000000000000000 0\n';
const v6 =
  '  58: 00000000000000000000000000000000:003A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9001 2 00000000f2a8c1de 4\n';

describe('rawsockets collector', () => {
  it('gives the drops of each socket that has some, by protocol and inode', () => {
    const snapshot = collect(rawsockets, {
      files: { '/proc/net/raw': header + v4, '/proc/net/raw6': header + v6 },
    });
    assert.deepEqual(valuesOf(snapshot, rawSocketDrops), {
      'family=inet,inode=48211,protocol=253': 982,
      'family=inet6,inode=9001,protocol=58': 4,
    });
    assert.equal(snapshot.collector('rawsockets')?.status, 'ok');
  });

  it('does without IPv6', () => {
    const snapshot = collect(rawsockets, { files: { '/proc/net/raw': header } });
    assert.equal(snapshot.collector('rawsockets')?.status, 'ok');
  });

  it('says why the file could not be read', () => {
    const refused = collect(rawsockets, {
      files: {
        '/proc/net/raw': fail('permission denied (EACCES)'),
        '/proc/net/raw6': fail('permission denied (EACCES)'),
      },
    }).collector('rawsockets');
    assert.equal(refused?.status, 'unavailable');
  });

  it('refuses a file cut in the middle, and what is no such file', () => {
    for (const bytes of [header + v4.slice(0, -20), 'one 1\n', header + 'nonsense\n'])
      assert.ok(!parseRawSockets(new TextEncoder().encode(bytes)).ok);
  });
});
