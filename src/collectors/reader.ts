import type { Result } from '../base/result.ts';

/**
 * The only way to the host. The live reader reads /proc and /sys under the given roots, the recording reader tees every
 * byte into a bundle, the replay reader serves from one. Paths are as the kernel names them, wherever the roots are.
 */
export interface Reader {
  /** The whole file, bounded in size. What the kernel refuses has the errno's name and its words. */
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

/** What is answered in a reader's place. Undefined, and what is not given: the reader below is asked. */
export interface Layer {
  read?(path: string): Result<Uint8Array> | undefined;
  list?(path: string): Result<readonly string[]> | undefined;
  link?(path: string): Result<string> | undefined;
  dump?(name: DumpName, inodes?: readonly number[]): Result<unknown> | undefined;
  /** Of what time the layer's latest answer was; undefined: of the latest read below. */
  readonly lastReadAt?: number | undefined;
}

/** The same reader, with a layer in front of it. */
export function overlay(reader: Reader, layer: Layer): Reader {
  let own = false;
  const first = <T>(answer: Result<T> | undefined, below: () => Result<T>): Result<T> => {
    own = answer !== undefined;
    return answer ?? below();
  };
  return {
    get lastReadAt() {
      return (own ? layer.lastReadAt : undefined) ?? reader.lastReadAt;
    },
    read: (path) => first(layer.read?.(path), () => reader.read(path)),
    list: (path) => first(layer.list?.(path), () => reader.list(path)),
    link: (path) => first(layer.link?.(path), () => reader.link(path)),
    dump: (name, inodes) => first(layer.dump?.(name, inodes), () => reader.dump(name, inodes)),
  };
}

/**
 * Named answers of the kernel:
 *  - `packet_diag`: PACKET_DIAG dump of this namespace (sources/dumps/packet-diag.ts).
 *  - `inet_diag`: listeners, UDP sockets that dropped and slow readers of this namespace (sources/dumps/inet-diag.ts).
 *  - `socket_owners`: the processes that hold the sockets asked about, of the whole host (sources/dumps/socket-owners.ts).
 *  - `netfilter`: chains, rules and hooks of this namespace, counted (sources/dumps/netfilter.ts).
 *  - `links`: devices of this namespace, the filters and programs on them, its routing rules (sources/dumps/links.ts).
 *  - `bpf_programs`: BPF programs and links of the whole host (probe/programs.ts).
 *  - `bpf_holders`: the processes that hold these and perf events, of the whole host (sources/dumps/holders.ts).
 *  - `sysconf`: page size and clock ticks.
 *  - `probe`: the eBPF probe's reading (probe/).
 *  - `qdisc`: root queueing disciplines of this namespace (sources/dumps/qdisc.ts).
 *  - `rings`: receive rings of the cards of this namespace as `ethtool -g` prints them (sources/dumps/nics.ts, sources/sos/links.ts).
 *  - `ring_losses`: what the drivers of these count of lost frames in `ethtool -S` (sources/dumps/nics.ts, sources/sos/nics.ts).
 *  - `openvswitch`: lookups of the datapaths of Open vSwitch (sources/dumps/openvswitch.ts, sources/sos/switch.ts).
 *  - `kernel_log`: lines of the kernel's log about losses, counted; in copies only (sources/sos/remarks.ts).
 *  - `drops`: what the kernel freed as dropped, by reason and place (probe/drops.ts).
 *  - `probe_load`: whether there are BPF objects to load, and why loading them failed; asked where there is no reading.
 *  - `profile`: stacks of the packet path, sampled since it was first asked for (profile/stacks.ts).
 */
export const dumpNames = [
  'packet_diag',
  'inet_diag',
  'netfilter',
  'links',
  'bpf_programs',
  'bpf_holders',
  'socket_owners',
  'sysconf',
  'probe',
  'probe_load',
  'profile',
  'drops',
  'qdisc',
  'rings',
  'ring_losses',
  'openvswitch',
  'kernel_log',
] as const;

export type DumpName = (typeof dumpNames)[number];
