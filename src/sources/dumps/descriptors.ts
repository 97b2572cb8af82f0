import { readlinkSync } from 'node:fs';

import { ifAllowed } from '../../base/errno.ts';
import { libc } from '../../ffi/libc.ts';

const LINK_BYTES = 64;

/** What a descriptor of a process is: `bytes` up to the length that `read` gives, which is 0 where it may not be looked at. */
export interface LinkReader {
  readonly bytes: Uint8Array;
  /** @param open the process's directory of descriptors, opened; @param directory its path */
  read(open: number, directory: string, fd: string): number;
}

/**
 * With libc relative to the open directory and without making a string of each link, a quarter quicker than
 * readlinkSync.
 */
export function linkReader(): LinkReader {
  const bytes = Buffer.allocUnsafeSlow(LINK_BYTES);
  const library = libc();
  if (library.ok) {
    const { readlinkat } = library.value;
    return { bytes, read: (open, _directory, fd) => Math.max(0, readlinkat(open, fd, bytes, LINK_BYTES)) };
  }
  return {
    bytes,
    read: (_open, directory, fd) => {
      const target = ifAllowed(() => readlinkSync(`${directory}/${fd}`, 'buffer'));
      return target === undefined ? 0 : target.copy(bytes);
    },
  };
}
