import { counter, counterExposedAs, family, gauge, type Metric } from '../metric.ts';

const netdev = { collector: 'netdev', source: '/proc/net/dev', labels: ['device'], perNetns: true } as const;
const device = (name: string, unit: 'bytes' | 'packets', help: string): Metric<'device'> =>
  counter(`node_network_${name}_total`, { ...netdev, unit, help });

export const receiveBytes = device('receive_bytes', 'bytes', 'Bytes received, as the driver counts them.');
export const receivePackets = device(
  'receive_packets',
  'packets',
  'Frames received before GRO; taps do not change it.',
);
export const receiveErrs = device('receive_errs', 'packets', 'Receive errors of the device.');
export const receiveDrop = device(
  'receive_drop',
  'packets',
  'rx_dropped + rx_missed_errors: driver, backlog and unknown-protocol drops; never netfilter, conntrack or socket drops.',
);
export const receiveFifo = device('receive_fifo', 'packets', 'Receive FIFO overruns; hardware specific.');
export const receiveFrame = device('receive_frame', 'packets', 'Length, overrun, CRC and frame errors together.');
export const receiveCompressed = device('receive_compressed', 'packets', 'Compressed frames received.');
export const receiveMulticast = device('receive_multicast', 'packets', 'Multicast frames received.');
export const transmitBytes = device('transmit_bytes', 'bytes', 'Bytes sent.');
export const transmitPackets = device('transmit_packets', 'packets', 'Frames sent.');
export const transmitErrs = device('transmit_errs', 'packets', 'Transmit errors of the device.');
export const transmitDrop = device(
  'transmit_drop',
  'packets',
  'Driver transmit drops; qdisc drops are not among them.',
);
export const transmitFifo = device('transmit_fifo', 'packets', 'Transmit FIFO errors.');
export const transmitColls = device('transmit_colls', 'packets', 'Collisions.');
export const transmitCarrier = device('transmit_carrier', 'packets', 'Carrier, aborted, window and heartbeat errors.');
export const transmitCompressed = device('transmit_compressed', 'packets', 'Compressed frames sent.');

const sysNet = { collector: 'device', labels: ['device'] } as const;
export const receiveMissed = counter('node_network_receive_missed_errors_total', {
  ...sysNet,
  source: '/sys/class/net/*/statistics/rx_missed_errors',
  unit: 'packets',
  pageOnly: true,
  help: 'Frames the NIC dropped because the host did not empty its ring in time; hard-wired 0 in some drivers (ena, virtio).',
});
export const receiveNohandler = counter('node_network_receive_nohandler_total', {
  ...sysNet,
  source: '/sys/class/net/*/statistics/rx_nohandler',
  unit: 'packets',
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
  source: '/sys/class/net/*',
  labels: ['device', 'ifindex', 'driver', 'kind', 'pci', 'master'],
  unit: 'none',
  sparse: true,
  help: '1 per network device: driver, kind (physical, veth, bridge, bond, vlan, tun, loopback ..., or unknown), PCI address, upper device.',
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
  unit: 'packets',
  help: 'Frames that a receive ring of the device has room for.',
});
export const receiveRingMost = gauge('pktcost_device_receive_ring_frames_possible', {
  ...sysNet,
  source: 'ethtool -g',
  unit: 'packets',
  help: 'Frames that a receive ring of the device can be given room for.',
});
export const receiveRingLost = counter('pktcost_device_receive_ring_lost_total', {
  collector: 'nics',
  source: 'ring_losses',
  labels: ['device', 'counter'],
  unit: 'packets',
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

export const receiveCardLost = counter('pktcost_device_receive_card_lost_total', {
  collector: 'nics',
  source: 'ring_losses',
  labels: ['device', 'counter', 'kind'],
  unit: 'packets',
  perNetns: true,
  help: 'Frames that were lost on their way to the receive ring by a counter of the driver: no room in the card (port), no memory (memory), spoilt (bad), more than the host of this guest allows (policed). Of devices that are up.',
});

const ct = { collector: 'conntrack', labels: [], perNetns: true } as const;
export const conntrackEntries = gauge('node_nf_conntrack_entries', {
  ...ct,
  source: '/proc/sys/net/netfilter/nf_conntrack_count',
  unit: 'entries',
  help: 'Entries in the conntrack table of this network namespace.',
});
export const conntrackLimit = gauge('node_nf_conntrack_entries_limit', {
  ...ct,
  source: '/proc/sys/net/netfilter/nf_conntrack_max',
  unit: 'entries',
  help: 'The one global limit that the count of each namespace is compared with; 0 means unlimited up to 6.12.',
});
export const conntrackBuckets = gauge('pktcost_nf_conntrack_buckets', {
  ...ct,
  source: '/proc/sys/net/netfilter/nf_conntrack_buckets',
  unit: 'number',
  help: 'Size of the global conntrack hash table.',
});
const ctStat = (name: string, help: string, prefix = 'node'): Metric<never> & { readonly countsUp: true } =>
  counterExposedAs('gauge', `${prefix}_nf_conntrack_stat_${name}`, {
    ...ct,
    source: '/proc/net/stat/nf_conntrack',
    unit: name === 'drop' || name === 'invalid' ? 'packets' : 'events',
    width: 'u32-per-cpu',
    help,
  });
export const conntrackFound = ctStat('found', 'Hits of the NAT source-port search; not a count of lookups.');
export const conntrackInvalid = ctStat('invalid', 'Packets that could not be tracked; usually accepted as INVALID.');
export const conntrackIgnore = ctStat('ignore', 'Hard-wired to 0 on current kernels.');
export const conntrackInsert = ctStat('insert', 'Entries created through ctnetlink or BPF; 0 under ordinary traffic.');
export const conntrackInsertFailed = ctStat(
  'insert_failed',
  'Entries lost at confirmation: a race with the same tuple, or a hash chain too long. Not a full table.',
);
export const conntrackDrop = ctStat(
  'drop',
  'Packets dropped because no entry could be allocated (table full), or by a tracker verdict or clash.',
);
export const conntrackEarlyDrop = ctStat(
  'early_drop',
  'Old, not assured entries evicted so that a new one fits; the packet itself goes on.',
);
export const conntrackSearchRestart = ctStat('search_restart', 'Lookups restarted because the entry moved.');
export const conntrackClashResolved = ctStat('clashres', 'Insert clashes resolved without a drop.', 'pktcost');
export const conntrackChainTooLong = ctStat(
  'chaintoolong',
  'Insertions refused because the hash chain was too long: the hash is too small.',
  'pktcost',
);

/** Fields that are levels or settings, not counters. */
const netstatGauges = new Set([
  'Tcp_CurrEstab',
  'Tcp_MaxConn',
  'Tcp_RtoAlgorithm',
  'Tcp_RtoMin',
  'Tcp_RtoMax',
  'MPTcpExt_MPCurrEstab',
  'Ip_Forwarding',
  'Ip_DefaultTTL',
]);
const netstatHelp: Readonly<Record<string, string>> = {
  Tcp_CurrEstab: 'Connections in ESTABLISHED or CLOSE_WAIT, IPv4 and IPv6.',
  Tcp_RetransSegs: 'Segments retransmitted, SYN-ACKs included.',
  TcpExt_ListenOverflows: 'Connection attempts refused because an accept queue was full; each retry counts again.',
  TcpExt_ListenDrops: 'Connection attempts dropped by a listener for any reason; contains ListenOverflows.',
  TcpExt_TCPReqQFullDrop: 'SYNs dropped because the SYN queue was full and cookies are off.',
  TcpExt_TCPReqQFullDoCookies: 'SYNs answered with a cookie because the SYN queue was full: no drop.',
  TcpExt_TCPRcvQDrop: 'In-order segments refused because the receive buffer could not be charged.',
  TcpExt_RcvPruned: 'Segments dropped after pruning the receive queue did not make room.',
  TcpExt_OfoPruned: 'Out-of-order queues thrown away for want of receive memory.',
  TcpExt_PruneCalled: 'Times the receive-memory pressure handler ran; not a drop.',
  TcpExt_TCPBacklogDrop: 'Segments dropped because the socket was held by its user and the socket backlog was full.',
  TcpExt_TCPOFOQueue: 'Segments queued out of order.',
  TcpExt_TCPTimeouts: 'Retransmission timeouts, SYN-ACK timers included.',
  TcpExt_TCPToZeroWindowAdv: 'Times a receive window closed: the application reads too slowly. No loss.',
  TcpExt_TCPFromZeroWindowAdv: 'Times a closed receive window opened again.',
  TcpExt_TCPWantZeroWindowAdv: 'Times a receive window would have closed but could not be announced.',
  TcpExt_TCPZeroWindowDrop: 'Segments that arrived while the window was closed; mostly window probes.',
  TcpExt_TCPMemoryPressures:
    'Entries into TCP memory pressure; pressure that lasts through the window leaves it unchanged.',
  TcpExt_TCPAbortOnMemory: 'Connections killed for want of TCP memory or too many orphans.',
  Udp_InErrors: 'Datagrams not delivered: contains RcvbufErrors, MemErrors and InCsumErrors.',
  Udp_RcvbufErrors: 'Datagrams dropped because the receive buffer of their socket was full.',
  Udp_SndbufErrors: 'Datagrams not sent for want of send buffer or queue.',
  Udp_MemErrors: 'Datagrams dropped because udp_mem or the memory cgroup was exhausted; not in kernels before 5.14.',
  Udp_NoPorts: 'Datagrams for a port nobody listens on.',
};

/** Fields that the rules ask for and node_exporter shows without being told to. */
const usualFields = new RegExp(
  [
    '^(?:.*_(?:InErrors|InErrs)|Ip_Forwarding|Ip(?:6|Ext)_(?:InOctets|OutOctets)|Icmp6?_(?:InMsgs|OutMsgs)',
    'TcpExt_(?:Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)',
    'Tcp_(?:ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)',
    'Udp6?_(?:InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$',
  ].join('|'),
);

/** `node_netstat_<Proto>_<Field>` for every field of /proc/net/{netstat,snmp,snmp6}, whatever this kernel has. */
export const netstat = family('node_netstat_', (field) => {
  const spec = {
    collector: 'netstat',
    ...(usualFields.test(field) ? {} : { exporterFlag: '--collector.netstat.fields' }),
    source:
      field.startsWith('TcpExt_') || field.startsWith('IpExt_') || field.startsWith('MPTcpExt_')
        ? '/proc/net/netstat'
        : /^[A-Za-z]+6_/.test(field)
          ? '/proc/net/snmp6'
          : '/proc/net/snmp',
    labels: [],
    perNetns: true,
    unit: netstatUnit(field),
    help: netstatHelp[field] ?? `Field ${field} of the kernel's SNMP counters.`,
  } as const;
  return netstatGauges.has(field)
    ? { ...gauge(`node_netstat_${field}`, spec), type: 'untyped' as const }
    : counterExposedAs('untyped', `node_netstat_${field}`, spec);
});

function netstatUnit(field: string): 'segments' | 'datagrams' | 'connections' | 'events' {
  if (/Segs$|RcvQDrop|RcvPruned|BacklogDrop|OFOQueue|OFODrop/.test(field)) return 'segments';
  if (/^Udp/.test(field)) return 'datagrams';
  return /Opens$|Listen|CurrEstab/.test(field) ? 'connections' : 'events';
}

/** `node_sockstat_<Proto>_<field>`; `_mem_bytes` is derived from `_mem` and the page size. */
export const sockstat = family('node_sockstat_', (field) =>
  gauge(`node_sockstat_${field}`, {
    collector: 'sockstat',
    source: /^[A-Z]+6_/.test(field) ? '/proc/net/sockstat6' : '/proc/net/sockstat',
    labels: [],
    perNetns: true,
    unit:
      field.endsWith('_bytes') || field.endsWith('_memory') ? 'bytes' : field.endsWith('_mem') ? 'pages' : 'sockets',
    help: sockstatHelp(field),
  }),
);

function sockstatHelp(field: string): string {
  if (field === 'sockets_used') return 'Sockets of all address families in this network namespace.';
  if (/^TCP_(orphan|alloc|mem|mem_bytes)$/.test(field))
    return `TCP ${field.slice(4)} of the whole host, IPv4 and IPv6.`;
  return `Field ${field} of the kernel's socket statistics.`;
}

const sysctlSpec = { collector: 'sysctl', perNetns: true } as const;
export const sysctl = gauge('pktcost_sysctl', {
  ...sysctlSpec,
  source: '/proc/sys',
  labels: ['name'],
  unit: 'number',
  help: 'A tunable that a rule compares with, by its dotted name, e.g. net.core.somaxconn.',
});
export const tcpMem = gauge('pktcost_tcp_mem_pages', {
  collector: 'sysctl',
  source: '/proc/sys/net/ipv4/tcp_mem',
  labels: ['limit'],
  unit: 'pages',
  help: 'net.ipv4.tcp_mem of the host: min, pressure and max, in pages.',
});
export const udpMem = gauge('pktcost_udp_mem_pages', {
  collector: 'sysctl',
  source: '/proc/sys/net/ipv4/udp_mem',
  labels: ['limit'],
  unit: 'pages',
  help: 'net.ipv4.udp_mem of the host: min, pressure and max, in pages.',
});
