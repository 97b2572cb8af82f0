import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { sockstat } from '../../src/collectors/sockstat.ts';
import { sockstat as fields } from '../../src/metrics/catalogue/index.ts';
import { collect, valueOf } from '../support/reader.ts';

const v4 = `sockets: used 229
TCP: inuse 4 orphan 0 tw 4 alloc 17 mem 10
UDP: inuse 0 mem 3
RAW: inuse 0
FRAG: inuse 0 memory 0
`;
const files = { '/proc/net/sockstat': v4, '/proc/net/sockstat6': 'TCP6: inuse 17\nFRAG6: inuse 0 memory 0\n' };

describe('sockstat collector', () => {
  it('gives pages, and bytes where the page size is known', () => {
    const snapshot = collect(sockstat, { files, dumps: { sysconf: { pageSize: 4096, clockTicks: 100 } } });
    assert.equal(valueOf(snapshot, fields.member('sockets_used')), 229);
    assert.equal(valueOf(snapshot, fields.member('TCP_mem')), 10);
    assert.equal(valueOf(snapshot, fields.member('TCP_mem_bytes')), 40960);
    assert.equal(valueOf(snapshot, fields.member('UDP_mem_bytes')), 12288);
    assert.equal(valueOf(snapshot, fields.member('TCP6_inuse')), 17);
    assert.equal(snapshot.collector('sockstat')?.status, 'ok');
  });

  for (const [release, bytes] of [
    ['5.10.0-30-arm64', 40960],
    ['5.19.17', 40960],
    ['6.0.1', 655360],
    ['6.12.107-64k', 655360],
  ] as const) {
    it(`counts in the unit of ${release} on 64 KiB pages`, () => {
      const snapshot = collect(sockstat, {
        files: { ...files, '/proc/sys/kernel/osrelease': `${release}\n` },
        dumps: { sysconf: { pageSize: 65536 } },
      });
      assert.equal(valueOf(snapshot, fields.member('TCP_mem_bytes')), bytes);
    });
  }

  it('gives no bytes, and says why, when the page size is not known', () => {
    const snapshot = collect(sockstat, { files });
    assert.equal(valueOf(snapshot, fields.member('TCP_mem')), 10);
    assert.equal(valueOf(snapshot, fields.member('TCP_mem_bytes')), undefined);
    assert.deepEqual(
      snapshot.collector('sockstat')?.gaps.map(({ path }) => path),
      ['sysconf'],
    );
  });
});
