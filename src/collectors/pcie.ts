import { fail, ok, type Result } from '../base/result.ts';
import type { Host } from './collector.ts';
import { utf8Text } from './cursor.ts';

export const pciDevices = '/sys/bus/pci/devices';
export const netDevices = '/sys/class/net';

/** Domain, bus, device and function as sysfs writes them. */
const PCI_ADDRESS = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-9a-f])$/;

export interface PciAddress {
  readonly segment: string;
  readonly bus: string;
  readonly device: string;
  readonly function: string;
}

export function pciAddress(name: string): PciAddress | undefined {
  const match = PCI_ADDRESS.exec(name);
  if (match === null) return undefined;
  return { segment: match[1]!, bus: match[2]!, device: match[3]!, function: match[4]! };
}

/**
 * Where a network device hangs in /sys/devices. /sys/class/net/X is a link to it; where a copy of /sys made a directory
 * of it, its `device` link tells, if it was left as it was.
 */
export function devicePath(host: Host, device: string): string | undefined {
  const own = host.link(`${netDevices}/${device}`);
  if (own !== undefined) return followLink(netDevices, own);
  const parent = host.link(`${netDevices}/${device}/device`);
  return parent === undefined ? undefined : followLink(`${netDevices}/${device}`, parent);
}

/** The absolute path of a link's target, from the directory the link stands in. */
export function followLink(directory: string, target: string): string {
  const path = target.startsWith('/') ? [] : directory.split('/').filter(Boolean);
  for (const name of target.split('/')) {
    if (name === '..') path.pop();
    else if (name !== '' && name !== '.') path.push(name);
  }
  return `/${path.join('/')}`;
}

/** The PCI functions on a path of /sys/devices, from the root port down to the device itself. */
export function pciChain(path: string): readonly string[] {
  return path.split('/').filter((name) => PCI_ADDRESS.test(name));
}

/** A link as its port reports it. -1 where the port has no link; undefined where it has one that could not be read. */
export interface PcieLink {
  readonly width: number | undefined;
  readonly maxWidth: number | undefined;
  readonly speed: number | undefined;
  readonly maxSpeed: number | undefined;
}

export const NO_LINK = -1;

/**
 * Reads the link of one PCI function. The directory is listed first: conventional PCI devices lack these files, and a
 * file that is there but fails must stay apart from one that is not.
 */
export function readLink(host: Host, address: string, names: readonly string[]): PcieLink {
  const directory = `${pciDevices}/${address}`;
  const read = (name: string, parser: (bytes: Uint8Array) => Result<number>): number | undefined =>
    names.includes(name) ? host.parseIfPresent(`${directory}/${name}`, parser, 'EINVAL', 'ENODEV') : NO_LINK;
  return {
    width: read('current_link_width', parseLinkWidth),
    maxWidth: read('max_link_width', parseLinkWidth),
    speed: read('current_link_speed', parseLinkSpeed),
    maxSpeed: read('max_link_speed', parseLinkSpeed),
  };
}

/** Lanes, where the number says something: 0 is a virtual function or no link, 255 a port without one. */
export function knownWidth(width: number | undefined): number | undefined {
  return width === undefined || width <= 0 || width >= 255 ? undefined : width;
}

export function knownSpeed(speed: number | undefined): number | undefined {
  return speed === undefined || speed <= 0 ? undefined : speed;
}

/**
 * What a link could do: the smaller of the device's maximum and those of the ports above it. Without a word from the
 * port right above (in a guest, say) nobody knows the slot, unless the device already runs at its own maximum.
 */
export function possible(
  current: number | undefined,
  max: number | undefined,
  ports: readonly (number | undefined)[],
): number | undefined {
  if (max === undefined) return undefined;
  if (ports.at(-1) === undefined) return current !== undefined && current >= max ? max : undefined;
  return Math.min(max, ...ports.filter((port) => port !== undefined));
}

/** Parses current_link_width and max_link_width: a number of lanes. Source: drivers/pci/pci-sysfs.c:max_link_width_show. */
export function parseLinkWidth(bytes: Uint8Array): Result<number> {
  const line = utf8Text(bytes.subarray(0, 40)).trim();
  if (line.startsWith('Unknown')) return ok(NO_LINK);
  return /^\d{1,3}$/.test(line) ? ok(Number(line)) : fail('not a number of lanes', 0);
}

/**
 * Parses current_link_speed and max_link_speed, `8.0 GT/s PCIe`, into transfers per second; -1 for `Unknown`.
 * Source: drivers/pci/probe.c:pci_speed_string.
 */
export function parseLinkSpeed(bytes: Uint8Array): Result<number> {
  const line = utf8Text(bytes.subarray(0, 40)).trim();
  if (line.startsWith('Unknown')) return ok(NO_LINK);
  const speed = /^(\d{1,4}(?:\.\d{1,3})?) GT\/s(?: PCIe)?$/.exec(line);
  return speed === null ? fail('not a link speed', 0) : ok(Math.round(Number(speed[1]) * 1e9));
}
