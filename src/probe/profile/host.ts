/** What a profile needs of the host: the addresses of its functions, and which CPUs there are. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { systemRefusal } from '../../base/errno.ts';
import { readFileGuarded } from '../../base/file.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { parseCpuListFile } from '../../collectors/parse.ts';
import { showsAddresses } from '../symbols.ts';

/** Head of kallsyms that tells whether addresses are shown: past the per-CPU symbols, whose addresses may be zero. */
const HEAD_BYTES = 128 * 1024;

export function symbolsShown(procfs: string): Result<void> {
  try {
    return showsAddresses(readHead(join(procfs, 'kallsyms')))
      ? ok(undefined)
      : fail('the kernel hides the addresses of its functions (kernel.kptr_restrict, or no CAP_SYSLOG)');
  } catch (error) {
    return systemRefusal(error, join(procfs, 'kallsyms'));
  }
}

/** A file of /proc gives a page at a time. */
function readHead(path: string): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const fd = openSync(path, 'r');
  try {
    let length = 0;
    while (length < bytes.length) {
      const got = readSync(fd, bytes, length, bytes.length - length, null);
      if (got === 0) break;
      length += got;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

export function onlineCpus(sysfs: string): Result<readonly number[]> {
  const path = join(sysfs, 'devices/system/cpu/online');
  const bytes = readFileGuarded(path, 64 * 1024);
  if (!bytes.ok) return fail(`${path}: ${bytes.reason}`);
  const cpus = parseCpuListFile(bytes.value);
  return cpus.ok && cpus.value.length > 0 ? cpus : fail(`${path}: no list of CPUs`);
}
