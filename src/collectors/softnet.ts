import {
  softnetBacklog,
  softnetCollision,
  softnetDropped,
  softnetFlowLimit,
  softnetProcessed,
  softnetReceivedRps,
  softnetSqueezed,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import { defineCollector } from './collector.ts';
import { Cursor } from './cursor.ts';
import { parseCpuList } from './parse.ts';

const file = '/proc/net/softnet_stat';
const online = '/sys/devices/system/cpu/online';

/**
 * Column -> metric. Columns 3 to 7 are constant zeros. A column the kernel does not print is absent here, while
 * node_exporter shows 0: a kernel of 11 columns has a backlog all the same.
 */
const columns = [
  [0, softnetProcessed],
  [1, softnetDropped],
  [2, softnetSqueezed],
  [8, softnetCollision],
  [9, softnetReceivedRps],
  [10, softnetFlowLimit],
  [11, softnetBacklog],
] as const;
const CPU_COLUMN = 12;
const FEWEST_COLUMNS = 9;

// The counters belong to the CPUs, not to a network namespace: every namespace shows the same file.
export const softnet = defineCollector({
  id: 'softnet',
  scope: 'host',
  reads: [file, online],
  collect(host, emit) {
    const rows = host.parse(file, parseSoftnet);
    if (rows === undefined) return;
    const emitRow = (cpu: number, row: readonly number[]): void => {
      for (const [column, metric] of columns) {
        const count = row[column];
        if (count !== undefined) emit(metric, { cpu: `${cpu}` }, count);
      }
    };
    if (rows.every((row) => row.length > CPU_COLUMN)) {
      for (const row of rows) emitRow(row[CPU_COLUMN]!, row);
      return;
    }
    // Before 5.10 a row does not say its CPU: it is the nth one online.
    const cpus = host.parseIfPresent(online, parseCpuList);
    for (const [index, row] of rows.entries()) {
      const nth = cpus?.length === rows.length ? cpus[index]! : index;
      emitRow(row[CPU_COLUMN] ?? nth, row);
    }
  },
});

/**
 * Parses /proc/net/softnet_stat: one row per online CPU without a header, 9 to 15 columns of eight hexadecimal digits
 * (13 since 5.10, 15 by 6.12). A row that ends without a line feed is taken only when it is as long as the first one.
 * Source: net/core/net-procfs.c:softnet_seq_show.
 */
export function parseSoftnet(bytes: Uint8Array): Result<readonly (readonly number[])[]> {
  const cursor = new Cursor(bytes);
  const rows: number[][] = [];
  while (!cursor.done) {
    const row: number[] = [];
    while (cursor.moreOnLine()) {
      const start = cursor.at;
      const count = cursor.hex();
      if (count === undefined || cursor.at - start !== 8)
        return fail('not a number of eight hexadecimal digits', start);
      row.push(count);
    }
    if (row.length < FEWEST_COLUMNS) return fail(`a row of only ${row.length} columns`, cursor.at);
    if (cursor.byte === -1 && row.length < (rows[0]?.length ?? 0))
      return fail('cut off in the middle of a row', cursor.at);
    rows.push(row);
    cursor.nextLine();
  }
  return rows.length === 0 ? fail('no row for any CPU', 0) : ok(rows);
}
