import { fail, ok, type Result } from '../metrics/result.ts';
import type { Cursor } from './cursor.ts';

/** Reads a header line `CPU0 CPU1 ...` and passes it: the number of the CPU behind each column, as text. */
export function cpuColumns(cursor: Cursor): Result<readonly string[]> {
  const cpus: string[] = [];
  while (cursor.moreOnLine()) {
    const start = cursor.at;
    const name = /^CPU(\d{1,5})$/.exec(cursor.word());
    if (name === null) return fail('the header does not name CPUs', start);
    cpus.push(name[1]!);
  }
  if (cpus.length === 0) return fail('the header does not name CPUs', cursor.at);
  cursor.nextLine();
  return ok(cpus);
}
