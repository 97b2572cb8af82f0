import { readFileSync } from 'node:fs';

import { conntrackTable, groups, type Copy } from './copies.ts';
import { repository } from './fixture.ts';

/**
 * A host on which much is wrong at once, as files of /proc and /sys at the beginning and the end of a window: four CPUs, two nodes,
 * two cards, a capture, a full conntrack table, full queues and buffers, no memory for TCP and UDP, losses everywhere.
 */
export function sickFiles(end: 0 | 1): Copy {
  return { ...kernelOf(end), ...network(end), ...settings(), ...cards(end), ...machine(end) };
}

export const SICK_SECONDS = 10;

const hex = (value: number): string => value.toString(16).padStart(8, '0');

/** What `names` counted before, and what most of them counted in the window. */
type Rise = Readonly<Record<string, number>>;

/** The fields of a real kernel with a figure for each, those of `rise` raised by so many in the window. */
function counters(file: string, rise: Rise, end: 0 | 1): string {
  const lines = readFileSync(`${repository}/test/fixtures/netstat/6.12/${file}`, 'utf8').split('\n');
  const tables: Record<string, Record<string, number>> = {};
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [group = '', ...names] = (lines[at] ?? '').split(' ');
    const table: Record<string, number> = {};
    for (const name of names)
      table[name] = 1000 + (rise[name] ?? 0) * (1 + end) + (rise[`${group}${name}`] ?? 0) * (1 + end);
    tables[group.slice(0, -1)] = table;
  }
  return groups(tables);
}

const TCP: Rise = {
  ListenOverflows: 5000,
  ListenDrops: 9000,
  TCPReqQFullDrop: 2000,
  TCPRcvQDrop: 300,
  RcvPruned: 4000,
  OfoPruned: 40,
  TCPBacklogDrop: 3000,
  TCPMemoryPressures: 9,
  TCPAbortOnMemory: 400,
  TCPTimeWaitOverflow: 300,
  TCPAbortOnData: 200,
  TCPTimeouts: 700,
  IPReversePathFilter: 60_000,
  'IpExt:InNoRoutes': 900,
  'IpExt:InCsumErrors': 5000,
};
const SNMP: Rise = {
  'Ip:InReceives': 1_000_000,
  'Ip:InDelivers': 900_000,
  'Ip:OutRequests': 900_000,
  'Ip:InHdrErrors': 500,
  'Ip:InAddrErrors': 700,
  'Ip:OutNoRoutes': 800,
  'Ip:ReasmReqds': 9000,
  'Ip:ReasmFails': 4000,
  'Ip:FragFails': 3000,
  'Icmp:InCsumErrors': 20,
  'Tcp:ActiveOpens': 4000,
  'Tcp:PassiveOpens': 40_000,
  'Tcp:InSegs': 400_000,
  'Tcp:OutSegs': 400_000,
  'Tcp:RetransSegs': 60_000,
  'Tcp:InCsumErrors': 600,
  'Udp:InDatagrams': 300_000,
  'Udp:InErrors': 90_000,
  'Udp:OutDatagrams': 100_000,
  'Udp:RcvbufErrors': 50_000,
  'Udp:MemErrors': 30_000,
  'Udp:SndbufErrors': 2000,
  'Udp:InCsumErrors': 3000,
};
const SIX: Rise = {
  Ip6InReceives: 50_000,
  Ip6InDelivers: 40_000,
  Ip6OutRequests: 40_000,
  Ip6InHdrErrors: 30,
  Ip6InTooBigErrors: 40,
  Ip6InNoRoutes: 4000,
  Ip6InAddrErrors: 30,
  Ip6OutNoRoutes: 900,
  Ip6ReasmFails: 300,
  Ip6FragFails: 200,
  Icmp6InCsumErrors: 9,
  Udp6InDatagrams: 10_000,
  Udp6InErrors: 900,
  Udp6OutDatagrams: 4000,
  Udp6RcvbufErrors: 500,
  Udp6SndbufErrors: 0,
  Udp6InCsumErrors: 80,
  Udp6MemErrors: 200,
};

function kernelOf(end: 0 | 1): Copy {
  const ticks = (user: number, softirq: number, idle: number, steal: number): readonly number[] =>
    [user, 0, 50, idle, 0, 0, softirq, steal, 0, 0].map((share) => 100_000 + share * (1 + end) * 10);
  const cpus = [ticks(20, 5, 25, 0), ticks(10, 85, 0, 5), ticks(20, 95, 0, 0), ticks(20, 5, 25, 20)];
  const all = cpus[0]!.map((_, column) => cpus.reduce((sum, row) => sum + row[column]!, 0));
  const columns = (title: string, counts: readonly number[]): string =>
    `${title.padStart(12)}:${counts.map((count) => `${count}`.padStart(11)).join('')}\n`;
  const runs = (step: number): readonly number[] => [1, 40, 60, 1].map((share) => 1000 + share * step * (1 + end));
  const header = `${' '.repeat(20)}${[0, 1, 2, 3].map((cpu) => `CPU${cpu}`.padEnd(11)).join('')}\n`;
  const vectors = ['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'];
  const irq = (number: number, counts: readonly number[], name: string): string =>
    `${String(number).padStart(4)}: ${counts.map((count) => String(count).padStart(10)).join(' ')}  IR-PCI-MSIX-0000:81:00.0   ${number - 24}-edge      ${name}\n`;
  const backlog = [0, 1, 2, 3].map((cpu) => {
    const [processed, dropped, squeezed] = [
      [50_000, 0, 5],
      [400_000, 0, 3000],
      [600_000, 90_000, 9000],
      [50_000, 0, 9],
    ][cpu]!;
    const row = Array.from({ length: 15 }, () => 0);
    const risen = (count: number): number => 1000 + count * (1 + end);
    [row[0], row[1], row[2], row[12]] = [risen(processed!), dropped! * (1 + end), risen(squeezed!), cpu];
    return `${row.map(hex).join(' ')}\n`;
  });
  return {
    'proc/uptime': `${(90_000 + SICK_SECONDS * end).toFixed(2)} 9000.00\n`,
    'proc/stat': `cpu  ${all.join(' ')}\n${cpus.map((row, cpu) => `cpu${cpu} ${row.join(' ')}\n`).join('')}intr 9\nctxt 1000\nbtime 1700000000\nprocesses 100\nprocs_running 1\nprocs_blocked 0\nsoftirq 9 1 1 1 1 1 1 1 1 1 1\n`,
    'proc/softirqs': `${header}${vectors.map((name) => columns(name, runs(name === 'NET_RX' ? 4000 : 40))).join('')}`,
    'proc/interrupts': `           CPU0       CPU1       CPU2       CPU3       \n${irq(24, [0, 0, 90_000 * (1 + end), 0], 'eth0-TxRx-0')}${irq(25, [0, 40_000 * (1 + end), 0, 0], 'eth1-rx-0')}`,
    'proc/net/softnet_stat': backlog.join(''),
    'proc/cmdline': 'BOOT_IMAGE=/vmlinuz-6.12 isolcpus=2 nohz_full=2\n',
    'proc/modules': 'nf_conntrack 139264 2 nf_nat,openvswitch, Live 0x0\nopenvswitch 139264 2 - Live 0x0\n',
    'proc/pressure/cpu': `some avg10=70.00 avg60=65.00 avg300=60.00 total=${9_000_000 + 7_000_000 * end}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`,
    'proc/pressure/memory': `some avg10=40.00 avg60=35.00 avg300=30.00 total=${9_000_000 + 4_000_000 * end}\nfull avg10=20.00 avg60=15.00 avg300=10.00 total=${900_000 + 2_000_000 * end}\n`,
    'proc/pressure/io': `some avg10=40.00 avg60=35.00 avg300=30.00 total=${9_000_000 + 4_000_000 * end}\nfull avg10=20.00 avg60=15.00 avg300=10.00 total=${900_000 + 2_000_000 * end}\n`,
  };
}

function network(end: 0 | 1): Copy {
  const socket = (slot: number, local: string, state: string, waiting: number, inode: number, tail: string): string =>
    `${String(slot).padStart(4)}: ${local} 00000000:0000 ${state} 00000000:${hex(waiting)} 00:00000000 00000000     0        0 ${inode} ${tail}\n`;
  const tcpHeader =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
  const udpHeader =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
  const perCpu = (row: Rise): string => {
    const quiet = Object.fromEntries(
      Object.keys(row).map((name) => [name, name === 'entries' ? (row['entries'] ?? 0) : 7]),
    );
    const line = (values: Rise): string => `${Object.values(values).map(hex).join(' ')}\n`;
    return `${Object.keys(row).join(' ')}\n${line(row)}${line(quiet).repeat(3)}`;
  };
  const xfrm = ['XfrmInError', 'XfrmInNoStates', 'XfrmInStateSeqError', 'XfrmInNoPols', 'XfrmOutError'];
  return {
    'proc/net/netstat': counters('netstat', TCP, end),
    'proc/net/snmp': counters('snmp', SNMP, end),
    'proc/net/snmp6': Object.entries(SIX)
      .map(([name, count]) => `${name.padEnd(32)}\t${1000 + count * (1 + end)}\n`)
      .join(''),
    'proc/net/sockstat':
      'sockets: used 900\nTCP: inuse 200 orphan 9000 tw 40 alloc 900 mem 190100\nUDP: inuse 8 mem 90020\nUDPLITE: inuse 0\nRAW: inuse 1\nFRAG: inuse 0 memory 0\n',
    'proc/net/dev':
      'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
      '    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0\n' +
      `  eth0: ${9e8 * (1 + end)} ${1_000_000 * (1 + end)} 0 ${70_000 * (1 + end)} ${20_000 * (1 + end)} 0 0 0 ${9e7 * (1 + end)} ${800_000 * (1 + end)} 0 ${30_000 * (1 + end)} 0 0 0 0\n` +
      `  eth1: ${9e7 * (1 + end)} ${400_000 * (1 + end)} 0 0 0 0 0 0 ${9e7 * (1 + end)} ${100_000 * (1 + end)} 0 0 0 0 0 0\n`,
    'proc/net/tcp': `${tcpHeader}${socket(0, '00000000:0050', '0A', 129, 5001, '1 00000000b731964b 100 0 0 10 0')}${socket(1, '00000000:0016', '0A', 0, 5002, '1 00000000b731964b 100 0 0 10 0')}`,
    'proc/net/udp': `${udpHeader}${socket(0, '00000000:0202', '07', 212_000, 6001, `2 0000000095cda28d ${50_000 * (1 + end)}`)}${socket(1, '00000000:0035', '07', 0, 6002, '2 0000000095cda28d 3')}`,
    'proc/net/packet':
      'sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n0000000000000000 3      3    0003   2     1 9000   0      48123\n0000000000000000 3      3    0003   0     1 0      0      48124\n',
    'proc/net/ptype':
      'Type Device      Function\nALL  eth0     packet_rcv\nALL           packet_rcv\n0800          ip_rcv\n0806          arp_rcv\n86dd          ipv6_rcv\n',
    'proc/net/raw':
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n' +
      `   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 7001 2 0000000095cda28d ${4000 * (1 + end)}\n`,
    'proc/net/igmp':
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n2\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n3\teth1      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n',
    'proc/net/dev_mcast':
      '2    eth0            1     0     01005e000001\n3    eth1            1     0     01005e000001\n',
    'proc/net/xfrm_stat': xfrm.map((name) => `${name.padEnd(24)}\t${500 * (1 + end)}\n`).join(''),
    'proc/net/stat/nf_conntrack': perCpu({
      entries: 65_536,
      clashres: 5,
      found: 9,
      new: 0,
      invalid: 40,
      ignore: 0,
      delete: 0,
      chainlength: 900 * (1 + end),
      insert: 0,
      insert_failed: 2000 * (1 + end),
      drop: 30_000 * (1 + end),
      early_drop: 20_000 * (1 + end),
      icmp_error: 0,
      expect_new: 0,
      expect_create: 0,
      expect_delete: 0,
      search_restart: 3,
    }),
    'proc/net/stat/arp_cache': perCpu({
      entries: 1024,
      allocs: 9000,
      destroys: 8000,
      hash_grows: 4,
      lookups: 90_000,
      hits: 80_000,
      res_failed: 500 * (1 + end),
      rcv_probes_mcast: 0,
      rcv_probes_ucast: 0,
      periodic_gc_runs: 40,
      forced_gc_runs: 50,
      unresolved_discards: 3000 * (1 + end),
      table_fulls: 9000 * (1 + end),
    }),
    ...conntrackTable(65_536, 65_536),
  };
}

function settings(): Copy {
  const values: Readonly<Record<string, string>> = {
    'kernel/ostype': 'Linux',
    'kernel/osrelease': '6.12.9-1.el10.x86_64',
    'kernel/version': '#1 SMP PREEMPT_DYNAMIC Mon Jan 6 10:00:00 UTC 2025',
    'kernel/hostname': 'sick-1',
    'kernel/domainname': '(none)',
    'kernel/arch': 'x86_64',
    'net/core/somaxconn': '128',
    'net/core/rmem_max': '212992',
    'net/core/rmem_default': '212992',
    'net/core/netdev_max_backlog': '1000',
    'net/core/netdev_budget': '300',
    'net/core/netdev_budget_usecs': '2000',
    'net/ipv4/tcp_mem': '95000\t126000\t190000',
    'net/ipv4/udp_mem': '45000\t60000\t90000',
    'net/ipv4/tcp_max_orphans': '8192',
    'net/ipv4/tcp_max_syn_backlog': '512',
    'net/ipv4/tcp_max_tw_buckets': '30',
    'net/ipv4/tcp_syncookies': '0',
    'net/ipv4/ip_local_port_range': '32768\t60999',
    'net/ipv4/neigh/default/gc_thresh3': '1024',
    'net/ipv6/neigh/default/gc_thresh3': '1024',
    'vm/numa_stat': '1',
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`proc/sys/${name}`, `${value}\n`]));
}

function cards(end: 0 | 1): Copy {
  const card = (name: string, ifindex: number, address: string, missed: number, packets: number): Copy => {
    const pci = `sys/devices/pci0000:80/${address}`;
    const inside = `${pci}/net/${name}`;
    return {
      [`sys/class/net/${name}@`]: `../../devices/pci0000:80/${address}/net/${name}`,
      [`${inside}/device@`]: `../../../${address}`,
      [`${inside}/ifindex`]: `${ifindex}\n`,
      [`${inside}/iflink`]: `${ifindex}\n`,
      [`${inside}/uevent`]: `INTERFACE=${name}\nIFINDEX=${ifindex}\n`,
      [`${inside}/flags`]: '0x1003\n',
      [`${inside}/mtu`]: '1500\n',
      [`${inside}/operstate`]: 'up\n',
      [`${inside}/speed`]: '10000\n',
      [`${inside}/tx_queue_len`]: '1000\n',
      [`${inside}/carrier_changes`]: '3\n',
      [`${inside}/statistics/rx_missed_errors`]: `${missed * (1 + end)}\n`,
      [`${inside}/statistics/rx_packets`]: `${packets * (1 + end)}\n`,
      [`${inside}/statistics/rx_nohandler`]: '0\n',
      [`${inside}/queues/rx-0/rps_cpus`]: '0\n',
      [`${pci}/driver@`]: '../../../bus/pci/drivers/ixgbe',
      [`${pci}/numa_node`]: '1\n',
      [`${pci}/class`]: '0x020000\n',
      [`${pci}/current_link_width`]: '4\n',
      [`${pci}/max_link_width`]: '8\n',
      [`${pci}/current_link_speed`]: '5.0 GT/s PCIe\n',
      [`${pci}/max_link_speed`]: '8.0 GT/s PCIe\n',
      [`${pci}/msi_irqs/${ifindex + 22}`]: 'msix\n',
      [`sys/bus/pci/devices/${address}@`]: `../../../devices/pci0000:80/${address}`,
    };
  };
  return {
    ...card('eth0', 2, '0000:81:00.0', 40_000, 1_000_000),
    ...card('eth1', 3, '0000:82:00.0', 0, 400_000),
    'sys/devices/virtual/net/lo/flags': '0x9\n',
    'sys/devices/virtual/net/lo/ifindex': '1\n',
    'sys/devices/virtual/net/lo/uevent': 'INTERFACE=lo\nIFINDEX=1\n',
    'sys/class/net/lo@': '../../devices/virtual/net/lo',
    ...Object.fromEntries(
      [
        [24, 2],
        [25, 1],
      ].flatMap(([irq, cpu]) => [
        [`proc/irq/${irq}/smp_affinity_list`, `${cpu}\n`],
        [`proc/irq/${irq}/effective_affinity_list`, `${cpu}\n`],
        [`proc/irq/${irq}/node`, '1\n'],
      ]),
    ),
  };
}

function machine(end: 0 | 1): Copy {
  const node = (id: number, cpus: string, free: number): Copy => ({
    [`sys/devices/system/node/node${id}/cpulist`]: `${cpus}\n`,
    [`sys/devices/system/node/node${id}/distance`]: id === 0 ? '10 21\n' : '21 10\n',
    [`sys/devices/system/node/node${id}/meminfo`]: [
      'MemTotal: 8000000',
      `MemFree: ${free}`,
      `MemUsed: ${8_000_000 - free}`,
      'HugePages_Total: 0',
      'SReclaimable: 9000',
    ]
      .map((row) => `Node ${id} ${row}${row.includes('Huge') ? '' : ' kB'}\n`)
      .join(''),
    [`sys/devices/system/node/node${id}/numastat`]: `numa_hit ${900_000 * (1 + end)}\nnuma_miss 120\nnuma_foreign ${id * 400_000 * (1 + end)}\ninterleave_hit 1\nlocal_node 5\nother_node 6\n`,
  });
  const pages = 'sys/kernel/mm/hugepages/hugepages-2048kB';
  return {
    'sys/devices/system/cpu/online': '0-3\n',
    'sys/devices/system/cpu/possible': '0-3\n',
    'sys/devices/system/cpu/isolated': '2\n',
    'sys/devices/system/node/online': '0-1\n',
    'sys/devices/system/node/possible': '0-1\n',
    ...node(0, '0,2', 4_000_000),
    ...node(1, '1,3', 20_000),
    'proc/meminfo':
      'MemTotal:       16000000 kB\nMemFree:          420000 kB\nMemAvailable:     900000 kB\nSReclaimable:      18000 kB\nHugePages_Total:     512\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\n',
    [`${pages}/nr_hugepages`]: '512\n',
    [`${pages}/free_hugepages`]: '0\n',
    [`${pages}/resv_hugepages`]: '0\n',
    [`${pages}/surplus_hugepages`]: '0\n',
    [`${pages}/nr_overcommit_hugepages`]: '0\n',
  };
}
