/**
 * The host's libbpf.so.1. This is the only door to it; what stands behind is in libbpf/. Pointers are branded, because a wrong
 * one ends the process; option structs are built as bytes with their size in front, which libbpf uses to tell versions apart;
 * errno is read at once.
 */
import { constants } from 'node:os';
import { ok, type Result } from '../base/result.ts';
import {
  bindLibbpf,
  refused,
  u32Bytes,
  type Foreign,
  type LinkFd,
  type MapFd,
  type ProgramFd,
} from './libbpf/calls.ts';
import type { ProgramRuns } from '../readings/reading.ts';
import {
  linkIfindex,
  readLinkInfo,
  programCode,
  readProgramInfo,
  programNameById,
  readProgramRuns,
  type LoadedProgram,
} from './libbpf/info.ts';
import { keys, lookup, visitEntries, type EntryBytes } from './libbpf/maps.ts';
import { loadObject, type LoadedObject, type OpenObject } from './libbpf/objects.ts';

export type { LinkFd, MapFd, ProgramFd } from './libbpf/calls.ts';
export type { LoadedProgram } from './libbpf/info.ts';
export type { LoadedObject, OpenObject } from './libbpf/objects.ts';

/** enum bpf_attach_type, include/uapi/linux/bpf.h: libbpf passes a number it does not know to the kernel as it is. */
export const AttachType = { iterator: 28, xdp: 37, tcxIngress: 46, tcxEgress: 47 } as const;
export const XdpFlags = { generic: 1 << 1, native: 1 << 2 } as const;
/** BPF_F_BEFORE without a relative program: first in the chain (kernel/bpf/mprog.c). */
export const BEFORE_ALL = 1 << 3;
export const XDP_HAS_FRAGS = 1 << 5;
export const TcHook = { ingress: 1, egress: 2 } as const;

export interface TcFilter {
  readonly ifindex: number;
  readonly hook: number;
  readonly handle: number;
  readonly priority: number;
}

const ZERO_KEY = u32Bytes(0);

const RUN_OPTIONS_BYTES = 80;

export class Libbpf {
  readonly #foreign: Foreign;
  readonly #f: Foreign['bpf'];
  readonly #inUse = new Set<Buffer>();
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
    const fd = this.#f.linkCreate(program, ifindex, type, linkOptions(flags));
    return fd < 0 ? this.#refused('bpf_link_create', fd) : ok(fd as LinkFd);
  }

  /** The same on a thread of libuv's, which is in our own network namespace: the attach waits for RCU. */
  linkCreateAside(program: ProgramFd, ifindex: number, type: number, flags: number): Promise<Result<LinkFd>> {
    const options = linkOptions(flags);
    // The kernel reads them after this function has returned.
    this.#inUse.add(options);
    return new Promise((resolve, reject) => {
      this.#f.linkCreate.async(program, ifindex, type, options, (error: unknown, fd: number) => {
        this.#inUse.delete(options);
        if (error) reject(error instanceof Error ? error : new Error('bpf_link_create could not be called'));
        else resolve(fd < 0 ? this.#refused('bpf_link_create', fd) : ok(fd as LinkFd));
      });
    });
  }

  /** tp_btf, fentry and fexit: the program already names its target. raw_tp does not. */
  linkTracing(program: ProgramFd, tracepoint: string | null = null): Result<LinkFd> {
    const fd = this.#f.rawTracepointOpen(tracepoint, program);
    return fd < 0 ? this.#refused('bpf_raw_tracepoint_open', fd) : ok(fd as LinkFd);
  }

  /** What a program of type iter writes in one walk, for whoever reads the descriptor to its end. */
  openWalk(program: ProgramFd): Result<number> {
    const link = this.linkCreate(program, 0, AttachType.iterator, 0);
    if (!link.ok) return link;
    const fd = this.#f.iterCreate(link.value);
    // Read at once: closing the link sets errno too.
    const opened = fd < 0 ? this.#refused('bpf_iter_create', fd) : ok(fd);
    this.closeLink(link.value);
    return opened;
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
    return lookup(this.#foreign, map, key, value);
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

  keys(map: MapFd, keyBytes: number, limit: number): Result<Uint8Array[]> {
    return keys(this.#foreign, map, keyBytes, limit);
  }

  /** Every entry of a hash. The bytes are the visitor's to copy. */
  visitEntries(map: MapFd, bytes: EntryBytes, visit: (key: Buffer, value: Buffer) => void): Result<void> {
    return visitEntries(this.#foreign, map, bytes, visit);
  }

  /** Type, name and compiled code of a program; no code where the kernel hides its addresses (bpf_dump_raw_ok). */
  programCode(id: number): Result<LoadedProgram> {
    return programCode(this.#foreign, id);
  }

  programRuns(program: ProgramFd): Result<ProgramRuns> {
    return readProgramRuns(this.#foreign, program);
  }

  programNameById(id: number): Result<string> {
    return programNameById(this.#foreign, id);
  }

  /** The device a TCX or XDP link is on; 0 once it has gone. */
  linkIfindex(link: LinkFd): Result<number> {
    return linkIfindex(this.#foreign, link);
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
    return readProgramInfo(this.#foreign, id);
  }

  /** struct bpf_link_info of a link of the host; `name` gets what a raw tracepoint is called. */
  linkInfo(id: number, name: Uint8Array): Result<Uint8Array> {
    return readLinkInfo(this.#foreign, id, name);
  }

  /** Ids of the TCX programs of a device, in this thread's namespace. The kernel before 6.6 answers EINVAL. */
  tcxPrograms(ifindex: number, type: number): Result<number[]> {
    const ids = Buffer.alloc(64 * 4);
    const count = u32Bytes(64);
    const code = this.#f.programQuery(ifindex, type, 0, u32Bytes(0), ids, count);
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
    const code = this.#f.hookCreate(hookStruct(ifindex, TcHook.ingress | TcHook.egress));
    if (code === 0) return ok(true);
    if (code === -constants.errno.EEXIST) return ok(false);
    return this.#refused('clsact cannot be added', code);
  }

  clsactDestroy(ifindex: number): Result<void> {
    const code = this.#f.hookDestroy(hookStruct(ifindex, TcHook.ingress | TcHook.egress));
    return code < 0 ? this.#refused('clsact cannot be removed', code) : ok(undefined);
  }

  filterAttach(filter: TcFilter, program: ProgramFd): Result<void> {
    const code = this.#f.tcAttach(hookStruct(filter.ifindex, filter.hook), tcOptions(filter, program));
    return code < 0 ? this.#refused('bpf_tc_attach', code) : ok(undefined);
  }

  filterDetach(filter: TcFilter): Result<void> {
    const code = this.#f.tcDetach(hookStruct(filter.ifindex, filter.hook), tcOptions(filter, 0));
    return code < 0 ? this.#refused('bpf_tc_detach', code) : ok(undefined);
  }
}

function linkOptions(flags: number): Buffer {
  const options = Buffer.alloc(64);
  options.writeBigUInt64LE(64n, 0);
  options.writeUInt32LE(flags, 8);
  return options;
}

function hookStruct(ifindex: number, hook: number): Buffer {
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
