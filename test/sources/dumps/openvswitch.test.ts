import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseDatapath, parseFamily } from '../../../src/sources/dumps/openvswitch.ts';
import { nla, text } from '../../support/netlink.ts';

const native = (values: readonly bigint[]): Uint8Array => new Uint8Array(new BigUint64Array(values).buffer);
const generic = Buffer.from([1, 2, 0, 0]);
const family = (name: string, id: number): Uint8Array =>
  Buffer.concat([generic, nla(2, text(name)), nla(1, new Uint8Array(new Uint16Array([id]).buffer))]);
const datapath = (...attributes: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([generic, Buffer.alloc(4), ...attributes]);

describe('datapaths of Open vSwitch', () => {
  it('are asked of the family that has their name', () => {
    assert.deepEqual(parseFamily(family('ovs_datapath', 29)), { ok: true, value: 29 });
    assert.deepEqual(parseFamily(family('ovs_flow', 31)), { ok: true, value: undefined });
  });

  it('are named as the commands of Open vSwitch name them, with what the kernel counts', () => {
    const counted = nla(3, native([936_830n, 50_000n, 5000n, 7n]));
    assert.deepEqual(parseDatapath(datapath(nla(1, text('ovs-system')), counted)), {
      ok: true,
      value: { datapath: 'system@ovs-system', hit: 936_830, missed: 50_000, lost: 5000 },
    });
  });

  it('that say nothing of what they count are no healthy ones', () => {
    assert.equal(parseDatapath(datapath(nla(1, text('ovs-system')))).ok, false);
    assert.equal(parseDatapath(datapath(nla(1, text('ovs-system')), nla(3, native([1n])))).ok, false);
  });

  it('that are cut short are told', () => {
    const whole = datapath(nla(1, text('ovs-system')), nla(3, native([1n, 2n, 3n, 4n])));
    for (let length = 0; length < whole.length; length += 1)
      assert.equal(parseDatapath(whole.subarray(0, length)).ok, false, `${length}`);
  });
});
