import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseZoneinfo, zoneinfo } from '../../src/collectors/zoneinfo.ts';
import { zoneAnonHuge, zoneHit, zoneOther } from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valuesOf } from '../support/reader.ts';

describe('zoneinfo collector', () => {
  for (const kernel of ['5.10', '7.3']) {
    it(`reads the populated zones of two nodes of ${kernel}`, () => {
      const snapshot = collect(zoneinfo, { files: { '/proc/zoneinfo': fixture(`zoneinfo/two-nodes-${kernel}`) } });
      assert.deepEqual(valuesOf(snapshot, zoneHit), {
        'node=0,zone=DMA': 1000,
        'node=0,zone=DMA32': 2000,
        'node=0,zone=Normal': 3000000000,
        'node=1,zone=Normal': 5000,
      });
      assert.equal(valuesOf(snapshot, zoneOther)['node=1,zone=Normal'], 5005);
      // Node 1 has no DMA pages: its per-node block stands under Normal.
      assert.deepEqual(valuesOf(snapshot, zoneAnonHuge), { 'node=0,zone=DMA': 512, 'node=1,zone=Normal': 513 });
      assert.equal(snapshot.collector('zoneinfo')?.status, 'ok');
    });
  }

  it('reads a kernel without NUMA as zones without counters', () => {
    const parsed = parseZoneinfo(bytesOf('Node 0, zone   Normal\n  pages free     1\n      nr_free_pages 1\n'));
    assert.ok(parsed.ok);
    assert.equal(parsed.value[0]?.values.size, 0);
  });

  it('never reports the front half of a counter', () => {
    const whole = fixture('zoneinfo/two-nodes-5.10');
    const full = parseZoneinfo(whole);
    assert.ok(full.ok);
    for (let length = 0; length < whole.length; length += 1) {
      const parsed = parseZoneinfo(whole.subarray(0, length));
      if (!parsed.ok) continue;
      for (const [index, zone] of parsed.value.entries()) {
        for (const [name, value] of zone.values) assert.equal(value, full.value[index]?.values.get(name));
      }
    }
  });
});
