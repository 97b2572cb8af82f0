import { fail, ok, type Result } from '../metrics/result.ts';
import { Cursor, text } from './cursor.ts';

/** Parses a file that holds one decimal number and a line feed, as most of /sys and /proc/sys do. */
export function parseNumber(bytes: Uint8Array): Result<number> {
  const cursor = new Cursor(bytes);
  const number = cursor.decimal();
  if (number === undefined || !Number.isSafeInteger(number)) return fail('not a decimal number', 0);
  cursor.skipBlanks();
  if (!cursor.lineEnd) return fail('more than one number', cursor.at);
  return ok(number);
}

/** Parses a file that holds one word or one line of text; the line feed is not part of it. */
export function parseLine(bytes: Uint8Array): Result<string> {
  if (bytes.length === 0) return fail('empty file', 0);
  const line = text(bytes);
  const end = line.indexOf('\n');
  return ok(end < 0 ? line : line.slice(0, end));
}

/** The highest CPU number taken seriously in a list: four times the kernel's NR_CPUS limit. */
const MAX_CPU = 32768;

/**
 * Parses a CPU or node list such as `0-3,8,10-11`. An empty line is the empty list, and so is `(null)`, which kernels up
 * to 6.12 print for a mask that was never allocated. Source: lib/vsprintf.c:bitmap_list_string.
 */
export function parseCpuList(bytes: Uint8Array): Result<readonly number[]> {
  const line = text(bytes).trim();
  if (line === '' || line === '(null)') return ok([]);
  const cpus: number[] = [];
  for (const part of line.split(',')) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (range === null) return fail(`not a CPU list: ${JSON.stringify(part.slice(0, 40))}`);
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (last < first || last > MAX_CPU) return fail(`not a CPU range: "${part}"`);
    for (let cpu = first; cpu <= last; cpu += 1) cpus.push(cpu);
  }
  return ok(cpus);
}

/**
 * Parses a CPU mask such as `00000000,0000000f`: hexadecimal words of 32 bits, highest first.
 * Source: lib/vsprintf.c:bitmap_string.
 */
export function parseCpuMask(bytes: Uint8Array): Result<readonly number[]> {
  const words = text(bytes).trim().split(',');
  if (words.length * 32 > MAX_CPU) return fail('a CPU mask longer than any kernel has');
  const cpus: number[] = [];
  for (const [index, word] of words.reverse().entries()) {
    if (!/^[0-9a-fA-F]{1,8}$/.test(word)) return fail(`not a CPU mask: ${JSON.stringify(word.slice(0, 40))}`);
    const bits = Number.parseInt(word, 16);
    for (let bit = 0; bit < 32; bit += 1) if ((bits >>> bit) & 1) cpus.push(index * 32 + bit);
  }
  return ok(cpus);
}

/** CPUs written as the kernel writes a list: `0-3,8`. */
export function formatCpuList(cpus: readonly number[]): string {
  const sorted = [...cpus].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let index = 0; index < sorted.length;) {
    let end = index;
    while (end + 1 < sorted.length && sorted[end + 1] === sorted[end]! + 1) end += 1;
    parts.push(end === index ? `${sorted[index]!}` : `${sorted[index]!}-${sorted[end]!}`);
    index = end + 1;
  }
  return parts.join(',');
}

/** Whether a file that the kernel ends with a line feed does not: its last number may be half of one. */
export function isCut(bytes: Uint8Array): boolean {
  return bytes.length === 0 || bytes[bytes.length - 1] !== 10;
}
