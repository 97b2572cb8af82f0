import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseLinkInfo, parseProgramInfo } from '../../src/probe/programs.ts';
import { cutAnywhere } from '../support/bytes.ts';

function words(length: number, set: Readonly<Record<number, number>>): Buffer {
  const bytes = Buffer.alloc(length);
  for (const [at, value] of Object.entries(set)) bytes.writeUInt32LE(value, Number(at));
  return bytes;
}

describe('what the kernel says of BPF programs and links', () => {
  it('is read as bpftool reads it', () => {
    const bytes = words(232, { 0: 3, 4: 77, 48: 1000, 192: 5000, 200: 10 });
    bytes.write('spin', 64, 'latin1');
    const program = { id: 77, type: 'sched_cls', name: 'spin', uid: 1000, runNs: 5000, runs: 10 };
    assert.deepEqual(parseProgramInfo(bytes), { ok: true, value: program });
    for (const cut of cutAnywhere(bytes.subarray(0, 208))) assert.ok(!parseProgramInfo(cut).ok);
    assert.equal((parseProgramInfo(words(232, { 0: 99 })) as { value: { type: string } }).value.type, 'type 99');
  });

  it('tells of each kind of link its hook', () => {
    const hooks = (link: Readonly<Record<number, number>>, name = ''): unknown => {
      const told = parseLinkInfo(words(64, { 4: 5, 8: 77, ...link }), Buffer.from(`${name}\0`));
      assert.ok(told.ok);
      const { hook, target, ifindex } = told.value;
      return [hook, target, ifindex];
    };
    assert.deepEqual(hooks({ 0: 1 }, 'netif_receive_skb'), ['raw_tracepoint', 'netif_receive_skb', 0]);
    assert.deepEqual(hooks({ 0: 2, 16: 23 }), ['tp_btf', '', 0]);
    assert.deepEqual(hooks({ 0: 3, 16: 9, 24: 1 }), ['cgroup_inet_egress', '', 0]);
    assert.deepEqual(hooks({ 0: 6, 16: 4 }), ['xdp', '', 4]);
    assert.deepEqual(hooks({ 0: 11, 16: 4, 20: 46 }), ['tcx_ingress', '', 4]);
    assert.deepEqual(hooks({ 0: 99 }), ['type 99', '', 0]);
  });
});
