/** The maps of bpf/drops.bpf.c: how much was dropped in all, and where. */
import { dropPlaceLayout, dropsLayout } from '../generated/kernel-layout.ts';
import { ok, type Result } from '../base/result.ts';
import type { Libbpf, MapFd } from './libbpf.ts';

/** bpf/drops.h */
const PLACES = 2048;
const PLACE_BYTES = dropPlaceLayout.bytes;
export const DROP_CPU_BYTES = dropsLayout.bytes;

export interface DropPlace {
  /** As the map knows it: one place of the code, reason, device and namespace. */
  readonly key: string;
  readonly location: bigint;
  readonly reason: number;
  readonly ifindex: number;
  readonly netns: number;
  readonly packets: number;
}

export interface Totals {
  readonly total: number;
  readonly lookedAt: number;
  readonly noRoom: number;
  readonly rarest: number;
}

/** All of them or none: what was dropped at a place that is left out would be of no cause. */
export function readPlaces(
  bpf: Pick<Libbpf, 'keys' | 'lookup' | 'possibleCpus'>,
  map: MapFd,
): Result<readonly DropPlace[]> {
  const cells = Buffer.allocUnsafeSlow(8 * bpf.possibleCpus);
  const keys = bpf.keys(map, PLACE_BYTES, PLACES);
  if (!keys.ok) return keys;
  const places: DropPlace[] = [];
  for (const key of keys.value) {
    const read = bpf.lookup(map, key, cells);
    if (!read.ok) return read;
    places.push(readPlace(Buffer.from(key), cells));
  }
  return ok(places);
}

function readPlace(key: Buffer, cells: Buffer): DropPlace {
  let packets = 0;
  for (let at = 0; at < cells.length; at += 8) packets += Number(cells.readBigUInt64LE(at));
  return {
    key: key.toString('latin1'),
    location: key.readBigUInt64LE(dropPlaceLayout.location),
    reason: key.readUInt32LE(dropPlaceLayout.reason),
    ifindex: key.readUInt32LE(dropPlaceLayout.ifindex),
    netns: key.readUInt32LE(dropPlaceLayout.netns),
    packets,
  };
}

export function readTotals(bytes: Buffer, cpus: number): Totals {
  const totals = { total: 0, lookedAt: 0, noRoom: 0, rarest: 1 };
  for (let cpu = 0; cpu < cpus; cpu += 1) {
    const at = (offset: number): number => Number(bytes.readBigUInt64LE(cpu * DROP_CPU_BYTES + offset));
    totals.total += at(dropsLayout.total);
    totals.lookedAt += at(dropsLayout.lookedAt);
    totals.noRoom += at(dropsLayout.noRoom);
    totals.rarest = Math.max(totals.rarest, bytes.readUInt32LE(cpu * DROP_CPU_BYTES + dropsLayout.rarest));
  }
  return totals;
}
