import { closeSync, readdirSync, readlinkSync } from 'node:fs';

import { parseLine } from '../../collectors/parse.ts';
import type { SocketOwners } from '../../collectors/dumps.ts';
import { ifAllowed, systemErrorCode, systemRefusal } from '../../base/errno.ts';
import { openFolder, readFileGuarded } from '../../base/file.ts';
import { ok, type Result } from '../../base/result.ts';
import { linkReader } from './descriptors.ts';

/** A descriptor that was seen to be a socket. */
interface DescriptorHolder {
  readonly pid: number;
  readonly fd: string;
}

interface Scan {
  /** Every socket asked about -> who holds it; empty for one that nobody we may look at holds. */
  readonly holders: Map<number, DescriptorHolder[]>;
  readonly unreadable: number;
}

/**
 * Finds the processes that hold given sockets, by one pass over /proc/PID/fd. That pass costs about 2.5 us a descriptor,
 * mostly in the kernel (1.3 s for 5,000 processes with 100 each), so what it found is kept: asked again about the same
 * sockets, it only looks whether the descriptors still are what they were. A process that inherited one in between by a
 * fork is then not named.
 */
export function socketOwners(procfs: string): (inodes: readonly number[]) => Result<SocketOwners> {
  let last: Scan | undefined;
  return (inodes) => {
    if (inodes.length === 0) return ok({ owners: [], unreadable: 0 });
    try {
      if (last === undefined || !stillTrue(procfs, last, inodes)) last = scan(procfs, new Set(inodes));
      return ok(answer(procfs, last, inodes));
    } catch (error) {
      return systemRefusal(error);
    }
  };
}

function answer(procfs: string, { holders, unreadable }: Scan, inodes: readonly number[]): SocketOwners {
  const owners: { inode: number; pid: number; comm: string }[] = [];
  for (const inode of inodes) {
    const pids = new Set((holders.get(inode) ?? []).map(({ pid }) => pid));
    for (const pid of pids) {
      const comm = commOf(procfs, pid);
      if (comm !== undefined) owners.push({ inode, pid, comm });
    }
  }
  return { owners, unreadable };
}

function stillTrue(procfs: string, { holders }: Scan, inodes: readonly number[]): boolean {
  return inodes.every((inode) =>
    holders.get(inode)?.every(({ pid, fd }) => {
      const target = ifAllowed(() => readlinkSync(`${procfs}/${pid}/fd/${fd}`));
      return target === `socket:[${inode}]`;
    }),
  );
}

function scan(procfs: string, wanted: ReadonlySet<number>): Scan {
  const holders = new Map<number, DescriptorHolder[]>([...wanted].map((inode) => [inode, []]));
  const links = linkReader();
  let unreadable = 0;
  for (const entry of readdirSync(procfs)) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const directory = `${procfs}/${entry}/fd`;
    let open: number | undefined;
    try {
      open = openFolder(directory);
      for (const fd of readdirSync(directory)) {
        const inode = socketInode(links.bytes, links.read(open, directory, fd));
        holders.get(inode)?.push({ pid, fd });
      }
    } catch (error) {
      // A process that ended meanwhile holds nothing any more.
      if (['EACCES', 'EPERM'].includes(systemErrorCode(error))) unreadable += 1;
    } finally {
      if (open !== undefined) closeSync(open);
    }
  }
  return { holders, unreadable };
}

const PREFIX = Buffer.from('socket:[');
const NO_SOCKET = -1;

/** The inode in `socket:[12345]`; any other link is none. */
function socketInode(link: Uint8Array, length: number): number {
  if (length <= PREFIX.length) return NO_SOCKET;
  for (let at = 0; at < PREFIX.length; at += 1) if (link[at] !== PREFIX[at]) return NO_SOCKET;
  let inode = 0;
  for (let at = PREFIX.length; at < length - 1; at += 1) inode = inode * 10 + (link[at]! - 48);
  return inode;
}

/** A process's name as ps shows it; undefined when the process is gone. */
export function commOf(procfs: string, pid: number): string | undefined {
  const bytes = readFileGuarded(`${procfs}/${pid}/comm`, 4096);
  const comm = bytes.ok ? parseLine(bytes.value) : bytes;
  return comm.ok ? comm.value : undefined;
}
