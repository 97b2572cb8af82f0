import {
  cpuNode,
  meminfoNuma,
  numaForeign,
  numaHit,
  numaInterleave,
  numaLocal,
  numaMiss,
  numaOther,
  numaStatEnabled,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { U64_MAX, wholeLines } from './cursor.ts';
import { parseCpuListFile, parseNumber } from './parse.ts';

const nodes = '/sys/devices/system/node';
const numaStat = '/proc/sys/vm/numa_stat';

const numastatMetrics = {
  numa_hit: numaHit,
  numa_miss: numaMiss,
  numa_foreign: numaForeign,
  interleave_hit: numaInterleave,
  local_node: numaLocal,
  other_node: numaOther,
} as const;

export const numa = defineCollector({
  id: 'numa',
  turn: 180,
  scope: 'host',
  reads: [`${nodes}/node*/{meminfo,numastat,cpulist}`, numaStat],
  exporterName: 'meminfo_numa',
  collect(host, emit) {
    const names = host.listIfPresent(nodes);
    const ids = names.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []);
    if (ids.length === 0) {
      // The folder is there with NUMA only, and has a node at least.
      if (names.length > 0) host.gap(nodes, 'no folder of a node is in it');
      else host.notApplicable(nodes, 'this kernel is built without NUMA');
      return;
    }
    // A CPU is of one node: a copy in which each is of all would make a million of a thousand lines.
    const known = new Set<number>();
    for (const node of ids) {
      const memory = host.parse(`${nodes}/node${node}/meminfo`, parseNodeMeminfo);
      for (const [field, value] of memory ?? []) emit(meminfoNuma.member(field), { node }, value);
      const counts = host.parse(`${nodes}/node${node}/numastat`, parseNumastat);
      for (const [name, metric] of Object.entries(numastatMetrics)) {
        const count = counts?.get(name);
        if (count !== undefined) emit(metric, { node }, count);
        else host.lack(metric, { node }, 'it is not in the numastat of this node');
      }
      // A node without CPUs (memory only) has an empty list.
      const cpus = host.parse(`${nodes}/node${node}/cpulist`, parseCpuListFile);
      if (cpus?.some((cpu) => known.has(cpu)) === true) {
        host.gap(`${nodes}/node${node}/cpulist`, 'names a CPU of another node');
        continue;
      }
      for (const cpu of cpus ?? []) {
        known.add(cpu);
        emit(cpuNode, { cpu: `${cpu}`, node }, 1);
      }
    }
    // Absent before 4.15, where the counters cannot be switched off.
    const enabled = host.parseIfPresent(numaStat, parseNumber);
    if (enabled !== undefined) emit(numaStatEnabled, {}, enabled === 0 ? 0 : 1);
  },
});

/**
 * Parses nodeN/meminfo: `Node N Field: value [kB]` per line, into field -> bytes, or a count where there is no kB.
 * `Active(anon)` is Active_anon, as in node_exporter. Source: drivers/base/node.c:node_read_meminfo.
 */
export function parseNodeMeminfo(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const values = new Map<string, number>();
  while (!cursor.done) {
    const at = cursor.at;
    if (cursor.lineEnd) {
      cursor.nextLine();
      continue;
    }
    if (cursor.word() !== 'Node' || cursor.decimal() === undefined) return fail('no line of a node', at);
    const field = /^(\w+)(?:\((\w+)\))?:$/.exec(cursor.word());
    if (field === null) return fail('no field name', at);
    const name = field[2] === undefined ? field[1]! : `${field[1]!}_${field[2]}`;
    const value = cursor.unsigned(U64_MAX);
    if (value === undefined) return fail(`no number for ${name.slice(0, 60)}`, cursor.at);
    const unit = cursor.word();
    if (unit !== '' && unit !== 'kB') return fail(`unit of ${name.slice(0, 60)} is not kB`, cursor.at);
    values.set(name, unit === 'kB' ? value * 1024 : value);
    cursor.nextLine();
  }
  return ok(values);
}

/** Parses nodeN/numastat: `name value` per line, in page allocations. Source: drivers/base/node.c:node_read_numastat. */
export function parseNumastat(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const values = new Map<string, number>();
  while (!cursor.done) {
    const name = cursor.word();
    const value = cursor.unsigned(U64_MAX);
    if (value === undefined) return fail('no number', cursor.at);
    values.set(name, value);
    cursor.nextLine();
  }
  if (!values.has('numa_hit')) return fail('no field "numa_hit"', 0);
  return ok(values);
}
