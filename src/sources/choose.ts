import type { Keep } from '../metrics/snapshot.ts';
import { fail, ok, type Result } from '../metrics/result.ts';
import { isProcfs, type Roots } from './live-reader.ts';
import { listNamespaces, type NetworkNamespace } from './netns.ts';

/** Collectors whose label `device` is a network interface (pcidevice has a PCI device number under that name). */
const perDevice = new Set(['netdev', 'device', 'interrupts', 'ebpf']);

/** Leaves out the series of other interfaces; `sources` of packets other than devices stay. */
export function onlyDevices(devices: readonly string[]): Keep {
  if (devices.length === 0) return () => true;
  return (metric, labels) => {
    const device = labels['device'];
    return device === undefined || !perDevice.has(metric.collector) || devices.includes(device);
  };
}

/** The namespaces to look into, and why others may be missing among them. */
export interface Chosen {
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
): Result<Chosen> {
  if (wanted === 'none' || !isProcfs(roots.procfs)) return ok({ namespaces: [] });
  const listed = listNamespaces(roots, known);
  if (wanted === 'all') {
    return ok(listed.ok ? { namespaces: listed.value } : { namespaces: [], unlisted: listed.reason });
  }
  if (!listed.ok) return listed;
  const byName = listed.value.find(({ name }) => name === wanted);
  if (byName !== undefined) return ok({ namespaces: [byName] });
  if (!/^\d+$/.test(wanted)) return fail(`there is no network namespace "${wanted}"; ip netns list names them`);
  return ok({ namespaces: [{ name: `pid:${wanted}`, inode: 0, path: `${roots.procfs}/${wanted}/ns/net` }] });
}
