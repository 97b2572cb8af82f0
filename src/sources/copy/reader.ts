import { fail, type Failure, type Result } from '../../base/result.ts';
import type { Reader } from '../../collectors/reader.ts';
import type { Tree } from './tree.ts';

/** Not worded as an errno on purpose: what was not copied must not pass for what the host does not have. */
export const NOT_COPIED: Failure = fail('not in the copy');

const EMPTY = fail('empty: what it held was not copied');
const CUT = fail('cut off in the middle of a line');

/** What holds settings and attributes, a line each. */
const ONE_VALUE = /^\/(?:proc\/sys|sys\/(?!firmware\/))/;

/** Every setting ends with a line feed: a number without one may be the front of a longer one. NULs behind it are padding. */
function isCutOff(bytes: Uint8Array): boolean {
  const nul = bytes.indexOf(0);
  const end = nul < 0 ? bytes.length : nul;
  return end > 0 && bytes[end - 1] !== 10;
}

const noAnswers = 'only a live host answers that: a copy of /proc and /sys does not have it';

/**
 * Folders of which a copy holds whatever somebody chose: that a file is missing there says nothing of the host. Of /sys it
 * is always so. Elsewhere a folder that was copied was copied whole, and what it does not hold the host does not have.
 */
const chosen = new Set(['', '/proc', '/proc/net', '/proc/sys', '/proc/sys/net', '/proc/sys/kernel', '/proc/sys/vm']);

/**
 * Reads a copy of /proc and /sys, such as an unpacked sosreport.
 * @param at the time all reads are taken to have happened at
 */
export function copyReader(tree: Tree, at: number): Reader {
  const settle = <T>(path: string, answer: Result<T>): Result<T> => {
    if (answer.ok || (answer.errno !== 'ENOENT' && answer.errno !== 'ENOTDIR')) return answer;
    const folder = path.replace(/\/[^/]*$/, '');
    const proves = !chosen.has(folder) && !path.startsWith('/sys') && tree.folder(folder).ok;
    return proves ? answer : NOT_COPIED;
  };
  return {
    lastReadAt: at,
    read: (path) => {
      const got = settle(path, tree.read(path));
      if (got.ok && path.startsWith('/sys/') && (got.value[0] ?? 0) === 0 && !path.startsWith('/sys/firmware/'))
        return EMPTY;
      return got.ok && ONE_VALUE.test(path) && isCutOff(got.value) ? CUT : got;
    },
    list: (path) => {
      const names = tree.list(path);
      // tar and cp leave folders behind of which they could copy nothing.
      return names.ok && names.value.length === 0 ? NOT_COPIED : settle(path, names);
    },
    link: (path) => tree.link(path),
    dump: () => fail(noAnswers),
  };
}
