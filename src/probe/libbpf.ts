/**
 * The host's libbpf.so.1, the only module which calls it. Pointers are branded, because a wrong one ends the process; option
 * structs are built as bytes with their size in front, which libbpf uses to tell versions apart; errno is read at once.
 */
import type { KoffiFunc } from 'koffi';
import { fail, ok, type Result } from '../metrics/result.ts';
import { errno, errnoText, koffi, loadLibc } from './libc.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = bigint & { readonly [brand]: Name };
export type BpfObject = Branded<'bpf_object'>;
type BpfProgram = Branded<'bpf_program'>;
type BpfMap = Branded<'bpf_map'>;
type Address = bigint | null;

export type ProgramFd = number & { readonly [brand]: 'prog_fd' };
export type MapFd = number & { readonly [brand]: 'map_fd' };
export type LinkFd = number & { readonly [brand]: 'link_fd' };

/** enum bpf_attach_type, include/uapi/linux/bpf.h: libbpf passes a number it does not know to the kernel as it is. */
export const AttachType = { xdp: 37, tcxIngress: 46, tcxEgress: 47 } as const;
export const XdpFlags = { generic: 1 << 1, native: 1 << 2 } as const;
/** BPF_F_BEFORE without a relative program: first in the chain (kernel/bpf/mprog.c). */
export const BEFORE_ALL = 1 << 3;
export const XDP_HAS_FRAGS = 1 << 5;
export const TcHook = { ingress: 1, egress: 2 } as const;

const PROG_INFO_BYTES = 232;
const LOG_BYTES = 1 << 18;

interface Functions {
  open(bytes: Uint8Array, length: number, options: Uint8Array): Address;
  load: KoffiFunc<(object: bigint) => number>;
  close(object: bigint): void;
  findProgram(object: bigint, name: string): Address;
  findMap(object: bigint, name: string): Address;
  programFd(program: bigint): number;
  setProgramFlags(program: bigint, flags: number): number;
  setAutoload(program: bigint, load: boolean): number;
  mapFd(map: bigint): number;
  mapValueSize(map: bigint): number;
  reuseMap(map: bigint, fd: number): number;
  setInitialValue(map: bigint, bytes: Uint8Array, length: number): number;
  linkCreate(program: number, target: number, type: number, options: Uint8Array): number;
  rawTracepointOpen(name: null, program: number): number;
  lookup(map: number, key: Uint8Array, value: Uint8Array): number;
  update(map: number, key: Uint8Array, value: Uint8Array, flags: number): number;
  nextKey(map: number, key: Uint8Array | null, next: Uint8Array): number;
  infoByFd(fd: number, info: Uint8Array, length: Uint8Array): number;
  programById(id: number): number;
  programQuery(
    target: number,
    type: number,
    flags: number,
    attachFlags: Uint8Array,
    ids: Uint8Array,
    count: Uint8Array,
  ): number;
  enableStats(type: number): number;
  hookCreate(hook: Uint8Array): number;
  hookDestroy(hook: Uint8Array): number;
  tcAttach(hook: Uint8Array, options: Uint8Array): number;
  tcDetach(hook: Uint8Array, options: Uint8Array): number;
  possibleCpus(): number;
  setPrint(callback: bigint | null): unknown;
}

function bindFunctions(path: string): Functions {
  const library = koffi().load(path);
  // The type of a foreign function is what we say it is; the signature beside it is the proof.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  const bind = <F>(signature: string): F => library.func(signature) as unknown as F;
  return {
    open: bind('void *bpf_object__open_mem(void *, size_t, void *)'),
    load: bind('int bpf_object__load(void *)'),
    close: bind('void bpf_object__close(void *)'),
    findProgram: bind('void *bpf_object__find_program_by_name(void *, const char *)'),
    findMap: bind('void *bpf_object__find_map_by_name(void *, const char *)'),
    programFd: bind('int bpf_program__fd(void *)'),
    setProgramFlags: bind('int bpf_program__set_flags(void *, uint32_t)'),
    setAutoload: bind('int bpf_program__set_autoload(void *, bool)'),
    mapFd: bind('int bpf_map__fd(void *)'),
    mapValueSize: bind('uint32_t bpf_map__value_size(void *)'),
    reuseMap: bind('int bpf_map__reuse_fd(void *, int)'),
    setInitialValue: bind('int bpf_map__set_initial_value(void *, void *, size_t)'),
    linkCreate: bind('int bpf_link_create(int, int, int, void *)'),
    rawTracepointOpen: bind('int bpf_raw_tracepoint_open(const char *, int)'),
    lookup: bind('int bpf_map_lookup_elem(int, void *, void *)'),
    update: bind('int bpf_map_update_elem(int, void *, void *, uint64_t)'),
    nextKey: bind('int bpf_map_get_next_key(int, void *, void *)'),
    infoByFd: bind('int bpf_obj_get_info_by_fd(int, void *, void *)'),
    programById: bind('int bpf_prog_get_fd_by_id(uint32_t)'),
    programQuery: bind('int bpf_prog_query(int, int, uint32_t, void *, void *, void *)'),
    enableStats: bind('int bpf_enable_stats(int)'),
    hookCreate: bind('int bpf_tc_hook_create(void *)'),
    hookDestroy: bind('int bpf_tc_hook_destroy(void *)'),
    tcAttach: bind('int bpf_tc_attach(void *, void *)'),
    tcDetach: bind('int bpf_tc_detach(void *, void *)'),
    possibleCpus: bind('int libbpf_num_possible_cpus()'),
    setPrint: bind('void *libbpf_set_print(void *)'),
  };
}

export interface ProgramRuns {
  readonly id: number;
  readonly name: string;
  readonly runs: number;
  readonly runNs: number;
  readonly missed: number;
}

export interface TcFilter {
  readonly ifindex: number;
  readonly hook: number;
  readonly handle: number;
  readonly priority: number;
}

function isNull(address: Address): address is null {
  return address === null || address === 0n;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value >>> 0, index * 4));
  return bytes;
}

const ZERO_KEY = u32(0);

/** The last words of a verifier log are the verdict; the rest is the way there. */
function verdictOf(log: Uint8Array): string {
  const end = log.indexOf(0);
  const lines = Buffer.from(log.subarray(0, end < 0 ? log.length : end))
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(processed \d+ insns|verification time|stack depth)/.test(line));
  return lines.slice(-2).join('; ');
}

export class Libbpf {
  readonly #f: Functions;
  readonly possibleCpus: number;

  constructor(functions: Functions) {
    this.#f = functions;
    this.#f.setPrint(null);
    this.possibleCpus = functions.possibleCpus();
  }

  #refused(what: string, code: number): Result<never> {
    const number = code < 0 ? -code : errno();
    return fail(`${what}: ${errnoText(number)}`);
  }

  /** `name` becomes the prefix of the maps' names; `prepare` runs between open and load, where values can still be set. */
  async loadObject(
    name: string,
    bytes: Uint8Array,
    prepare: (object: OpenObject) => Result<void>,
  ): Promise<Result<LoadedObject>> {
    // allocUnsafeSlow: never a slice of the pool, so the address stays good while libbpf keeps it.
    const log = Buffer.allocUnsafeSlow(LOG_BYTES).fill(0);
    const nameBytes = Buffer.allocUnsafeSlow(128).fill(0);
    nameBytes.write(name, 0, 127, 'utf8');
    const opened = this.#open(bytes, nameBytes, log);
    if (!opened.ok) return opened;
    const prepared = prepare(new OpenObject(this.#f, opened.value));
    if (!prepared.ok) {
      this.#f.close(opened.value);
      return prepared;
    }
    const code = await new Promise<number>((resolve, reject) => {
      this.#f.load.async(opened.value, (error: unknown, result: number) => {
        if (error) reject(error instanceof Error ? error : new Error('bpf_object__load could not be called'));
        else resolve(result);
      });
    });
    if (code === 0) return ok(new LoadedObject(this.#f, opened.value));
    this.#f.close(opened.value);
    const verdict = verdictOf(log);
    const told = verdict === '' ? this.#messagesOfRetry(bytes, nameBytes, log, prepare) : verdict;
    return fail(
      `${name}: the kernel refused to load the program: ${errnoText(-code)}${told === '' ? '' : `; ${told}`}`,
    );
  }

  #open(bytes: Uint8Array, name: Buffer, log: Buffer): Result<BpfObject> {
    // struct bpf_object_open_opts of libbpf 1.0 and later: sz, object_name, ..., kernel_log_buf, _size, _level.
    const options = Buffer.allocUnsafeSlow(80).fill(0);
    options.writeBigUInt64LE(80n, 0);
    options.writeBigUInt64LE(koffi().address(name), 8);
    options.writeBigUInt64LE(koffi().address(log), 56);
    options.writeBigUInt64LE(BigInt(log.length), 64);
    const object = this.#f.open(bytes, bytes.length, options);
    if (isNull(object)) return this.#refused('libbpf cannot open the object', 0);
    return ok(object as BpfObject);
  }

  /**
   * libbpf's own messages (a relocation without a match, no BTF) come only through its print callback. Its va_list decays to
   * a pointer on x86-64, which is where this was tried; elsewhere the error number has to do.
   */
  #messagesOfRetry(
    bytes: Uint8Array,
    name: Buffer,
    log: Buffer,
    prepare: (object: OpenObject) => Result<void>,
  ): string {
    if (process.arch !== 'x64') return '';
    const lines: string[] = [];
    const format = koffi().load(null).func('int vsnprintf(void *, size_t, void *, void *)') as unknown as (
      text: Uint8Array,
      length: number,
      format: bigint,
      values: bigint,
    ) => number;
    const text = Buffer.allocUnsafeSlow(512);
    const print = (level: number, template: bigint, values: bigint): number => {
      if (level > 1) return 0;
      const length = format(text, text.length, template, values);
      lines.push(text.toString('utf8', 0, Math.max(0, Math.min(length, text.length - 1))).trim());
      return 0;
    };
    const type = koffi().pointer(koffi().proto('int', ['int', 'void *', 'void *']));
    const callback = koffi().register(print, type);
    this.#f.setPrint(callback);
    try {
      const opened = this.#open(bytes, name, log);
      if (opened.ok) {
        if (prepare(new OpenObject(this.#f, opened.value)).ok) this.#f.load(opened.value);
        this.#f.close(opened.value);
      }
    } finally {
      this.#f.setPrint(null);
      koffi().unregister(callback);
    }
    return lines
      .filter((line) => line !== '' && !/PROG LOAD LOG|ulimit/.test(line))
      .slice(0, 2)
      .join('; ');
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

  lookup(map: MapFd, key: Uint8Array, value: Uint8Array): Result<void> {
    const code = this.#f.lookup(map, key, value);
    return code < 0 ? this.#refused('bpf_map_lookup_elem', code) : ok(undefined);
  }

  lookupOnly(map: MapFd, value: Uint8Array): Result<void> {
    return this.lookup(map, ZERO_KEY, value);
  }

  writeOnly(map: MapFd, value: Uint8Array): Result<void> {
    const code = this.#f.update(map, ZERO_KEY, value, 0);
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

  programNameById(id: number): Result<string> {
    const fd = this.#f.programById(id);
    if (fd < 0) return this.#refused('bpf_prog_get_fd_by_id', fd);
    const runs = this.programRuns(fd as ProgramFd);
    loadLibc().close(fd);
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
    if (code === -koffi().os.errno['EEXIST']!) return ok(false);
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

/** An object between open and load. */
export class OpenObject {
  readonly #f: Functions;
  readonly #object: BpfObject;

  constructor(functions: Functions, object: BpfObject) {
    this.#f = functions;
    this.#object = object;
  }

  #map(name: string): Result<BpfMap> {
    const map = this.#f.findMap(this.#object, name);
    return isNull(map) ? fail(`the object has no map ${name}`) : ok(map as BpfMap);
  }

  #program(name: string): Result<BpfProgram> {
    const program = this.#f.findProgram(this.#object, name);
    return isNull(program) ? fail(`the object has no program ${name}`) : ok(program as BpfProgram);
  }

  /** The header and layout.ts must agree before a byte is read through the wrong offsets. */
  expectValueSize(name: string, bytes: number): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const size = this.#f.mapValueSize(map.value);
    return size === bytes
      ? ok(undefined)
      : fail(`${name} holds ${String(size)} bytes, the reader expects ${String(bytes)}`);
  }

  shareMap(name: string, fd: MapFd): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const code = this.#f.reuseMap(map.value, fd);
    return code < 0 ? fail(`${name} cannot be shared: ${errnoText(-code)}`) : ok(undefined);
  }

  setValue(name: string, bytes: Uint8Array): Result<void> {
    const map = this.#map(name);
    if (!map.ok) return map;
    const code = this.#f.setInitialValue(map.value, bytes, bytes.length);
    return code < 0 ? fail(`${name} cannot be set: ${errnoText(-code)}`) : ok(undefined);
  }

  setFlags(program: string, flags: number): Result<void> {
    const found = this.#program(program);
    if (!found.ok) return found;
    const code = this.#f.setProgramFlags(found.value, flags);
    return code < 0 ? fail(`${program} cannot be given flags: ${errnoText(-code)}`) : ok(undefined);
  }

  skip(program: string): Result<void> {
    const found = this.#program(program);
    if (!found.ok) return found;
    const code = this.#f.setAutoload(found.value, false);
    return code < 0 ? fail(`${program} cannot be left out: ${errnoText(-code)}`) : ok(undefined);
  }
}

/** A loaded object; its descriptors live until `close`. */
export class LoadedObject {
  readonly #f: Functions;
  #object: BpfObject | undefined;

  constructor(functions: Functions, object: BpfObject) {
    this.#f = functions;
    this.#object = object;
  }

  program(name: string): Result<ProgramFd> {
    if (this.#object === undefined) return fail('the object is closed');
    const program = this.#f.findProgram(this.#object, name);
    if (isNull(program)) return fail(`the object has no program ${name}`);
    const fd = this.#f.programFd(program);
    return fd < 0 ? fail(`${name} was not loaded`) : ok(fd as ProgramFd);
  }

  map(name: string): Result<MapFd> {
    if (this.#object === undefined) return fail('the object is closed');
    const map = this.#f.findMap(this.#object, name);
    if (isNull(map)) return fail(`the object has no map ${name}`);
    const fd = this.#f.mapFd(map);
    return fd < 0 ? fail(`${name} was not created`) : ok(fd as MapFd);
  }

  close(): void {
    if (this.#object === undefined) return;
    this.#f.close(this.#object);
    this.#object = undefined;
  }
}

let loaded: Result<Libbpf> | undefined;

/** Loads libbpf.so.1 once. Its absence is a fact about the host, told with the package that has it. */
export function loadLibbpf(path = 'libbpf.so.1'): Result<Libbpf> {
  if (path !== 'libbpf.so.1') return tryLibbpf(path);
  loaded ??= tryLibbpf(path);
  return loaded;
}

function tryLibbpf(path: string): Result<Libbpf> {
  try {
    return ok(new Libbpf(bindFunctions(path)));
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return fail(
      `${path} cannot be loaded (${said}): install libbpf1 (Debian, Ubuntu 24.04) or libbpf (RHEL, Fedora, Arch)`,
    );
  }
}
