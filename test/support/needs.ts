import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

interface Needs {
  readonly root?: boolean;
  /** Programs of the search path, or files by their whole path. */
  readonly tools?: readonly string[];
}

/** Why tests are left out, or false when they can run. In CI everything is there: what is missing fails, and is no skip. */
export function lacking({ root = false, tools = [] }: Needs): string | false {
  const missing = [...(root && process.geteuid?.() !== 0 ? ['root'] : []), ...tools.filter((tool) => !isThere(tool))];
  return leftOut(missing.length === 0 ? undefined : `needs ${missing.join(', ')}`);
}

/** The same for a reason of any other kind. */
export function leftOut(reason: string | undefined): string | false {
  if (reason === undefined) return false;
  if (process.env['CI'] === 'true') throw new Error(`CI must run these tests: ${reason}`);
  return reason;
}

/** The same for what is not ours to ship, so that a clone from a forge is without it: its absence is no failure in CI either. */
export function notShipped(reason: string | undefined): string | false {
  return reason ?? false;
}

function isThere(tool: string): boolean {
  const folders = tool.startsWith('/') ? [''] : [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.R_OK);
      return true;
    } catch (error) {
      // Whatever keeps it from being read keeps it from being used.
      if (error instanceof Error && 'code' in error) return false;
      throw error;
    }
  });
}
