import { fail, ok, type Result } from '../base/result.ts';
import { TYPE_BYTES, typesNamed } from './btf-types.ts';

const HEADER_BYTES = 24;
const KIND_ENUM = 6;
const KIND_ENUM64 = 19;
const KINDS = [KIND_ENUM, KIND_ENUM64];

interface Sections {
  readonly types: Buffer;
  readonly strings: Buffer;
}

/**
 * The members of an enum: value -> name. Of several types of that name the longest, since one may be a declaration only. A module's
 * BTF goes on where the kernel's own ends: offsets of strings below the size of `base` are of that.
 * Source: Documentation/bpf/btf.rst; kernel/bpf/btf.c:btf_name_by_offset.
 */
export function parseEnum(bytes: Buffer, name: string, base?: Buffer): Result<ReadonlyMap<number, string>> {
  const sections = sectionsOf(bytes);
  if (!sections.ok) return sections;
  const below = base === undefined ? undefined : sectionsOf(base);
  if (below?.ok === false) return below;
  const shared = below?.value.strings ?? Buffer.alloc(0);
  const { types, strings } = sections.value;
  const found = [shared, strings].flatMap((table, index) => {
    const offset = table.indexOf(Buffer.from(`\0${name}\0`, 'utf8')) + 1;
    return offset === 0 ? [] : [offset + (index === 1 ? shared.length : 0)];
  });
  const text = (offset: number): string => {
    const [table, at] = offset < shared.length ? [shared, offset] : [strings, offset - shared.length];
    const end = table.indexOf(0, at);
    return at < 0 || at >= table.length ? '' : table.toString('utf8', at, end < 0 ? table.length : end);
  };
  let longest = new Map<number, string>();
  for (const at of found.flatMap((offset) => typesNamed(types, offset, KINDS))) {
    const members = membersAt(types, at, text);
    if (members.size > longest.size) longest = members;
  }
  return longest.size > 0 ? ok(longest) : fail(`no enum ${name}`);
}

function sectionsOf(bytes: Buffer): Result<Sections> {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16LE(0) !== 0xeb9f) return fail('not little-endian BTF', 0);
  const header = bytes.readUInt32LE(4);
  const [typesAt, typesLength, stringsAt, stringsLength] = [8, 12, 16, 20].map((at) => bytes.readUInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  if (header + typesAt + typesLength > bytes.length || header + stringsAt + stringsLength > bytes.length)
    return fail('BTF is cut off', bytes.length);
  return ok({
    types: bytes.subarray(header + typesAt, header + typesAt + typesLength),
    strings: bytes.subarray(header + stringsAt, header + stringsAt + stringsLength),
  });
}

function membersAt(types: Buffer, at: number, text: (offset: number) => string): Map<number, string> {
  const wide = (types[at + 7]! & 0x1f) === KIND_ENUM64;
  const size = wide ? 12 : 8;
  const count = types.readUInt16LE(at + 4);
  const members = new Map<number, string>();
  for (let index = 0; index < count; index += 1) {
    const member = at + TYPE_BYTES + index * size;
    if (member + size > types.length) break;
    const name = text(types.readUInt32LE(member));
    if (name !== '') members.set(types.readUInt32LE(member + 4), name);
  }
  return members;
}
