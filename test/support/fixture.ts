import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's root, from build/test/support. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url));

/** A file of test/fixtures, as bytes. */
export function fixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(`${repository}/test/fixtures/${path}`));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
