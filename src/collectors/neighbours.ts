import {
  neighbourEntries,
  neighbourFailed,
  neighbourLimit,
  neighbourTableFull,
  neighbourUnresolved,
} from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { cpuRows, type CpuRows } from './columns.ts';
import type { Result } from '../base/result.ts';
import { parseNumber } from './parse.ts';

const tables = [
  { table: 'arp', stat: '/proc/net/stat/arp_cache', limit: '/proc/sys/net/ipv4/neigh/default/gc_thresh3' },
  { table: 'ndisc', stat: '/proc/net/stat/ndisc_cache', limit: '/proc/sys/net/ipv6/neigh/default/gc_thresh3' },
] as const;

/** table_fulls came with 4.0. */
const columns = {
  table_fulls: neighbourTableFull,
  unresolved_discards: neighbourUnresolved,
  res_failed: neighbourFailed,
} as const;

/**
 * The statistics are of the whole host, and shown in the initial namespace only (net/core/neighbour.c:neigh_table_init). They have
 * the format of conntrack's: a header, and one row of hexadecimal u32 per possible CPU, in which `entries` repeats the total.
 */
export const neighbours = defineCollector({
  id: 'neighbours',
  turn: 78,
  scope: 'host',
  reads: tables.flatMap(({ stat, limit }) => [stat, limit]),
  collect(host, emit) {
    let seen = false;
    for (const { table, stat, limit } of tables) {
      const statistics = host.parseIfPresent(stat, parseStatistics);
      if (statistics === undefined) continue;
      seen = true;
      const entries = statistics.get('entries')?.[0];
      if (entries !== undefined) emit(neighbourEntries, { table }, entries);
      const most = host.parseIfPresent(limit, parseNumber);
      if (most !== undefined) emit(neighbourLimit, { table }, most);
      for (const [name, metric] of Object.entries(columns)) {
        const cells = statistics.get(name);
        if (cells !== undefined) emit(metric, { table }, cells);
      }
    }
    if (!seen) host.notApplicable(tables[0].stat, 'only the first network namespace shows the neighbour tables');
  },
});

const parseStatistics = (bytes: Uint8Array): Result<CpuRows> =>
  cpuRows(bytes, ['entries', 'res_failed', 'unresolved_discards']);
