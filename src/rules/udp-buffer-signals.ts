/** What PKT0405 asks of a namespace. */
import { holdersOfSockets } from '../facts/sockets.ts';
import { BEHIND_THE_SENDER, droppedBehind } from '../facts/behind.ts';
import {
  datagramsOverflowed,
  datagramsRefused,
  datagramsUnsent,
  overflowedPerSecond,
  overflowedShare,
  refusedByLevel,
  refusedPerSecond,
  refusedShare,
  udp,
  udpPages,
  udpPagesLimit,
  unsentShare,
} from '../facts/datagrams.ts';
import {
  cgroupSocketMemoryRefused,
  cgroupSocketMemoryUsed,
  readerMemoryGroup,
  skbDrops,
  socketOwnerCpu,
  sockstat,
  sysctl,
  transmitDrop,
  udpQueues,
  udpSocketDrops,
  udpSocketReceiveBuffer,
  unameInfo,
} from '../metrics/catalogue/index.ts';
import { either, peak, ratio, sumBy, value, within } from '../metrics/expression.ts';
import { threadSignals } from './reader-signals.ts';
import { deciding, list, optional, optionalList, type Given } from './rule.ts';

const full = udp('RcvbufErrors');
const socketDrops = within(udpSocketDrops);
// The same in every namespace.
const allPages = peak(sockstat.member('UDP_mem'));

export const signals = {
  // Where nothing of the kernel was copied, ss tells what sockets dropped.
  any: list(either(either(full, udp('RcvbufErrors', '6')), either(sumBy([], socketDrops), allPages))),
  full: deciding(full),
  full6: deciding(udp('RcvbufErrors', '6')),
  delivered: deciding(udp('InDatagrams')),
  delivered6: deciding(udp('InDatagrams', '6')),
  // Not in kernels before 5.14.
  memory: deciding(udp('MemErrors')),
  // What is neither Rcvbuf nor Csum in it was refused for memory, or by the filter of a socket.
  errors: optional(udp('InErrors')),
  errors6: optional(udp('InErrors', '6')),
  checksum: optional(udp('InCsumErrors')),
  checksum6: optional(udp('InCsumErrors', '6')),
  byLevel: deciding(refusedByLevel),
  pages: deciding(udpPages),
  most: deciding(udpPagesLimit),
  kernel: optional(value(unameInfo)),
  memory6: deciding(udp('MemErrors', '6')),
  unsent: deciding(udp('SndbufErrors')),
  unsent6: deciding(udp('SndbufErrors', '6')),
  sent6: deciding(udp('OutDatagrams', '6')),
  overflowed: optional(datagramsOverflowed),
  overflowedShare: optional(overflowedShare),
  overflowedPerSecond: optional(overflowedPerSecond),
  refused: optional(datagramsRefused),
  refusedShare: optional(refusedShare),
  refusedPerSecond: optional(refusedPerSecond),
  notSent: optional(datagramsUnsent),
  notSentShare: optional(unsentShare),
  behind: optional(droppedBehind),
  behindShare: optional(ratio(droppedBehind, datagramsUnsent)),
  refusing: optionalList(within(transmitDrop)),
  queued: optionalList(within(skbDrops, { reason: BEHIND_THE_SENDER })),
  socketDrops: optionalList(socketDrops),
  buffers: optionalList(value(udpSocketReceiveBuffer)),
  queues: optionalList(value(udpQueues)),
  owners: optionalList(holdersOfSockets),
  ownerCpus: optionalList(peak(socketOwnerCpu)),
  ...threadSignals,
  memoryGroups: optionalList(peak(readerMemoryGroup)),
  memoryRefused: optionalList(within(cgroupSocketMemoryRefused)),
  memoryUsed: optionalList(peak(cgroupSocketMemoryUsed)),
  noMemory: optionalList(within(skbDrops, { reason: 'PROTO_MEM' })),
  rmemMax: optional(value(sysctl, { name: 'net.core.rmem_max', netns: '' })),
  rmemDefault: optional(value(sysctl, { name: 'net.core.rmem_default', netns: '' })),
};

export type UdpReadings = Given<typeof signals>;
