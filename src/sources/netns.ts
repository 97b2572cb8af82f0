import { closeSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

import { fail, ok, type Result } from '../metrics/result.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import { errnoReason, ifAllowed, systemErrorReason } from './errno.ts';
import { libc } from './libc.ts';
import { isProcfs, type Roots } from './live-reader.ts';
import { commOf } from './socket-owners.ts';

/** A network namespace of this host. */
export interface NetworkNamespace {
  /** OWN_NETNS for pktcost's own; the name in /run/netns; else its lowest process, as `pid:4711 (nginx)`. */
  readonly name: string;
  /** The number in `net:[4026531840]`: names it as long as it lives, and may be given out again after that. */
  readonly inode: number;
  /** What to open to enter it. */
  readonly path: string;
}

const CLONE_NEWNET = 0x40000000;

/**
 * Every network namespace that a process is in or that has a name in /run/netns: pktcost's own first, then by name. One
 * readlink a process. Given the list of the window's first sample, a namespace keeps the name it had there even when
 * the process it was named after has ended.
 */
export function listNamespaces(
  roots: Roots,
  known: readonly NetworkNamespace[] = [],
): Result<readonly NetworkNamespace[]> {
  if (!isProcfs(roots.procfs)) return fail('needs the live host');
  const own = ifAllowed(() => statSync(`${roots.procfs}/self/ns/net`));
  if (own === undefined) return fail('this kernel has no network namespaces');
  const found = new Map<number, NetworkNamespace>([
    [own.ino, { name: OWN_NETNS, inode: own.ino, path: `${roots.procfs}/self/ns/net` }],
  ]);
  const names = new Map(known.map(({ inode, name }) => [inode, name]));
  for (const namespace of named(roots, own.dev)) if (!found.has(namespace.inode)) found.set(namespace.inode, namespace);
  try {
    for (const pid of processes(roots.procfs)) {
      const path = `${roots.procfs}/${pid}/ns/net`;
      const inode = inodeOf(ifAllowed(() => readlinkSync(path)));
      if (inode === undefined || found.has(inode)) continue;
      const name = names.get(inode) ?? `pid:${pid} (${commOf(roots.procfs, pid) ?? '?'})`;
      found.set(inode, { name, inode, path });
    }
  } catch (error) {
    return fail(systemErrorReason(error));
  }
  const [first, ...others] = found.values();
  return ok([first!, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))]);
}

/** Process numbers, lowest first. */
function processes(procfs: string): readonly number[] {
  return readdirSync(procfs)
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
}

/** What `ip netns add` and container runtimes leave in /run/netns: a namespace bound onto a file. */
function named(roots: Roots, nsfs: number): readonly NetworkNamespace[] {
  const directory = `${roots.rootfs.replace(/\/+$/, '')}/run/netns`;
  return (ifAllowed(() => readdirSync(directory)) ?? []).sort().flatMap((name) => {
    const path = `${directory}/${name}`;
    const stat = ifAllowed(() => statSync(path));
    // A name whose mount is gone is an ordinary empty file.
    return stat?.dev === nsfs ? [{ name, inode: stat.ino, path }] : [];
  });
}

function inodeOf(link: string | undefined): number | undefined {
  const match = link === undefined ? null : /^net:\[(\d{1,15})\]$/.exec(link);
  return match === null ? undefined : Number(match[1]);
}

/**
 * Runs `look` with this thread in the namespace at `path`, and comes back whatever happens. /proc/net, /proc/sys/net and
 * sockets then are that namespace's; /sys/class/net is not, since a sysfs mount stays with the namespace it was mounted
 * in. `look` must do its work before it returns: libuv's other threads stay where they are.
 */
export function inNamespace<T>(path: string, look: () => T): Result<T> {
  // /proc/net is that of the main thread (fs/proc/proc_net.c:get_proc_task_net).
  if (!isMainThread) throw new Error('namespaces can only be entered on the main thread');
  const library = libc();
  if (!library.ok) return library;
  const { setns, errno } = library.value;
  let home: number | undefined;
  let target: number | undefined;
  try {
    home = openSync('/proc/thread-self/ns/net', 'r');
    target = openSync(path, 'r');
  } catch (error) {
    if (home !== undefined) closeSync(home);
    return fail(`cannot open the namespace: ${systemErrorReason(error)}`);
  }
  try {
    if (setns(target, CLONE_NEWNET) < 0) return fail(`cannot enter the namespace: ${errnoReason(errno())}`);
    try {
      return ok(look());
    } finally {
      if (setns(home, CLONE_NEWNET) < 0) leaveLost(errno());
    }
  } finally {
    closeSync(target);
    closeSync(home);
  }
}

/** Going on in somebody else's namespace would report its numbers as this one's. */
function leaveLost(errno: number): never {
  throw new Error(`cannot return to our own network namespace: ${errnoReason(errno)}`);
}
