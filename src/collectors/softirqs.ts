import { softirqFunctions } from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { U32_MAX, wholeLines } from './cursor.ts';
import { cpuColumns } from './columns.ts';

const file = '/proc/softirqs';

export const softirqs = defineCollector({
  id: 'softirqs',
  turn: 20,
  scope: 'host',
  reads: [file],
  collect(host, emit) {
    const table = host.parse(file, parseSoftirqs);
    if (table === undefined) return;
    for (const { type, runs } of table.rows) {
      for (const [column, count] of runs.entries()) emit(softirqFunctions, { cpu: table.cpus[column]!, type }, count);
    }
  },
});

interface Softirqs {
  readonly cpus: readonly string[];
  readonly rows: readonly { readonly type: string; readonly runs: readonly number[] }[];
}

/**
 * Parses /proc/softirqs: a header of CPU names, then a row per vector with one u32 of handler runs per CPU. Columns are
 * the possible CPUs, offline ones included with the count they stopped at, and are mapped by name: the possible mask
 * may have holes. Source: fs/proc/softirqs.c:show_softirqs.
 */
export function parseSoftirqs(bytes: Uint8Array): Result<Softirqs> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const cpus = cpuColumns(cursor);
  if (!cpus.ok) return cpus;
  const rows: { type: string; runs: number[] }[] = [];
  while (!cursor.done) {
    const name = cursor.word();
    if (!/^\w+:$/.test(name)) return fail('no vector name at the start of a row', cursor.at);
    const runs: number[] = [];
    for (const cpu of cpus.value) {
      const count = cursor.unsigned(U32_MAX);
      if (count === undefined) return fail(`no 32-bit number for CPU ${cpu} in row ${name}`, cursor.at);
      runs.push(count);
    }
    cursor.skipBlanks();
    if (!cursor.lineEnd) return fail(`more columns in row ${name} than the header names`, cursor.at);
    cursor.nextLine();
    rows.push({ type: name.slice(0, -1), runs });
  }
  return rows.length === 0 ? fail('no row for any vector', cursor.at) : ok({ cpus: cpus.value, rows });
}
