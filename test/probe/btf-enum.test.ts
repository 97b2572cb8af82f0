import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseEnum } from '../../src/probe/btf-enum.ts';

const KIND_ENUM = 6;

/** BTF of enums alone. @param base bytes of strings that come before ours, as in a module's BTF */
function btf(enums: Readonly<Record<string, readonly (readonly [string, number])[]>>, base = 0): Buffer {
  const strings: Buffer[] = base === 0 ? [Buffer.from('\0')] : [];
  let length = base === 0 ? 1 : 0;
  const place = (text: string): number => {
    strings.push(Buffer.from(`${text}\0`));
    const at = base + length;
    length += text.length + 1;
    return at;
  };
  // The first name of a module's strings must have a NUL before it, too.
  if (base > 0) place('');
  const types = Object.entries(enums).map(([name, members]) => {
    const bytes = Buffer.alloc(12 + members.length * 8);
    bytes.writeUInt32LE(place(name.trim()), 0);
    bytes.writeUInt32LE(((KIND_ENUM << 24) | members.length) >>> 0, 4);
    bytes.writeUInt32LE(4, 8);
    for (const [index, [member, value]] of members.entries()) {
      bytes.writeUInt32LE(place(member), 12 + index * 8);
      bytes.writeUInt32LE(value, 16 + index * 8);
    }
    return bytes;
  });
  const [typed, named] = [Buffer.concat(types), Buffer.concat(strings)];
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(0, 8);
  header.writeUInt32LE(typed.length, 12);
  header.writeUInt32LE(typed.length, 16);
  header.writeUInt32LE(named.length, 20);
  return Buffer.concat([header, typed, named]);
}

function stringsOf(bytes: Buffer): number {
  return bytes.readUInt32LE(20);
}

const kernel = btf({
  other: [['SOMETHING', 3]],
  skb_drop_reason: [
    ['SKB_NOT_DROPPED_YET', 0],
    ['SKB_DROP_REASON_NO_SOCKET', 3],
  ],
});

function members(bytes: Buffer, name: string, base?: Buffer): Record<string, number> {
  const parsed = parseEnum(bytes, name, base);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return Object.fromEntries([...parsed.value].map(([value, member]) => [member, value]));
}

describe('an enum from BTF', () => {
  it('gives its members by value', () => {
    assert.deepEqual(members(kernel, 'skb_drop_reason'), { SKB_NOT_DROPPED_YET: 0, SKB_DROP_REASON_NO_SOCKET: 3 });
  });

  it("of a module, whose strings go on where the kernel's end", () => {
    const module = btf({ ovs_drop_reason: [['OVS_DROP_LAST_ACTION', 0x30001]] }, stringsOf(kernel));
    assert.deepEqual(members(module, 'ovs_drop_reason', kernel), { OVS_DROP_LAST_ACTION: 0x30001 });
  });

  it('fails where there is none, and on anything that is no BTF', () => {
    assert.ok(!parseEnum(kernel, 'skb_drop').ok);
    assert.ok(!parseEnum(Buffer.alloc(0), 'skb_drop_reason').ok);
    assert.ok(!parseEnum(Buffer.alloc(64), 'skb_drop_reason').ok);
    for (let length = 0; length < kernel.length; length += 1)
      assert.ok(!parseEnum(kernel.subarray(0, length), 'skb_drop_reason').ok, `cut at ${length}`);
  });
});
