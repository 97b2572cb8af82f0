import { counter, gauge, type Metric } from '../metric.ts';

const netdev = { collector: 'netdev', source: '/proc/net/dev', labels: ['device'], perNetns: true } as const;
const device = (name: string, unit: 'bytes' | 'frames' | 'packets', help: string): Metric<'device'> =>
  counter(`node_network_${name}_total`, { ...netdev, unit, help });

export const receiveBytes = device('receive_bytes', 'bytes', 'Bytes received, as the driver counts them.');
export const receivePackets = device('receive_packets', 'frames', 'Frames received before GRO; taps do not change it.');
export const receiveErrs = device('receive_errs', 'frames', 'Receive errors of the device.');
export const receiveDrop = device(
  'receive_drop',
  'packets',
  'rx_dropped + rx_missed_errors: driver, backlog and unknown-protocol drops; never netfilter, conntrack or socket drops.',
);
export const receiveFifo = device('receive_fifo', 'frames', 'Receive FIFO overruns; hardware specific.');
export const receiveFrame = device('receive_frame', 'frames', 'Length, overrun, CRC and frame errors together.');
export const receiveCompressed = device('receive_compressed', 'frames', 'Compressed frames received.');
export const receiveMulticast = device('receive_multicast', 'frames', 'Multicast frames received.');
export const transmitBytes = device('transmit_bytes', 'bytes', 'Bytes sent.');
export const transmitPackets = device('transmit_packets', 'frames', 'Frames sent.');
export const transmitErrs = device('transmit_errs', 'frames', 'Transmit errors of the device.');
export const transmitDrop = device(
  'transmit_drop',
  'packets',
  'Driver transmit drops; qdisc drops are not among them.',
);
export const transmitFifo = device('transmit_fifo', 'frames', 'Transmit FIFO errors.');
export const transmitColls = device('transmit_colls', 'frames', 'Collisions.');
export const transmitCarrier = device('transmit_carrier', 'frames', 'Carrier, aborted, window and heartbeat errors.');
export const transmitCompressed = device('transmit_compressed', 'frames', 'Compressed frames sent.');

const sysNet = { collector: 'device', labels: ['device'] } as const;
/** /sys shows the devices of one namespace: of cards in others the drivers are asked. */
const movedCards = { perNetns: true, elsewhere: 'nics' } as const;
export const receiveMissed = counter('node_network_receive_missed_errors_total', {
  ...sysNet,
  ...movedCards,
  source: '/sys/class/net/*/statistics/rx_missed_errors',
  unit: 'frames',
  pageOnly: true,
  help: 'Frames the NIC dropped because the host did not empty its ring in time; hard-wired 0 in some drivers (ena, virtio).',
});
export const receiveNohandler = counter('node_network_receive_nohandler_total', {
  ...sysNet,
  source: '/sys/class/net/*/statistics/rx_nohandler',
  unit: 'frames',
  help: 'Frames on an inactive bond slave or the like; benign.',
});
const sysGauge = (name: string, file: string, unit: 'bytes' | 'none' | 'packets', help: string): Metric<'device'> =>
  gauge(`node_network_${name}`, { ...sysNet, source: `/sys/class/net/*/${file}`, unit, help });
export const deviceUp = sysGauge('up', 'operstate', 'none', '1 when operstate is up.');
export const deviceCarrier = sysGauge('carrier', 'carrier', 'none', '1 when the link is up.');
export const deviceMtu = sysGauge('mtu_bytes', 'mtu', 'bytes', 'MTU.');
export const deviceFlags = sysGauge('flags', 'flags', 'none', 'Interface flags (IFF_*); 0x100 is promiscuous.');
export const deviceSpeed = sysGauge(
  'speed_bytes',
  'speed',
  'bytes',
  'Link speed in bytes per second; absent when unknown.',
);
export const deviceTxQueueLength = sysGauge(
  'transmit_queue_length',
  'tx_queue_len',
  'packets',
  'Transmit queue length.',
);
const carrier = (name: string, file: string, help: string): Metric<'device'> =>
  counter(`node_network_carrier_${name}_total`, {
    ...sysNet,
    source: `/sys/class/net/*/${file}`,
    unit: 'events',
    help,
  });
export const carrierChanges = carrier('changes', 'carrier_changes', 'Carrier changes.');
export const carrierUpChanges = carrier('up_changes', 'carrier_up_count', 'Carrier changes to up.');
export const carrierDownChanges = carrier('down_changes', 'carrier_down_count', 'Carrier changes to down.');
export const deviceInfo = gauge('pktcost_device_info', {
  ...sysNet,
  ...movedCards,
  source: '/sys/class/net/*',
  labels: ['device', 'ifindex', 'driver', 'kind', 'pci', 'master'],
  unit: 'none',
  sparse: true,
  help: '1 per network device, of other namespaces per card: driver, kind (physical, veth, bridge, bond, vlan, tun, loopback ..., or unknown), PCI address, upper device.',
});
export const deviceLower = gauge('pktcost_device_lower_info', {
  ...sysNet,
  source: '/sys/class/net/*/lower_*',
  labels: ['device', 'lower'],
  unit: 'none',
  sparse: true,
  help: '1 for each device below a bond, bridge or VLAN.',
});
export const deviceNumaNode = gauge('pktcost_device_numa_node', {
  ...sysNet,
  source: '/sys/class/net/*/device/numa_node',
  unit: 'number',
  help: 'NUMA node of the device; -1 when the firmware did not say, which does not mean node 0. Absent for virtual devices.',
});
export const deviceRps = gauge('pktcost_device_rps_info', {
  ...sysNet,
  source: '/sys/class/net/*/queues/rx-*/rps_cpus',
  labels: ['device', 'queue', 'cpus'],
  unit: 'none',
  sparse: true,
  help: '1 for each receive queue with RPS on; cpus is the CPU list its packets are moved to.',
});
export const deviceThreaded = gauge('pktcost_device_threaded_napi', {
  ...sysNet,
  source: '/sys/class/net/*/threaded',
  unit: 'none',
  help: '1 when NAPI polls in napi/<device>-<id> threads: their CPU time is system, not softirq. Absent before 5.12.',
});
export const receiveRing = gauge('pktcost_device_receive_ring_frames', {
  ...sysNet,
  source: 'ethtool -g',
  unit: 'frames',
  help: 'Frames that a receive ring of the device has room for.',
});
export const receiveRingMost = gauge('pktcost_device_receive_ring_frames_possible', {
  ...sysNet,
  source: 'ethtool -g',
  unit: 'frames',
  help: 'Frames that a receive ring of the device can be given room for.',
});
export const receiveRingLost = counter('pktcost_device_receive_ring_lost_total', {
  collector: 'nics',
  source: 'ring_losses',
  labels: ['device', 'counter'],
  unit: 'frames',
  perNetns: true,
  help: 'Frames that the receive ring had no room for by a counter of the driver (ethtool -S); several may count the same. Of devices that are up.',
});

export const driverCounters = gauge('pktcost_device_driver_loss_counters', {
  collector: 'nics',
  source: 'ring_losses',
  labels: ['device', 'driver', 'kind'],
  unit: 'number',
  perNetns: true,
  sparse: true,
  help: 'How many counters of frames that the receive ring had no room for (ring) and of others that were lost (card) a driver has by names of its own; 0 where it was asked and has none.',
});

export const xdpDropped = counter('pktcost_device_xdp_dropped_total', {
  collector: 'nics',
  source: 'ring_losses',
  labels: ['device', 'counter'],
  unit: 'frames',
  perNetns: true,
  sparse: true,
  help: 'Frames that an XDP program in the driver dropped, by a counter of the driver (ethtool -S); several may count the same. Of devices with such a program that are up.',
});

export const receiveCardLost = counter('pktcost_device_receive_card_lost_total', {
  collector: 'nics',
  source: 'ring_losses',
  labels: ['device', 'counter', 'kind'],
  unit: 'frames',
  perNetns: true,
  help: 'Frames that were lost on their way to the receive ring by a counter of the driver: no room in the card (port), no memory (memory), spoilt (bad), more than the host of this guest allows (policed). Of devices that are up.',
});
