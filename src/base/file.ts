import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { systemRefusal, isErrno } from './errno.ts';
import { fail, ok, type Result } from './result.ts';

/** A FIFO that nobody writes to must not hold us up, and a terminal must not become ours. */
const OPEN = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const MIB = 1024 * 1024;
const FIRST = 64 * 1024;

/**
 * A whole file, wherever its path came from: only a regular one, as those of /proc and /sys are, and never more than `most`
 * bytes. Never waits.
 */
export function readFileGuarded(path: string, most = 64 * MIB): Result<Buffer> {
  return withFile(path, (fd, status) => (status.isFile() ? readToEnd(fd, most) : fail(kindOf(status))));
}

/** The first bytes of a regular file. */
export function readStart(path: string, length: number): Result<Uint8Array> {
  return withFile(path, (fd, status) => {
    if (!status.isFile()) return fail(kindOf(status));
    const start = new Uint8Array(length);
    return ok(start.subarray(0, readSync(fd, start, 0, length, 0)));
  });
}

const LONGEST_WAIT_MS = 10_000;
const RETRY_MS = 10;

/** A file that a person named: also what a shell puts behind `<(...)`, for which it waits a while. */
export async function readGivenFile(path: string, most: number): Promise<Result<Uint8Array>> {
  let fd: number | undefined;
  try {
    fd = openSync(path, OPEN);
    const status = fstatSync(fd);
    if (status.isFile()) return readToEnd(fd, most);
    return status.isFIFO() ? await readPipe(fd, most) : fail(kindOf(status));
  } catch (error) {
    return systemRefusal(error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function readPipe(fd: number, most: number): Promise<Result<Uint8Array>> {
  const pieces: Uint8Array[] = [];
  const piece = new Uint8Array(FIRST);
  let length = 0;
  for (let waited = 0; waited < LONGEST_WAIT_MS;) {
    const got = readNow(fd, piece);
    if (got === undefined) {
      await sleep(RETRY_MS);
      waited += RETRY_MS;
      continue;
    }
    if (got === 0) return length === 0 ? fail('a pipe that nobody writes to') : ok(Buffer.concat(pieces));
    length += got;
    if (length > most) return fail(tooLong(most));
    pieces.push(piece.slice(0, got));
  }
  return fail(`a pipe without an end for ${LONGEST_WAIT_MS / 1000} s`);
}

/** Undefined when there is nothing to read yet. */
function readNow(fd: number, into: Uint8Array): number | undefined {
  try {
    return readSync(fd, into, 0, into.length, null);
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return undefined;
    throw error;
  }
}

function withFile<T>(path: string, how: (fd: number, status: Stats) => Result<T>): Result<T> {
  let fd: number | undefined;
  try {
    fd = openSync(path, OPEN);
    return how(fd, fstatSync(fd));
  } catch (error) {
    return systemRefusal(error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Files of /proc do not say how long they are. */
function readToEnd(fd: number, most: number): Result<Buffer> {
  let bytes = Buffer.allocUnsafeSlow(Math.min(FIRST, most + 1));
  for (let length = 0; ;) {
    const got = readSync(fd, bytes, length, bytes.length - length, null);
    if (got === 0) return ok(bytes.subarray(0, length));
    length += got;
    if (length > most) return fail(tooLong(most));
    if (length < bytes.length) continue;
    const longer = Buffer.allocUnsafeSlow(Math.min(length * 4, most + 1));
    longer.set(bytes);
    bytes = longer;
  }
}

function tooLong(most: number): string {
  return most < MIB ? `longer than ${most / 1024} KiB` : `longer than ${most / MIB} MiB`;
}

/** A folder to read links in, relative to it; anything else in its place is refused at once. */
export function openFolder(path: string): number {
  return openSync(path, OPEN | constants.O_DIRECTORY);
}

/** What is there instead of a file. */
export function kindOf(status: Stats): string {
  if (status.isDirectory()) return 'is a directory (EISDIR)';
  return status.isFIFO() ? 'a pipe, not a file' : status.isSocket() ? 'a socket, not a file' : 'a device, not a file';
}
