import {
  profileCpus,
  profileDeviceSamples,
  profileEntranceTracing,
  profileLeafSamples,
  profileLost,
  profileNetfilterSamples,
  profileOtherSamples,
  profileOwnNanoseconds,
  profilePeriod,
  profileProcessSamples,
  profileProgramSamples,
  profileSamples,
  profileSeconds,
  profileStackSamples,
  profileTapSamples,
} from '../metrics/catalogue/index.ts';
import { classify, tapHookOf, type ClassifiedStack } from '../profile/classify.ts';
import { hasFanOut } from '../profile/claims.ts';
import { hasForeignTracing, isEntrance } from '../profile/tracing-owner.ts';
import type { Frame } from '../profile/frames.ts';
import { foldStacks } from '../profile/fold.ts';
import { decodeProfile, type ProfileAnswer, type StackRow } from '../profile/stacks.ts';
import { defineCollector, type Emit } from './collector.ts';

/** The profile's series stay few whatever the host does. */
const MOST_PROCESSES = 20;
const MOST_PROGRAMS = 50;
const MOST_OTHERS = 20;
const MOST_STACKS = 600;

interface Sampled {
  readonly row: StackRow;
  readonly frames: readonly Frame[];
  readonly place: ClassifiedStack;
}

/** Stacks of the packet path, sampled by a clock on each CPU, as counts by part. It runs last: it begins to sample at the first sample. */
export const profile = defineCollector({
  id: 'profile',
  turn: 260,
  examinedApart: true,
  scope: 'host',
  reads: ['profile'],
  fewPerNamespace: true,
  collect(host, emit) {
    const answer = host.dump('profile', decodeProfile);
    if (answer === undefined) return;
    emit(profilePeriod, { clock: answer.clock }, answer.periodNs / 1e9);
    emit(profileSeconds, {}, answer.seconds);
    emit(profileCpus, { state: 'sampled' }, answer.cpus);
    emit(profileCpus, { state: 'online' }, answer.online);
    for (const reason of ['stacks', 'table', 'symbols'] as const) emit(profileLost, { reason }, answer.lost[reason]);
    if (answer.ownNs !== null) emit(profileOwnNanoseconds, {}, answer.ownNs);
    const sampled = placed(answer);
    emitParts(answer, sampled, emit);
    emitProcesses(answer, sampled, emit);
    emitPrograms(answer, sampled, emit);
    const others = countBy(sampled, ({ row, place: { unnamed } }) => unnamed !== undefined && [row.direction, unnamed]);
    for (const [[direction, name], count] of largest(others, MOST_OTHERS))
      emit(profileOtherSamples, { direction, function: name }, count);
    for (const { direction, stack, samples } of foldStacks(sampled, MOST_STACKS))
      emit(profileStackSamples, { direction, stack }, samples);
  },
});

/** Socket calls of pktcost itself are no cost of the host's packets. */
function placed(answer: ProfileAnswer): Sampled[] {
  const programs = new Map(answer.programs.map((program) => [program.id, program]));
  const functions = answer.functions.map(({ name, program }): Frame => {
    const known = program === null ? undefined : programs.get(program);
    return { name, program: known ?? null };
  });
  const rows = answer.stacks
    .filter(({ pid }) => pid === 0 || pid !== answer.ownPid)
    .map((row) => ({ row, frames: row.functions.map((index) => functions[index]!) }));
  const seen = {
    foreignTracing: rows.some(({ frames }) => hasForeignTracing(frames)),
    fanOut: hasFanOut(rows.map(({ row: { samples }, frames }) => ({ samples, frames }))),
  };
  return rows.map(({ row, frames }) => ({ row, frames, place: classify(frames, seen) }));
}

function emitParts({ devices }: ProfileAnswer, sampled: readonly Sampled[], emit: Emit): void {
  const byPart = countBy(sampled, ({ row, place }) => [row.direction, `${row.cpu}`, place.part]);
  for (const [[direction, cpu, part], count] of byPart) emit(profileSamples, { direction, cpu, part }, count);
  const entrance = countBy(
    sampled,
    ({ row, place: { traced } }) =>
      row.direction === 'receive' && traced !== undefined && isEntrance(traced) && [`${row.cpu}`],
  );
  for (const [[cpu], count] of entrance) emit(profileEntranceTracing, { cpu }, count);
  // Forwarded packets pass taps on their way out within NET_RX: the part says which taps they are.
  const byTap = countBy(sampled, ({ frames, place: { part } }) => {
    const hook = part === 'tap-receive' || part === 'tap-transmit' ? tapHookOf(frames) : undefined;
    return hook !== undefined && [part === 'tap-receive' ? 'receive' : 'transmit', hook];
  });
  for (const [[direction, hook], count] of byTap) emit(profileTapSamples, { direction, hook }, count);
  const byLeaf = countBy(sampled, ({ row, place }) => [row.direction, place.part, place.leaf]);
  for (const [[direction, part, leaf], count] of byLeaf) emit(profileLeafSamples, { direction, part, leaf }, count);
  const byDevice = countBy(sampled, ({ row, place }) => {
    const at = row.device === null ? undefined : devices[row.device];
    return at && [row.direction, at.device, at.netns, `${row.cpu}`, place.part];
  });
  for (const [[direction, device, netns, cpu, part], count] of byDevice)
    emit(profileDeviceSamples, { direction, device, cpu, part, ...(netns !== '' && { netns }) }, count);
  const byHook = countBy(
    sampled,
    ({ row, place: { hook } }) => hook && [row.direction, hook.family, hook.hook, hook.engine],
  );
  for (const [[direction, family, hook, engine], count] of byHook)
    emit(profileNetfilterSamples, { direction, family, hook, engine }, count);
}

function emitProcesses({ processes }: ProfileAnswer, sampled: readonly Sampled[], emit: Emit): void {
  const comms = new Map(processes.map(({ pid, comm }) => [`${pid}`, comm]));
  const all = countBy(sampled, ({ row }) => row.pid !== 0 && [`${row.pid}`]);
  const named = new Set<string>(largest(all, MOST_PROCESSES).map(([[pid]]) => pid));
  const byPart = countBy(sampled, ({ row, place }) => {
    const pid = `${row.pid}`;
    return named.has(pid) && [row.direction, pid, place.part];
  });
  for (const [[direction, pid, part], count] of byPart)
    emit(profileProcessSamples, { direction, pid, comm: comms.get(pid) ?? '', part }, count);
}

function emitPrograms({ programs }: ProfileAnswer, sampled: readonly Sampled[], emit: Emit): void {
  const names = new Map(programs.map(({ id, name }) => [`${id}`, name]));
  const counts = new Map<string, readonly [readonly [string, string, string], number]>();
  for (const { row, frames, place } of sampled) {
    const ids = frames.flatMap(({ program }) => (program === null || program.own ? [] : [`${program.id}`]));
    for (const id of new Set(ids)) {
      const key = `${row.direction} ${id} ${place.part}`;
      counts.set(key, [[row.direction, id, place.part], (counts.get(key)?.[1] ?? 0) + row.samples]);
    }
  }
  for (const [[direction, id, part], count] of largest(counts, MOST_PROGRAMS))
    emit(profileProgramSamples, { direction, program_id: id, name: names.get(id) ?? '', part }, count);
}

type Counts<K extends readonly string[]> = Map<string, readonly [K, number]>;

/** Samples by a key of several words; what has none is left out. */
function countBy<const K extends readonly string[]>(
  sampled: readonly Sampled[],
  keyOf: (each: Sampled) => K | false | undefined,
): readonly (readonly [K, number])[] {
  const counts: Counts<K> = new Map();
  for (const each of sampled) {
    const key = keyOf(each);
    if (key === undefined || key === false) continue;
    const joined = key.join('\0');
    counts.set(joined, [key, (counts.get(joined)?.[1] ?? 0) + each.row.samples]);
  }
  return [...counts.values()];
}

function largest<K extends readonly string[]>(
  counts: ReadonlyMap<string, readonly [K, number]> | readonly (readonly [K, number])[],
  most: number,
): readonly (readonly [K, number])[] {
  const all = [...counts.values()];
  return all.sort(([a, x], [b, y]) => y - x || (a.join('\0') < b.join('\0') ? -1 : 1)).slice(0, most);
}
