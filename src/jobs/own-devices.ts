import { closeSync, readdirSync, statSync } from 'node:fs';

import { ifAllowed } from '../base/errno.ts';
import { readFileGuarded } from '../base/file.ts';
import { sysfsOfThisNamespace } from '../ffi/sysfs.ts';
import { dumpLinks } from '../probe/rtnetlink.ts';
import { isProcfs, isSysfs, type Roots } from '../sources/live-reader.ts';

/**
 * A sysfs mount shows the devices of the network namespace it was mounted in, /proc/net those of the namespace pktcost is in:
 * after `nsenter -n` or `unshare -n` they are two, and a veth `eth0` would be told as the host's card of that name. Where they
 * differ, the devices are read from a sysfs of the right namespace, which takes root, or not at all.
 */
export function withOwnDevices(roots: Roots): Roots {
  if (!isProcfs(roots.procfs) || !isSysfs(roots.sysfs)) return roots;
  const mount = sysfsOfThisNamespace();
  if (!mount.ok) return sameDevices(roots.sysfs) ? roots : { ...roots, devicesUnread: `${elsewhere}: ${mount.reason}` };
  const own = `/proc/self/fd/${mount.value}`;
  // One superblock for each namespace (fs/sysfs/mount.c, fs/kernfs/mount.c:kernfs_get_tree).
  if (ifAllowed(() => statSync(own).dev === statSync(roots.sysfs).dev) !== true) return { ...roots, deviceSysfs: own };
  closeSync(mount.value);
  return roots;
}

const elsewhere =
  'the mounted sysfs shows the devices of another network namespace, and one of this namespace cannot be mounted';

/** Without the right to mount one: whether both know the same devices by the same numbers. */
function sameDevices(sysfs: string): boolean {
  const links = dumpLinks();
  if (!links.ok) return true;
  const here = new Map(links.value.map(({ name, ifindex }) => [name, ifindex]));
  // bonding_masters is a file of the bonding module, and no device.
  const shown = (ifAllowed(() => readdirSync(`${sysfs}/class/net`)) ?? []).filter((name) => name !== 'bonding_masters');
  if (shown.length === 0) return true;
  return shown.length === here.size && shown.every((name) => here.get(name) === indexOf(sysfs, name));
}

function indexOf(sysfs: string, device: string): number {
  const bytes = readFileGuarded(`${sysfs}/class/net/${device}/ifindex`, 4096);
  return bytes.ok ? Number(bytes.value.toString('latin1')) : NaN;
}
