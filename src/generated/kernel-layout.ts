/* Made from the BTF and the symbols of bpf/*.o by `npm run generate`: do not edit. */

/** struct pktcost_span: its size and the offsets of its members, in bytes. */
export const spanLayout = {
  bytes: 1832,
  count: 0,
  sumNs: 8,
  sumSqSmall: 16,
  sumSqLarge: 24,
  minNs: 32,
  maxNs: 40,
  stamped: 48,
  lost: 56,
  buckets: 104,
} as const;

/** struct pktcost_cpu: its size and the offsets of its members, in bytes. */
export const cpuLayout = {
  bytes: 680,
  skb: 0,
  stampNs: 8,
  ifindex: 16,
  countdown: 20,
  skbs: 24,
  stamped: 32,
  uncollected: 40,
  inDriver: 48,
  split: 52,
  entryNs: 56,
  entrySkbs: 64,
  netRxRuns: 72,
  netRxSampled: 80,
  netRxNs: 88,
  netRxSkbs: 96,
  netRxCountdown: 104,
  xdpCountdown: 108,
  stackFromNs: 112,
  runStackNs: 120,
  splitNs: 128,
  splitStackNs: 136,
  splitSkbs: 144,
  driverCalls: 152,
  device: 160,
  unused: 164,
  packets: 168,
} as const;

/** struct pktcost_bill: its size and the offsets of its members, in bytes. */
export const billLayout = {
  bytes: 64,
  packets: 0,
  ns: 8,
  txPackets: 16,
  txNs: 24,
  inode: 32,
  netns: 40,
  ifindex: 44,
  lost: 48,
  seen: 56,
  looked: 60,
} as const;

/** struct pktcost_tapcpu: its size and the offsets of its members, in bytes. */
export const tapcpuLayout = {
  bytes: 104,
  rcvNs: 0,
  fanoutNs: 8,
  nitNs: 16,
  countdown: 24,
  nitCountdown: 28,
  fanoutCountdown: 32,
  inNit: 36,
  calls: 40,
  nitCalls: 48,
  nitCount: 56,
  nitTotalNs: 64,
  fanoutCalls: 72,
  fanoutCount: 80,
  fanoutTotalNs: 88,
  full: 96,
} as const;

/** struct pktcost_xmit: its size and the offsets of its members, in bytes. */
export const xmitLayout = {
  bytes: 64,
  skb: 0,
  stampNs: 8,
  device: 16,
  way: 24,
  list: 28,
  countdown: 32,
  unused: 36,
  calls: 40,
  stamped: 48,
  unwatched: 56,
} as const;

/** struct pktcost_drop_place: its size and the offsets of its members, in bytes. */
export const dropPlaceLayout = {
  bytes: 24,
  location: 0,
  reason: 8,
  ifindex: 12,
  netns: 16,
  unused: 20,
} as const;

/** struct pktcost_drops: its size and the offsets of its members, in bytes. */
export const dropsLayout = {
  bytes: 1568,
  total: 0,
  lookedAt: 8,
  noRoom: 16,
  rarest: 24,
  unused: 28,
  slots: 32,
} as const;

/** struct pktcost_chain: its size and the offsets of its members, in bytes. */
export const chainLayout = {
  bytes: 1024,
  frames: 0,
  unused: 4,
  ips: 8,
} as const;

/** struct pktcost_sample: its size and the offsets of its members, in bytes. */
export const sampleLayout = {
  bytes: 32,
  chain: 0,
  leaf: 8,
  cpu: 16,
  tgid: 20,
  slot: 24,
  unused: 28,
} as const;

/** struct pktcost_names: its size and the offsets of its members, in bytes. */
export const namesLayout = {
  bytes: 6656,
  addresses: 0,
  names: 512,
} as const;

/** struct pktcost_ring: its size and the offsets of its members, in bytes. */
export const ringLayout = {
  bytes: 16,
  inode: 0,
  netns: 8,
  drops: 12,
} as const;

/** The variables that user space writes: the section of each, and its place there in bytes. */
export const variables = {
  slot: { section: '.rodata', offset: 0, bytes: 4 },
  sampleEvery: { section: '.data', offset: 0, bytes: 4 },
  netRxEvery: { section: '.data', offset: 0, bytes: 4 },
  stackEvery: { section: '.data', offset: 0, bytes: 4 },
} as const;
