import {
  hugepagesFree,
  hugepagesOvercommit,
  hugepagesReserved,
  hugepagesSurplus,
  hugepagesTotal,
  meminfo as meminfoFamily,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { U64_MAX, wholeLines } from './cursor.ts';
import { parseNumber } from './parse.ts';

const hugepages = '/sys/kernel/mm/hugepages';

const pools = [
  ['nr_hugepages', hugepagesTotal],
  ['free_hugepages', hugepagesFree],
  ['resv_hugepages', hugepagesReserved],
  ['surplus_hugepages', hugepagesSurplus],
] as const;
const overcommit = 'nr_overcommit_hugepages';

export const meminfo = defineCollector({
  id: 'meminfo',
  turn: 170,
  scope: 'host',
  reads: ['/proc/meminfo', `${hugepages}/*/{${[...pools.map(([name]) => name), overcommit].join()}}`],
  collect(host, emit) {
    for (const [field, amount] of host.parse('/proc/meminfo', parseMeminfo) ?? []) {
      emit(meminfoFamily.member(field), {}, amount);
    }
    // HugePages_* above are of the default size only; DPDK's are mostly 1 GiB.
    for (const directory of host.listIfPresent(hugepages)) {
      const kilobytes = /^hugepages-(\d{1,12})kB$/.exec(directory)?.[1];
      if (kilobytes === undefined) continue;
      const size = `${Number(kilobytes) * 1024}`;
      for (const [name, metric] of pools) {
        const pages = host.parse(`${hugepages}/${directory}/${name}`, parseNumber);
        if (pages !== undefined) emit(metric, { size }, pages);
      }
      // Copies of /sys may not have it.
      const extra = host.parseIfPresent(`${hugepages}/${directory}/${overcommit}`, parseNumber);
      if (extra !== undefined) emit(hugepagesOvercommit, { size }, extra);
    }
  },
});

/**
 * Parses /proc/meminfo, `Name: N kB` or `Name: N`, into node_exporter's field names: kB become bytes with the suffix
 * `_bytes`, numbers without a unit (HugePages_*) stay counts, `Active(anon)` becomes `Active_anon`.
 * Source: fs/proc/meminfo.c:meminfo_proc_show.
 */
export function parseMeminfo(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const fields = new Map<string, number>();
  while (!cursor.done) {
    const start = cursor.at;
    const name = /^(\w+)(?:\((\w+)\))?:$/.exec(cursor.word());
    if (name === null) return fail('no field name at the start of a line', start);
    const field = name[2] === undefined ? name[1]! : `${name[1]!}_${name[2]}`;
    const amount = cursor.unsigned(U64_MAX);
    if (amount === undefined) return fail(`no number in field ${field}`, cursor.at);
    const unit = cursor.word();
    if (unit !== '' && unit !== 'kB') return fail(`field ${field} is in neither kB nor pages`, cursor.at);
    fields.set(unit === '' ? field : `${field}_bytes`, unit === '' ? amount : amount * 1024);
    cursor.nextLine();
  }
  return ok(fields);
}
