import type { Labels } from '../../metrics/metric.ts';
import type { Place } from '../finding.ts';
import type { Signal } from '../rule.ts';

/** `10.0.0.1:80` or `[::]:80`, as ss prints them. */
export function endpoint(labels: Labels): string {
  const address = labels['address'] ?? '';
  return `${address.includes(':') ? `[${address}]` : address}:${labels['port'] ?? ''}`;
}

export interface Owner {
  /** `nginx (pid 812)`, with the number of other holders after a fork, or why nobody is named. */
  readonly name: string;
  readonly pid: string | undefined;
}

/** Who holds a socket, from the points of pktcost_socket_owner_info. Several after a fork: the oldest pid is named. */
export function ownerOf(inode: string | undefined, owners: readonly Signal[]): Owner {
  const holders = owners
    .filter(({ labels }) => labels['inode'] === inode)
    .sort((a, b) => Number(a.labels['pid']) - Number(b.labels['pid']));
  const first = holders[0]?.labels;
  if (first === undefined) return { name: 'an unknown process', pid: undefined };
  const others = holders.length > 1 ? ` and ${holders.length - 1} more` : '';
  return { name: `${first['comm'] ?? ''} (pid ${first['pid'] ?? ''})${others}`, pid: first['pid'] };
}

/** The CPU that the holders of a socket ran on whenever they were looked at; nowhere if they moved. */
export function cpuOf(inode: string | undefined, ownerCpus: readonly Signal[]): Place {
  const seen = ownerCpus.filter(({ labels }) => labels['inode'] === inode).map(({ labels }) => labels['cpu'] ?? '');
  const [cpu, ...others] = new Set(seen);
  return cpu === undefined || others.length > 0 ? {} : { cpus: [cpu] };
}

/** The points above zero, largest first. */
export function risen(points: readonly Signal[]): readonly Signal[] {
  return points.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
}

/** The value of the point that belongs to the same socket. */
export function ofSocket(points: readonly Signal[], inode: string | undefined): number | undefined {
  return points.find(({ labels }) => labels['inode'] === inode)?.value;
}
