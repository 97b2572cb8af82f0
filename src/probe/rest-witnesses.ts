/** What counts packets all the time, whoever rests: the devices' own counters, and what each CPU took through the stack. */
import { join } from 'node:path';
import { readFileGuarded } from '../base/file.ts';
import { ok } from '../base/result.ts';
import { parseNetdev } from '../collectors/netdev.ts';
import { parseSoftnet } from '../collectors/softnet.ts';
import { askInNamespace } from '../ffi/namespaces.ts';
import type { DeviceFacts } from './facts.ts';

/** /proc/net/dev: the second column. */
const FRAMES = 1;
const CPU_COLUMN = 12;

export interface Witnesses {
  readonly nanoseconds: number;
  /** Frames that each device received; without those whose counter could not be read. */
  readonly frames: ReadonlyMap<DeviceFacts, number>;
  /** By CPU, of all namespaces; undefined where they could not be read. */
  readonly passes: readonly number[] | undefined;
}

/** @param cpus possible CPUs of the host */
export function witnesses(procfs: string, cpus: number, devices: readonly DeviceFacts[]): Witnesses {
  const frames = new Map<DeviceFacts, number>();
  for (const [id, path] of new Map(devices.map(({ netns }) => [netns.id, netns.path])))
    for (const [device, counted] of framesIn(
      procfs,
      path,
      devices.filter(({ netns }) => netns.id === id),
    ))
      frames.set(device, counted);
  return { nanoseconds: Number(process.hrtime.bigint()), frames, passes: readPasses(procfs, cpus) };
}

/** By CPU: packets that it took through the stack since it came online, of all namespaces. */
export function readPasses(procfs: string, cpus: number): readonly number[] | undefined {
  const table = readFileGuarded(join(procfs, 'net/softnet_stat'));
  const rows = table.ok ? parseSoftnet(table.value) : table;
  if (!rows.ok) return undefined;
  const passes = Array<number>(cpus).fill(0);
  for (const [row, columns] of rows.value.entries()) passes[columns[CPU_COLUMN] ?? row] = columns[0] ?? 0;
  return passes;
}

function framesIn(procfs: string, path: string | undefined, devices: readonly DeviceFacts[]): [DeviceFacts, number][] {
  const table = askInNamespace(path, () => {
    const text = readFileGuarded(join(procfs, 'net/dev'));
    return text.ok ? parseNetdev(text.value) : text;
  });
  const rows = table.ok ? table : ok([]);
  const byName = new Map(rows.value.map(({ device, counters }) => [device, counters[FRAMES]]));
  return devices.flatMap((device) => {
    const counted = byName.get(device.name);
    return counted === undefined ? [] : [[device, counted]];
  });
}
