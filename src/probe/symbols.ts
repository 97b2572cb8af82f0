/** Names for addresses of the kernel, from the bytes of /proc/kallsyms: for the addresses that occur and no others. */
import { join } from 'node:path';
import { readFileGuarded } from '../base/file.ts';
import type { Result } from '../base/result.ts';
import type { Address } from './address.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
/** Lines end far before: KSYM_NAME_LEN is 512 since 6.1. */
const ADDRESS_DIGITS = 16;
/** Begins the marks of arm64 that tell code from data ($x, $d): include/linux/module_symbol.h. No function has such a name. */
const DOLLAR = 0x24;

/** Another way to the same answer, without the file. */
export type AskKernel = (addresses: Iterable<Address>) => Result<ReadonlyMap<Address, string>>;

/**
 * The kernel's symbols: as the kernel names them where it can be asked (names.ts), else from its file, read once in a run and when
 * first asked, since the kernel takes some 60 ms of a CPU to write it. What is loaded later has no name there.
 */
export class KernelSymbols {
  readonly #path: string;
  #bytes: Uint8Array | undefined;
  #kernel: AskKernel | undefined;

  constructor(procfs: string) {
    this.#path = join(procfs, 'kallsyms');
  }

  /** Where the kernel answers by itself its file is not read. */
  askKernel(kernel: AskKernel | undefined): void {
    this.#kernel = kernel;
  }

  /** Names of the functions that the addresses lie in; none where the file cannot be read, or the kernel hides addresses. */
  name(addresses: Iterable<Address>): ReadonlyMap<Address, string> {
    const known = this.#kernel?.(addresses);
    if (known?.ok === true) return known.value;
    if (this.#bytes === undefined) {
      const read = readFileGuarded(this.#path);
      this.#bytes = read.ok ? read.value : new Uint8Array();
    }
    return nameAddresses(this.#bytes, addresses);
  }

  /** The same for addresses as the kernel has them, of 64 bits. */
  nameLocations(locations: readonly bigint[]): ReadonlyMap<bigint, string> {
    const names = this.name(locations.map(addressOf));
    return new Map(
      locations.flatMap((location) => {
        const name = names.get(addressOf(location));
        return name === undefined ? [] : [[location, name] as const];
      }),
    );
  }
}

/**
 * The function that each address lies in: the last symbol of code at or below it. The kernel's own symbols come first and are sorted
 * (scripts/kallsyms.c), so they are searched by halves; those of modules, of ftrace and of BPF follow in no order, and each is looked
 * at. Parses kernel/kallsyms.c:s_show: `ffffffff81000000 T name[\t[module]]`. Lines that are none are passed over; an address below
 * all symbols, or far above the last, has no name.
 */
export function nameAddresses(kallsyms: Uint8Array, addresses: Iterable<Address>): ReadonlyMap<Address, string> {
  const sorted = Float64Array.from(new Set(addresses)).sort();
  if (sorted.length === 0) return new Map();
  const found = {
    start: new Float64Array(sorted.length).fill(-Infinity),
    name: new Int32Array(sorted.length).fill(-1),
  };
  const bytes = Buffer.from(kallsyms.buffer, kallsyms.byteOffset, kallsyms.length);
  const module = bytes.indexOf('\t[');
  const unsorted = module < 0 ? bytes.length : bytes.lastIndexOf(NEWLINE, module) + 1;
  for (const [index, address] of sorted.entries()) {
    const line = lastCodeBelow(bytes, unsorted, address);
    if (line === undefined) continue;
    found.start[index] = hexAddress(bytes, line);
    found.name[index] = line + NAME_AT;
  }
  for (let at = unsorted; at < bytes.length; at = endOfLine(bytes, at) + 1) {
    const symbol = codeAt(bytes, at);
    // Only the nearest address above: the others above it hear of it in the sweep below.
    const next = symbol === undefined ? sorted.length : firstFrom(sorted, symbol);
    if (next < sorted.length && symbol! > found.start[next]!) {
      found.start[next] = symbol!;
      found.name[next] = at + NAME_AT;
    }
  }
  const names = new Map<Address, string>();
  for (const [index, address] of sorted.entries()) {
    if (index > 0 && found.start[index - 1]! > found.start[index]!) {
      found.start[index] = found.start[index - 1]!;
      found.name[index] = found.name[index - 1]!;
    }
    if (found.name[index]! >= 0 && address - found.start[index]! < LONGEST)
      names.set(address, functionName(symbolAt(bytes, found.name[index]!)));
  }
  return names;
}

function addressOf(location: bigint): Address {
  return Number(BigInt.asIntN(64, location));
}

/** Longer than this no function is: the address is in none. */
const LONGEST = 1 << 20;
/** Where the name begins: behind 16 digits, a space, the type and another space. */
const NAME_AT = ADDRESS_DIGITS + 3;
/** Between a function and the next stand its data at most; a longer walk means that the file is not what it should be. */
const MOST_BACK = 1000;

/** Start of the line of the last symbol of code at or below the address, in the lines before `end`, which are sorted. */
function lastCodeBelow(bytes: Buffer, end: number, address: Address): number | undefined {
  let low = 0;
  let high = end;
  // `low` is always the start of a line at or below the address, if there is one; `high` the start of one above, or the end.
  while (low < high) {
    const middle = bytes.lastIndexOf(NEWLINE, (low + high) >>> 1) + 1;
    const line = middle > low ? middle : endOfLine(bytes, low) + 1;
    if (line >= high) break;
    if (hexAddress(bytes, line) <= address) low = line;
    else if (middle > low) high = middle;
    else break;
  }
  for (let back = 0; back < MOST_BACK; back += 1) {
    const symbol = codeAt(bytes, low);
    if (symbol !== undefined && low < end && symbol <= address) return low;
    if (low === 0) return undefined;
    low = bytes.lastIndexOf(NEWLINE, low - 2) + 1;
  }
  return undefined;
}

function endOfLine(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 ? bytes.length : end;
}

/** The address of a line that is a symbol of code; undefined for any other. */
function codeAt(bytes: Uint8Array, at: number): Address | undefined {
  if (bytes[at + ADDRESS_DIGITS] !== SPACE || !isCode(bytes[at + ADDRESS_DIGITS + 1])) return undefined;
  if (bytes[at + NAME_AT] === DOLLAR) return undefined;
  const address = hexAddress(bytes, at);
  return Number.isNaN(address) ? undefined : address;
}

/** Whether the kernel tells addresses at all: with kptr_restrict they are all zero. A few kilobytes are enough. */
export function showsAddresses(kallsyms: Uint8Array): boolean {
  for (let at = 0; at >= 0 && at + ADDRESS_DIGITS < kallsyms.length;) {
    const symbol = hexAddress(kallsyms, at);
    if (isCode(kallsyms[at + ADDRESS_DIGITS + 1]) && !Number.isNaN(symbol) && symbol !== 0) return true;
    const end = kallsyms.indexOf(NEWLINE, at);
    at = end < 0 ? -1 : end + 1;
  }
  return false;
}

/** t, T, w, W. */
function isCode(type: number | undefined): boolean {
  return type === 0x74 || type === 0x54 || type === 0x77 || type === 0x57;
}

function hexAddress(bytes: Uint8Array, at: number): Address {
  let high = 0;
  let low = 0;
  for (let digit = 0; digit < ADDRESS_DIGITS; digit += 1) {
    const code = bytes[at + digit]!;
    const value = code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
    if (value < 0 || value > 15) return NaN;
    if (digit < 8) high = high * 16 + value;
    else low = low * 16 + value;
  }
  return (high >= 2 ** 31 ? high - 2 ** 32 : high) * 2 ** 32 + low;
}

/** Index of the first address at or above `least`. */
function firstFrom(sorted: Float64Array, least: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function symbolAt(bytes: Uint8Array, from: number): string {
  let end = from;
  while (end < bytes.length && bytes[end] !== NEWLINE && bytes[end] !== TAB && bytes[end] !== SPACE) end += 1;
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1');
}

/** Without what compilers append: .isra.0, .constprop.0, .cold, .part.0, .llvm.123. Trampolines carry the key of their target. */
export function functionName(symbol: string): string {
  const dot = symbol.indexOf('.', 1);
  const plain = dot < 0 ? symbol : symbol.slice(0, dot);
  return plain
    .replace(/^(?:__pfx_)/, '')
    .replace(/^(bpf_trampoline|bpf_dispatcher_xdp|ftrace_trampoline)_?\d+.*$/, '$1');
}
