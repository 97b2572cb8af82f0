import { readdirSync, statSync, type Stats } from 'node:fs';

import { ifAllowed, systemRefusal, isErrno } from '../base/errno.ts';
import { netnsInode } from '../ffi/namespaces.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { HOST_NETNS, OWN_NETNS } from '../metrics/snapshot.ts';
import { isProcfs, type Roots } from './live-reader.ts';
import { commOf } from './dumps/socket-owners.ts';

/** A network namespace of this host. */
export interface NetworkNamespace {
  /** OWN_NETNS for pktcost's own; the name in /run/netns; HOST_NETNS for the host's; else its lowest process, as `pid:4711 (nginx)`. */
  readonly name: string;
  /** The number in `net:[4026531840]`: names it as long as it lives, and may be given out again after that. */
  readonly inode: number;
  /** What to open to enter it. */
  readonly path: string;
}

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
  // Without CONFIG_NET_NS there is no such file, and one network for all.
  const own = statOf(`${roots.procfs}/self/ns/net`);
  if (!own.ok) return own;
  if (own.value === undefined) return ok([]);
  const { ino, dev } = own.value;
  const found = new Map<number, NetworkNamespace>([
    [ino, { name: OWN_NETNS, inode: ino, path: `${roots.procfs}/self/ns/net` }],
  ]);
  const names = new Map(known.map(({ inode, name }) => [inode, name]));
  for (const namespace of mountedNamespaces(roots, dev))
    if (!found.has(namespace.inode)) found.set(namespace.inode, namespace);
  const host = hostNamespace(roots.procfs);
  const taken = [...found.values()].some(({ name, inode }) => name === HOST_NETNS || inode === host?.inode);
  if (host !== undefined && !taken) found.set(host.inode, host);
  try {
    for (const pid of processes(roots.procfs)) {
      const path = `${roots.procfs}/${pid}/ns/net`;
      const inode = netnsInode(path);
      if (!inode.ok || found.has(inode.value)) continue;
      const name = names.get(inode.value) ?? `pid:${pid} (${commOf(roots.procfs, pid) ?? '?'})`;
      found.set(inode.value, { name, inode: inode.value, path });
    }
  } catch (error) {
    return systemRefusal(error);
  }
  const [first, ...others] = found.values();
  return ok([first!, ...others.sort((a, b) => (a.name < b.name ? -1 : 1))]);
}

/** The parent of the kernel's threads, which stay in the namespace that the host booted with. */
const KTHREADD = 2;

/** The namespace that the host booted with, where this is not another PID namespace and it may be looked at. */
function hostNamespace(procfs: string): NetworkNamespace | undefined {
  if (commOf(procfs, KTHREADD) !== 'kthreadd') return undefined;
  const path = `${procfs}/${KTHREADD}/ns/net`;
  const inode = netnsInode(path);
  return inode.ok ? { name: HOST_NETNS, inode: inode.value, path } : undefined;
}

/** Undefined for what is not there; a path through something that is no directory is a failure (`throwIfNoEntry` hides both). */
function statOf(path: string): Result<Stats | undefined> {
  try {
    return ok(statSync(path));
  } catch (error) {
    return isErrno(error, 'ENOENT') ? ok(undefined) : systemRefusal(error);
  }
}

/** Process numbers, lowest first. */
function processes(procfs: string): readonly number[] {
  return readdirSync(procfs)
    .map(Number)
    .filter(Number.isInteger)
    .sort((a, b) => a - b);
}

/** What `ip netns add` and container runtimes leave in /run/netns: a namespace bound onto a file. */
function mountedNamespaces(roots: Roots, nsfs: number): readonly NetworkNamespace[] {
  const directory = `${roots.rootfs.replace(/\/+$/, '')}/run/netns`;
  return (ifAllowed(() => readdirSync(directory)) ?? []).sort().flatMap((name) => {
    const path = `${directory}/${name}`;
    const stat = ifAllowed(() => statSync(path));
    // A name whose mount is gone is an ordinary empty file.
    return stat?.dev === nsfs ? [{ name, inode: stat.ino, path }] : [];
  });
}
