/** Offload features of a device, in this thread's network namespace. */
import { countOfStrings, ethtool, ethtoolCommand, SS_FEATURES, stringsOf } from '../ffi/ethtool.ts';
import { fail, ok, type Result } from '../base/result.ts';

const GFEATURES = 0x3a;
const SFEATURES = 0x3b;
const MAX_FEATURES = 512;

export type Features = Readonly<Record<string, boolean>>;

function featureNames(name: string): Result<readonly string[]> {
  const count = countOfStrings(name, SS_FEATURES);
  if (!count.ok) return count;
  if (count.value > MAX_FEATURES) return fail(`${name} has ${count.value} features, more than are read`);
  const names = stringsOf(name, SS_FEATURES, count.value);
  if (!names.ok) return names;
  return names.value === undefined ? fail(`the features of ${name} changed while they were read`) : ok(names.value);
}

export function featuresOf(name: string): Result<Features> {
  const names = featureNames(name);
  if (!names.ok) return names;
  const blocks = Math.ceil(names.value.length / 32);
  const features = ethtoolCommand(8 + blocks * 16, GFEATURES);
  features.writeUInt32LE(blocks, 4);
  const asked = ethtool(name, features);
  if (!asked.ok) return asked;
  const active: Record<string, boolean> = {};
  names.value.forEach((feature, bit) => {
    if (feature !== '') active[feature] = ((features.readUInt32LE(8 + (bit >> 5) * 16 + 8) >>> (bit & 31)) & 1) === 1;
  });
  return ok(active);
}

export function changedFeatures(before: Features, after: Features): Features {
  return Object.fromEntries(
    Object.entries(before).filter(([name, on]) => after[name] !== undefined && after[name] !== on),
  );
}

/** Asks for the given features and nothing else. A driver may refuse some: read them again to know. */
export function setFeatures(name: string, wanted: Features): Result<void> {
  const names = featureNames(name);
  if (!names.ok) return names;
  const blocks = Math.ceil(names.value.length / 32);
  const request = ethtoolCommand(8 + blocks * 8, SFEATURES);
  request.writeUInt32LE(blocks, 4);
  names.value.forEach((feature, bit) => {
    const on = wanted[feature];
    if (on === undefined) return;
    const at = 8 + (bit >> 5) * 8;
    request.writeUInt32LE((request.readUInt32LE(at) | (1 << (bit & 31))) >>> 0, at);
    if (on) request.writeUInt32LE((request.readUInt32LE(at + 4) | (1 << (bit & 31))) >>> 0, at + 4);
  });
  return ethtool(name, request);
}
