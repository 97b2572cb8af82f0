import { fail, ok, type Result } from '../base/result.ts';
import { MAX_CPU, MORE_THAN_ANY } from '../base/cpu-list.ts';
import { wholeLines, type Cursor } from './cursor.ts';

/** Reads a header line `CPU0 CPU1 ...` and passes it: the number of the CPU behind each column, as text. */
export function cpuColumns(cursor: Cursor): Result<readonly string[]> {
  const cpus: string[] = [];
  while (cursor.moreOnLine()) {
    const start = cursor.at;
    const name = /^CPU(\d{1,5})$/.exec(cursor.word());
    if (name === null) return fail('the header does not name CPUs', start);
    if (cpus.length === MAX_CPU) return fail(MORE_THAN_ANY, start);
    cpus.push(name[1]!);
  }
  if (cpus.length === 0) return fail('the header does not name CPUs', cursor.at);
  cursor.nextLine();
  return ok(cpus);
}

/** Column name -> one cell per possible CPU. */
export type CpuRows = ReadonlyMap<string, readonly number[]>;

/**
 * Reads a table of /proc/net/stat: a header of names, then one row of hexadecimal numbers per possible CPU, each of eight
 * digits. Columns are mapped by name, since their order changed between kernels.
 * @param columns those that all kernels print
 */
export function cpuRows(bytes: Uint8Array, columns: readonly string[]): Result<CpuRows> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const names: string[] = [];
  while (!cursor.lineEnd) {
    const name = cursor.word();
    if (name !== '') names.push(name);
  }
  cursor.nextLine();
  const lost = columns.find((name) => !names.includes(name));
  if (lost !== undefined) return fail(`no header with a column "${lost}"`, 0);
  const cells = new Map<string, number[]>(names.map((name) => [name, []]));
  while (!cursor.done) {
    for (const name of names) {
      cursor.skipBlanks();
      const start = cursor.at;
      const cell = cursor.hex();
      // Each is printed with eight digits: a shorter one lost some.
      if (cell === undefined || cell > 0xffffffff || cursor.at - start < 8)
        return fail(`no 32-bit hexadecimal number in column ${name}`, start);
      cells.get(name)!.push(cell);
    }
    if (cursor.moreOnLine()) return fail('more columns than the header names', cursor.at);
    if (cells.get('entries')!.length > MAX_CPU) return fail(MORE_THAN_ANY, cursor.at);
    cursor.nextLine();
  }
  if (cells.get('entries')!.length === 0) return fail('no row for any CPU', cursor.at);
  return ok(cells);
}
