/** The objects that time NET_RX: its runs, and what of them passes outside of the stack. */
import { variables } from '../generated/kernel-layout.ts';
import type { Result } from '../base/result.ts';
import type { LoadedObject, OpenObject } from './libbpf.ts';
import type { ObjectName } from './objects.ts';
import { every, inOrder, type DeviceWorkshop } from './watched.ts';

/** Attached in this order: what ends a run before what begins one. */
export const RUN_PROGRAMS = ['pktcost_exit', 'pktcost_entry'];

/** For a part of the time only: they run for every frame and every poll. */
export const DRIVER_PROGRAMS = ['pktcost_gro', 'pktcost_frags', 'pktcost_poll'];

type Workshop = Pick<DeviceWorkshop, 'bpf' | 'cpus' | 'resting' | 'object'>;

export function loadRuns(shop: Workshop, sampleEvery: number): Promise<Result<LoadedObject>> {
  return load(shop, 'softirq', (object) => object.setValue(variables.netRxEvery.section, every(sampleEvery)));
}

export function loadDriver(shop: Workshop): Promise<Result<LoadedObject>> {
  return load(shop, 'driver');
}

async function load(
  { bpf, cpus, resting, object }: Workshop,
  name: ObjectName,
  prepare?: (object: OpenObject) => Result<void>,
): Promise<Result<LoadedObject>> {
  const bytes = object(name);
  if (!bytes.ok) return bytes;
  return bpf.loadObject('pktcost', bytes.value, (opened) =>
    inOrder(
      () => opened.shareMap('pktcost_cpus', cpus),
      () => opened.shareMap('pktcost_resting', resting),
      ...(prepare ? [() => prepare(opened)] : []),
    ),
  );
}
