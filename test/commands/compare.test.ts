import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import type { Comparison } from '../../src/report/compare/comparison.ts';
import { renderJson } from '../../src/report/json.ts';
import { contentOf, recordFake, writeBundle, type FakeSample } from '../support/bundle.ts';
import { pktcost } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-compare-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const host = (drop: string): FakeSample => ({
  files: {
    '/proc/sys/kernel/osrelease': '6.12.1\n',
    '/proc/sys/net/netfilter/nf_conntrack_count': '1000\n',
    '/proc/sys/net/netfilter/nf_conntrack_max': '1000\n',
    '/proc/net/stat/nf_conntrack': `entries  searched found insert_failed drop early_drop\n000003e8  00000000 00000000 00000000 ${drop} 00000000\n`,
  },
});

describe('pktcost compare', () => {
  it('takes reports and bundles alike, and tells what appeared', async () => {
    const calm = contentOf(recordFake(host('00000000'), 100), recordFake(host('00000000'), 110));
    const sick = contentOf(recordFake(host('00000000'), 120), recordFake(host('00000064'), 130));
    const before = join(folder, 'calm.tar.gz');
    await writeBundle(before, calm);
    const after = join(folder, 'sick.json');
    writeFileSync(after, renderJson(sick.report!));
    const { status, stdout, stderr } = await pktcost(['compare', before, after, '--json']);
    assert.doesNotMatch(stderr, /error/);
    assert.equal(status, 3, 'a new critical finding');
    const { findings, headline } = JSON.parse(stdout) as Comparison;
    assert.deepEqual(
      findings.appeared.map(({ code }) => code),
      ['PKT0201'],
    );
    assert.match(headline, /appeared: PKT0201/);
    const text = await pktcost(['compare', before, after]);
    assert.match(text.stdout, /appeared +PKT0201/);
    assert.match(text.stdout, /How noise is judged:/);
    const ticket = await pktcost(['compare', before, after, '--format', 'markdown']);
    assert.match(ticket.stdout, /^## pktcost: what changed/);
    assert.match(ticket.stdout, /\*\*appeared\*\* PKT0201/);
    const reverse = await pktcost(['compare', after, before, '--json']);
    assert.match(reverse.stdout, /"went: |went: PKT0201/);
    assert.match(reverse.stdout, /the second window does not follow the first/);
  });

  it('refuses what is neither in one line', async () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, '{"a": 1}');
    const broken = join(folder, 'broken.json');
    writeFileSync(broken, '{"a": ');
    for (const path of [other, broken, join(folder, 'missing')]) {
      const { status, stdout, stderr } = await pktcost(['compare', path, path]);
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /^pktcost: [^\n]+\n$/);
    }
  });
});
