import { counter, family, gauge, type Metric } from '../metric.ts';

/** `node_memory_<Field>`: kB fields in bytes with the suffix `_bytes`, HugePages_* as counts of default-size pages. */
export const meminfo = family('node_memory_', (field) =>
  gauge(`node_memory_${field}`, {
    collector: 'meminfo',
    source: '/proc/meminfo',
    labels: [],
    unit: field.endsWith('_bytes') ? 'bytes' : 'number',
    help: `Memory information field ${field}.`,
  }),
);

const huge = (name: string, help: string): Metric<'size'> =>
  gauge(`pktcost_hugepages_${name}`, {
    collector: 'meminfo',
    source: '/sys/kernel/mm/hugepages',
    labels: ['size'],
    unit: 'pages',
    help,
  });
export const hugepagesTotal = huge('pool', 'Huge pages of this size in the pool; size in bytes.');
export const hugepagesFree = huge('free', 'Huge pages of this size not in use; contains the reserved ones.');
export const hugepagesReserved = huge('reserved', 'Huge pages promised to mappings but not yet touched.');
export const hugepagesSurplus = huge('surplus', 'Huge pages above the configured pool.');
export const hugepagesOvercommit = huge(
  'overcommit',
  'How many surplus huge pages the kernel may make where the pool is used up.',
);

/** `node_memory_numa_<Field>{node}`: kB fields in bytes but, as node_exporter has it, without a `_bytes` suffix. */
export const meminfoNuma = family('node_memory_numa_', (field) =>
  gauge(`node_memory_numa_${field}`, {
    collector: 'numa',
    exporterFlag: '--collector.meminfo_numa',
    source: '/sys/devices/system/node/node*/meminfo',
    labels: ['node'],
    unit: field.startsWith('HugePages_') ? 'pages' : 'bytes',
    help: `Memory information field ${field} of a NUMA node.`,
  }),
);

const numastat = (name: string, help: string): Metric<'node'> =>
  counter(`node_memory_numa_${name}_total`, {
    collector: 'numa',
    exporterFlag: '--collector.meminfo_numa',
    source: '/sys/devices/system/node/node*/numastat',
    labels: ['node'],
    unit: 'events',
    help,
  });
export const numaHit = numastat('numa_hit', 'Page allocations that wanted this node and got it.');
export const numaMiss = numastat(
  'numa_miss',
  'Page allocations served here though another node was preferred and short.',
);
export const numaForeign = numastat(
  'numa_foreign',
  'Page allocations that wanted this node and were served elsewhere.',
);
export const numaInterleave = numastat('interleave_hit', 'Interleaved allocations placed here as intended.');
export const numaLocal = numastat('local_node', 'Page allocations served here to a CPU of this node.');
export const numaOther = numastat('other_node', 'Page allocations served here to a CPU of another node.');

export const cpuNode = gauge('pktcost_cpu_node_info', {
  collector: 'numa',
  source: '/sys/devices/system/node/node*/cpulist',
  labels: ['cpu', 'node'],
  identifiedBy: ['cpu', 'node'],
  unit: 'none',
  sparse: true,
  help: '1 for each CPU with the NUMA node it belongs to.',
});
export const numaStatEnabled = gauge('pktcost_numa_stat_enabled', {
  collector: 'numa',
  source: '/proc/sys/vm/numa_stat',
  labels: [],
  unit: 'none',
  help: '0 when vm.numa_stat is off: the NUMA counters are then frozen at zero and prove nothing.',
});

const zone = (name: string, help: string): Metric<'node' | 'zone'> =>
  counter(`node_zoneinfo_numa_${name}_total`, {
    collector: 'zoneinfo',
    source: '/proc/zoneinfo',
    labels: ['node', 'zone'],
    unit: 'events',
    help,
  });
export const zoneHit = zone('hit', 'Page allocations that wanted this node and got it, by zone.');
export const zoneMiss = zone('miss', 'Page allocations served here though another node was preferred, by zone.');
export const zoneForeign = zone(
  'foreign',
  'Page allocations that wanted this node and were served elsewhere, by zone.',
);
export const zoneInterleave = zone('interleave', 'Interleaved allocations placed as intended, by zone.');
export const zoneLocal = zone('local', 'Page allocations served to a CPU of this node, by zone.');
export const zoneOther = zone('other', 'Page allocations served to a CPU of another node, by zone.');
export const zoneAnonHuge = gauge('node_zoneinfo_nr_anon_transparent_hugepages', {
  collector: 'zoneinfo',
  source: '/proc/zoneinfo',
  labels: ['node', 'zone'],
  unit: 'pages',
  help: 'Anonymous transparent huge pages of a node; printed under its first populated zone only.',
});

const pciLabels = ['segment', 'bus', 'device', 'function'] as const;
const pci = (name: string, file: string, unit: 'number' | 'lanes', help: string): Metric<(typeof pciLabels)[number]> =>
  gauge(`node_pcidevice_${name}`, {
    collector: 'pcidevice',
    source: `/sys/bus/pci/devices/*/${file}`,
    labels: pciLabels,
    unit,
    help,
  });
export const pciNumaNode = pci('numa_node', 'numa_node', 'number', 'NUMA node of a PCI device; absent when unknown.');
export const pciLinkWidth = pci(
  'current_link_width',
  'current_link_width',
  'lanes',
  'PCIe lanes in use; -1 when unknown.',
);
export const pciMaxLinkWidth = pci(
  'max_link_width',
  'max_link_width',
  'lanes',
  'PCIe lanes the device has; -1 when unknown.',
);
export const pciLinkSpeed = pci(
  'current_link_transfers_per_second',
  'current_link_speed',
  'number',
  'PCIe transfers per second in use; -1 when unknown.',
);
export const pciMaxLinkSpeed = pci(
  'max_link_transfers_per_second',
  'max_link_speed',
  'number',
  'PCIe transfers per second the device can do; -1 when unknown.',
);
const nicLink = (name: string, unit: 'number' | 'lanes', help: string): Metric<'device'> =>
  gauge(`pktcost_device_pcie_${name}`, {
    collector: 'pcidevice',
    source: '/sys/class/net/*/device',
    labels: ['device'],
    // A NIC that is no PCIe device of its own (virtio, USB, some VFs) has no link.
    sparse: true,
    unit,
    help,
  });
export const deviceLinkWidth = nicLink(
  'link_width',
  'lanes',
  'PCIe lanes in use by a NIC; a VF reports its physical function.',
);
export const deviceLinkWidthPossible = nicLink(
  'link_width_possible',
  'lanes',
  'Lanes that the NIC and every port above it up to the root could do: the smaller of their maxima.',
);
export const deviceLinkSpeed = nicLink(
  'link_transfers_per_second',
  'number',
  'PCIe transfers per second in use by a NIC.',
);
export const deviceLinkSpeedPossible = nicLink(
  'link_transfers_per_second_possible',
  'number',
  'Transfers per second that the NIC and every port above it could do.',
);

const nodeconfig = { collector: 'nodeconfig', labels: [], unit: 'none' } as const;
export const coresDedicated = gauge('node_nodeconfig_cores_dedicated', {
  ...nodeconfig,
  source: '/sys/devices/system/cpu/isolated',
  help: '1 when any CPU is isolated from the scheduler at boot.',
});
export const nicMinLinkWidth = gauge('node_nodeconfig_pcie_nic_min_link_width', {
  ...nodeconfig,
  unit: 'lanes',
  source: '/sys/bus/pci/devices/*/current_link_width',
  help: 'Smallest PCIe link width among the network devices that report one.',
});
export const pcieSlotOk = gauge('node_nodeconfig_pcie_slot_ok', {
  ...nodeconfig,
  source: '/sys/bus/pci/devices/*/current_link_width',
  help: '1 when each NIC link is as wide as the NIC and its slot allow. Not "at least 16": most NICs have 8 lanes or fewer.',
});
export const userspaceNic = gauge('pktcost_userspace_nic_info', {
  ...nodeconfig,
  labels: ['pci', 'driver', 'node'],
  // Most hosts have given none away.
  sparse: true,
  source: '/sys/bus/pci/devices/*/driver',
  help: 'A NIC bound to a driver that hands it to a userspace program or a guest: no network device. Node is empty when unknown.',
});
export const memoryBanksFull = gauge('node_nodeconfig_memory_banks_full', {
  ...nodeconfig,
  source: '/sys/firmware/dmi/tables/DMI',
  help: '1 when every memory slot the firmware lists holds a module. A capacity fact: it does not prove balanced channels.',
});
export const memorySlots = gauge('pktcost_memory_slots', {
  ...nodeconfig,
  source: '/sys/firmware/dmi/tables/DMI',
  labels: ['state'],
  unit: 'number',
  // Most guests have no table of them.
  sparse: true,
  help: 'Memory slots by state: populated, empty or unknown (DMI type 17).',
});
export const cpuDedicated = gauge('pktcost_cpu_dedicated_info', {
  ...nodeconfig,
  source: '/sys/devices/system/cpu',
  labels: ['cpu', 'by'],
  sparse: true,
  help: '1 for each CPU set apart: by isolcpus, nohz_full or a cpuset isolated partition.',
});

export const unameInfo = gauge('node_uname_info', {
  collector: 'host',
  source: '/proc/sys/kernel',
  labels: ['sysname', 'release', 'version', 'machine', 'nodename', 'domainname'],
  unit: 'none',
  sparse: true,
  help: '1, with the identity of the host in its labels.',
});
export const runAsRoot = gauge('pktcost_run_as_root', {
  collector: 'host',
  source: '/proc/self/status',
  labels: [],
  unit: 'none',
  help: '1 where pktcost ran with the user id of root, 0 where it did not and saw less.',
});
export const kernelFeature = gauge('pktcost_kernel_feature', {
  collector: 'host',
  source: '/proc',
  labels: ['feature'],
  unit: 'none',
  help: '1 or 0 for a property of this kernel that changes what a counter means: irq_time_accounting, btf, per_netns_taps.',
});
