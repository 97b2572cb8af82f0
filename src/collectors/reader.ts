import type { Result } from '../metrics/result.ts';

/**
 * The only way to the host. The live reader reads /proc and /sys under the given roots, the recording reader tees every
 * byte into a bundle, the replay reader serves from one. Paths are as the kernel names them, wherever the roots are.
 */
export interface Reader {
  /** The whole file, bounded in size. Reasons are the errno's words: "no such file or directory (ENOENT)". */
  read(path: string): Result<Uint8Array>;
  /** Names in a directory, sorted, without `.` and `..`. */
  list(path: string): Result<readonly string[]>;
  /** The target of a symbolic link, as written in it. */
  link(path: string): Result<string>;
  /**
   * An answer that comes from a socket or from BPF instead of a file, as plain JSON values.
   * @param inodes the sockets asked about; for `socket_owners` only, whose full answer would be every socket of the host
   */
  dump(name: DumpName, inodes?: readonly number[]): Result<unknown>;
  /** CLOCK_MONOTONIC seconds at which the latest read began. */
  readonly lastReadAt: number;
}

/**
 * Named answers of the kernel:
 *  - `packet_diag`: PACKET_DIAG dump of this namespace (sources/packet-diag.ts).
 *  - `inet_diag`: listeners, UDP sockets that dropped and slow readers of this namespace (sources/inet-diag.ts).
 *  - `socket_owners`: the processes that hold the sockets asked about, of the whole host (sources/socket-owners.ts).
 *  - `sysconf`: page size and clock ticks.
 *  - `probe`: the eBPF probe's reading (probe/).
 *  - `probe_load`: whether there are BPF objects to load, and why loading them failed; asked where there is no reading.
 */
export type DumpName = 'packet_diag' | 'inet_diag' | 'socket_owners' | 'sysconf' | 'probe' | 'probe_load';
