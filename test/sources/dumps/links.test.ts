import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { filterHook } from '../../../src/collectors/links-dump.ts';
import { parseFilteringQdisc } from '../../../src/sources/dumps/links.ts';

/** struct tcmsg with ifindex 3 and a handle, and the attribute TCA_KIND. */
function qdisc(kind: string, handle: number): Uint8Array {
  const name = Buffer.from(`${kind}\0`);
  const bytes = new Uint8Array(20 + ((4 + name.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setInt32(4, 3, true);
  view.setUint32(8, handle, true);
  view.setUint16(20, 4 + name.length, true);
  view.setUint16(22, 1, true);
  bytes.set(name, 24);
  return bytes;
}

describe('queueing disciplines that have filters', () => {
  for (const [kind, handle, hooks] of [
    ['clsact', 0xffff0000, ['ingress', 'egress']],
    ['ingress', 0xffff0000, ['ingress']],
    ['htb', 0x00010000, ['htb 1:']],
    ['prio', 0x80020000, ['prio 8002:']],
    ['fq_codel', 0, []],
    ['fq', 0x00010000, []],
    ['noqueue', 0, []],
  ] as const)
    it(`${kind} with handle ${handle.toString(16)}: ${hooks.join(', ') || 'none'}`, () => {
      const parsed = parseFilteringQdisc(qdisc(kind, handle));
      assert.ok(parsed.ok);
      assert.deepEqual(parsed.value?.places.map(filterHook) ?? [], hooks);
      if (parsed.value !== undefined) assert.equal(parsed.value.ifindex, 3);
    });

  it('a message that is cut short is told', () => {
    assert.equal(parseFilteringQdisc(new Uint8Array(10)).ok, false);
  });
});
