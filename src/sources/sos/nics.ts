import type { CardRow, RingLosses, RingLossRow, RingRow } from '../../collectors/rings-dump.ts';
import { lossesByCounters } from '../../metrics/nic-counters.ts';
import { nicLossesOf } from '../../metrics/nic-losses.ts';
import { utf8Text } from '../../collectors/cursor.ts';
import type { Result } from '../../base/result.ts';
import { perTree, type Tree } from '../copy/tree.ts';
import { parseEthtoolDriver, parseEthtoolRings, parseEthtoolStatistics } from './links.ts';
import { ethtoolOf } from './outputs.ts';

export function ringsOf(tree: Tree): readonly RingRow[] {
  return ethtoolOf(tree, '-g').flatMap(([device, output]) => {
    const ring = parseEthtoolRings(output);
    return ring.ok ? [{ device, ...ring.value }] : [];
  });
}

/** What `ethtool -i` said. */
function toldDrivers(tree: Tree, netns?: string): ReadonlyMap<string, string> {
  return new Map(
    ethtoolOf(tree, '-i', netns).flatMap(([device, output]) => {
      const driver = parseEthtoolDriver(output);
      return driver.ok ? [[device, driver.value] as const] : [];
    }),
  );
}

/** Devices that are hardware, by what `ethtool -i` said. */
export function cardsOf(tree: Tree, netns?: string): readonly (readonly [device: string, driver: string])[] {
  return [...toldDrivers(tree, netns)].filter(([, driver]) => !SOFTWARE.test(driver));
}

/** Drivers by device: what `ethtool -i` said, and `driver` of a device where that was copied. */
export function driversOf(tree: Tree): (device: string) => string | undefined {
  const told = toldDrivers(tree);
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

/**
 * The same of the cards in another namespace, of which nothing but ethtool tells: /sys is of one namespace only.
 * @param counted whether what arrived is told elsewhere
 */
export function ringLossesIn(tree: Tree, netns: string, counted: boolean): RingLosses {
  const outputs = new Map(ethtoolOf(tree, '-S', netns));
  const told = cardsOf(tree, netns).map(([device, driver]): RingLosses => {
    const output = outputs.get(device);
    if (output === undefined)
      return { rows: [], untold: [{ device, reason: `ethtool -S ${device} is not in the copy` }], cards: [] };
    const losses = lossesOf(device, driver, output);
    const parsed = parseEthtoolStatistics(output);
    const counters = parsed.ok ? parsed.value : new Map<string, number>();
    const rings = losses.rows.flatMap(({ kind, lost }) => (kind === 'ring' ? [lost] : []));
    const missed = counters.get('rx_missed_errors') ?? (rings.length === 0 ? null : Math.max(...rings));
    const card: CardRow = {
      ...{ device, ifindex: 0, driver, missed },
      counted: losses.untold.length === 0,
      packets: counted ? null : receivedBy(counters),
    };
    return { ...losses, cards: [card] };
  });
  return {
    rows: told.flatMap(({ rows }) => rows),
    untold: told.flatMap(({ untold }) => untold),
    cards: told.flatMap(({ cards }) => cards ?? []),
  };
}

/** Frames that a card received, by the names that drivers have for it; null where none is known. */
function receivedBy(counters: ReadonlyMap<string, number>): number | null {
  const ways = [
    ['rx_packets'],
    ['rx_ucast_packets', 'rx_mcast_packets', 'rx_bcast_packets'],
    ['rx_unicast', 'rx_multicast', 'rx_broadcast'],
  ];
  const names = ways.find(([first = '']) => counters.has(first));
  return names === undefined ? null : names.reduce((sum, name) => sum + (counters.get(name) ?? 0), 0);
}

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
