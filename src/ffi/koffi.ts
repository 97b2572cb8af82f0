import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KoffiFunc } from 'koffi';

import { ifAllowed } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';

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
    const require = createRequire(import.meta.url);
    const path = require.resolve('koffi');
    if (!isInstalledWithUs(path))
      return fail(`foreign calls need koffi, which is not installed with pktcost: ${path} is left alone`);
    return ok(require(path) as Koffi);
  } catch (error) {
    return fail(`foreign calls need koffi, which could not be loaded: ${firstLine(error)}`);
  }
}

/**
 * Where there is none beside pktcost, Node goes on to look below NODE_PATH and in the user's home (~/.node_modules): code that
 * somebody else may have put there, to be run by root.
 */
function isInstalledWithUs(path: string): boolean {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    // Resolved as `path` is: the folder of packages may be a link itself.
    const packages = ifAllowed(() => realpathSync(join(folder, 'node_modules')));
    if (packages !== undefined && path.startsWith(join(packages, sep))) return true;
    if (folder === dirname(folder)) return false;
  }
}

/** What a loader says of a library it could not use; the lines after the first are the way it went. */
export function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
