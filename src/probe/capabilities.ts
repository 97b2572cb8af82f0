/**
 * What this kernel lets the probe do. The one place where kernels differ: each choice names the fact it was made from, so that
 * the lab can run every row, and an attempt that fails afterwards still ends in a reason and not in a crash.
 */
import { TYPE_BYTES, typesNamed } from './btf-types.ts';
import { join } from 'node:path';

import { readFileGuarded } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';

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
const MEMBER_BYTES = 12;

export interface BtfFacts {
  readonly functions: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
}

/**
 * Which of the wanted functions and `struct.member`s the kernel has. A type begins with the offset of its name and a word whose
 * top byte is its kind (Documentation/bpf/btf.rst), so both are searched for as bytes: to walk the 150,000 types of a kernel in
 * code that runs once takes ten times as long. The same bytes cannot be a member: the second word of that is a type's number,
 * and numbers are below 2^24.
 */
export function parseBtf(bytes: Buffer, functions: readonly string[], members: readonly string[]): Result<BtfFacts> {
  if (bytes.length < 24 || bytes.readUInt16LE(0) !== 0xeb9f) return fail('not little-endian BTF', 0);
  const header = bytes.readUInt32LE(4);
  const types = header + bytes.readUInt32LE(8);
  const typesEnd = types + bytes.readUInt32LE(12);
  const strings = header + bytes.readUInt32LE(16);
  const stringsEnd = strings + bytes.readUInt32LE(20);
  if (typesEnd > bytes.length || stringsEnd > bytes.length) return fail('BTF is cut off', bytes.length);
  const table = bytes.subarray(types, typesEnd);
  const names = bytes.subarray(strings, stringsEnd);
  const has = (name: string, member: string): boolean => {
    const wanted = nameOffset(names, member);
    return typesNamed(table, nameOffset(names, name), [KIND_STRUCT]).some((at) => {
      const count = table.readUInt16LE(at + 4);
      const end = Math.min(table.length - MEMBER_BYTES, at + TYPE_BYTES + (count - 1) * MEMBER_BYTES);
      for (let each = at + TYPE_BYTES; each <= end; each += MEMBER_BYTES)
        if (wanted > 0 && table.readUInt32LE(each) === wanted) return true;
      return false;
    });
  };
  return ok({
    functions: new Set(functions.filter((name) => typesNamed(table, nameOffset(names, name), [KIND_FUNC]).length > 0)),
    members: new Set(
      members.filter((path) => {
        const [struct = '', member = ''] = path.split('.');
        return has(struct, member);
      }),
    ),
  });
}

/** Where a name is in the string table; 0, which is the empty name, when it is nowhere. */
function nameOffset(names: Buffer, name: string): number {
  return names.indexOf(Buffer.from(`\0${name}\0`, 'utf8')) + 1;
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
  // The release is only shown; every choice is made from BTF.
  const release = readFileGuarded(join(procfs, 'sys/kernel/osrelease'), 4096);
  const kernel = release.ok ? Buffer.from(release.value).toString('utf8').trim() : 'unknown';
  const path = join(sysfs, 'kernel/btf/vmlinux');
  const bytes = readFileGuarded(path);
  if (!bytes.ok) return capabilitiesOf(kernel, undefined, `${path}: ${bytes.reason}`);
  const facts = parseBtf(bytes.value, [...TAP_FUNCTIONS, 'tcx_link_attach', 'bpf_cast_to_kern_ctx'], ['net.ptype_all']);
  return facts.ok
    ? capabilitiesOf(kernel, facts.value, path)
    : capabilitiesOf(kernel, undefined, `${path}: ${facts.reason}`);
}
