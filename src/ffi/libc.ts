import { fail, ok, type Result } from '../base/result.ts';
import { firstLine, loadKoffi, type ForeignFunction, type Koffi } from './koffi.ts';

/** Families of addresses, include/linux/socket.h. */
export const AF_INET = 2;
export const AF_INET6 = 10;

/** The calls of libc that Node does not offer. Each answers -1 and sets errno, to be read at once. */
export interface Libc {
  readonly setns: (fd: number, kind: number) => number;
  readonly unshare: (flags: number) => number;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly bind: (fd: number, address: Uint8Array, length: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint8Array) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  readonly getsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: Uint8Array) => number;
  readonly send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly recv: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly ioctl: (fd: number, request: number, argument: Uint8Array) => number;
  /** Has `.async`: closing a link of the probe can wait for a driver. */
  readonly close: ForeignFunction<(fd: number) => number>;
  readonly readlinkat: (directory: number, name: string, bytes: Uint8Array, length: number) => number;
  readonly fsopen: (name: string, flags: number) => number;
  readonly fsconfig: (context: number, command: number) => number;
  readonly fsmount: (context: number, flags: number, attributes: number) => number;
  readonly errno: () => number;
  /** Of the first byte, for structures that hold a pointer. Good while the bytes live and are no slice of Node's pool. */
  readonly addressOf: (bytes: Uint8Array) => bigint;
}

let loaded: Result<Libc> | undefined;

/** Loaded at first use. Without koffi it is a failure, here and in everything that needs one of these calls. */
export function libc(): Result<Libc> {
  if (loaded === undefined) {
    const koffi = loadKoffi();
    loaded = koffi.ok ? declare(koffi.value) : koffi;
  }
  return loaded;
}

function declare(koffi: Koffi): Result<Libc> {
  try {
    // The running program's own symbols: whichever libc Node was linked with, glibc or musl.
    const library = koffi.load(null);
    // The type of a foreign function is what we say it is; the signature beside it is the proof.
    const call = (definition: string): unknown => library.func(definition);
    // Lengths fit an int: no buffer here is longer than 64 KiB, and an int result spares the BigInt of a ssize_t.
    return ok({
      setns: call('int setns(int, int)') as Libc['setns'],
      unshare: call('int unshare(int)') as Libc['unshare'],
      socket: call('int socket(int, int, int)') as Libc['socket'],
      bind: call('int bind(int, const void *, uint32_t)') as Libc['bind'],
      connect: call('int connect(int, const void *, uint32_t)') as Libc['connect'],
      getsockname: call('int getsockname(int, void *, void *)') as Libc['getsockname'],
      setsockopt: call('int setsockopt(int, int, int, const void *, uint32_t)') as Libc['setsockopt'],
      getsockopt: call('int getsockopt(int, int, int, void *, void *)') as Libc['getsockopt'],
      send: call('int send(int, const void *, size_t, int)') as Libc['send'],
      recv: call('int recv(int, void *, size_t, int)') as Libc['recv'],
      ioctl: call('int ioctl(int, unsigned long, void *)') as Libc['ioctl'],
      close: call('int close(int)') as Libc['close'],
      readlinkat: call('int readlinkat(int, const char *, void *, size_t)') as Libc['readlinkat'],
      ...mountCalls(library),
      errno: () => koffi.errno(),
      addressOf: (bytes) => koffi.address(bytes),
    });
  } catch (error) {
    return fail(`calls into libc could not be declared: ${firstLine(error)}`);
  }
}

/** Of the same numbers everywhere (include/uapi/asm-generic/unistd.h); glibc has names for them from 2.36 on. */
const SYS = { fsopen: 430, fsconfig: 431, fsmount: 432 } as const;

function mountCalls(library: ReturnType<Koffi['load']>): Pick<Libc, 'fsopen' | 'fsconfig' | 'fsmount'> {
  const syscall = (...parameters: string[]): unknown => library.func('syscall', 'int', ['long', ...parameters]);
  const open = syscall('str', 'uint') as (number: number, name: string, flags: number) => number;
  const configure = syscall('int', 'uint', 'str', 'str', 'int') as (
    number: number,
    context: number,
    command: number,
    key: null,
    value: null,
    more: number,
  ) => number;
  const mount = syscall('int', 'uint', 'uint') as (
    number: number,
    fd: number,
    flags: number,
    attributes: number,
  ) => number;
  return {
    fsopen: (name, flags) => open(SYS.fsopen, name, flags),
    fsconfig: (context, command) => configure(SYS.fsconfig, context, command, null, null, 0),
    fsmount: (context, flags, attributes) => mount(SYS.fsmount, context, flags, attributes),
  };
}

/** <malloc.h>: M_ARENA_MAX. */
const ARENA_MAX = -8;

/**
 * glibc gives each thread an arena of its own, which keeps what was freed. libbpf reads the kernel's BTF, some 10 MB, for every
 * object it loads, on whichever of libuv's threads comes next: 25 to 40 MB of resident memory, 13 with one arena for all.
 */
export function shareOneArena(): void {
  const koffi = loadKoffi();
  if (!koffi.ok) return;
  try {
    (koffi.value.load(null).func('int mallopt(int, int)') as unknown as (option: number, value: number) => number)(
      ARENA_MAX,
      1,
    );
  } catch {
    // musl has no such call, and no such arenas.
  }
}
