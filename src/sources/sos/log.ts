import { parseKernelLog } from '../../collectors/kernellog.ts';
import type { Tree } from '../copy/tree.ts';
import { outputOf } from './outputs.ts';

const logs = ['kernel/dmesg', 'kernel/dmesg_-T', 'general/dmesg', 'general/dmesg_now', 'process/dmesg'];

/** What dmesg says of losses; undefined where it was not copied. */
export function logOf(tree: Tree): ReturnType<typeof rowsOf> | undefined {
  const output = outputOf(tree, logs);
  return output === undefined ? undefined : rowsOf(output);
}

function rowsOf(
  output: Uint8Array,
): readonly { readonly about: string; readonly lines: number; readonly last: string }[] {
  const rows = parseKernelLog(output);
  return rows.ok ? rows.value : [];
}
