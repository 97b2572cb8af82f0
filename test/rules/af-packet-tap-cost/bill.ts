/** Several sockets on one device: who pays which part. */
import {
  kernelFeature,
  processCpu,
  processLastCpu,
  profileTapSamples,
  receivePackets,
  sentTapNanoseconds,
  tapNanoseconds,
  transmitPackets,
} from '../../../src/metrics/catalogue/index.ts';
import { hookCell, kernelHooks, ownerCell, socketCell } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { probe, tcpdump, sentProfile, busy, calm } from './cells.ts';

export const billCases: readonly Case[] = [
  {
    name: 'GRO: taps run once per skb, so 100,000 frames in 2,500 skbs are billed as 2,500',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(8150, 20_000, 2500)],
    outcome: 'warning',
    args: { ns: 8000, cpu: 0.02, skbs: 2500 },
  },
  {
    name: 'four sockets in one fanout group are one tap',
    cells: [
      ...busy,
      ...['1', '2', '3', '4'].map((inode) =>
        socketCell({ inode, hook: 'packet_rcv_fanout', fanout: 'id 7 type hash' }),
      ),
      ...['1', '2', '3', '4'].map((inode) => ownerCell(inode, 'Suricata-Main', '77')),
      hookCell('eth0', 'packet_rcv_fanout'),
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    args: {
      owners: 'Suricata-Main (pid 77)',
      bill: 'Suricata-Main (pid 77): 700 ns, eth0, packet_rcv_fanout, filter matches all, ring v3 16x131072, fanout id 7 type hash, 4 sockets',
    },
    command: /suricata\.yaml/,
  },
  {
    name: 'three captures are three owners on one bill, split as an estimate',
    cells: [
      ...busy,
      ...['1', '2', '3'].map((inode) => socketCell({ inode })),
      ...['1', '2', '3'].map((inode) => ownerCell(inode, 'tcpdump', `10${inode}`)),
      kernelHooks,
      ...calm,
      ...probe(1350, 2500, 100_000),
    ],
    outcome: 'warning',
    args: { owners: 'tcpdump (pid 101), tcpdump (pid 102), tcpdump (pid 103)' },
    command: /kill -INT 103/,
  },
  {
    name: 'priced per socket: the bill is what was measured',
    cells: [
      ...busy,
      socketCell({ inode: '1' }),
      socketCell({ inode: '2' }),
      ownerCell('1', 'tcpdump', '11'),
      ownerCell('2', 'mystery', '12'),
      [tapNanoseconds, { inode: '1', device: 'eth0', certainty: 'measured' }, 500, 500],
      [tapNanoseconds, { inode: '2', device: 'eth0', certainty: 'measured' }, 200, 200],
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    args: {
      bill:
        'tcpdump (pid 11): 500 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'mystery (pid 12): 200 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072',
    },
    command: /proc\/12\/cmdline/,
  },
  {
    name: 'a DPDK program on AF_PACKET is not told to be killed',
    cells: [
      ...busy,
      socketCell({}),
      ownerCell('1001', 'dpdk-testpmd', '9'),
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    command: /^(?![^]*kill)/,
  },
  {
    name: 'threaded NAPI: poll time is in the threads, not in NET_RX, and belongs to the whole',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 100, 100_000),
      [processCpu, { pid: '50', comm: 'napi/eth0-1', role: 'napi' }, 0, 1.9],
      [processLastCpu, { pid: '50', comm: 'napi/eth0-1', role: 'napi' }, 1, 1],
    ],
    outcome: 'warning',
    args: { perPacket: 2000, share: 0.35 },
  },
  {
    name: 'a whole that is less than its part gives no share',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(4150, 500, 100_000)],
    outcome: 'warning',
    message: 'pricedAlone',
    args: { ns: 4000, cpu: 0.4 },
  },
  {
    name: 'unequal taps: a ring that copies and a socket that rejects are told apart by the profile, with its error',
    cells: [
      ...busy,
      kernelHooks,
      ...tcpdump,
      socketCell({ inode: '1002', hook: 'packet_rcv', filter: 'classic 9 instructions', ring: 'none' }),
      ownerCell('1002', 'lldpd', '77'),
      ...calm,
      ...probe(1220, 3000, 100_000),
      [profileTapSamples, { direction: 'receive', hook: 'tpacket_rcv' }, 0, 168],
      [profileTapSamples, { direction: 'receive', hook: 'packet_rcv' }, 0, 32],
    ],
    outcome: 'warning',
    message: 'priced',
    args: {
      bill:
        'tcpdump (pid 4242): 899 ns (± 54 ns by the profile), eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'lldpd (pid 77): 171 ns (± 54 ns by the profile), eth0, packet_rcv, filter classic 9 instructions, ring none',
    },
  },
  {
    name: 'unequal taps: samples that are of taps elsewhere too do not tell them apart',
    cells: [
      ...busy,
      kernelHooks,
      ...tcpdump,
      socketCell({ inode: '1002', hook: 'packet_rcv', filter: 'classic 9 instructions', ring: 'none' }),
      ownerCell('1002', 'lldpd', '77'),
      socketCell({ inode: '1003', hook: 'packet_rcv', netns: 'pod', ring: 'none' }),
      [kernelFeature, { feature: 'per_netns_taps' }, 1, 1],
      ...calm,
      ...probe(820, 3000, 100_000),
      [profileTapSamples, { direction: 'receive', hook: 'tpacket_rcv' }, 0, 168],
      [profileTapSamples, { direction: 'receive', hook: 'packet_rcv' }, 0, 32],
    ],
    outcome: 'warning',
    message: 'priced',
    args: {
      bill:
        'tcpdump (pid 4242): 430 ns (estimated), eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'lldpd (pid 77): 240 ns (estimated), eth0, packet_rcv, filter classic 9 instructions, ring none',
    },
  },
  {
    name: 'where each socket is timed, the sum of them is the price',
    cells: [
      [receivePackets, { device: 'eth0' }, 0, 10],
      [transmitPackets, { device: 'eth0' }, 0, 1_000_000],
      [sentTapNanoseconds, { inode: '1001', device: 'any', certainty: 'measured' }, null, 500],
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    message: 'sentPriced',
    args: { sentNs: 500, sent: 100_000 },
  },
];
