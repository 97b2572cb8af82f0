/**
 * The few libc calls which node does not offer: namespaces, netlink sockets, ioctl. Loaded at first use, so that a host
 * without a usable koffi build still gets every measurement that does not need it.
 */
import { createRequire } from 'node:module';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import type { KoffiFunc } from 'koffi';
import { fail, ok, type Result } from '../metrics/result.ts';

type Koffi = typeof import('koffi');

let koffiModule: Koffi | undefined;

/** koffi is CommonJS and heavy (about 20 ms): required when the first foreign call is made. */
export function koffi(): Koffi {
  koffiModule ??= createRequire(import.meta.url)('koffi') as Koffi;
  return koffiModule;
}

const CLONE_NEWNET = 0x40000000;

interface Libc {
  setns(fd: number, kind: number): number;
  unshare(flags: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  send(fd: number, data: Uint8Array, length: number, flags: number): number | bigint;
  recv(fd: number, data: Uint8Array, length: number, flags: number): number | bigint;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockname(fd: number, address: Uint8Array, length: Uint8Array): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  close: KoffiFunc<(fd: number) => number>;
}

let libc: Libc | undefined;

export function loadLibc(): Libc {
  if (libc) return libc;
  // The program itself: whatever libc node runs on, glibc or musl.
  const self = koffi().load(null);
  // The type of a foreign function is what we say it is; the signature beside it is the proof.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  const bind = <F>(signature: string): F => self.func(signature) as unknown as F;
  libc = {
    setns: bind('int setns(int, int)'),
    unshare: bind('int unshare(int)'),
    socket: bind('int socket(int, int, int)'),
    bind: bind('int bind(int, void *, uint32_t)'),
    connect: bind('int connect(int, void *, uint32_t)'),
    send: bind('long send(int, void *, size_t, int)'),
    recv: bind('long recv(int, void *, size_t, int)'),
    setsockopt: bind('int setsockopt(int, int, int, void *, uint32_t)'),
    getsockname: bind('int getsockname(int, void *, void *)'),
    ioctl: bind('int ioctl(int, unsigned long, void *)'),
    close: bind('int close(int)'),
  };
  return libc;
}

export function errno(): number {
  return koffi().errno();
}

/** Names for what the kernel answers most; the number stays beside it, because it is what people search for. */
export function errnoText(code: number): string {
  const known = koffi().os.errno;
  for (const [name, value] of Object.entries(known)) if (value === code) return `${name} (${String(code)})`;
  return code === 524 ? 'ENOTSUPP (524)' : `errno ${String(code)}`;
}

/** `net:[4026531840]`'s number, which names a namespace as long as something holds it. */
export function netnsInode(path = '/proc/self/ns/net'): Result<string> {
  try {
    const inode = /\[(\d+)\]/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? fail('not a namespace link') : ok(inode);
  } catch (error) {
    return fail((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/**
 * Runs `action` with this thread in another network namespace. `action` must be synchronous: libuv's threads stay where
 * they are, and an await in between would let other code run in the wrong namespace.
 */
export function inNetns<T>(path: string | undefined, action: () => Result<T>): Result<T> {
  if (path === undefined) return action();
  let target: number;
  let home: number;
  try {
    target = openSync(path, 'r');
  } catch (error) {
    return fail(`cannot open the network namespace: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  try {
    home = openSync('/proc/thread-self/ns/net', 'r');
  } catch (error) {
    closeSync(target);
    return fail(`cannot open our own network namespace: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const c = loadLibc();
  try {
    if (c.setns(target, CLONE_NEWNET) !== 0) return fail(`setns refused: ${errnoText(errno())}`);
    try {
      return action();
    } finally {
      // Going on in the wrong namespace would measure, and change, somebody else's devices.
      if (c.setns(home, CLONE_NEWNET) !== 0)
        throw new Error(`cannot return to our network namespace: ${errnoText(errno())}`);
    }
  } finally {
    closeSync(target);
    closeSync(home);
  }
}

/** A network namespace of our own, alive while the returned descriptor is open; dies with the process. */
export function privateNetns(): Result<number> {
  const c = loadLibc();
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    if (c.unshare(CLONE_NEWNET) !== 0) return fail(`unshare refused: ${errnoText(errno())}`);
    try {
      return ok(openSync('/proc/thread-self/ns/net', 'r'));
    } finally {
      if (c.setns(home, CLONE_NEWNET) !== 0)
        throw new Error(`cannot return to our network namespace: ${errnoText(errno())}`);
    }
  } finally {
    closeSync(home);
  }
}
