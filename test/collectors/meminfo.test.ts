import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { meminfo, parseMeminfo } from '../../src/collectors/meminfo.ts';
import {
  hugepagesFree,
  hugepagesOvercommit,
  hugepagesReserved,
  hugepagesSurplus,
  hugepagesTotal,
  meminfo as meminfoFamily,
} from '../../src/metrics/catalogue/index.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

const small = `MemTotal:       25276510 kB
Active(anon):       9132 kB
HugePages_Total:      16
Hugepagesize:       2048 kB
`;
const pool = (size: string, total: number, free: number): Record<string, string> => ({
  [`/sys/kernel/mm/hugepages/hugepages-${size}/nr_hugepages`]: `${total}\n`,
  [`/sys/kernel/mm/hugepages/hugepages-${size}/free_hugepages`]: `${free}\n`,
  [`/sys/kernel/mm/hugepages/hugepages-${size}/resv_hugepages`]: '1\n',
  [`/sys/kernel/mm/hugepages/hugepages-${size}/surplus_hugepages`]: '0\n',
  [`/sys/kernel/mm/hugepages/hugepages-${size}/demote`]: '',
});

describe('meminfo collector', () => {
  it('gives kB fields in bytesOf, counts as they are, and parentheses as node_exporter writes them', () => {
    const snapshot = collect(meminfo, { files: { '/proc/meminfo': small } });
    assert.equal(valueOf(snapshot, meminfoFamily.member('MemTotal_bytes')), 25276510 * 1024);
    assert.equal(valueOf(snapshot, meminfoFamily.member('Active_anon_bytes')), 9132 * 1024);
    assert.equal(valueOf(snapshot, meminfoFamily.member('HugePages_Total')), 16);
    assert.equal(valueOf(snapshot, meminfoFamily.member('Hugepagesize_bytes')), 2 * 1024 * 1024);
    assert.equal(snapshot.collector('meminfo')?.status, 'ok');
  });

  it('gives every pool of huge pages by its size in bytes', () => {
    const files = { '/proc/meminfo': small, ...pool('2048kB', 16, 16), ...pool('1048576kB', 8, 2) };
    const snapshot = collect(meminfo, { files });
    assert.deepEqual(valuesOf(snapshot, hugepagesTotal), { 'size=2097152': 16, 'size=1073741824': 8 });
    assert.equal(valueOf(snapshot, hugepagesFree, { size: '1073741824' }), 2);
    assert.equal(valueOf(snapshot, hugepagesReserved, { size: '1073741824' }), 1);
    assert.equal(valueOf(snapshot, hugepagesSurplus, { size: '1073741824' }), 0);
    assert.deepEqual(valuesOf(snapshot, hugepagesOvercommit), {}, 'a copy without it lacks nothing else');
    const path = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages';
    const more = collect(meminfo, { files: { ...files, [path]: '64\n' } });
    assert.deepEqual(valuesOf(more, hugepagesOvercommit), { 'size=2097152': 64 });
    for (const each of [snapshot, more]) assert.equal(each.collector('meminfo')?.status, 'ok');
  });

  it('reads a file of 6.18', () => {
    const parsed = parseMeminfo(fixture('meminfo/meminfo-6.18'));
    assert.ok(parsed.ok);
    assert.ok(parsed.value.size > 40);
    assert.ok((parsed.value.get('MemAvailable_bytes') ?? 0) > 2 ** 30);
  });

  it('gives no number for a file that is empty, cut anywhere or garbage', () => {
    for (let length = 0; length < small.length; length += 1) {
      const parsed = parseMeminfo(bytesOf(small.slice(0, length)));
      if (parsed.ok) assert.equal(small[length - 1], '\n');
    }
    for (const garbage of ['\n', 'MemTotal 1 kB\n', 'MemTotal: x kB\n', 'MemTotal: -1 kB\n', 'MemTotal: 1 MB\n']) {
      assert.equal(parseMeminfo(bytesOf(garbage)).ok, false, JSON.stringify(garbage));
    }
  });
});
