/** What several of these scripts ask of the host and of the profile's sampler. */
import { readFileSync } from 'node:fs';
import { loadLibbpf } from '../../build/src/probe/libbpf.js';
import { findObjects } from '../../build/src/probe/objects.js';
import { Overhead } from '../../build/src/probe/overhead.js';
import { Sampler } from '../../build/src/probe/profile/sampler.js';
import { KernelSymbols } from '../../build/src/probe/symbols.js';

/**
 * @template T
 * @param {import('../../build/src/base/result.js').Result<T>} result
 */
export function unwrap(result) {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
}

/** The profile's sampler at the rate that it has in a window of this length; it does not run yet. @param {number} windowSeconds */
export async function openSampler(windowSeconds) {
  return unwrap(
    await Sampler.open({
      bpf: unwrap(loadLibbpf()),
      objects: unwrap(findObjects()),
      procfs: '/proc',
      symbols: new KernelSymbols('/proc'),
      sysfs: '/sys',
      windowSeconds,
      overhead: new Overhead(0.01),
      devices: () => [],
      ownPrograms: () => [],
    }),
  );
}

/** Ticks of /proc in a second. */
export const HERTZ = 100;

/** Seconds that the CPUs were idle, and how many CPUs there are. */
export function idle() {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  const columns = lines[0].trim().split(/\s+/).slice(1).map(Number);
  const cpus = lines.filter((line) => /^cpu\d/.test(line)).length;
  return { cpus, seconds: (columns[3] + columns[4]) / HERTZ };
}
