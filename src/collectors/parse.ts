import { MAX_CPU, parseCpuList as cpusOfList } from '../base/cpu-list.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { Cursor, utf8Text } from './cursor.ts';

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
  const line = utf8Text(bytes);
  const end = line.indexOf('\n');
  return ok(end < 0 ? line : line.slice(0, end));
}

/** Parses a file that holds a CPU or node list such as `0-3,8,10-11`. */
export function parseCpuListFile(bytes: Uint8Array): Result<readonly number[]> {
  return cpusOfList(utf8Text(bytes));
}

/**
 * Parses a CPU mask such as `00000000,0000000f`: hexadecimal words of 32 bits, highest first.
 * Source: lib/vsprintf.c:bitmap_string.
 */
export function parseCpuMask(bytes: Uint8Array): Result<readonly number[]> {
  const words = utf8Text(bytes).trim().split(',');
  if (words.length * 32 > MAX_CPU) return fail('a CPU mask longer than any kernel has');
  const cpus: number[] = [];
  for (const [index, word] of words.reverse().entries()) {
    if (!/^[0-9a-fA-F]{1,8}$/.test(word)) return fail(`not a CPU mask: ${JSON.stringify(word.slice(0, 40))}`);
    const bits = Number.parseInt(word, 16);
    for (let bit = 0; bit < 32; bit += 1) if ((bits >>> bit) & 1) cpus.push(index * 32 + bit);
  }
  return ok(cpus);
}

/** Whether a file that the kernel ends with a line feed does not: its last number may be half of one. */
export function isCut(bytes: Uint8Array): boolean {
  return bytes.length === 0 || bytes[bytes.length - 1] !== 10;
}
