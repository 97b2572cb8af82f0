import { existsSync } from 'node:fs';

import type { Keep } from '../metrics/snapshot.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { factsOf } from '../collectors/facts.ts';
import { netnsInode } from '../ffi/namespaces.ts';
import { isProcfs, type Roots } from './live-reader.ts';
import { listNamespaces, type NetworkNamespace } from './netns.ts';

/** Leaves out the series of other interfaces; `sources` of packets other than devices stay. */
export function onlyDevices(devices: readonly string[]): Keep {
  if (devices.length === 0) return () => true;
  return (metric, labels) => {
    const device = labels['device'];
    return device === undefined || factsOf(metric.collector)?.perDevice !== true || devices.includes(device);
  };
}

/** Each takes some milliseconds of every sample. */
const MOST_NAMESPACES = 10_000;

/** The namespaces to look into, and why others may be missing among them. */
export interface ChosenNamespaces {
  readonly namespaces: readonly NetworkNamespace[];
  readonly unlisted?: string;
}

/**
 * The namespaces named by `--netns`: all, none, the name one has in /run/netns, or the PID of a process in it. Copied
 * /proc trees have none to enter. That all cannot be listed hinders no diagnosis, but has to be told.
 */
export function chooseNamespaces(
  wanted: string,
  roots: Roots,
  known: readonly NetworkNamespace[] = [],
): Result<ChosenNamespaces> {
  if (wanted === 'none' || !isProcfs(roots.procfs)) return ok({ namespaces: [] });
  const listed = listNamespaces(roots, known);
  if (wanted === 'all') {
    if (!listed.ok) return ok({ namespaces: [], unlisted: listed.reason });
    if (listed.value.length <= MOST_NAMESPACES) return ok({ namespaces: listed.value });
    const unlisted = `there are ${listed.value.length}, of which ${MOST_NAMESPACES} were looked into`;
    return ok({ namespaces: listed.value.slice(0, MOST_NAMESPACES), unlisted });
  }
  if (!listed.ok) return listed;
  const byName = listed.value.find(({ name }) => name === wanted);
  if (byName !== undefined) return ok({ namespaces: [byName] });
  if (!/^\d+$/.test(wanted)) return fail(`there is no network namespace "${wanted}"; ip netns list names them`);
  const path = `${roots.procfs}/${wanted}/ns/net`;
  const inode = netnsInode(path);
  if (!inode.ok) return fail(existsSync(`${roots.procfs}/${wanted}`) ? inode.reason : `there is no process ${wanted}`);
  return ok({ namespaces: [{ name: `pid:${wanted}`, inode: inode.value, path }] });
}
