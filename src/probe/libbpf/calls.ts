/** Every call into libbpf, declared once. Made by the files of this folder and by libbpf.ts, its only door. */
import { refusal } from '../../base/errno.ts';
import { firstLine, loadKoffi, type ForeignFunction, type Koffi } from '../../ffi/koffi.ts';
import { libc, shareOneArena, type Libc } from '../../ffi/libc.ts';
import { fail, ok, type Result } from '../../base/result.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = bigint & { readonly [brand]: Name };
export type BpfObject = Branded<'bpf_object'>;
export type BpfProgram = Branded<'bpf_program'>;
export type BpfMap = Branded<'bpf_map'>;
type Pointer = bigint | null;

export type ProgramFd = number & { readonly [brand]: 'prog_fd' };
export type MapFd = number & { readonly [brand]: 'map_fd' };
export type LinkFd = number & { readonly [brand]: 'link_fd' };

export interface Functions {
  open(bytes: Uint8Array, length: number, options: Uint8Array): Pointer;
  load: ForeignFunction<(object: bigint) => number>;
  close(object: bigint): void;
  findProgram(object: bigint, name: string): Pointer;
  findMap(object: bigint, name: string): Pointer;
  programFd(program: bigint): number;
  sectionName(program: bigint): string;
  setProgramFlags(program: bigint, flags: number): number;
  setAutoload(program: bigint, load: boolean): number;
  mapFd(map: bigint): number;
  mapValueSize(map: bigint): number;
  reuseMap(map: bigint, fd: number): number;
  setInitialValue(map: bigint, bytes: Uint8Array, length: number): number;
  setMaxEntries(map: bigint, entries: number): number;
  linkCreate: ForeignFunction<(program: number, target: number, type: number, options: Uint8Array) => number>;
  rawTracepointOpen(name: string | null, program: number): number;
  iterCreate(link: number): number;
  lookup(map: number, key: Uint8Array, value: Uint8Array): number;
  update(map: number, key: Uint8Array, value: Uint8Array, flags: number): number;
  nextKey(map: number, key: Uint8Array | null, next: Uint8Array): number;
  lookupBatch(
    map: number,
    from: Uint8Array | null,
    next: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    count: Uint8Array,
    options: null,
  ): number;
  infoByFd(fd: number, info: Uint8Array, length: Uint8Array): number;
  programById(id: number): number;
  nextProgramId(after: number, next: Uint8Array): number;
  linkById(id: number): number;
  nextLinkId(after: number, next: Uint8Array): number;
  programQuery(
    target: number,
    type: number,
    flags: number,
    attachFlags: Uint8Array,
    ids: Uint8Array,
    count: Uint8Array,
  ): number;
  enableStats(type: number): number;
  runProgram(program: number, options: Uint8Array): number;
  hookCreate(hook: Uint8Array): number;
  hookDestroy(hook: Uint8Array): number;
  tcAttach(hook: Uint8Array, options: Uint8Array): number;
  tcDetach(hook: Uint8Array, options: Uint8Array): number;
  possibleCpus(): number;
  setPrint(callback: bigint | null): unknown;
}

/** libbpf's functions with what their use needs of the floor below. */
export interface Foreign {
  readonly bpf: Functions;
  readonly koffi: Koffi;
  readonly libc: Libc;
}

/** The host's library. Its absence is a fact about the host, told with the package that has it. */
export function bindLibbpf(path: string): Result<Foreign> {
  const koffi = loadKoffi();
  if (!koffi.ok) return koffi;
  const c = libc();
  if (!c.ok) return c;
  shareOneArena();
  try {
    return ok({ bpf: declare(koffi.value, path), koffi: koffi.value, libc: c.value });
  } catch (error) {
    return fail(
      `${path} cannot be loaded (${firstLine(error)}): install libbpf1 (Debian, Ubuntu 24.04) or libbpf (RHEL, Fedora, Arch)`,
    );
  }
}

function declare(koffi: Koffi, path: string): Functions {
  const library = koffi.load(path);
  // The type of a foreign function is what we say it is; the signature beside it is the proof.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  const bind = <F>(signature: string): F => library.func(signature) as unknown as F;
  return {
    open: bind('void *bpf_object__open_mem(void *, size_t, void *)'),
    load: bind('int bpf_object__load(void *)'),
    close: bind('void bpf_object__close(void *)'),
    findProgram: bind('void *bpf_object__find_program_by_name(void *, const char *)'),
    findMap: bind('void *bpf_object__find_map_by_name(void *, const char *)'),
    programFd: bind('int bpf_program__fd(void *)'),
    sectionName: bind('const char *bpf_program__section_name(void *)'),
    setProgramFlags: bind('int bpf_program__set_flags(void *, uint32_t)'),
    setAutoload: bind('int bpf_program__set_autoload(void *, bool)'),
    mapFd: bind('int bpf_map__fd(void *)'),
    mapValueSize: bind('uint32_t bpf_map__value_size(void *)'),
    reuseMap: bind('int bpf_map__reuse_fd(void *, int)'),
    setInitialValue: bind('int bpf_map__set_initial_value(void *, void *, size_t)'),
    setMaxEntries: bind('int bpf_map__set_max_entries(void *, uint32_t)'),
    linkCreate: bind('int bpf_link_create(int, int, int, void *)'),
    rawTracepointOpen: bind('int bpf_raw_tracepoint_open(const char *, int)'),
    iterCreate: bind('int bpf_iter_create(int)'),
    lookup: bind('int bpf_map_lookup_elem(int, void *, void *)'),
    update: bind('int bpf_map_update_elem(int, void *, void *, uint64_t)'),
    nextKey: bind('int bpf_map_get_next_key(int, void *, void *)'),
    lookupBatch: bind('int bpf_map_lookup_batch(int, void *, void *, void *, void *, void *, void *)'),
    infoByFd: bind('int bpf_obj_get_info_by_fd(int, void *, void *)'),
    programById: bind('int bpf_prog_get_fd_by_id(uint32_t)'),
    nextProgramId: bind('int bpf_prog_get_next_id(uint32_t, void *)'),
    linkById: bind('int bpf_link_get_fd_by_id(uint32_t)'),
    nextLinkId: bind('int bpf_link_get_next_id(uint32_t, void *)'),
    programQuery: bind('int bpf_prog_query(int, int, uint32_t, void *, void *, void *)'),
    enableStats: bind('int bpf_enable_stats(int)'),
    runProgram: bind('int bpf_prog_test_run_opts(int, void *)'),
    hookCreate: bind('int bpf_tc_hook_create(void *)'),
    hookDestroy: bind('int bpf_tc_hook_destroy(void *)'),
    tcAttach: bind('int bpf_tc_attach(void *, void *)'),
    tcDetach: bind('int bpf_tc_detach(void *, void *)'),
    possibleCpus: bind('int libbpf_num_possible_cpus()'),
    setPrint: bind('void *libbpf_set_print(void *)'),
  };
}

/** libbpf's messages come as a format and a va_list, which decays to a pointer on x86-64. */
export type VaListPrinter = (text: Uint8Array, length: number, format: bigint, values: bigint) => number;

export function vaListPrinter(koffi: Koffi): VaListPrinter {
  return koffi.load(null).func('int vsnprintf(void *, size_t, void *, void *)');
}

export function isNull(address: Pointer): address is null {
  return address === null || address === 0n;
}

/** `code` is what the call answered: a negative errno, or anything else where it says no more than that it failed. */
export function refused({ libc: { errno } }: Foreign, what: string, code: number): Result<never> {
  return refusal(code < 0 ? code : errno(), what);
}

/** As the kernel takes numbers. */
export function u32Bytes(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value >>> 0, index * 4));
  return bytes;
}
