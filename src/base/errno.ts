import { getSystemErrorMap } from 'node:util';

import type { Failure } from './result.ts';

/** The words of glibc for what files and sockets answer; libuv's differ in places, and it knows fewer. */
const words: Readonly<Record<number, readonly [code: string, text: string]>> = {
  1: ['EPERM', 'operation not permitted'],
  2: ['ENOENT', 'no such file or directory'],
  3: ['ESRCH', 'no such process'],
  5: ['EIO', 'input/output error'],
  6: ['ENXIO', 'no such device or address'],
  8: ['ENOEXEC', 'exec format error'],
  11: ['EAGAIN', 'resource temporarily unavailable'],
  13: ['EACCES', 'permission denied'],
  16: ['EBUSY', 'device or resource busy'],
  19: ['ENODEV', 'no such device'],
  20: ['ENOTDIR', 'not a directory'],
  21: ['EISDIR', 'is a directory'],
  22: ['EINVAL', 'invalid argument'],
  23: ['ENFILE', 'too many open files in system'],
  24: ['EMFILE', 'too many open files'],
  40: ['ELOOP', 'too many levels of symbolic links'],
  61: ['ENODATA', 'no data available'],
  75: ['EOVERFLOW', 'value too large for defined data type'],
  77: ['EBADFD', 'file descriptor in bad state'],
  92: ['ENOPROTOOPT', 'protocol not available'],
  93: ['EPROTONOSUPPORT', 'protocol not supported'],
  95: ['EOPNOTSUPP', 'operation not supported'],
  97: ['EAFNOSUPPORT', 'address family not supported by protocol'],
  105: ['ENOBUFS', 'no buffer space available'],
  111: ['ECONNREFUSED', 'connection refused'],
  524: ['ENOTSUPP', 'operation not supported by this driver'],
};

/** An errno as every reason in pktcost words it: `no such file or directory (ENOENT)`. */
export function errnoReason(errno: number): string {
  const [code, text] = wordsOf(errno);
  return `${text} (${code})`;
}

let byName: ReadonlyMap<string, string> | undefined;

/** The same by the errno's name; undefined for a name that no kernel has. */
export function errnoWords(name: string): string | undefined {
  // A copy is asked for thousands of files that it does not have.
  byName ??= new Map([...getSystemErrorMap().values(), ...Object.values(words)]);
  const text = byName.get(name);
  return text === undefined ? undefined : `${text} (${name})`;
}

/**
 * What the kernel refused, as a value: its words for readers, and its name for decisions.
 * @param what was refused, where the errno alone does not tell
 */
export function refusal(errno: number | string, what?: string): Failure {
  const name = typeof errno === 'string' ? errno : wordsOf(errno)[0];
  const reason = typeof errno === 'string' ? (errnoWords(errno) ?? errno) : errnoReason(errno);
  return { ok: false, reason: what === undefined ? reason : `${what}: ${reason}`, errno: name };
}

/** The same of a failed call of node:fs. Anything that is not a system error is our bug: rethrown. */
export function systemRefusal(error: unknown, what?: string): Failure {
  if (isSystemError(error)) return refusal(error.errno, what);
  throw error;
}

/** There is no such thing, or none any more: ESRCH is how /proc/PID/* says that the process ended between open and read. */
export function isAbsent({ errno }: { readonly errno?: string }): boolean {
  return errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ESRCH';
}

/** The device, its namespace or what was on it is no longer there. */
export function isGone({ errno }: { readonly errno?: string }): boolean {
  return errno === 'ENODEV' || errno === 'ENOENT' || errno === 'ESRCH';
}

/** The name that a recorded failure ends with: in bundles of before failures had it as data, it stands there only. */
export function errnoRecordedIn(line: string): string | undefined {
  return / \((E[A-Z0-9]{2,})\)$/.exec(line)?.[1];
}

function wordsOf(errno: number): readonly [code: string, text: string] {
  const number = Math.abs(errno);
  return words[number] ?? getSystemErrorMap().get(-number) ?? [`errno ${number}`, 'unknown error'];
}

/** Whether an exception of node:fs is the host's answer, and not a bug of ours. */
export function isSystemError(error: unknown): error is Error & { readonly errno: number } {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number';
}

/** The same, for one errno by its name: `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** What a failed call of node:fs says, in the same words. Anything that is not a system error is our bug: rethrown. */
export function systemErrorReason(error: unknown): string {
  if (isSystemError(error)) return errnoReason(error.errno);
  throw error;
}

/** The errno's name of a failed call of node:fs. Anything that is not a system error is our bug: rethrown. */
export function systemErrorCode(error: unknown): string {
  if (isSystemError(error)) return wordsOf(error.errno)[0];
  throw error;
}

/** Undefined for whatever the host refuses, where why does not matter: processes and descriptors come and go. */
export function ifAllowed<T>(how: () => T): T | undefined {
  try {
    return how();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
