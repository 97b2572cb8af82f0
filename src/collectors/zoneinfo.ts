import {
  zoneAnonHuge,
  zoneForeign,
  zoneHit,
  zoneInterleave,
  zoneLocal,
  zoneMiss,
  zoneOther,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { Cursor, U64_MAX } from './cursor.ts';

const metrics = {
  numa_hit: zoneHit,
  numa_miss: zoneMiss,
  numa_foreign: zoneForeign,
  numa_interleave: zoneInterleave,
  numa_local: zoneLocal,
  numa_other: zoneOther,
  // Counted per node: the kernel prints it under the first populated zone of the node only.
  nr_anon_transparent_hugepages: zoneAnonHuge,
} as const;

export const zoneinfo = defineCollector({
  id: 'zoneinfo',
  turn: 190,
  scope: 'host',
  reads: ['/proc/zoneinfo'],
  collect(host, emit) {
    for (const { node, zone, values } of host.parse('/proc/zoneinfo', parseZoneinfo) ?? []) {
      for (const [name, metric] of Object.entries(metrics)) {
        const value = values.get(name);
        if (value !== undefined) emit(metric, { node, zone }, value);
      }
    }
  },
});

export interface Zone {
  readonly node: string;
  readonly zone: string;
  /** Only the fields the catalogue knows; none in a zone without pages, or in a kernel without NUMA. */
  readonly values: ReadonlyMap<string, number>;
}

const LF = 10;
const N = 78;
const n = 110;

/**
 * Parses /proc/zoneinfo: blocks that begin `Node 0, zone   Normal`, then one indented `name value` per line. Thousands of
 * lines on a large host and seven of each block wanted, so only lines that begin as those do are looked at.
 * Source: mm/vmstat.c:zoneinfo_show_print.
 */
export function parseZoneinfo(bytes: Uint8Array): Result<readonly Zone[]> {
  const cursor = new Cursor(bytes);
  const zones: Zone[] = [];
  let values: Map<string, number> | undefined;
  while (!cursor.done) {
    cursor.skipBlanks();
    if (cursor.byte === N) {
      const at = cursor.at;
      const header = /^Node (\d{1,5}), zone +(\w+)$/.exec(cursor.restOfLine());
      if (header === null) return fail('not the beginning of a zone', at);
      values = new Map();
      zones.push({ node: header[1]!, zone: header[2]!, values });
      continue;
    }
    if (values === undefined) return fail('no zone at the beginning', cursor.at);
    if (cursor.byte === n && isWanted(bytes, cursor.at)) {
      const name = cursor.word();
      if (Object.hasOwn(metrics, name)) {
        const value = cursor.unsigned(U64_MAX);
        // Without a line feed behind it, the number may be half of one.
        if (value === undefined || bytes[cursor.at] !== LF) return fail(`no number for ${name}`, cursor.at);
        values.set(name, value);
      }
    }
    cursor.nextLine();
  }
  if (zones.length === 0) return fail('no zone', 0);
  return ok(zones);
}

/** Begins with `numa_` or `nr_anon_t`: tells nearly all other lines off by two bytes. */
function isWanted(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 1];
  return (
    second === 117 /* u */ || (second === 114 /* r */ && bytes[at + 3] === 97 /* a */ && bytes[at + 8] === 116)
  ); /* t */
}
