import { endianness, machine } from 'node:os';

import { readFileGuarded } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';

export interface Sysconf {
  /** Bytes. */
  readonly pageSize: number;
  /** Ticks a second of the times in /proc/stat and /proc/PID/stat (USER_HZ). */
  readonly clockTicks: number;
  readonly machine: string;
}

const AT_NULL = 0;
const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

let known: Result<Sysconf> | undefined;

/** Page size and clock ticks, as the running kernel told this very process; for a copied /proc this machine's count. */
export function sysconf(): Result<Sysconf> {
  if (known?.ok === true) return known;
  const bytes = readFileGuarded('/proc/self/auxv', 64 * 1024);
  const parsed = bytes.ok ? parseAuxv(bytes.value) : bytes;
  known = parsed.ok ? ok({ ...parsed.value, machine: machine() }) : parsed;
  return known;
}

/**
 * Parses /proc/PID/auxv of a 64-bit process: pairs of u64, ended by a pair of type AT_NULL.
 * Source: fs/binfmt_elf.c:create_elf_tables.
 */
export function parseAuxv(bytes: Uint8Array): Result<Omit<Sysconf, 'machine'>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endianness() === 'LE';
  const found = new Map<number, number>();
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const type = Number(view.getBigUint64(at, little));
    if (type === AT_NULL) break;
    found.set(type, Number(view.getBigUint64(at + 8, little)));
  }
  const pageSize = found.get(AT_PAGESZ);
  const clockTicks = found.get(AT_CLKTCK);
  if (pageSize === undefined || pageSize < 1024 || pageSize > 2 ** 30) return fail('no page size', bytes.length);
  if (clockTicks === undefined || clockTicks < 1 || clockTicks > 1_000_000) return fail('no clock ticks', bytes.length);
  return ok({ pageSize, clockTicks });
}
