import {
  deviceLinkSpeed,
  deviceLinkSpeedPossible,
  deviceLinkWidth,
  deviceLinkWidthPossible,
  pciLinkSpeed,
  pciLinkWidth,
  pciMaxLinkSpeed,
  pciMaxLinkWidth,
  pciNumaNode,
} from '../metrics/catalogue/index.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { parseNumber } from './parse.ts';
import {
  devicePath,
  knownSpeed,
  knownWidth,
  netDevices,
  pciAddress,
  pciChain,
  pciDevices,
  possible,
  readLink,
  type PcieLink,
} from './pcie.ts';

export const pcidevice = defineCollector({
  id: 'pcidevice',
  turn: 220,
  scope: 'host',
  reads: [`${pciDevices}/*/{numa_node,current_link_*,max_link_*,physfn}`, `${netDevices}/*`],
  collect(host, emit) {
    const addresses = host.listIfPresent(pciDevices).filter((name) => pciAddress(name) !== undefined);
    if (addresses.length === 0) {
      host.notApplicable(pciDevices, 'this host has no PCI devices');
      return;
    }
    const links = new Map<string, PcieLink>();
    for (const address of addresses) {
      const link = collectFunction(host, emit, address);
      if (link !== undefined) links.set(address, link);
    }
    if (links.size === 0) host.gap(pciDevices, 'no PCI device could be read');
    for (const device of host.listIfPresent(netDevices)) collectDevice(host, emit, device, links);
  },
});

function collectFunction(host: Host, emit: Emit, address: string): PcieLink | undefined {
  const labels = pciAddress(address)!;
  const names = host.listIfPresent(`${pciDevices}/${address}`);
  // Gone since the bus was listed.
  if (names.length === 0) return undefined;
  const node = names.includes('numa_node')
    ? host.parseIfPresent(`${pciDevices}/${address}/numa_node`, parseNumber)
    : undefined;
  // -1: the firmware did not say, which is not node 0. node_exporter leaves it out as well.
  if (node !== undefined && node >= 0) emit(pciNumaNode, labels, node);
  const link = readLink(host, address, names);
  if (link.width !== undefined) emit(pciLinkWidth, labels, link.width);
  if (link.maxWidth !== undefined) emit(pciMaxLinkWidth, labels, link.maxWidth);
  if (link.speed !== undefined) emit(pciLinkSpeed, labels, link.speed);
  if (link.maxSpeed !== undefined) emit(pciMaxLinkSpeed, labels, link.maxSpeed);
  return link;
}

function collectDevice(host: Host, emit: Emit, device: string, links: ReadonlyMap<string, PcieLink>): void {
  const path = devicePath(host, device);
  const chain = path === undefined ? [] : pciChain(path);
  const address = chain.at(-1);
  if (address === undefined) return;
  // A virtual function reports no link of its own (kernel: 0 lanes): the link is that of its physical function.
  const physical = host.link(`${pciDevices}/${address}/physfn`)?.split('/').at(-1);
  const link = links.get(physical ?? address);
  if (link === undefined) return;
  const ports = chain.slice(0, -1).map((port) => links.get(port));
  const width = knownWidth(link.width);
  const speed = knownSpeed(link.speed);
  const widthPossible = possible(
    width,
    knownWidth(link.maxWidth),
    ports.map((port) => knownWidth(port?.maxWidth)),
  );
  const speedPossible = possible(
    speed,
    knownSpeed(link.maxSpeed),
    ports.map((port) => knownSpeed(port?.maxSpeed)),
  );
  if (width !== undefined) emit(deviceLinkWidth, { device }, width);
  if (widthPossible !== undefined) emit(deviceLinkWidthPossible, { device }, widthPossible);
  if (speed !== undefined) emit(deviceLinkSpeed, { device }, speed);
  if (speedPossible !== undefined) emit(deviceLinkSpeedPossible, { device }, speedPossible);
}
