import { parseStat } from '../../collectors/cpu.ts';
import { contentOf } from '../../collectors/cursor.ts';
import { parseCpuListFile } from '../../collectors/parse.ts';
import { parseCpuHeader } from '../../collectors/softnet.ts';
import type { Result } from '../../base/result.ts';
import {
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackInsertFailed,
  cpuNode,
  cpuSeconds,
  deviceInfo,
  deviceInterrupts,
  deviceIrq,
  interrupts,
  receivePackets,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
} from '../../metrics/catalogue/index.ts';
import type { Metric } from '../../metrics/metric.ts';
import { OWN_NETNS, type Snapshot } from '../../metrics/snapshot.ts';
import type { Tree } from './tree.ts';

/**
 * Tables whose size is known from elsewhere. One that was cut where a row ends looks whole: only what else was copied tells
 * that a CPU, a node or a device is not in it.
 */

function read<T>(tree: Tree, path: string, parse: (bytes: Uint8Array) => Result<T>): T | undefined {
  const bytes = tree.read(path);
  const parsed = bytes.ok ? parse(contentOf(path, bytes.value)) : bytes;
  return parsed.ok ? parsed.value : undefined;
}

const systemCpus = '/sys/devices/system/cpu';
const nodes = '/sys/devices/system/node';

/** The CPUs that were online, by all that lists them; undefined where nothing does. */
function onlineCpus(tree: Tree): ReadonlySet<number> | undefined {
  const lists = [
    read(tree, `${systemCpus}/online`, parseCpuListFile),
    read(tree, '/proc/stat', parseStat)?.cpus.map(({ cpu }) => Number(cpu)),
    read(tree, '/proc/interrupts', parseCpuHeader),
  ];
  const known = lists.filter((list) => list !== undefined);
  return known.length === 0 ? undefined : new Set(known.flat());
}

/** The least number of CPUs that can be there, as far as anything lists them; /proc/softirqs has all that are possible. */
function possibleCpus(tree: Tree): number {
  const lists = [read(tree, `${systemCpus}/possible`, parseCpuListFile), read(tree, '/proc/softirqs', parseCpuHeader)];
  return Math.max(onlineCpus(tree)?.size ?? 0, ...lists.map((list) => list?.length ?? 0));
}

/** A check of /proc/net/stat/nf_conntrack: below its header there is a row for each possible CPU. */
export function hasAllConntrackRows(tree: Tree): (bytes: Uint8Array) => boolean {
  let cpus: number | undefined;
  return (bytes) => {
    const rows = bytes.reduce((count, byte) => count + (byte === LF ? 1 : 0), 0) - 1;
    return rows >= (cpus ??= possibleCpus(tree));
  };
}

const LF = 10;
const NO_LIST = 'whether it has the rows of all CPUs is not known: no list of them was copied';

/** Notes what is not in the tables of a sample though something else in the copy says that it is there. */
export function noteCut(tree: Tree, snapshot: Snapshot): void {
  const labelled = (metric: Metric, label: string): ReadonlySet<string> =>
    new Set(
      snapshot.series(metric).flatMap(({ labels }) => (labels['netns'] === undefined ? [labels[label] ?? ''] : [])),
    );
  const online = onlineCpus(tree);
  noteConntrack(possibleCpus(tree), snapshot);
  const counted = labelled(softnetProcessed, 'cpu');
  if (counted.size > 0) {
    for (const metric of [softnetProcessed, softnetDropped]) {
      if (online === undefined) snapshot.lack(metric, {}, NO_LIST);
      for (const cpu of online ?? [])
        if (!counted.has(`${cpu}`)) snapshot.lack(metric, { cpu: `${cpu}` }, 'its row was cut off');
    }
  }
  noteSoftirqs(snapshot, new Set([...counted, ...[...(online ?? [])].map(String)]));
  const timed = labelled(cpuSeconds, 'cpu');
  for (const cpu of timed.size === 0 ? [] : (online ?? []))
    if (!timed.has(`${cpu}`)) snapshot.lack(cpuSeconds, { cpu: `${cpu}` }, 'its row in /proc/stat was cut off');
  noteInterrupts(snapshot, labelled(interrupts, 'cpu'), labelled(interrupts, 'type'), online);
  noteNodes(tree, snapshot, online);
  noteDevices(snapshot, labelled(deviceInfo, 'device'), labelled(receivePackets, 'device'));
}

/** Every CPU has a column and every vector a row, whether or not it ever ran there. */
function noteSoftirqs(snapshot: Snapshot, cpus: ReadonlySet<string>): void {
  const series = snapshot.series(softirqFunctions);
  if (series.length === 0) return;
  const receiving = new Set(series.flatMap(({ labels }) => (labels['type'] === 'NET_RX' ? [labels['cpu']] : [])));
  for (const cpu of cpus)
    if (!receiving.has(cpu))
      snapshot.lack(softirqFunctions, { cpu }, 'its column in /proc/softirqs, or the row NET_RX, was cut off');
}

/** What the rows that are there counted is lost, whatever those that are not would say. @param cpus 0 where nothing lists them */
function noteConntrack(cpus: number, snapshot: Snapshot): void {
  for (const metric of [conntrackDrop, conntrackEarlyDrop, conntrackInsertFailed])
    for (const { labels, cells } of snapshot.series(metric)) {
      const rows = cells?.length ?? 1;
      // The least there can be is one row.
      if (cpus === 0) snapshot.lack(metric, labels, NO_LIST);
      else if (rows < cpus)
        snapshot.lack(metric, labels, `cut off: rows of ${rows} CPUs, of ${cpus} that can be there`);
    }
}

/** An interrupt that somebody requested has a row, and every CPU that is online a column. */
function noteInterrupts(
  snapshot: Snapshot,
  cpus: ReadonlySet<string>,
  types: ReadonlySet<string>,
  online: ReadonlySet<number> | undefined,
): void {
  if (types.size === 0) return;
  const without = [...(online ?? [])].filter((cpu) => !cpus.has(`${cpu}`));
  for (const { labels } of snapshot.series(deviceIrq)) {
    const { device = '', type = '', effective_affinity: effective = '' } = labels;
    if (effective !== '' && !types.has(type))
      snapshot.lack(deviceInterrupts, { device }, `interrupt ${type} is not in the copy of /proc/interrupts`);
    if (without.length > 0)
      snapshot.lack(deviceInterrupts, { device }, `CPU ${without.join(', ')} is not in the copy of /proc/interrupts`);
  }
}

/** Every node that is online has a folder, and every CPU that is online has a node. */
function noteNodes(tree: Tree, snapshot: Snapshot, online: ReadonlySet<number> | undefined): void {
  const placed = snapshot.series(cpuNode);
  if (placed.length === 0) return;
  const listed = [`${nodes}/online`, `${nodes}/possible`].map((path) => read(tree, path, parseCpuListFile));
  const seen = new Set(placed.map(({ labels }) => labels['node']));
  const folders = tree.list(nodes);
  const hasFolder = (node: number): boolean => folders.ok && folders.value.includes(`node${node}`);
  for (const node of listed[0] ?? [])
    if (!seen.has(`${node}`) && !hasFolder(node))
      snapshot.lack(cpuNode, { node: `${node}` }, 'its folder was not copied');
  const cpus = new Set(placed.map(({ labels }) => labels['cpu']));
  for (const cpu of online ?? [])
    if (!cpus.has(`${cpu}`))
      snapshot.lack(cpuNode, { cpu: `${cpu}` }, 'no list of CPUs of a node has it: one was cut off');
}

/** A device stands in /proc/net/dev and in /sys/class/net, where these are of the same namespace. */
function noteDevices(snapshot: Snapshot, described: ReadonlySet<string>, counted: ReadonlySet<string>): void {
  if (described.size === 0 || counted.size === 0) return;
  if (snapshot.collector('device', OWN_NETNS)?.status === 'unavailable') return;
  for (const device of counted) {
    if (described.has(device)) continue;
    for (const metric of device === 'lo' ? [deviceInfo] : [deviceInfo, deviceInterrupts])
      snapshot.lack(metric, { device }, 'it is not in the copy of /sys/class/net');
  }
  for (const device of described)
    if (!counted.has(device)) snapshot.lack(receivePackets, { device }, 'its row in /proc/net/dev was cut off');
}
