import { formatCpuList } from '../base/cpu-list.ts';
import { fail, ok, type Result } from '../base/result.ts';
import {
  carrierChanges,
  carrierDownChanges,
  carrierUpChanges,
  deviceCarrier,
  deviceFlags,
  deviceInfo,
  deviceLower,
  deviceMtu,
  deviceNumaNode,
  deviceRps,
  deviceSpeed,
  deviceThreaded,
  deviceTxQueueLength,
  deviceUp,
  receiveMissed,
  receiveNohandler,
  receiveRing,
  receiveRingMost,
} from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { utf8Text } from './cursor.ts';
import { decodeRings } from './rings-dump.ts';
import { parseCpuMask, parseNumber } from './parse.ts';
import { parseNumberedDevices } from './packet.ts';
import { devicePath, netDevices, pciAddress, pciChain } from './pcie.ts';

const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
/** Of tunnels and dummies; hardware asks for addresses. */
const IFF_NOARP = 0x80;
const MEGABIT = 125_000;
const carrierOf: Readonly<Record<string, number | undefined>> = { up: 1, down: 0, lowerlayerdown: 0 };

/**
 * A host may have thousands of devices, nearly all of them virtual, and every read of sysfs has a price (`speed` takes
 * the RTNL lock, `statistics/*` adds up all CPUs). So each directory is listed once, and of a virtual device only what
 * can say something is read: seven to ten files.
 */
export const device = defineCollector({
  id: 'device',
  turn: 200,
  scope: 'host',
  reads: [
    `${netDevices}/*/{operstate,carrier,carrier_*,mtu,flags,speed,tx_queue_len,uevent,iflink,threaded,master,lower_*}`,
    `${netDevices}/*/statistics/{rx_missed_errors,rx_nohandler}`,
    `${netDevices}/*/queues/rx-*/rps_cpus`,
    `${netDevices}/*/device/{driver,numa_node}`,
    '/proc/net/{igmp,dev_mcast,if_inet6}',
    'rings',
  ],
  perDevice: true,
  exporterName: 'netclass',
  collect(host, emit) {
    const names = host.list(netDevices);
    let known: ReadonlyMap<string, number> | undefined;
    const numbers = (): ReadonlyMap<string, number> => (known ??= numbersOf(host));
    let found = 0;
    for (const name of names ?? []) {
      // Not a directory (bonding_masters), or gone since it was listed.
      const entries = host.listIfPresent(`${netDevices}/${name}`);
      if (entries.length > 0 && collectDevice(host, emit, name, new Set(entries), numbers)) found += 1;
    }
    for (const { device: name, frames, most } of host.dumpIfPresent('rings', decodeRings) ?? []) {
      emit(receiveRing, { device: name }, frames);
      emit(receiveRingMost, { device: name }, most);
    }
    // Every namespace has a loopback device.
    if (names !== undefined && found === 0) host.gap(netDevices, 'no network device could be read');
  },
});

/** Whether the device was there to be read. */
function collectDevice(
  host: Host,
  emit: Emit,
  name: string,
  entries: ReadonlySet<string>,
  numbers: () => ReadonlyMap<string, number>,
): boolean {
  const directory = `${netDevices}/${name}`;
  const labels = { device: name };
  // EINVAL is how the kernel says that a link that is down has no carrier or speed, ENODEV that the device just went.
  const read = <T>(file: string, parser: (bytes: Uint8Array) => Result<T>): T | undefined =>
    entries.has(file) || file.includes('/')
      ? host.parseIfPresent(`${directory}/${file}`, parser, 'EINVAL', 'ENODEV')
      : undefined;
  const emitFile = (metric: Metric<'device'>, file: string): void => {
    const number = read(file, parseNumber);
    if (number !== undefined) emit(metric, labels, number);
  };

  const flags = read('flags', parseFlags);
  const uevent = read('uevent', parseUevent);
  const ifindex =
    uevent?.get('IFINDEX') ?? read('ifindex', parseNumber)?.toString() ?? numbers().get(name)?.toString() ?? '';
  // A device that went away while it was looked at has none of them; a copy may have any one.
  const counted = (): boolean => read('statistics/rx_packets', parseNumber) !== undefined;
  if (flags === undefined && uevent?.get('IFINDEX') === undefined && !(entries.has('statistics') && counted()))
    return false;
  const path = devicePath(host, name);
  // A copy of /sys may have lost the `device` link: whatever hangs below something real is a physical device too.
  const physical = entries.has('device') || (path !== undefined && !path.startsWith('/sys/devices/virtual/'));
  const lowers = [...entries].filter((entry) => entry.startsWith('lower_')).map((entry) => entry.slice(6));
  const looks = kindOf({ name, flags: flags ?? 0, ifindex, entries, lowers, type: uevent?.get('DEVTYPE') }, read);
  // A copy that followed the link has a folder here, and may have lost `device` in it: nothing then tells hardware from the rest.
  const unsure = !physical && looks === 'virtual' && path === undefined && ((flags ?? 0) & IFF_NOARP) === 0;
  const kind = physical ? 'physical' : unsure ? 'unknown' : looks;
  if (unsure)
    host.lack(
      deviceInfo,
      labels,
      'whether it is hardware is not known: nothing of its place in /sys/devices was copied',
    );
  emit(
    deviceInfo,
    {
      device: name,
      ifindex,
      driver: physical ? driverOf(host, directory) : '',
      kind,
      pci: (path === undefined ? undefined : pciChain(path).at(-1)) ?? '',
      master: entries.has('master') ? lastName(host.link(`${directory}/master`)) : '',
    },
    1,
  );
  for (const lower of lowers) emit(deviceLower, { device: name, lower }, 1);

  if (flags !== undefined) emit(deviceFlags, labels, flags);
  const operstate = read('operstate', parseOperstate);
  if (operstate !== undefined) emit(deviceUp, labels, operstate === 'up' ? 1 : 0);
  emitFile(deviceMtu, 'mtu');
  const running = ((flags ?? 0) & IFF_UP) !== 0;
  // `carrier` takes the RTNL lock, which a sick host may hold for long, to say what operstate says without it
  // (net/core/link_watch.c:default_operstate); a driver that keeps no state leaves it unknown.
  const carrier = operstate === undefined ? undefined : carrierOf[operstate];
  if (running && carrier !== undefined) emit(deviceCarrier, labels, carrier);
  else if (running) emitFile(deviceCarrier, 'carrier');
  // The speed of a veth or tun is a constant of its driver, not a fact: only links and what stands on them are asked.
  const speed = running && (physical || lowers.length > 0) ? read('speed', parseNumber) : undefined;
  if (speed !== undefined && speed > 0 && speed < 0xffffffff) emit(deviceSpeed, labels, speed * MEGABIT);
  // Thousands of them on a container host: a veth sends without a queue, and its carrier is its peer's being up.
  if (kind !== 'veth') {
    emitFile(deviceTxQueueLength, 'tx_queue_len');
    collectCarrierChanges(read, emit, name);
  }
  if (physical) emitFile(receiveMissed, 'statistics/rx_missed_errors');
  // Only what stands under a bond or team can be inactive (net/core/dev.c: RX_HANDLER_EXACT).
  if (physical || entries.has('master')) emitFile(receiveNohandler, 'statistics/rx_nohandler');
  const threaded = read('threaded', parseNumber);
  if (threaded !== undefined) emit(deviceThreaded, labels, threaded > 0 ? 1 : 0);
  if (entries.has('queues')) collectRps(host, emit, name);
  const node = physical ? numaNode(host, directory, path) : undefined;
  if (node !== undefined) emit(deviceNumaNode, labels, node);
  return true;
}

/** Interface numbers from the files of the namespace: a copy of /sys seldom has them. On a live host nothing is read for it. */
function numbersOf(host: Host): ReadonlyMap<string, number> {
  const numbers = ['/proc/net/igmp', '/proc/net/dev_mcast'].flatMap((path) => [
    ...(host.parseIfPresent(path, parseNumberedDevices) ?? []),
  ]);
  const v6 = host.parseIfPresent('/proc/net/if_inet6', parseInet6Devices) ?? [];
  return new Map([...v6, ...numbers].map(([ifindex, name]) => [name, ifindex]));
}

type ReadFile = <T>(file: string, parser: (bytes: Uint8Array) => Result<T>) => T | undefined;

/** carrier_changes is the sum of the two counts wherever those exist (net-sysfs.c:carrier_changes_show): one read less. */
function collectCarrierChanges(read: ReadFile, emit: Emit, name: string): void {
  const ups = read('carrier_up_count', parseNumber);
  const downs = read('carrier_down_count', parseNumber);
  if (ups !== undefined) emit(carrierUpChanges, { device: name }, ups);
  if (downs !== undefined) emit(carrierDownChanges, { device: name }, downs);
  const changes = ups !== undefined && downs !== undefined ? ups + downs : read('carrier_changes', parseNumber);
  if (changes !== undefined) emit(carrierChanges, { device: name }, changes);
}

function collectRps(host: Host, emit: Emit, name: string): void {
  const queues = `${netDevices}/${name}/queues`;
  for (const queue of host.listIfPresent(queues)) {
    if (!queue.startsWith('rx-')) continue;
    const cpus = host.parseIfPresent(`${queues}/${queue}/rps_cpus`, parseCpuMask, 'ENODEV');
    if (cpus === undefined || cpus.length === 0) continue;
    emit(deviceRps, { device: name, queue: queue.slice(3), cpus: formatCpuList(cpus) }, 1);
  }
}

interface Virtual {
  readonly name: string;
  readonly flags: number;
  readonly ifindex: string;
  readonly entries: ReadonlySet<string>;
  readonly lowers: readonly string[];
  /** DEVTYPE of uevent: vlan, bridge, bond, vxlan, macvlan ...; veth, tun and dummy have none. */
  readonly type: string | undefined;
}

function kindOf(virtual: Virtual, read: ReadFile): string {
  if ((virtual.flags & IFF_LOOPBACK) !== 0 || virtual.name === 'lo') return 'loopback';
  if (virtual.type !== undefined && virtual.type !== '') return virtual.type;
  if (virtual.entries.has('tun_flags')) return 'tun';
  if (virtual.entries.has('bonding')) return 'bond';
  if (virtual.entries.has('bridge')) return 'bridge';
  return isVeth(virtual, read) ? 'veth' : 'virtual';
}

/**
 * The kernel names no type for a veth. It stands on nothing and its iflink is the index of its peer; where the peer, in
 * another namespace, happens to have the same index, only the name is left. A tunnel does not broadcast, or its iflink is 0.
 */
function isVeth({ name, flags, ifindex, lowers }: Virtual, read: ReadFile): boolean {
  if (lowers.length > 0 || (flags & IFF_BROADCAST) === 0) return false;
  if (name.startsWith('veth')) return true;
  const peer = read('iflink', parseNumber);
  return peer !== undefined && peer !== 0 && ifindex !== '' && `${peer}` !== ifindex;
}

/**
 * The NUMA node of the nearest device above that has one: a virtio or auxiliary device leaves it to its PCI parent. On a
 * PCI path the walk begins at the PCI function, since nothing below it has the file.
 */
function numaNode(host: Host, directory: string, path: string | undefined): number | undefined {
  if (path === undefined) return host.parseIfPresent(`${directory}/device/numa_node`, parseNumber);
  const names = path.split('/');
  const pci = names.findLastIndex((name) => pciAddress(name) !== undefined);
  for (let end = pci >= 0 ? pci + 1 : names.length; end > names.indexOf('devices') + 1; end -= 1) {
    const node = host.parseIfPresent(`${names.slice(0, end).join('/')}/numa_node`, parseNumber);
    if (node !== undefined) return node;
  }
  return undefined;
}

/** By its link; a copy that has none may have what the bus told udev. */
function driverOf(host: Host, directory: string): string {
  const linked = lastName(host.link(`${directory}/device/driver`));
  if (linked !== '' || !host.listIfPresent(`${directory}/device`).includes('uevent')) return linked;
  return host.parseIfPresent(`${directory}/device/uevent`, parseUevent)?.get('DRIVER') ?? '';
}

function lastName(target: string | undefined): string {
  return target?.replace(/\/+$/, '').split('/').at(-1) ?? '';
}

/**
 * Parses /proc/net/if_inet6: address, interface number, prefix length, scope and flags in hexadecimal, and the name.
 * Source: net/ipv6/addrconf.c:if6_seq_show.
 */
export function parseInet6Devices(bytes: Uint8Array): Result<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  for (const line of utf8Text(bytes).split('\n')) {
    if (line === '') continue;
    const row = /^[0-9a-f]{32} ([0-9a-f]{1,8}) [0-9a-f]{2} [0-9a-f]{2} [0-9a-f]{2,} +(\S{1,15})$/.exec(line);
    if (row === null) return fail('not a row of an address', 0);
    names.set(Number.parseInt(row[1]!, 16), row[2]!);
  }
  return ok(names);
}

/** Parses flags: hexadecimal with 0x in front. Source: net/core/net-sysfs.c:flags. */
export function parseFlags(bytes: Uint8Array): Result<number> {
  const line = utf8Text(bytes.subarray(0, 40)).trim();
  return /^0x[0-9a-f]{1,8}$/.test(line) ? ok(Number(line)) : fail('not hexadecimal flags', 0);
}

/** Parses operstate: unknown, notpresent, down, lowerlayerdown, testing, dormant or up (RFC 2863). */
export function parseOperstate(bytes: Uint8Array): Result<string> {
  const line = utf8Text(bytes.subarray(0, 40)).trim();
  return /^[a-z]{2,20}$/.test(line) ? ok(line) : fail('not an operational state', 0);
}

/** Parses uevent: `KEY=value` per line. Source: lib/kobject_uevent.c:add_uevent_var, net-sysfs.c:netdev_uevent. */
export function parseUevent(bytes: Uint8Array): Result<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (const line of utf8Text(bytes).split('\n')) {
    if (line === '') continue;
    const equals = line.indexOf('=');
    if (equals <= 0) return fail('a line without KEY=', 0);
    values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return ok(values);
}
