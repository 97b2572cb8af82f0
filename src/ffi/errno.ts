import { getSystemErrorMap } from 'node:util';

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
  const number = Math.abs(errno);
  const [code, text] = words[number] ?? getSystemErrorMap().get(-number) ?? [`errno ${number}`, 'unknown error'];
  return `${text} (${code})`;
}

/** Whether an exception of node:fs is the host's answer, and not a bug of ours. */
function isSystemError(error: unknown): error is Error & { readonly errno: number } {
  return error instanceof Error && 'errno' in error && typeof error.errno === 'number';
}

/** What a failed call of node:fs says, in the same words. Anything that is not a system error is our bug: rethrown. */
export function systemErrorReason(error: unknown): string {
  if (isSystemError(error)) return errnoReason(error.errno);
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
