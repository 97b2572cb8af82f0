// What is booted: a machine, a kernel line, and the checks (test/lab/) that run on it. `smoke` is the subset for CI.
const base = [
  'boot',
  'diagnose',
  'socket-prices',
  'socket-price-of-asking',
  'sent-prices',
  'kill',
  'foreign',
  'global-taps',
  'driver',
  'parity',
  'session',
];
const losses = [
  ...['rp-filter', 'no-route', 'qdisc', 'neighbours', 'unresolved', 'nft', 'tc', 'xdp', 'group-in', 'group-out'],
  ...['udp', 'socket-filter', 'udp-checksum', 'tcp-checksum', 'fragments', 'too-big', 'tun', 'peer-down'],
  ...['syn-backlog', 'ports', 'throttled', 'memory-group', 'capture'],
].map((way) => `loss-${way}`);
const refusals = ['libbpf-words', 'no-libbpf', 'no-btf', 'no-root'];

/** A NIC on a hub: whatever one sends, the others of the same hub receive. */
function nic(model, last, hub, more = '') {
  const id = `net${last}`;
  const device = `${model},netdev=${id},mac=52:54:00:00:00:${last}${more}`;
  return ['-netdev', `hubport,id=${id},hubid=${hub}`, '-device', device];
}

const twoNodes = [
  ...['-object', 'memory-backend-ram,id=m0,size=1280M', '-numa', 'node,nodeid=0,cpus=0-1,memdev=m0'],
  ...['-object', 'memory-backend-ram,id=m1,size=512M', '-numa', 'node,nodeid=1,cpus=2-3,memdev=m1'],
  // A host bridge of each node, with a port for each NIC.
  ...['-device', 'pxb-pcie,id=far0,bus=pcie.0,bus_nr=32,numa_node=0'],
  ...['-device', 'pxb-pcie,id=far1,bus=pcie.0,bus_nr=64,numa_node=1'],
  ...['a', 'b'].flatMap((port, n) => ['-device', `pcie-root-port,id=p0${port},bus=far0,chassis=${n + 1},slot=${n}`]),
  ...['a', 'b'].flatMap((port, n) => ['-device', `pcie-root-port,id=p1${port},bus=far1,chassis=${n + 5},slot=${n}`]),
  ...nic('virtio-net-pci', '01', 1, ',bus=p1a'),
  ...nic('vmxnet3', '02', 2, ',bus=p1b'),
  ...nic('virtio-net-pci', '11', 1, ',bus=p0a'),
  ...nic('virtio-net-pci', '12', 2, ',bus=p0b'),
];

/** SMBIOS type 17, a memory bank: of so many MiB, or without a module. QEMU describes only full ones, and none beside ours. */
function bank(number, mebibytes) {
  const structure = Buffer.alloc(40);
  structure.writeUInt8(17, 0);
  structure.writeUInt8(structure.length, 1);
  structure.writeUInt16LE(0x1180 + number, 2);
  structure.writeUInt16LE(0x1000, 4);
  structure.writeUInt16LE(mebibytes, 12);
  structure.writeUInt8(1, 16);
  return Buffer.concat([structure, Buffer.from(`DIMM ${number}\0\0`)]);
}

/**
 * @typedef {{ name: string, kernel: string, seconds: number, checks: string[], smoke?: string[], smp?: string, memory?: string,
 *   append?: string[], qemu?: string[], smbios?: Buffer[], needs?: readonly string[] }} Scene
 * @type {Scene[]}
 */
export const SCENES = [
  {
    name: 'kernel-6.1',
    kernel: '6.1',
    seconds: 1200,
    checks: [...base, ...refusals],
    smoke: ['boot', 'diagnose', 'driver', 'kill'],
  },
  {
    name: 'kernel-6.12',
    kernel: '6.12',
    seconds: 1200,
    checks: [...base, ...refusals],
    smoke: ['diagnose', 'driver', 'kill'],
  },
  ...['6.1', '6.12'].map((kernel) => ({ name: `losses-${kernel}`, kernel, seconds: 1200, checks: losses })),
  ...['6.1', '6.12'].map((kernel) => ({
    name: `sosreport-${kernel}`,
    kernel,
    seconds: 1500,
    needs: ['sos'],
    checks: ['sos-namespaces', 'sos-conntrack'],
  })),
  ...['6.1-arm64', '6.12-arm64'].map((kernel) => ({
    name: `kernel-${kernel}`,
    kernel,
    seconds: 3000,
    checks: ['boot', 'diagnose', 'socket-prices', 'kill', 'driver', 'profile', 'parity', ...refusals],
  })),
  {
    name: 'kernel-6.12-arm64-16k',
    kernel: '6.12-arm64-16k',
    seconds: 1500,
    memory: '2G',
    checks: ['boot', 'diagnose', 'profile'],
  },
  {
    name: 'numa',
    kernel: '6.12',
    seconds: 1500,
    smp: '4,sockets=2,cores=2',
    memory: '1792M',
    qemu: twoNodes,
    checks: ['numa-facts', 'numa-irq', 'numa-irq-vmxnet3', 'numa-rps', 'numa-ovs', 'numa-memory'],
    smoke: ['numa-facts', 'numa-irq'],
  },
  ...['6.1', '6.12'].map((kernel) => ({
    name: `isolation-${kernel}`,
    kernel,
    seconds: 1200,
    smp: '4',
    append: ['isolcpus=2,3', 'nohz_full=3', 'rcu_nocbs=3'],
    qemu: [...nic('virtio-net-pci', '01', 1), ...nic('virtio-net-pci', '11', 1)],
    checks: ['isolated-facts', 'isolated-irq', 'isolated-rps', 'isolated-napi-thread', 'isolated-cpuset'],
  })),
  ...['6.1', '6.12'].map((kernel) => ({
    name: `lockdown-${kernel}`,
    kernel,
    seconds: 300,
    append: ['lockdown=confidentiality'],
    checks: ['lockdown'],
  })),
  ...['6.1-full', '6.12-full'].map((kernel) => ({
    name: `nics-${kernel.replace('-full', '')}`,
    kernel,
    seconds: 2400,
    smbios: [bank(0, 1536), bank(1, 0)],
    qemu: [
      ...['-device', 'pcie-root-port,id=slot1,chassis=1,slot=1'],
      ...['virtio-net-pci', 'e1000e', 'vmxnet3', 'e1000', 'rtl8139'].flatMap((model, n) => [
        ...nic(model, `0${n + 1}`, n + 1, model === 'e1000e' ? ',bus=slot1' : ''),
        ...nic('virtio-net-pci', `1${n + 1}`, n + 1),
      ]),
    ],
    checks: [
      ...['virtio_net', 'e1000e', 'vmxnet3', 'e1000'].flatMap((driver) => [
        `auto-${driver}`,
        `xdp-${driver}`,
        `generic-${driver}`,
      ]),
      'ring-drops',
      'ring-drops-elsewhere',
      'driver-counters',
      'dmi',
    ],
  })),
];
