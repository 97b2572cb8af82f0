import { counterExposedAs, family, gauge } from '../metric.ts';

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

function netstatUnit(field: string): 'segments' | 'datagrams' | 'connections' | 'connection attempts' | 'events' {
  if (/Segs$|RcvQDrop|RcvPruned|BacklogDrop|OFOQueue|OFODrop/.test(field)) return 'segments';
  if (/^Udp/.test(field)) return 'datagrams';
  if (/Listen|ReqQFull/.test(field)) return 'connection attempts';
  return /Opens$|CurrEstab/.test(field) ? 'connections' : 'events';
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
