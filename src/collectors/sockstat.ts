import { sockstat as fields } from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Host } from './collector.ts';
import { U64_MAX, wholeLines } from './cursor.ts';
import { parseLine } from './parse.ts';

export const sockstat = defineCollector({
  id: 'sockstat',
  turn: 100,
  scope: 'netns',
  reads: ['/proc/net/sockstat', '/proc/net/sockstat6', 'sysconf', '/proc/sys/kernel/osrelease'],
  collect(host, emit) {
    const v4 = host.parse('/proc/net/sockstat', parseSockstat);
    // Absent without IPv6. It has no `mem`: the memory of the IPv4 file is that of both.
    const v6 = host.parseIfPresent('/proc/net/sockstat6', parseSockstat);
    for (const values of [v4, v6]) {
      for (const [field, value] of values ?? []) emit(fields.member(field), {}, value);
    }
    const memory = [...(v4 ?? [])].filter(([field]) => field.endsWith('_mem'));
    if (memory.length === 0) return;
    const unit = memoryUnit(host);
    if (unit === undefined) return;
    for (const [field, pages] of memory) emit(fields.member(`${field}_bytes`), {}, pages * unit);
  },
});

/** Bytes that one unit of `mem` stands for; undefined when the page size is not known. */
function memoryUnit(host: Host): number | undefined {
  const pageSize = host.dump('sysconf', pageSizeOf);
  if (pageSize === undefined || pageSize === 4096) return pageSize;
  const release = host.parse('/proc/sys/kernel/osrelease', parseLine);
  if (release === undefined) return undefined;
  // Up to 5.19 the unit is SK_MEM_QUANTUM, 4096 bytes whatever the page size (include/net/sock.h).
  return Number.parseInt(release, 10) < 6 ? 4096 : pageSize;
}

function pageSizeOf(answer: unknown): Result<number> {
  if (typeof answer === 'object' && answer !== null && 'pageSize' in answer) {
    const { pageSize } = answer;
    if (typeof pageSize === 'number' && Number.isSafeInteger(pageSize) && pageSize > 0) return ok(pageSize);
  }
  return fail('no page size');
}

/**
 * Parses /proc/net/sockstat and sockstat6: `Proto: name value name value ...` per line, into `Proto_name` -> value.
 * inuse and tw are of the namespace; orphan, alloc and mem (pages) of the whole host. Source: net/ipv4/proc.c:sockstat_seq_show.
 */
export function parseSockstat(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const values = new Map<string, number>();
  while (!cursor.done) {
    const at = cursor.at;
    const protocol = cursor.word();
    if (!/^[A-Za-z]\w*:$/.test(protocol)) return fail('no protocol name', at);
    while (cursor.moreOnLine()) {
      const nameAt = cursor.at;
      const name = cursor.word();
      if (!/^[A-Za-z]\w*$/.test(name)) return fail('no field name', nameAt);
      const value = cursor.unsigned(U64_MAX);
      if (value === undefined) return fail(`no number for ${name.slice(0, 60)}`, cursor.at);
      values.set(`${protocol.slice(0, -1)}_${name}`, value);
    }
    cursor.nextLine();
  }
  return ok(values);
}
