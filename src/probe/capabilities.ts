/**
 * What this kernel lets the probe do. The one place where kernels differ: each choice names the fact it was made from, so that
 * the lab can run every row, and an attempt that fails afterwards still ends in a reason and not in a crash.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '../metrics/result.ts';

export interface Capabilities {
  readonly kernel: string;
  readonly btf: boolean;
  /** 6.6: TC programs held by a link, gone with the process. */
  readonly tcx: boolean;
  /** 6.15: ETH_P_ALL taps without a device belong to one namespace; before, every packet of every namespace walks them. */
  readonly tapsPerNetns: boolean;
  /** The functions which the per-socket tier hooks; whether a hook may be loaded is only known by trying. */
  readonly tapFunctions: readonly string[];
  /** 6.2. Not needed: the context of a TC program is the sk_buff's address on every kernel. Told for the lab's table. */
  readonly castToKernelContext: boolean;
  readonly source: string;
}

const TAP_FUNCTIONS = ['packet_rcv', 'tpacket_rcv', 'packet_rcv_fanout', 'dev_queue_xmit_nit'];

const KIND_STRUCT = 4;
const KIND_FUNC = 12;
const KINDS = 20;

/**
 * What follows the three words of a struct btf_type, by kind: words once, and words for each of its members.
 * Documentation/bpf/btf.rst. In typed arrays, because a kernel has 150,000 types and this is code that runs once.
 */
const trailing = new Uint8Array(KINDS);
const perMember = new Uint8Array(KINDS);
for (const kind of [1 /* INT */, 14 /* VAR */, 17 /* DECL_TAG */]) trailing[kind] = 1;
trailing[3 /* ARRAY */] = 3;
for (const kind of [KIND_STRUCT, 5 /* UNION */, 15 /* DATASEC */, 19 /* ENUM64 */]) perMember[kind] = 3;
for (const kind of [6 /* ENUM */, 13 /* FUNC_PROTO */]) perMember[kind] = 2;

function wordsOf(bytes: Buffer): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.prototype.slice.call(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >>> 2);
}

export interface BtfFacts {
  readonly functions: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
}

/** Which of the wanted functions and `struct.member`s the kernel has. Walks the types once, comparing name offsets only. */
export function parseBtf(bytes: Buffer, functions: readonly string[], members: readonly string[]): Result<BtfFacts> {
  if (bytes.length < 24 || bytes.readUInt16LE(0) !== 0xeb9f) return fail('not little-endian BTF', 0);
  const header = bytes.readUInt32LE(4);
  const types = header + bytes.readUInt32LE(8);
  const typesEnd = types + bytes.readUInt32LE(12);
  const strings = header + bytes.readUInt32LE(16);
  const stringsEnd = strings + bytes.readUInt32LE(20);
  if (typesEnd > bytes.length || stringsEnd > bytes.length) return fail('BTF is cut off', bytes.length);
  const table = bytes.subarray(strings, stringsEnd);
  const offsetOf = (name: string): number => {
    const at = table.indexOf(Buffer.from(`\0${name}\0`, 'utf8'));
    return at < 0 ? -1 : at + 1;
  };
  const wantedFunctions = new Map(functions.map((name) => [offsetOf(name), name]));
  const wantedMembers = members.map((path) => {
    const [struct = '', member = ''] = path.split('.');
    return { path, struct: offsetOf(struct), member: offsetOf(member) };
  });
  const words = wordsOf(bytes.subarray(types, typesEnd));
  const found = { functions: new Set<string>(), members: new Set<string>() };
  for (let at = 0; at + 3 <= words.length;) {
    const name = words[at]!;
    const info = words[at + 1]!;
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    if (kind === 0 || kind >= KINDS) return fail(`unknown BTF kind ${String(kind)}`, types + at * 4);
    if (kind === KIND_FUNC) {
      const wanted = wantedFunctions.get(name);
      if (wanted !== undefined) found.functions.add(wanted);
    } else if (kind === KIND_STRUCT && name !== 0) {
      for (const wanted of wantedMembers) {
        if (wanted.struct !== name) continue;
        for (let index = 0; index < count; index++)
          if (words[at + 3 + index * 3] === wanted.member) found.members.add(wanted.path);
      }
    }
    at += 3 + trailing[kind]! + perMember[kind]! * count;
  }
  return ok(found);
}

export function capabilitiesOf(kernel: string, facts: BtfFacts | undefined, source: string): Capabilities {
  const has = (name: string): boolean => facts?.functions.has(name) ?? false;
  return {
    kernel,
    btf: facts !== undefined,
    tcx: has('tcx_link_attach'),
    tapsPerNetns: facts?.members.has('net.ptype_all') ?? false,
    tapFunctions: TAP_FUNCTIONS.filter(has),
    castToKernelContext: has('bpf_cast_to_kern_ctx'),
    source,
  };
}

/** Reads the BTF under the given roots; a kernel without it has no tp_btf programs, hence no probe at all. */
export function readCapabilities(sysfs = '/sys', procfs = '/proc'): Capabilities {
  let kernel = 'unknown';
  try {
    kernel = readFileSync(join(procfs, 'sys/kernel/osrelease'), 'utf8').trim();
  } catch {
    // The release is only shown; every choice is made from BTF.
  }
  const path = join(sysfs, 'kernel/btf/vmlinux');
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return capabilitiesOf(kernel, undefined, `${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const facts = parseBtf(bytes, [...TAP_FUNCTIONS, 'tcx_link_attach', 'bpf_cast_to_kern_ctx'], ['net.ptype_all']);
  return facts.ok
    ? capabilitiesOf(kernel, facts.value, path)
    : capabilitiesOf(kernel, undefined, `${path}: ${facts.reason}`);
}
