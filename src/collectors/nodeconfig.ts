import {
  coresDedicated,
  cpuDedicated,
  memoryBanksFull,
  memorySlots,
  nicMinLinkWidth,
  pcieSlotOk,
  userspaceNic,
} from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector, type Emit, type Host } from './collector.ts';
import { utf8Text } from './cursor.ts';
import { countSlots, parseDmiTable, type MemorySlots } from './dmi.ts';
import { parseCpuListFile, parseNumber } from './parse.ts';
import { followLink, knownWidth, pciAddress, pciChain, pciDevices, possible, readLink } from './pcie.ts';

const cpus = '/sys/devices/system/cpu';
const dmiTable = '/sys/firmware/dmi/tables/DMI';
const dmiEntries = '/sys/firmware/dmi/entries';

/**
 * Three files: isolcpus=, nohz_full=, and cpuset isolated partitions. The last also lists, in 6.12, those of isolcpus
 * (cpuset.c: isolated_cpus starts from them), which no partition holds.
 */
const dedications = [
  { by: 'isolcpus', path: `${cpus}/isolated` },
  { by: 'nohz_full', path: `${cpus}/nohz_full` },
  { by: 'cpuset', path: '/sys/fs/cgroup/cpuset.cpus.isolated' },
] as const;

export const nodeconfig = defineCollector({
  id: 'nodeconfig',
  turn: 230,
  scope: 'host',
  holds: { '/sys/firmware/dmi/**': 'smbios' },
  reads: [
    ...dedications.map(({ path }) => path),
    `${pciDevices}/*/{class,driver,numa_node,current_link_width,max_link_width}`,
    dmiTable,
    `${dmiEntries}/{16,17}-*/raw`,
  ],
  collect(host, emit) {
    collectCpus(host, emit);
    collectNics(host, emit);
    collectMemory(host, emit);
  },
});

function collectCpus(host: Host, emit: Emit): void {
  let atBoot: readonly number[] = [];
  for (const { by, path } of dedications) {
    // Every kernel has the first; the others come with NO_HZ_FULL and a cgroup v2 root.
    const list = by === 'isolcpus' ? host.parse(path, parseDedicated) : host.parseIfPresent(path, parseDedicated);
    if (list === undefined) continue;
    if (by === 'isolcpus') {
      atBoot = list;
      emit(coresDedicated, {}, list.length > 0 ? 1 : 0);
    }
    for (const cpu of list) if (by !== 'cpuset' || !atBoot.includes(cpu)) emit(cpuDedicated, { cpu: `${cpu}`, by }, 1);
  }
}

/** Parses a CPU list; no CPU is an empty line, never an empty file. */
export function parseDedicated(bytes: Uint8Array): Result<readonly number[]> {
  return bytes.length === 0 ? fail('empty', 0) : parseCpuListFile(bytes);
}

/** Every network controller on the bus, those given away to DPDK or a guest too; virtual functions have no link. */
function collectNics(host: Host, emit: Emit): void {
  const widths: number[] = [];
  const full: boolean[] = [];
  for (const address of host.listIfPresent(pciDevices)) {
    if (pciAddress(address) === undefined) continue;
    const kind = host.parseIfPresent(`${pciDevices}/${address}/class`, parsePciClass);
    if (kind === undefined || kind >>> 16 !== PCI_BASE_CLASS_NETWORK) continue;
    collectUserspaceNic(host, emit, address);
    const width = linkWidth(host, address);
    if (width.current === undefined) continue;
    widths.push(width.current);
    if (width.possible !== undefined) full.push(width.current >= width.possible);
  }
  if (widths.length > 0) emit(nicMinLinkWidth, {}, Math.min(...widths));
  if (full.length > 0) emit(pcieSlotOk, {}, full.every(Boolean) ? 1 : 0);
}

const PCI_BASE_CLASS_NETWORK = 0x02;

/** Drivers that leave a device to a program of DPDK, or to a guest: no network device tells of it or of its node. */
const userspaceDrivers = new Set(['vfio-pci', 'uio_pci_generic', 'igb_uio']);

function collectUserspaceNic(host: Host, emit: Emit, address: string): void {
  const driver = host.link(`${pciDevices}/${address}/driver`)?.split('/').at(-1) ?? '';
  if (!userspaceDrivers.has(driver)) return;
  const node = host.parseIfPresent(`${pciDevices}/${address}/numa_node`, parseNumber) ?? -1;
  emit(userspaceNic, { pci: address, driver, node: node < 0 ? '' : `${node}` }, 1);
}

function linkWidth(
  host: Host,
  address: string,
): { readonly current: number | undefined; readonly possible: number | undefined } {
  const read = (of: string): ReturnType<typeof readLink> =>
    readLink(host, of, ['current_link_width', 'max_link_width']);
  const link = read(address);
  const current = knownWidth(link.width);
  const target = host.link(`${pciDevices}/${address}`);
  const chain = target === undefined ? [] : pciChain(followLink(pciDevices, target));
  const ports = chain.slice(0, -1).map((port) => knownWidth(read(port).maxWidth));
  return { current, possible: possible(current, knownWidth(link.maxWidth), ports) };
}

/** Parses class: 24 bits in hexadecimal, base class first: 0x020000 is Ethernet. Source: drivers/pci/pci-sysfs.c:class_show. */
export function parsePciClass(bytes: Uint8Array): Result<number> {
  const line = utf8Text(bytes.subarray(0, 20)).trim();
  return /^0x[0-9a-f]{6}$/.test(line) ? ok(Number(line)) : fail('not a PCI class', 0);
}

function collectMemory(host: Host, emit: Emit): void {
  const slots = memoryFromTable(host) ?? memoryFromEntries(host);
  if (slots === undefined) return;
  emit(memorySlots, { state: 'populated' }, slots.populated);
  emit(memorySlots, { state: 'empty' }, slots.empty);
  emit(memorySlots, { state: 'unknown' }, slots.unknown);
  // With a slot of unknown size and no empty one, nobody can say.
  if (slots.empty > 0) emit(memoryBanksFull, {}, 0);
  else if (slots.unknown === 0) emit(memoryBanksFull, {}, 1);
}

function memoryFromTable(host: Host): MemorySlots | undefined {
  const structures = host.parseIfPresent(dmiTable, parseDmiTable);
  return structures === undefined ? undefined : countSlots(structures);
}

/** The same structures one by one, where only the dmi-sysfs module offers them. */
function memoryFromEntries(host: Host): MemorySlots | undefined {
  const names = host.listIfPresent(dmiEntries).filter((name) => /^1[67]-\d+$/.test(name));
  const structures = names.flatMap((name) => host.parse(`${dmiEntries}/${name}/raw`, parseDmiTable) ?? []);
  return structures.length === 0 ? undefined : countSlots(structures);
}
