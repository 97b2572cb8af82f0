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
import type { Result } from '../base/result.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { cpuRows, type CpuRows } from './columns.ts';
import { modulesFile, parseModules } from './modules.ts';
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
  turn: 80,
  scope: 'netns',
  reads: [`${netfilter}/nf_conntrack_{count,max,buckets}`, statFile, modulesFile],
  collect(host, emit) {
    const entries = host.parseIfPresent(`${netfilter}/nf_conntrack_count`, parseNumber);
    if (entries === undefined) {
      const count = `${netfilter}/nf_conntrack_count`;
      // An unprivileged container hides the sysctls and shows the statistics; a copy may lack the one and have the other.
      const others = host.listIfPresent(netfilter).some((name) => /^nf_conntrack_(?!count$)/.test(name));
      const counted = host.parseIfPresent(statFile, parseConntrackStat);
      if (counted !== undefined) emitCounters(counted, emit);
      const loaded = others || counted !== undefined || isLoaded(host);
      if (loaded) host.gap(count, 'connection tracking is loaded, yet the number of entries is not shown');
      else host.notApplicable(count, 'connection tracking is not loaded in this kernel');
      return;
    }
    emit(conntrackEntries, {}, entries);
    const limit = host.parse(`${netfilter}/nf_conntrack_max`, parseNumber);
    if (limit !== undefined) emit(conntrackLimit, {}, limit);
    const buckets = host.parseIfPresent(`${netfilter}/nf_conntrack_buckets`, parseNumber);
    if (buckets !== undefined) emit(conntrackBuckets, {}, buckets);
    const stat = host.parse(statFile, parseConntrackStat);
    if (stat !== undefined) emitCounters(stat, emit);
  },
});

function emitCounters(stat: CpuRows, emit: Emit): void {
  for (const [name, metric] of Object.entries(columns)) {
    const cells = stat.get(name);
    if (cells !== undefined) emit(metric, {}, cells);
  }
}

/** Whether the list of modules names it; built in, it is in no list. */
function isLoaded(host: Host): boolean {
  return host.parseIfPresent(modulesFile, parseModules)?.some(({ name }) => name === 'nf_conntrack') ?? false;
}

const everyKernels = ['entries', 'insert_failed', 'drop', 'early_drop'];

/** Parses /proc/net/stat/nf_conntrack. Source: net/netfilter/nf_conntrack_standalone.c:ct_cpu_seq_show. */
export function parseConntrackStat(bytes: Uint8Array): Result<CpuRows> {
  return cpuRows(bytes, everyKernels);
}
