/**
 * Reads JSON that somebody else wrote: every value is asked for with its place, and what is not of the kind expected ends
 * the decoding there. `decoded` is the only way in.
 */
import { fail, ok, type Result } from './result.ts';

/** More than any host has of anything, and less than exhausts one that reads it. */
export const MOST_ITEMS = 2_000_000;

/** Ends a decoding from any depth; `decoded` turns it into a reason. */
export class Malformed extends Error {}

export function decoded<T>(how: () => T): Result<T> {
  try {
    return ok(how());
  } catch (error) {
    if (error instanceof Malformed) return fail(error.message);
    throw error;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

export function record(value: unknown, place: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed(`${place} is no object`);
  return value as Fields;
}

export function list<T>(
  value: unknown,
  place: string,
  item: (value: unknown, place: string) => T,
  most = MOST_ITEMS,
): T[] {
  if (!Array.isArray(value)) throw new Malformed(`${place} is no list`);
  if (value.length > most) throw new Malformed(`${place} has ${value.length} items, more than ${most}`);
  return value.map((each, index) => item(each, `${place}[${index}]`));
}

export function text(value: unknown, place: string): string {
  if (typeof value !== 'string') throw new Malformed(`${place} is no text`);
  return value;
}

export function number(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Malformed(`${place} is no number`);
  return value;
}

export function seconds(value: unknown, place: string): number {
  const given = number(value, place);
  if (given < 0) throw new Malformed(`${place} is negative`);
  return given;
}

export function count(value: unknown, place: string): number {
  const given = number(value, place);
  if (given < 0 || !Number.isSafeInteger(given)) throw new Malformed(`${place} is no count`);
  return given;
}

export function numberOrNull(value: unknown, place: string): number | null {
  return orNull(value, place, number);
}

export function textOrNull(value: unknown, place: string): string | null {
  return orNull(value, place, text);
}

export function flag(value: unknown, place: string): boolean {
  if (typeof value !== 'boolean') throw new Malformed(`${place} is neither true nor false`);
  return value;
}

export function orNull<T>(value: unknown, place: string, item: (value: unknown, place: string) => T): T | null {
  return value === null ? null : item(value, place);
}
