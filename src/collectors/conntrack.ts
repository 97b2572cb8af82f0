import {
  conntrackBuckets,
  conntrackChainTooLong,
  conntrackClashResolved,
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackEntries,
  conntrackFound,
  conntrackIgnore,
  conntrackInsert,
  conntrackInsertFailed,
  conntrackInvalid,
  conntrackLimit,
  conntrackSearchRestart,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import { defineCollector } from './collector.ts';
import { Cursor } from './cursor.ts';
import { parseNumber } from './parse.ts';

const netfilter = '/proc/sys/net/netfilter';
const statFile = '/proc/net/stat/nf_conntrack';

/** Header names of the kernel -> metric. `entries` repeats the table's total on each row and is not among them. */
const columns = {
  found: conntrackFound,
  invalid: conntrackInvalid,
  ignore: conntrackIgnore,
  insert: conntrackInsert,
  insert_failed: conntrackInsertFailed,
  drop: conntrackDrop,
  early_drop: conntrackEarlyDrop,
  search_restart: conntrackSearchRestart,
  clashres: conntrackClashResolved,
  // 5.10 called the column delete_list and kept it at zero; it counts since it is called chainlength.
  chainlength: conntrackChainTooLong,
} as const;

export const conntrack = defineCollector({
  id: 'conntrack',
  scope: 'netns',
  reads: [`${netfilter}/nf_conntrack_{count,max,buckets}`, statFile],
  collect(host, emit) {
    const entries = host.parseIfPresent(`${netfilter}/nf_conntrack_count`, parseNumber);
    if (entries === undefined) {
      host.notApplicable(`${netfilter}/nf_conntrack_count`, 'connection tracking is not loaded in this kernel');
      return;
    }
    emit(conntrackEntries, {}, entries);
    const limit = host.parse(`${netfilter}/nf_conntrack_max`, parseNumber);
    if (limit !== undefined) emit(conntrackLimit, {}, limit);
    const buckets = host.parseIfPresent(`${netfilter}/nf_conntrack_buckets`, parseNumber);
    if (buckets !== undefined) emit(conntrackBuckets, {}, buckets);
    const stat = host.parse(statFile, parseConntrackStat);
    if (stat === undefined) return;
    for (const [name, metric] of Object.entries(columns)) {
      const cells = stat.get(name);
      if (cells !== undefined) emit(metric, {}, cells);
    }
  },
});

/** Column name -> one u32 cell per possible CPU. */
type ConntrackStat = ReadonlyMap<string, readonly number[]>;

/**
 * Parses /proc/net/stat/nf_conntrack: a header of names, then one row of hexadecimal u32 per possible CPU. Columns are
 * mapped by name, since their order changed between kernels. Source: net/netfilter/nf_conntrack_standalone.c:ct_cpu_seq_show.
 */
export function parseConntrackStat(bytes: Uint8Array): Result<ConntrackStat> {
  const cursor = new Cursor(bytes);
  const names: string[] = [];
  while (!cursor.lineEnd) {
    const name = cursor.word();
    if (name !== '') names.push(name);
  }
  cursor.nextLine();
  if (!names.includes('entries')) return fail('no header with a column "entries"', 0);
  const cells = new Map<string, number[]>(names.map((name) => [name, []]));
  while (!cursor.done) {
    for (const name of names) {
      const cell = cursor.hex();
      if (cell === undefined || cell > 0xffffffff)
        return fail(`no 32-bit hexadecimal number in column ${name}`, cursor.at);
      cells.get(name)!.push(cell);
    }
    if (cursor.moreOnLine()) return fail('more columns than the header names', cursor.at);
    cursor.nextLine();
  }
  if (cells.get('entries')!.length === 0) return fail('no row for any CPU', cursor.at);
  return ok(cells);
}
