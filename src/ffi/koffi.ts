import { createRequire } from 'node:module';
import type { KoffiFunc } from 'koffi';

import { fail, ok, type Result } from '../metrics/result.ts';

export type Koffi = typeof import('koffi');
/** A foreign function that can also be called on a thread of libuv's, with `.async`. */
export type ForeignFunction<F extends (...parameters: never[]) => unknown> = KoffiFunc<F>;

let loaded: Result<Koffi> | undefined;

/** Required at first use: koffi costs 15 ms. Its absence is a reason in the report, and everything in files still works. */
export function loadKoffi(): Result<Koffi> {
  loaded ??= load();
  return loaded;
}

function load(): Result<Koffi> {
  try {
    return ok(createRequire(import.meta.url)('koffi') as Koffi);
  } catch (error) {
    return fail(`foreign calls need koffi, which could not be loaded: ${firstLine(error)}`);
  }
}

/** What a loader says of a library it could not use; the lines after the first are the way it went. */
export function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
