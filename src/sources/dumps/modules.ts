import { release } from 'node:os';

import { utf8Text } from '../../collectors/cursor.ts';
import type { Reader } from '../../collectors/reader.ts';
import { fail, ok, type Result } from '../../base/result.ts';

export interface LiveOptions {
  /** Whether asking the kernel may make it load a module (--allow-system-changes). */
  readonly allowSystemChanges?: boolean;
}

const known = new WeakMap<Reader, Set<string>>();

/**
 * Whether the kernel can be asked for what these modules answer without loading one for it. The socket dumps load their
 * module by themselves (net/core/sock_diag.c:sock_load_diag_module), and that is a change to the host. A yes is kept: it is
 * asked for in every namespace.
 */
export function answersWithoutLoading(reader: Reader, modules: readonly string[]): Result<undefined> {
  const yes = known.get(reader) ?? new Set();
  known.set(reader, yes);
  const key = modules.join();
  if (yes.has(key)) return ok(undefined);
  const found = lookFor(reader, modules);
  if (found.ok) yes.add(key);
  return found;
}

function lookFor(reader: Reader, modules: readonly string[]): Result<undefined> {
  // A kernel without loadable modules has no such file: either it is built in, or the dump says that it is not there.
  if (absent(reader, '/proc/modules')) return ok(undefined);
  const missing = modules.filter((name) => !reader.list(`/sys/module/${name}`).ok);
  if (missing.length === 0 || !loads(reader)) return ok(undefined);
  const builtin = reader.read(`/lib/modules/${release()}/modules.builtin`);
  const listed = builtin.ok ? utf8Text(builtin.value) : '';
  const unloaded = missing.filter((name) => !listed.includes(`/${name}.ko`));
  if (unloaded.length === 0) return ok(undefined);
  return fail(`${unloaded.join(', ')} is not loaded; loading it needs --allow-system-changes`);
}

/** Whether a request for a module would have an effect: no modprobe to call, or loading locked, means no. */
function loads(reader: Reader): boolean {
  const modprobe = reader.read('/proc/sys/kernel/modprobe');
  if (modprobe.ok && utf8Text(modprobe.value).trim() === '') return false;
  const disabled = reader.read('/proc/sys/kernel/modules_disabled');
  return !(disabled.ok && utf8Text(disabled.value).trim() === '1');
}

function absent(reader: Reader, path: string): boolean {
  const file = reader.read(path);
  return !file.ok && file.errno === 'ENOENT';
}
