/** How answers that are plain JSON, live or from a bundle, are checked. */
import { decoded, Malformed, MOST_ITEMS, type Fields } from '../base/decode.ts';
import { fail, type Result } from '../base/result.ts';

export type { Fields };

/** The one way in, as base/decode.ts has it: dumps are long and alike, so that a place in one would say little. */
export function decode<T>(how: () => T): Result<T> {
  const read = decoded(how);
  return read.ok ? read : fail(`malformed dump: no ${read.reason}`);
}

export function malformed(wanted: string): never {
  throw new Malformed(wanted);
}

export function asRecord(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) malformed('object');
  return value as Fields;
}

export function array(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) malformed('list');
  if (value.length > MOST_ITEMS) malformed(`list of at most ${MOST_ITEMS} items`);
  return value as readonly unknown[];
}

export function asList<T>(value: unknown, row: (fields: Fields) => T): readonly T[] {
  return array(value).map((each) => row(asRecord(each)));
}

export function asCount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) malformed('unsigned number');
  return value;
}

export function integer(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) malformed('whole number');
  return value;
}

export function asText(value: unknown): string {
  if (typeof value !== 'string') malformed('text');
  return value;
}

export function nullable<T>(value: unknown, how: (value: unknown) => T): T | null {
  return value === null ? null : how(value);
}
