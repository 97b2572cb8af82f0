import {
  perfEventHolder,
  programHolder,
  programInfo,
  programLink,
  programNanoseconds,
  programRuns,
  tracedFunctions,
  tunHolder,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { utf8Text } from './cursor.ts';
import { decodeHolders, decodePrograms, type BpfPrograms } from '../readings/programs.ts';

const enabledFunctions = '/sys/kernel/tracing/enabled_functions';

/** BPF programs, who holds them, and who traces: whatever else runs for a packet. */
export const programs = defineCollector({
  id: 'programs',
  turn: 160,
  scope: 'host',
  reads: ['bpf_programs', 'bpf_holders', enabledFunctions],
  collect(host, emit) {
    const found = host.dump('bpf_programs', decodePrograms);
    for (const { id, type, name, uid, runs, runNs } of found?.programs ?? []) {
      const program_id = `${id}`;
      emit(programInfo, { program_id, type, name, uid: `${uid}` }, 1);
      if (runs === 0) continue;
      emit(programRuns, { program_id }, runs);
      emit(programNanoseconds, { program_id }, runNs);
    }
    for (const { id, program, type, hook, target } of found?.links ?? [])
      emit(programLink, { link_id: `${id}`, program_id: `${program}`, type, hook, target }, 1);
    emitHolders(found, host, emit);
    const traced = host.parseIfPresent(enabledFunctions, parseEnabledFunctions, 'EACCES', 'EPERM');
    for (const [tracer, count] of traced ?? []) emit(tracedFunctions, { tracer }, count);
  },
});

function emitHolders(found: BpfPrograms | undefined, host: Host, emit: Emit): void {
  const holders = host.dump('bpf_holders', decodeHolders);
  if (holders === undefined) return;
  const known = new Set((found?.programs ?? []).map(({ id }) => id));
  const programOf = new Map((found?.links ?? []).map(({ id, program }) => [id, program]));
  const held = [
    ...holders.programs,
    ...holders.links.flatMap(({ id, ...who }) => {
      const program = programOf.get(id);
      return program === undefined ? [] : [{ ...who, id: program }];
    }),
  ];
  for (const { id, pid, comm } of held)
    if (known.has(id)) emit(programHolder, { program_id: `${id}`, pid: `${pid}`, comm }, 1);
  for (const { pid, comm, count } of holders.perfEvents) emit(perfEventHolder, { pid: `${pid}`, comm }, count);
  for (const { device, pid, comm } of holders.tuns ?? []) emit(tunHolder, { tun: device, pid: `${pid}`, comm }, 1);
  const unseen = holders.unreadable + holders.unlooked;
  if (unseen > 0 && known.size > 0)
    host.gap('/proc/*/fd', `descriptors of ${unseen} processes were not looked at: no right, or no time`);
}

/**
 * Parses tracefs's enabled_functions to how many functions have a hook, by who asks for it: a line is the function, the number of
 * tracers and flags, the trampoline. Source: kernel/trace/ftrace.c:t_show.
 */
export function parseEnabledFunctions(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  if (bytes.length === 0) return ok(counts);
  for (const line of utf8Text(bytes).split('\n')) {
    if (line === '') continue;
    if (!/^\S+ .*\(\d+\)/.test(line)) return fail('not a line of enabled_functions');
    const tracer =
      line.includes('bpf_trampoline') || / D\b/.test(line) ? 'bpf' : line.includes('kprobe') ? 'kprobe' : 'ftrace';
    counts.set(tracer, (counts.get(tracer) ?? 0) + 1);
  }
  return ok(counts);
}
