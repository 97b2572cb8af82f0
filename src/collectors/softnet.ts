import {
  softnetBacklog,
  softnetCollision,
  softnetDropped,
  softnetFlowLimit,
  softnetProcessed,
  softnetReceivedRps,
  softnetSqueezed,
} from '../metrics/catalogue/index.ts';
import { isSince } from '../base/release.ts';
import { MAX_CPU, MORE_THAN_ANY } from '../base/cpu-list.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Host } from './collector.ts';
import { cpuColumns } from './columns.ts';
import { parseStat } from './cpu.ts';
import { Cursor } from './cursor.ts';
import { parseCpuListFile, parseLine } from './parse.ts';

const file = '/proc/net/softnet_stat';
const online = '/sys/devices/system/cpu/online';
const release = '/proc/sys/kernel/osrelease';

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
const SINCE_3_11 = 11;

// The counters belong to the CPUs, not to a network namespace: every namespace shows the same file.
export const softnet = defineCollector({
  id: 'softnet',
  turn: 30,
  scope: 'host',
  reads: [file, online, release, '/proc/stat', '/proc/interrupts', '/proc/softirqs'],
  collect(host, emit) {
    const rows = host.parse(file, parseSoftnet);
    if (rows === undefined) return;
    const width = rows[0]?.length ?? 0;
    const kernel = host.parseIfPresent(release, parseLine);
    // One kernel prints all rows alike. Files made up of several kernels' rows, as procfs tests with, are of none.
    if (kernel !== undefined && rows.some((row) => row.length !== width)) {
      host.gap(file, 'cut off: its rows are not of one length');
      return;
    }
    if (width < SINCE_3_11 && isSince(kernel, '3.11') !== false) {
      host.gap(file, `cut off: rows of ${width} columns, of which kernels since 3.11 print ${SINCE_3_11} or more`);
      return;
    }
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
    const cpus = countedCpus(rows) ?? onlineCpus(host, rows.length);
    if (cpus === undefined) {
      host.gap(file, `its ${rows.length} rows do not say of which CPUs they are, and nothing else tells`);
      return;
    }
    for (const [index, row] of rows.entries()) emitRow(cpus[index]!, row);
  },
});

/** Their numbers, where some rows say their CPU and each of those is the one of its number. */
function countedCpus(rows: readonly (readonly number[])[]): readonly number[] | undefined {
  const said = rows.flatMap((row, index) => (row.length > CPU_COLUMN ? [row[CPU_COLUMN] === index] : []));
  return said.length > 0 && said.every(Boolean) ? rows.map((_, index) => index) : undefined;
}

/** The CPUs online, from whatever lists them: so many as there are rows, or the list is of another time. */
function onlineCpus(host: Host, count: number): readonly number[] | undefined {
  const lists = [
    () => host.parseIfPresent(online, parseCpuListFile),
    () => host.parseIfPresent('/proc/stat', parseStat)?.cpus.map(({ cpu }) => Number(cpu)),
    () => host.parseIfPresent('/proc/interrupts', parseCpuHeader),
    () => host.parseIfPresent('/proc/softirqs', parseCpuHeader),
  ];
  for (const list of lists) {
    const cpus = list();
    if (cpus?.length === count) return cpus;
  }
  return undefined;
}

/** Parses the first line of /proc/interrupts, which names the online CPUs, or of /proc/softirqs, which names the possible. */
export function parseCpuHeader(bytes: Uint8Array): Result<readonly number[]> {
  const columns = cpuColumns(new Cursor(bytes));
  return columns.ok ? ok(columns.value.map(Number)) : columns;
}

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
    if (rows.length === MAX_CPU) return fail(MORE_THAN_ANY, cursor.at);
    rows.push(row);
    cursor.nextLine();
  }
  return rows.length === 0 ? fail('no row for any CPU', 0) : ok(rows);
}
