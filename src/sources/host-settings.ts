import { overlay, type Reader } from '../collectors/reader.ts';
import { readFileGuarded } from '../base/file.ts';
import { inNamespace, netnsInode } from '../ffi/namespaces.ts';
import type { Result } from '../base/result.ts';
import { isProcfs, type Roots } from './live-reader.ts';

/**
 * Limits of the whole host that the kernel shows in the initial network namespace only (net/core/sysctl_net_core.c:
 * sysctl_core_net_init, net/ipv4/sysctl_net_ipv4.c:ipv4_table), and of which a host has one each.
 */
const global = new Set(
  [
    ...['netdev_max_backlog', 'netdev_budget', 'netdev_budget_usecs'].map((name) => `core/${name}`),
    ...['rmem_max', 'rmem_default', 'wmem_max', 'wmem_default'].map((name) => `core/${name}`),
    ...['tcp_mem', 'udp_mem', 'tcp_max_orphans'].map((name) => `ipv4/${name}`),
  ].map((name) => `/proc/sys/net/${name}`),
);

/**
 * Reads those limits from the host where pktcost runs in a namespace without them: from the namespace of process 1, or
 * where that may not be entered, of the nearest process above pktcost's own that is elsewhere and has them. That is the
 * host's, unless a container has processes of its own; then they stay unknown.
 */
export function withHostSettings(reader: Reader, { procfs }: Roots): Reader {
  let candidates: readonly string[] | undefined;
  const fromHost = (path: string): Result<Uint8Array> | undefined => {
    candidates ??= isProcfs(procfs) ? otherNamespaces(procfs) : [];
    for (const namespace of candidates) {
      const read = inNamespace(namespace, () => reader.read(path));
      if (read.ok && read.value.ok) {
        candidates = [namespace];
        return read.value;
      }
    }
    return undefined;
  };
  return overlay(reader, {
    read: (path) => {
      if (!global.has(path)) return undefined;
      const own = reader.read(path);
      if (own.ok || own.errno !== 'ENOENT') return own;
      return fromHost(path) ?? own;
    },
  });
}

/** Network namespaces of process 1 and of the processes above this one, each once, without its own. */
function otherNamespaces(procfs: string): readonly string[] {
  const own = netnsInode(`${procfs}/self/ns/net`);
  if (!own.ok) return [];
  const seen = new Set([own.value]);
  return [1, ...processesAbove(procfs)].flatMap((pid) => {
    const path = `${procfs}/${pid}/ns/net`;
    const inode = netnsInode(path);
    if (!inode.ok || seen.has(inode.value)) return [];
    seen.add(inode.value);
    return [path];
  });
}

/** The parent, its parent and so on, by the numbers of this procfs. */
function processesAbove(procfs: string): readonly number[] {
  const above: number[] = [];
  for (let pid = parentOf(`${procfs}/self`); pid > 0 && !above.includes(pid); pid = parentOf(`${procfs}/${pid}`))
    above.push(pid);
  return above;
}

/** 0 at the top, and for a process that has ended. */
function parentOf(process: string): number {
  const status = readFileGuarded(`${process}/status`, 64 * 1024);
  if (!status.ok) return 0;
  return Number(/^PPid:\s*(\d+)$/m.exec(Buffer.from(status.value).toString('latin1'))?.[1] ?? 0);
}
