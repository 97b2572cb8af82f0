import type { RingLossRow, RingRow } from '../../collectors/rings-dump.ts';
import { ringLossesIn } from '../../metrics/nic-counters.ts';
import { nicLossesOf } from '../../metrics/nic-losses.ts';
import type { Tree } from '../copy/tree.ts';
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

/** What the drivers count of full receive rings, as far as their names are known. */
export function ringLossesOf(tree: Tree): readonly RingLossRow[] {
  const driverOf = driversOf(tree);
  return ethtoolOf(tree, '-S').flatMap(([device, output]) => {
    const counters = parseEthtoolStatistics(output);
    const known = nicLossesOf(driverOf(device) ?? '');
    if (!counters.ok || known === undefined) return [];
    return [...ringLossesIn(known, [...counters.value])].map(([counter, lost]) => ({ device, counter, lost }));
  });
}
