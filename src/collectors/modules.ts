import { fail, ok, type Result } from '../base/result.ts';
import { U64_MAX, wholeLines } from './cursor.ts';

export const modulesFile = '/proc/modules';

export interface KernelModule {
  readonly name: string;
  /** Names of those that use it. */
  readonly users: readonly string[];
}

/**
 * Parses /proc/modules: name, size, number of users, their names with a comma behind each or `-`, and more. An error that stands
 * in its place lists nothing, and proves nothing. Source: kernel/module/procfs.c:m_show.
 */
export function parseModules(bytes: Uint8Array): Result<readonly KernelModule[]> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const modules: KernelModule[] = [];
  while (!cursor.done) {
    const at = cursor.at;
    const name = cursor.word();
    // A number is the size: the column of names was lost.
    if (!/^\d*[A-Za-z_]\w*$/.test(name) || cursor.unsigned(U64_MAX) === undefined)
      return fail('no name and size of a module', at);
    cursor.word();
    modules.push({
      name,
      users: cursor
        .word()
        .split(',')
        .filter((user) => /^\w+$/.test(user)),
    });
    cursor.nextLine();
  }
  return ok(modules);
}
