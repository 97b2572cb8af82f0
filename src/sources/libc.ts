import { createRequire } from 'node:module';

import { fail, ok, type Result } from '../metrics/result.ts';

/** The calls of libc that Node does not offer. Each answers -1 and sets errno, to be read at once. */
export interface Libc {
  readonly setns: (fd: number, kind: number) => number;
  readonly socket: (domain: number, type: number, protocol: number) => number;
  readonly connect: (fd: number, address: Uint8Array, length: number) => number;
  readonly setsockopt: (fd: number, level: number, option: number, value: Uint8Array, length: number) => number;
  readonly send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly recv: (fd: number, bytes: Uint8Array, length: number, flags: number) => number;
  readonly close: (fd: number) => number;
  readonly readlinkat: (directory: number, name: string, bytes: Uint8Array, length: number) => number;
  readonly errno: () => number;
}

let loaded: Result<Libc> | undefined;

/** Loaded at first use: koffi costs 15 ms. Its absence is a reason in the report, and everything in files still works. */
export function libc(): Result<Libc> {
  loaded ??= load();
  return loaded;
}

function load(): Result<Libc> {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    // The running program's own symbols: whichever libc Node was linked with.
    const library = koffi.load(null);
    const call = (definition: string): unknown => library.func(definition);
    // Lengths fit an int: no buffer here is longer than 64 KiB, and an int result spares the BigInt of a ssize_t.
    return ok({
      setns: call('int setns(int, int)') as Libc['setns'],
      socket: call('int socket(int, int, int)') as Libc['socket'],
      connect: call('int connect(int, const void *, uint32_t)') as Libc['connect'],
      setsockopt: call('int setsockopt(int, int, int, const void *, uint32_t)') as Libc['setsockopt'],
      send: call('int send(int, const void *, size_t, int)') as Libc['send'],
      recv: call('int recv(int, void *, size_t, int)') as Libc['recv'],
      close: call('int close(int)') as Libc['close'],
      readlinkat: call('int readlinkat(int, const char *, void *, size_t)') as Libc['readlinkat'],
      errno: () => koffi.errno(),
    });
  } catch (error) {
    const said = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return fail(`calls into libc need koffi, which could not be loaded: ${said}`);
  }
}
