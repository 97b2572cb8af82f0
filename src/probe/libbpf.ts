/**
 * The host's libbpf.so.1. This is the only door to it; what stands behind is in libbpf/. Pointers are branded, because a wrong
 * one ends the process; option structs are built as bytes with their size in front, which libbpf uses to tell versions apart;
 * errno is read at once.
 */
import { constants } from 'node:os';
import { ok, type Result } from '../base/result.ts';
import { bindLibbpf, refused, type Foreign, type LinkFd, type MapFd, type ProgramFd } from './libbpf/calls.ts';
import type { ProgramRuns } from '../readings/reading.ts';
import { loadObject, type LoadedObject, type OpenObject } from './libbpf/objects.ts';

export type { LinkFd, MapFd, ProgramFd } from './libbpf/calls.ts';
export type { LoadedObject, OpenObject } from './libbpf/objects.ts';

/** enum bpf_attach_type, include/uapi/linux/bpf.h: libbpf passes a number it does not know to the kernel as it is. */
export const AttachType = { xdp: 37, tcxIngress: 46, tcxEgress: 47 } as const;
export const XdpFlags = { generic: 1 << 1, native: 1 << 2 } as const;
/** BPF_F_BEFORE without a relative program: first in the chain (kernel/bpf/mprog.c). */
export const BEFORE_ALL = 1 << 3;
export const XDP_HAS_FRAGS = 1 << 5;
export const TcHook = { ingress: 1, egress: 2 } as const;

const PROG_INFO_BYTES = 232;
const LINK_INFO_BYTES = 64;
/** BPF_LINK_TYPE_RAW_TRACEPOINT */
const RAW_TRACEPOINT = 1;
const BATCH = 1024;
/** The largest map of ours that is read so. */
const MOST_ENTRIES = 1 << 18;
/** BPF_MAX_SUBPROGS, include/linux/bpf_verifier.h. */
const MOST_SUBPROGRAMS = 256;

/** A program with the places of its compiled code: its own and those of its subprograms. */
export interface LoadedProgram {
  readonly id: number;
  readonly name: string;
  /** enum bpf_prog_type. */
  readonly type: number;
  /** Addresses less 2^64, so that they are exact; lengths in bytes. */
  readonly code: readonly { readonly address: number; readonly length: number }[];
}

export interface TcFilter {
  readonly ifindex: number;
  readonly hook: number;
  readonly handle: number;
  readonly priority: number;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value >>> 0, index * 4));
  return bytes;
}

const ZERO_KEY = u32(0);

const RUN_OPTIONS_BYTES = 80;

export class Libbpf {
  readonly #foreign: Foreign;
  readonly #f: Foreign['bpf'];
  readonly possibleCpus: number;

  constructor(foreign: Foreign) {
    this.#foreign = foreign;
    this.#f = foreign.bpf;
    this.#f.setPrint(null);
    this.possibleCpus = this.#f.possibleCpus();
  }

  #refused(what: string, code: number): Result<never> {
    return refused(this.#foreign, what, code);
  }

  /** `name` becomes the prefix of the maps' names; `prepare` runs between open and load, where values can still be set. */
  loadObject(
    name: string,
    bytes: Uint8Array,
    prepare: (object: OpenObject) => Result<void>,
  ): Promise<Result<LoadedObject>> {
    return loadObject(this.#foreign, name, bytes, prepare);
  }

  linkCreate(program: ProgramFd, ifindex: number, type: number, flags: number): Result<LinkFd> {
    const options = Buffer.alloc(64);
    options.writeBigUInt64LE(64n, 0);
    options.writeUInt32LE(flags, 8);
    const fd = this.#f.linkCreate(program, ifindex, type, options);
    return fd < 0 ? this.#refused('bpf_link_create', fd) : ok(fd as LinkFd);
  }

  /** tp_btf, fentry and fexit: the program already names its target. */
  linkTracing(program: ProgramFd): Result<LinkFd> {
    const fd = this.#f.rawTracepointOpen(null, program);
    return fd < 0 ? this.#refused('bpf_raw_tracepoint_open', fd) : ok(fd as LinkFd);
  }

  /** Detaches. */
  closeLink(link: LinkFd): void {
    this.#foreign.libc.close(link);
  }

  /** The same on a thread of libuv's: the detach of an XDP link can wait for its driver. */
  closeLinkAside(link: LinkFd): Promise<void> {
    return new Promise((resolve) => {
      this.#foreign.libc.close.async(link, () => {
        resolve();
      });
    });
  }

  /** Once, here and now; for programs of type syscall. */
  runProgram(program: ProgramFd): Result<void> {
    // struct bpf_test_run_opts: its size, and nothing in or out.
    const options = Buffer.alloc(RUN_OPTIONS_BYTES);
    options.writeBigUInt64LE(BigInt(RUN_OPTIONS_BYTES), 0);
    const code = this.#f.runProgram(program, options);
    return code < 0 ? this.#refused('bpf_prog_test_run', code) : ok(undefined);
  }

  lookup(map: MapFd, key: Uint8Array, value: Uint8Array): Result<void> {
    const code = this.#f.lookup(map, key, value);
    return code < 0 ? this.#refused('bpf_map_lookup_elem', code) : ok(undefined);
  }

  lookupOnly(map: MapFd, value: Uint8Array): Result<void> {
    return this.lookup(map, ZERO_KEY, value);
  }

  writeOnly(map: MapFd, value: Uint8Array): Result<void> {
    return this.write(map, ZERO_KEY, value);
  }

  write(map: MapFd, key: Uint8Array, value: Uint8Array): Result<void> {
    const code = this.#f.update(map, key, value, 0);
    return code < 0 ? this.#refused('bpf_map_update_elem', code) : ok(undefined);
  }

  keys(map: MapFd, keyBytes: number, limit: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    let key: Uint8Array | null = null;
    while (found.length < limit) {
      const next = Buffer.alloc(keyBytes);
      if (this.#f.nextKey(map, key, next) !== 0) break;
      found.push(next);
      key = next;
    }
    return found;
  }

  /** Every entry of a hash, in as few calls as the kernel permits (5.6); one after the other before. The bytes are the visitor's to copy. */
  visitEntries(
    map: MapFd,
    { key: keyBytes, value: valueBytes }: { readonly key: number; readonly value: number },
    visit: (key: Buffer, value: Buffer) => void,
  ): Result<void> {
    const keys = Buffer.allocUnsafeSlow(BATCH * keyBytes);
    const values = Buffer.allocUnsafeSlow(BATCH * valueBytes);
    let from: Buffer | null = null;
    for (;;) {
      const next = Buffer.alloc(8);
      const count = u32(BATCH);
      const code = this.#f.lookupBatch(map, from, next, keys, values, count, null);
      const last = code === -constants.errno.ENOENT;
      if (code < 0 && !last) {
        return from === null
          ? this.#visitOneByOne(map, keyBytes, valueBytes, visit)
          : this.#refused('bpf_map_lookup_batch', code);
      }
      for (let index = 0; index < count.readUInt32LE(0); index += 1) {
        visit(
          keys.subarray(index * keyBytes, (index + 1) * keyBytes),
          values.subarray(index * valueBytes, (index + 1) * valueBytes),
        );
      }
      if (last) return ok(undefined);
      from = next;
    }
  }

  #visitOneByOne(
    map: MapFd,
    keyBytes: number,
    valueBytes: number,
    visit: (key: Buffer, value: Buffer) => void,
  ): Result<void> {
    const value = Buffer.alloc(valueBytes);
    for (const key of this.keys(map, keyBytes, MOST_ENTRIES))
      if (this.lookup(map, key, value).ok) visit(Buffer.from(key), value);
    return ok(undefined);
  }

  /** Type, name and compiled code of a program; no code where the kernel hides its addresses (bpf_dump_raw_ok). */
  programCode(id: number): Result<LoadedProgram> {
    const fd = this.#f.programById(id);
    if (fd < 0) return this.#refused('bpf_prog_get_fd_by_id', fd);
    try {
      const { addressOf } = this.#foreign.libc;
      const addresses = Buffer.allocUnsafeSlow(MOST_SUBPROGRAMS * 8).fill(0);
      const lengths = Buffer.allocUnsafeSlow(MOST_SUBPROGRAMS * 4).fill(0);
      const info = Buffer.alloc(PROG_INFO_BYTES);
      // struct bpf_prog_info: nr_jited_ksyms at 104, nr_jited_func_lens at 108, the pointers to both at 112 and 120.
      info.writeUInt32LE(MOST_SUBPROGRAMS, 104);
      info.writeUInt32LE(MOST_SUBPROGRAMS, 108);
      info.writeBigUInt64LE(addressOf(addresses), 112);
      info.writeBigUInt64LE(addressOf(lengths), 120);
      const code = this.#f.infoByFd(fd, info, u32(PROG_INFO_BYTES));
      if (code < 0) return this.#refused('bpf_obj_get_info_by_fd', code);
      const functions = Math.min(info.readUInt32LE(104), info.readUInt32LE(108), MOST_SUBPROGRAMS);
      const end = info.indexOf(0, 64);
      return ok({
        id,
        type: info.readUInt32LE(0),
        name: info.toString('utf8', 64, Math.min(end < 0 ? 80 : end, 80)),
        code: Array.from({ length: functions }, (_, index) => ({
          address: Number(addresses.readBigInt64LE(index * 8)),
          length: lengths.readUInt32LE(index * 4),
        })).filter(({ address }) => address !== 0),
      });
    } finally {
      this.#foreign.libc.close(fd);
    }
  }

  programRuns(program: ProgramFd): Result<ProgramRuns> {
    const info = Buffer.alloc(PROG_INFO_BYTES);
    const code = this.#f.infoByFd(program, info, u32(PROG_INFO_BYTES));
    if (code < 0) return this.#refused('bpf_obj_get_info_by_fd', code);
    // struct bpf_prog_info: id at 4, name at 64, run_time_ns at 192, run_cnt at 200, recursion_misses (5.12) at 208.
    const end = info.indexOf(0, 64);
    return ok({
      id: info.readUInt32LE(4),
      name: info.toString('utf8', 64, Math.min(end < 0 ? 80 : end, 80)),
      runNs: Number(info.readBigUInt64LE(192)),
      runs: Number(info.readBigUInt64LE(200)),
      missed: Number(info.readBigUInt64LE(208)),
    });
  }

  /** The device a TCX or XDP link is on; 0 once it has gone. struct bpf_link_info: the ifindex is the first of the union. */
  linkIfindex(link: LinkFd): Result<number> {
    const info = Buffer.alloc(64);
    const code = this.#f.infoByFd(link, info, u32(64));
    return code < 0 ? this.#refused('bpf_obj_get_info_by_fd', code) : ok(info.readUInt32LE(16));
  }

  /** The host's program with the next higher id; undefined when that was the last, or when they may not be listed. */
  nextProgram(after: number): number | undefined {
    const next = Buffer.alloc(4);
    return this.#f.nextProgramId(after, next) < 0 ? undefined : next.readUInt32LE(0);
  }

  /** The same for links. */
  nextLink(after: number): number | undefined {
    const next = Buffer.alloc(4);
    return this.#f.nextLinkId(after, next) < 0 ? undefined : next.readUInt32LE(0);
  }

  /** struct bpf_prog_info of a program of the host; its arrays are not asked for. */
  programInfo(id: number): Result<Uint8Array> {
    return this.#infoOf('bpf_prog_get_fd_by_id', this.#f.programById(id), Buffer.alloc(PROG_INFO_BYTES));
  }

  /** struct bpf_link_info of a link of the host; `name` gets what a raw tracepoint is called. */
  linkInfo(id: number, name: Uint8Array): Result<Uint8Array> {
    const info = Buffer.alloc(LINK_INFO_BYTES);
    const fd = this.#f.linkById(id);
    const asked = this.#infoOf('bpf_link_get_fd_by_id', fd, info, false);
    // The pointer and the length are those of the raw tracepoint alone: for every other kind these bytes are answers.
    if (!asked.ok || info.readUInt32LE(0) !== RAW_TRACEPOINT) {
      if (fd >= 0) this.#foreign.libc.close(fd);
      return asked;
    }
    info.fill(0);
    info.writeBigUInt64LE(this.#foreign.libc.addressOf(name), 16);
    info.writeUInt32LE(name.length, 24);
    return this.#infoOf('bpf_link_get_fd_by_id', fd, info);
  }

  #infoOf(what: string, fd: number, info: Buffer, close = true): Result<Uint8Array> {
    if (fd < 0) return this.#refused(what, fd);
    const code = this.#f.infoByFd(fd, info, u32(info.length));
    const answer = code < 0 ? this.#refused('bpf_obj_get_info_by_fd', code) : ok(info);
    if (close) this.#foreign.libc.close(fd);
    return answer;
  }

  programNameById(id: number): Result<string> {
    const fd = this.#f.programById(id);
    if (fd < 0) return this.#refused('bpf_prog_get_fd_by_id', fd);
    const runs = this.programRuns(fd as ProgramFd);
    this.#foreign.libc.close(fd);
    return runs.ok ? ok(runs.value.name) : runs;
  }

  /** Ids of the TCX programs of a device, in this thread's namespace. The kernel before 6.6 answers EINVAL. */
  tcxPrograms(ifindex: number, type: number): Result<number[]> {
    const ids = Buffer.alloc(64 * 4);
    const count = u32(64);
    const code = this.#f.programQuery(ifindex, type, 0, u32(0), ids, count);
    if (code < 0) return this.#refused('bpf_prog_query', code);
    return ok(Array.from({ length: Math.min(count.readUInt32LE(0), 64) }, (_, index) => ids.readUInt32LE(index * 4)));
  }

  /** Run-time statistics of all programs of the host, until the descriptor is closed. */
  enableStats(): Result<number> {
    const fd = this.#f.enableStats(0);
    return fd < 0 ? this.#refused('BPF_ENABLE_STATS', fd) : ok(fd);
  }

  /** True when the qdisc is now ours, false when somebody had made it. */
  clsactCreate(ifindex: number): Result<boolean> {
    const code = this.#f.hookCreate(tcHook(ifindex, TcHook.ingress | TcHook.egress));
    if (code === 0) return ok(true);
    if (code === -constants.errno.EEXIST) return ok(false);
    return this.#refused('clsact cannot be added', code);
  }

  clsactDestroy(ifindex: number): Result<void> {
    const code = this.#f.hookDestroy(tcHook(ifindex, TcHook.ingress | TcHook.egress));
    return code < 0 ? this.#refused('clsact cannot be removed', code) : ok(undefined);
  }

  filterAttach(filter: TcFilter, program: ProgramFd): Result<void> {
    const code = this.#f.tcAttach(tcHook(filter.ifindex, filter.hook), tcOptions(filter, program));
    return code < 0 ? this.#refused('bpf_tc_attach', code) : ok(undefined);
  }

  filterDetach(filter: TcFilter): Result<void> {
    const code = this.#f.tcDetach(tcHook(filter.ifindex, filter.hook), tcOptions(filter, 0));
    return code < 0 ? this.#refused('bpf_tc_detach', code) : ok(undefined);
  }
}

function tcHook(ifindex: number, hook: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64LE(24n, 0);
  bytes.writeInt32LE(ifindex, 8);
  bytes.writeUInt32LE(hook, 12);
  return bytes;
}

function tcOptions(filter: TcFilter, program: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(32n, 0);
  bytes.writeInt32LE(program, 8);
  bytes.writeUInt32LE(filter.handle, 20);
  bytes.writeUInt32LE(filter.priority, 24);
  return bytes;
}

let loaded: Result<Libbpf> | undefined;

/** Loads libbpf.so.1 once. */
export function loadLibbpf(path = 'libbpf.so.1'): Result<Libbpf> {
  if (path !== 'libbpf.so.1') return tryLibbpf(path);
  loaded ??= tryLibbpf(path);
  return loaded;
}

function tryLibbpf(path: string): Result<Libbpf> {
  const bound = bindLibbpf(path);
  return bound.ok ? ok(new Libbpf(bound.value)) : bound;
}
