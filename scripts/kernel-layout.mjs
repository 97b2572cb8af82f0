import { readdirSync, readFileSync } from 'node:fs';

/** The structs of the headers in bpf/ that user space reads. */
const structs = [
  ...['pktcost_span', 'pktcost_cpu', 'pktcost_bill', 'pktcost_tapcpu', 'pktcost_xmit'],
  ...['pktcost_drop_place', 'pktcost_drops', 'pktcost_chain', 'pktcost_sample', 'pktcost_names', 'pktcost_ring'],
];

/** The sections of a little-endian ELF64 file, by name. Source: include/uapi/linux/elf.h. */
function sectionsOf(elf) {
  const [start, size, count, names] = [
    Number(elf.readBigUInt64LE(40)),
    elf.readUInt16LE(58),
    elf.readUInt16LE(60),
    elf.readUInt16LE(62),
  ];
  const headers = Array.from({ length: count }, (_, index) => {
    const at = start + index * size;
    const offset = Number(elf.readBigUInt64LE(at + 24));
    return { name: elf.readUInt32LE(at), bytes: elf.subarray(offset, offset + Number(elf.readBigUInt64LE(at + 32))) };
  });
  return headers.map(({ name, bytes }) => ({ name: textAt(headers[names].bytes, name), bytes }));
}

function textAt(bytes, at) {
  return bytes.toString('latin1', at, bytes.indexOf(0, at));
}

/** Bytes behind struct btf_type, by kind: of all members, or of each. Source: include/uapi/linux/btf.h. */
const trailing = (kind, members) =>
  ({
    1: 4,
    3: 12,
    4: 12 * members,
    5: 12 * members,
    6: 8 * members,
    13: 8 * members,
    14: 4,
    15: 12 * members,
    17: 4,
    19: 12 * members,
  })[kind] ?? 0;

/** Struct name -> its size and its members' offsets in bytes. */
function structsOf(btf) {
  const header = btf.readUInt32LE(4);
  const [types, length, strings] = [8, 12, 16].map((at) => btf.readUInt32LE(at));
  const name = (at) => textAt(btf, header + strings + at);
  const found = new Map();
  for (let at = header + types; at < header + types + length;) {
    const info = btf.readUInt32LE(at + 4);
    const [kind, members] = [(info >>> 24) & 0x1f, info & 0xffff];
    if (kind === 4) {
      const offsets = Array.from({ length: members }, (_, index) => {
        const member = at + 12 + index * 12;
        return [name(btf.readUInt32LE(member)), (btf.readUInt32LE(member + 8) & 0xffffff) / 8];
      });
      found.set(name(btf.readUInt32LE(at)), { bytes: btf.readUInt32LE(at + 8), offsets });
    }
    at += 12 + trailing(kind, members);
  }
  return found;
}

/** The variables of .data and .rodata: [name, section, offset, bytes]. */
function variablesOf(sections) {
  const symbols = sections.find(({ name }) => name === '.symtab').bytes;
  const strings = sections.find(({ name }) => name === '.strtab').bytes;
  return Array.from({ length: symbols.length / 24 }, (_, index) => index * 24).flatMap((at) => {
    const section = sections[symbols.readUInt16LE(at + 6)]?.name;
    const name = textAt(strings, symbols.readUInt32LE(at));
    if ((section !== '.data' && section !== '.rodata') || !name.startsWith('pktcost_')) return [];
    const [offset, bytes] = [at + 8, at + 16].map((where) => Number(symbols.readBigUInt64LE(where)));
    return [{ name, section, offset, bytes }];
  });
}

const camel = (name) => name.replace(/^pktcost_/, '').replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** src/generated/kernel-layout.ts: what the compiled objects say of the memory that they share with user space. */
export function kernelLayout() {
  const objects = new Map(
    readdirSync('bpf')
      .filter((file) => file.endsWith('.bpf.o'))
      .sort()
      .map((file) => [file.slice(0, -6), sectionsOf(readFileSync(`bpf/${file}`))]),
  );
  const lines = ['/* Made from the BTF and the symbols of bpf/*.o by `npm run generate`: do not edit. */', ''];
  const known = new Map();
  for (const [object, sections] of objects) {
    const btf = sections.find(({ name }) => name === '.BTF');
    if (btf === undefined) throw new Error(`${object}.bpf.o has no BTF`);
    for (const [struct, layout] of structsOf(btf.bytes)) {
      const text = JSON.stringify(layout);
      if (structs.includes(struct) && JSON.stringify(known.get(struct) ?? layout) !== text)
        throw new Error(`${object}.bpf.o was built with another ${struct} than other objects`);
      known.set(struct, layout);
    }
  }
  for (const struct of structs) {
    const { bytes, offsets } = known.get(struct);
    lines.push(
      `/** struct ${struct}: its size and the offsets of its members, in bytes. */`,
      `export const ${camel(struct)}Layout = {`,
      `  bytes: ${bytes},`,
      ...offsets.map(([name, offset]) => `  ${camel(name)}: ${offset},`),
      '} as const;',
      '',
    );
  }
  lines.push(
    '/** The variables that user space writes: the section of each, and its place there in bytes. */',
    'export const variables = {',
  );
  const seen = new Map();
  for (const [object, sections] of objects) {
    for (const { name, section, offset, bytes } of variablesOf(sections)) {
      const text = `  ${camel(name)}: { section: '${section}', offset: ${offset}, bytes: ${bytes} },`;
      if ((seen.get(name) ?? text) !== text)
        throw new Error(`${name} of ${object}.bpf.o lies elsewhere than in other objects`);
      if (offset !== 0 || bytes !== 4) throw new Error(`${name} of ${object}.bpf.o is not the one u32 of ${section}`);
      if (!seen.has(name)) lines.push(text);
      seen.set(name, text);
    }
  }
  return [...lines, '} as const;', ''].join('\n');
}
