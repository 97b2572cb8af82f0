/** Whether the kernel would let this process attach programs: root in a container may lack what a user elsewhere was given. */
import { readFileGuarded } from '../base/file.ts';

/** Bits of CapEff (include/uapi/linux/capability.h). */
const NET_ADMIN = 12;
const SYS_ADMIN = 21;
const PERFMON = 38;
const BPF = 39;

/** Loading and attaching programs, of the network and of tracing. CAP_SYS_ADMIN has the part of the last two. */
const needed = [
  ['CAP_BPF', BPF],
  ['CAP_PERFMON', PERFMON],
  ['CAP_NET_ADMIN', NET_ADMIN],
] as const;

/** The bits of a process, of its /proc/PID/status; undefined where it does not tell. */
export function parseCapabilities(status: string): bigint | undefined {
  const digits = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** What a process with these capabilities lacks, by name. */
export function lackedFor(capabilities: bigint): readonly string[] {
  const has = (bit: number): boolean => ((capabilities >> BigInt(bit)) & 1n) === 1n;
  return needed.flatMap(([name, bit]) => (has(bit) || (bit !== NET_ADMIN && has(SYS_ADMIN)) ? [] : [name]));
}

/** Why this process may not do it; undefined where it may try. @param what such as `attaching eBPF programs` */
export function lackingFor(what: string): string | undefined {
  const status = readFileGuarded('/proc/self/status', 64 * 1024);
  const capabilities = status.ok ? parseCapabilities(status.value.toString('latin1')) : undefined;
  if (capabilities === undefined) return process.geteuid?.() === 0 ? undefined : `${what} needs root`;
  const lacked = lackedFor(capabilities);
  if (lacked.length === 0) return undefined;
  const names = lacked.join(', ').replace(/, (?=[^,]*$)/, ' and ');
  // Root that lacks some is in a container, where to be root does not help.
  return process.geteuid?.() === 0
    ? `${what} needs ${names}, which root lacks here`
    : `${what} needs root, or ${names}`;
}
