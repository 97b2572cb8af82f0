import type { RingLosses, RingLossRow, RingRow } from '../../collectors/rings-dump.ts';
import { lossesByCounters } from '../../metrics/nic-counters.ts';
import { nicLossesOf } from '../../metrics/nic-losses.ts';
import { utf8Text } from '../../collectors/cursor.ts';
import type { Result } from '../../base/result.ts';
import { perTree, type Tree } from '../copy/tree.ts';
import { parseEthtoolDriver, parseEthtoolRings, parseEthtoolStatistics } from './links.ts';

/** What `ethtool FLAG` said of each device. */
export function ethtoolOf(tree: Tree, flag: string): readonly (readonly [device: string, output: Uint8Array])[] {
  const names = tree.list('/sos_commands/networking');
  return (names.ok ? names.value : []).flatMap((name) => {
    const device = /^ethtool_(-[a-zA-Z])_([\w.-]{1,15})$/.exec(name);
    const output = device?.[1] === flag ? tree.read(`/sos_commands/networking/${name}`) : undefined;
    return output?.ok === true ? [[device?.[2] ?? '', output.value] as const] : [];
  });
}

export function ringsOf(tree: Tree): readonly RingRow[] {
  return ethtoolOf(tree, '-g').flatMap(([device, output]) => {
    const ring = parseEthtoolRings(output);
    return ring.ok ? [{ device, ...ring.value }] : [];
  });
}

/** Drivers by device: what `ethtool -i` said, and `driver` of a device where that was copied. */
export function driversOf(tree: Tree): (device: string) => string | undefined {
  const told = new Map(
    ethtoolOf(tree, '-i').flatMap(([device, output]) => {
      const driver = parseEthtoolDriver(output);
      return driver.ok ? [[device, driver.value] as const] : [];
    }),
  );
  return (device) => {
    const link = tree.link(`/sys/class/net/${device}/device/driver`);
    return told.get(device) ?? (link.ok ? link.value.split('/').at(-1) : undefined);
  };
}

/** Drivers of devices that are no hardware. */
export const SOFTWARE =
  /^(?:veth|bridge|tun|bonding|team|802\.1Q VLAN Support|vxlan|geneve|openvswitch|dummy|ifb|macvlan|ipvlan|gre|wireguard)$/;

/** What the drivers count of frames that they lost; where sos ran ethtool, of every device that is hardware, or why not. */
export const ringLossesOf = perTree((tree): RingLosses => {
  const driverOf = driversOf(tree);
  const outputs = new Map(ethtoolOf(tree, '-S'));
  const told = [...outputs].map(([device, output]) => lossesOf(device, driverOf(device), output));
  const ran = tree.folder('/sos_commands/networking').ok;
  const without = ran ? hardwareOf(tree, driverOf).filter((device) => !outputs.has(device)) : [];
  return {
    rows: told.flatMap(({ rows }) => rows),
    untold: [
      ...told.flatMap(({ untold }) => untold),
      ...without.map((device) => ({ device, reason: `ethtool -S ${device} is not in the copy` })),
    ],
  };
});

function lossesOf(device: string, driver: string | undefined, output: Uint8Array): RingLosses {
  if (driver !== undefined && SOFTWARE.test(driver)) return { rows: [], untold: [] };
  const counters = parseEthtoolStatistics(output);
  const lost = lossesByCounters(driver ?? '', counters.ok ? counters.value : []);
  const rows = lost.map((row): RingLossRow => ({ device, ...row }));
  const reason = whyUntold(output, counters, nicLossesOf(driver ?? '')?.only, rows);
  return { rows, untold: reason === undefined ? [] : [{ device, reason: `ethtool -S ${device}: ${reason}` }] };
}

/** What is left of it may prove a loss, and never that there was none. */
function whyUntold(
  output: Uint8Array,
  counters: Result<unknown>,
  only: string | undefined,
  rows: readonly RingLossRow[],
): string | undefined {
  // Devices without counters of their own say so.
  if (!counters.ok) return output.length > 0 && !isHeadOf(output) ? undefined : counters.reason;
  if (output.at(-1) !== 10) return 'cut off in the middle of a line';
  return only === undefined || rows.some(({ counter }) => counter.endsWith(only))
    ? undefined
    : `its driver counts ${only}, which is not in it`;
}

/** Whether it is, or was, what comes before counters. */
function isHeadOf(output: Uint8Array): boolean {
  return output.at(-1) !== 10 || /^NIC statistics:/.test(utf8Text(output.subarray(0, 80)));
}

/** Devices of which a copy says that they are hardware. */
function hardwareOf(tree: Tree, driverOf: (device: string) => string | undefined): readonly string[] {
  const names = tree.list('/sys/class/net');
  const asked = ['-i', '-g', '-l', '-k'].flatMap((flag) => ethtoolOf(tree, flag).map(([device]) => device));
  return [...new Set([...(names.ok ? names.value : []), ...asked])].filter((device) => {
    const driver = driverOf(device);
    return driver !== undefined && !SOFTWARE.test(driver);
  });
}
