/**
 * POSIX ustar, as far as bundles need it: plain files, and pax or GNU records for long names. Not a library, because a
 * bundle is thousands of tiny files (6,000 of them took 1.3 s with the streams of modern-tar on a busy machine), and because what
 * a reader does not know it cannot be made to do: links, devices and sparse files end the reading.
 */
import { fail, ok, type Result } from '../../base/result.ts';

export interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export const BLOCK = 512;
export const NAME_BYTES = 100;
export const PREFIX_BYTES = 155;
const MOST_NAME_BYTES = 4096;

export const types = {
  file: 0x30,
  oldFile: 0,
  directory: 0x35,
  pax: 0x78,
  paxGlobal: 0x67,
  gnuName: 0x4c,
  gnuLink: 0x4b,
  symlink: 0x32,
  sparse: 0x53,
} as const;

/** Bytes that fill the last block. */
export function padding(size: number): number {
  return -size & (BLOCK - 1);
}

/** The sum of all bytes of the header, its own field taken for blanks. */
export function checksum(header: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at += 1) sum += header[at]!;
  for (let at = 156; at < BLOCK; at += 1) sum += header[at]!;
  return sum;
}

/** A relative path of ordinary names, `./` in front left out. */
export function plainName(given: string): Result<string> {
  if (Buffer.byteLength(given) > MOST_NAME_BYTES) return fail('an entry with an endless name');
  if (given.includes('\0')) return fail('a name with a NUL in it');
  if (given.startsWith('/')) return fail(`an absolute path: ${JSON.stringify(given.slice(0, 100))}`);
  const parts = given.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return fail(`a path that leads out of it: ${JSON.stringify(given.slice(0, 100))}`);
  return ok(parts.join('/'));
}
