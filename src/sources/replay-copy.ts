import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';

import type { Reader } from '../collectors/reader.ts';
import { ifAllowed, systemErrorReason } from '../ffi/errno.ts';
import { fail, ok, type Result } from '../metrics/result.ts';

const MOST_BYTES = 64 * 1024 * 1024;
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * Reads a folder that holds copies of /proc and /sys, such as an unpacked sosreport. It may come from anybody: no link
 * leads out of the folder, and only plain files are read.
 * @param at the time all reads are taken to have happened at
 */
export function copyReader(folder: string, at: number): Reader {
  const root = realpathSync(folder);
  const within = <T>(path: string, how: (real: string) => Result<T>): Result<T> => {
    if (!path.startsWith('/') || path.includes('\0')) return fail('not a path on the host');
    try {
      const real = realpathSync(`${root}${path}`);
      return real.startsWith(`${root}/`) ? how(real) : fail('a link that leads out of the copy');
    } catch (error) {
      return fail(systemErrorReason(error));
    }
  };
  return {
    lastReadAt: at,
    read: (path) => within(path, readPlain),
    list: (path) => within(path, (real) => ok(readdirSync(real).sort())),
    // The link itself is asked for, so only its folder has to be within.
    link: (path) =>
      within(path.replace(/\/[^/]*$/, '') || '/', (real) =>
        ok(readlinkSync(`${real}/${path.split('/').at(-1) ?? ''}`)),
      ),
    dump: () => fail('a copy of /proc and /sys does not have it'),
  };
}

function readPlain(path: string): Result<Uint8Array> {
  const fd = openSync(path, FLAGS);
  try {
    const status = fstatSync(fd);
    if (status.isDirectory()) return fail('is a directory (EISDIR)');
    if (!status.isFile()) return fail('not a plain file');
    if (status.size > MOST_BYTES) return fail(`longer than ${MOST_BYTES / 1024 / 1024} MiB`);
    const bytes = new Uint8Array(status.size);
    let length = 0;
    while (length < bytes.length) {
      const got = readSync(fd, bytes, length, bytes.length - length, null);
      if (got === 0) break;
      length += got;
    }
    return ok(bytes.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

/** When a copy was made, as far as it tells. */
export interface CopyTime {
  readonly takenAt: string;
  /** Seconds since boot, from /proc/uptime; undefined where that was not copied. */
  readonly uptime: number | undefined;
  /** Seconds since the epoch at which a file of it was written last. */
  readonly written: number;
}

export function copyTime(folder: string): CopyTime {
  const uptime = copyReader(folder, 0).read('/proc/uptime');
  const match = uptime.ok ? /^(\d{1,12}(?:\.\d{1,9})?) /.exec(Buffer.from(uptime.value).toString('latin1')) : null;
  const witness = ['proc/uptime', 'proc/stat', 'proc/net/dev', 'proc', 'sys', '.']
    .map((name) => ifAllowed(() => statSync(`${folder}/${name}`).mtimeMs))
    .find((mtime) => mtime !== undefined);
  const written = (witness ?? 0) / 1000;
  return {
    takenAt: new Date(written * 1000).toISOString(),
    uptime: match === null ? undefined : Number(match[1]),
    written,
  };
}
