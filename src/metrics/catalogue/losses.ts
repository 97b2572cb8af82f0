import { counter, gauge } from '../metric.ts';

const qdisc = {
  collector: 'qdisc',
  source: 'qdisc',
  labels: ['device', 'kind'],
  perNetns: true,
  exporterFlag: '--collector.qdisc',
} as const;
export const qdiscPackets = counter('node_qdisc_packets_total', {
  ...qdisc,
  unit: 'packets',
  help: 'Packets that the root queueing discipline of a device sent.',
});
export const qdiscDrops = counter('node_qdisc_drops_total', {
  ...qdisc,
  unit: 'packets',
  width: 'u32',
  help: 'Packets that the root queueing discipline of a device, or one below it, dropped; in no counter of the device.',
});
export const qdiscRequeues = counter('node_qdisc_requeues_total', {
  ...qdisc,
  unit: 'packets',
  width: 'u32',
  help: 'Packets that the driver gave back for want of room in its ring; no loss.',
});
export const qdiscBacklog = gauge('node_qdisc_current_queue_length', {
  ...qdisc,
  unit: 'packets',
  help: 'Packets that wait in the root queueing discipline of a device.',
});

const neighbour = { collector: 'neighbours', labels: ['table'], width: 'u32-per-cpu' } as const;
const neighbourStat = { ...neighbour, source: '/proc/net/stat/{arp,ndisc}_cache' } as const;
export const neighbourEntries = gauge('pktcost_neighbour_entries', {
  collector: 'neighbours',
  labels: ['table'],
  source: '/proc/net/stat/{arp,ndisc}_cache',
  unit: 'entries',
  help: 'Entries of the neighbour table (arp, ndisc) of the whole host, all namespaces together.',
});
export const neighbourLimit = gauge('pktcost_neighbour_entries_limit', {
  collector: 'neighbours',
  labels: ['table'],
  source: '/proc/sys/net/{ipv4,ipv6}/neigh/default/gc_thresh3',
  unit: 'entries',
  help: 'gc_thresh3: entries from which no new neighbour is taken in.',
});
export const neighbourTableFull = counter('pktcost_neighbour_table_full_total', {
  ...neighbourStat,
  unit: 'events',
  help: 'Times no entry could be made because the neighbour table was at gc_thresh3, of the whole host.',
});
export const neighbourUnresolved = counter('pktcost_neighbour_unresolved_discards_total', {
  ...neighbourStat,
  unit: 'packets',
  help: 'Packets dropped while the address of their neighbour was being found: too many waited. Of the whole host.',
});
export const neighbourFailed = counter('pktcost_neighbour_resolution_failed_total', {
  ...neighbourStat,
  unit: 'events',
  help: 'Neighbours that did not answer, of the whole host.',
});

export const xfrmErrors = counter('pktcost_xfrm_errors_total', {
  collector: 'xfrm',
  source: '/proc/net/xfrm_stat',
  labels: ['error'],
  perNetns: true,
  sparse: true,
  unit: 'packets',
  help: 'Packets of IPsec dropped, by what was wrong (fields of /proc/net/xfrm_stat).',
});

export const rawSocketDrops = counter('pktcost_raw_socket_drops_total', {
  collector: 'rawsockets',
  source: '/proc/net/{raw,raw6}',
  labels: ['family', 'protocol', 'inode'],
  perNetns: true,
  sparse: true,
  width: 'u32',
  unit: 'packets',
  help: 'Packets that a raw socket had no room for (sk_drops). Sockets that never dropped are left out.',
});
