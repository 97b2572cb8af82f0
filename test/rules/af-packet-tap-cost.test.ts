import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  baselineSoftirqPerPacket,
  cpuSeconds,
  kernelFeature,
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  packetHooks,
  processCpu,
  processLastCpu,
  profilePeriod,
  profileProcessSamples,
  profileSamples,
  profileTapSamples,
  profileSeconds,
  receiveMissed,
  receivePackets,
  sentFloor,
  sentMedian,
  sentPackets,
  sentSamples,
  sentSeconds,
  sentTapNanoseconds,
  softnetDropped,
  softnetProcessed,
  softnetReceivedRps,
  spanCpuPackets,
  spanEvery,
  spanFloor,
  spanLost,
  spanNanoseconds,
  spanPackets,
  spanQuantile,
  spanSamples,
  spanStddev,
  tapNanoseconds,
  tappedMedian,
  tappedNanoseconds,
  tappedPackets,
  tappedSamples,
  tappedSeconds,
  tappedStddev,
  transmitPackets,
  unameInfo,
} from '../../src/metrics/catalogue/index.ts';
import { afPacketTapCost } from '../../src/rules/af-packet-tap-cost.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { ruleCases } from '../support/cases.ts';
import { hookCell, kernelHooks, ownerCell, socketCell } from '../support/taps.ts';
import { judge, windowOf, type Cell } from '../support/window.ts';

const traffic = (device: string, perSecond: number, netns?: string): Cell[] => {
  const labels = netns === undefined ? { device } : { device, netns };
  return [
    [receivePackets, labels, 1000, 1000 + perSecond * 10],
    [transmitPackets, labels, 500, 500],
  ];
};
const tapsSpan = { device: 'eth0', span: 'taps', mode: 'tracepoint' };
/** Span of `mean` ns on a floor of 150 ns, and a whole receive cost of `netRx` ns per skb, at `skbs` skbs per second. */
const probe = (mean: number, netRx: number, skbs: number, samples = (skbs * 10) / 16): Cell[] => [
  [spanSamples, tapsSpan, 0, samples],
  [spanNanoseconds, tapsSpan, 0, samples * mean],
  [spanFloor, { ...tapsSpan, method: 'empty' }, 150, 150],
  [spanPackets, { device: 'eth0' }, 0, skbs * 10],
  [spanEvery, {}, 16, 16],
  [netRxNanoseconds, { cpu: '0' }, 0, netRx * skbs * 10],
  [netRxPackets, { cpu: '0' }, 0, skbs * 10],
];
/** Median and standard deviation of the same span. */
const shape = (median: number, stddev: number): Cell[] => [
  [spanQuantile, { ...tapsSpan, quantile: '0.5' }, null, median],
  [spanStddev, tapsSpan, null, stddev],
];
const cpu = (name: string, softirq: number, processed: number): Cell[] => [
  [cpuSeconds, { cpu: name, mode: 'softirq' }, 0, softirq * 10],
  [cpuSeconds, { cpu: name, mode: 'idle' }, 0, (1 - softirq) * 10],
  [softnetProcessed, { cpu: name }, 0, processed * 10],
  [softnetDropped, { cpu: name }, 0, 0],
];
/** Samples of received packets by part, in a window of ten seconds with a sample each millisecond. */
const profiled = (parts: Readonly<Record<string, number>>): Cell[] => [
  [profilePeriod, { clock: 'cpu-clock' }, 0.001, 0.001],
  [profileSeconds, {}, 0, 10],
  ...Object.entries(parts).map(([part, samples]): Cell => [
    profileSamples,
    { direction: 'receive', cpu: '0', part },
    0,
    samples,
  ]),
];
const tcpdump = [socketCell({}), ownerCell('1001', 'tcpdump', '4242')];
/** The taps were there for two seconds, a fifth of the packets, at 850 ns through the span. */
const there = (lasts: string): Cell[] => [
  [tappedSeconds, { device: 'eth0', lasts }, null, 2],
  [tappedSamples, { device: 'eth0' }, null, 12_000],
  [tappedNanoseconds, { device: 'eth0' }, null, 12_000 * 850],
  [tappedMedian, { device: 'eth0' }, null, 840],
  [tappedStddev, { device: 'eth0' }, null, 300],
  [tappedPackets, { device: 'eth0' }, null, 200_000],
];
/** eth0 sends 100,000 packets a second straight to its driver; the taps take `ns` of each, on a floor of 100 ns. */
const sends = (ns: number, perSecond = 100_000, samples = 15_000): Cell[] => [
  [receivePackets, { device: 'eth0' }, 0, 10],
  [transmitPackets, { device: 'eth0' }, 0, perSecond * 10],
  [sentSamples, { device: 'eth0', way: 'direct' }, null, samples],
  [sentMedian, { device: 'eth0', way: 'direct' }, null, 100 + ns],
  [sentFloor, { device: 'eth0', way: 'direct', method: 'calibrated' }, null, 100],
  [sentPackets, { device: 'eth0' }, null, perSecond * 2.5],
  [sentSeconds, {}, null, 2.5],
];
/** Samples of sent packets by part. */
const sentProfile = (taps: number, rest: number): Cell[] => [
  [profileSamples, { direction: 'transmit', cpu: '0', part: 'tap-transmit' }, 0, taps],
  [profileSamples, { direction: 'transmit', cpu: '0', part: 'driver-transmit' }, 0, rest],
  [profileProcessSamples, { direction: 'transmit', pid: '77', comm: 'iperf3', part: 'tap-transmit' }, 0, taps],
];
const gone = ([metric, labels, before]: Cell): Cell => [metric, labels, before, null];
const busy = traffic('eth0', 100_000);
const calm = [...cpu('0', 0.2, 100_000), ...cpu('1', 0, 0)];
const hot = [...cpu('0', 0.95, 100_000), ...cpu('1', 0, 0)];

/** Another device fills CPU 1, where a packet costs `netRx` ns; eth0's all come to CPU 0. */
const neighbour = (netRx: number, skbs: number): Cell[] => [
  [netRxNanoseconds, { cpu: '1' }, 0, netRx * skbs * 10],
  [netRxPackets, { cpu: '1' }, 0, skbs * 10],
  [spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 100_000 * 10],
];

ruleCases(afPacketTapCost, [
  {
    name: 'a capture that began in the window is priced by the time in which it was there',
    cells: [...busy, kernelHooks, ...tcpdump, ...probe(300, 3000, 100_000), ...shape(160, 300), ...there('1')],
    outcome: 'warning',
    certainty: 'measured',
    message: 'priced',
    // Of the 3000 ns of the mean packet, a fifth of 700 was theirs.
    args: { ns: 700, skbs: 100_000, share: 700 / (700 + 2860), owners: 'tcpdump (pid 4242)' },
  },
  {
    name: 'a capture that ended in the window is priced, and its process named',
    cells: [
      ...busy,
      kernelHooks,
      ...tcpdump.map(gone),
      ...probe(300, 3000, 100_000),
      ...shape(160, 300),
      ...there('0'),
    ],
    outcome: 'warning',
    message: 'priced',
    args: {
      ns: 700,
      owners: 'tcpdump (pid 4242)',
      when: ' (gone by its end: there for 2.0 s of the window, which the price is of)',
    },
  },
  {
    name: 'measured: dear packets of another device, on another CPU, do not make the taps look cheap',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...cpu('0', 0.2, 100_000),
      ...cpu('1', 0.5, 50_000),
      ...probe(850, 2000, 100_000),
      ...neighbour(10_000, 50_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'priced',
    args: { ns: 700, share: 0.35, perPacket: 2000, without: 1e9 / 1300 },
  },
  {
    name: 'measured: with RPS a packet costs two CPUs, and the host is the measure',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...cpu('0', 0.2, 100_000),
      ...cpu('1', 0.5, 0),
      ...probe(850, 2000, 100_000),
      [netRxNanoseconds, { cpu: '1' }, 0, 5000 * 100_000 * 10],
      [netRxPackets, { cpu: '1' }, 0, 0],
      [spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 100_000 * 10],
      [softnetReceivedRps, { cpu: '0' }, 0, 5000 * 10],
      [softnetReceivedRps, { cpu: '1' }, 0, 0],
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'priced',
    args: { ns: 700, share: 0.1, perPacket: 7000 },
  },
  {
    name: 'measured: where the device shares its CPU the mean of that CPU counts, without the taps of its own packets',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...cpu('0', 0.3, 200_000),
      ...cpu('1', 0, 0),
      ...probe(850, 2000, 100_000).filter(([metric]) => metric !== netRxNanoseconds && metric !== netRxPackets),
      [netRxNanoseconds, { cpu: '0' }, 0, 2000 * 200_000 * 10],
      [netRxPackets, { cpu: '0' }, 0, 200_000 * 10],
      [spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 100_000 * 10],
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'priced',
    args: { ns: 700, perPacket: 2350, without: 1e9 / 1650 },
  },
  {
    name: 'measured: a third of each packet and 7 % of a CPU is a warning that names pid and price',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(850, 2000, 100_000)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'priced',
    args: { ns: 700, share: 0.35, perPacket: 2000, cpu: 0.07, owners: 'tcpdump (pid 4242)', without: 1e9 / 1300 },
    command: /kill -INT 4242/,
  },
  {
    name: 'most samples lost: the price of the rest is not taken for that of all, and the taps are not cleared either',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
      [spanLost, { ...tapsSpan, reason: 'foreignIfindex' }, 0, 62_500],
    ],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
    args: { why: '62500 of 125000 samples were lost, and the rest cannot speak for them' },
  },
  {
    name: 'some samples lost: priced',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
      [spanLost, { ...tapsSpan, reason: 'foreignIfindex' }, 0, 62_499],
    ],
    outcome: 'warning',
    message: 'priced',
  },
  {
    name: 'measured on a saturated CPU: critical',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(850, 2000, 100_000)],
    outcome: 'critical',
    certainty: 'measured',
  },
  {
    name: 'measured while the ring loses frames: critical',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
      [receiveMissed, { device: 'eth0' }, 0, 5000],
    ],
    outcome: 'critical',
  },
  {
    name: 'a lost frame or two make nothing critical',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
      [receiveMissed, { device: 'eth0' }, 0, 2],
    ],
    outcome: 'warning',
  },
  {
    name: 'one packet in 10,000 lost is a loss',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
      [receiveMissed, { device: 'eth0' }, 0, 101],
    ],
    outcome: 'critical',
  },
  {
    name: 'just below one in 10,000 is none',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
      [receiveMissed, { device: 'eth0' }, 0, 99],
    ],
    outcome: 'warning',
  },
  {
    name: 'just below the critical share, a saturated CPU makes it no worse',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(745, 2000, 100_000)],
    outcome: 'warning',
    args: { share: 0.2975 },
  },
  {
    name: 'more than a fifth of a core at a critical share is critical without drops',
    cells: [...traffic('eth0', 500_000), ...tcpdump, kernelHooks, ...calm, ...probe(650, 1500, 500_000)],
    outcome: 'critical',
    args: { cpu: 0.25 },
  },
  {
    name: 'just below the share: a remark, no warning',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(548, 4000, 100_000)],
    outcome: 'info',
    certainty: 'measured',
    message: 'minor',
    args: { ns: 398, share: 0.0995 },
  },
  {
    name: 'just below the share that is worth a word',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(640, 10_000, 100_000)],
    outcome: 'ok',
    message: 'negligible',
    args: { share: 0.049 },
  },
  {
    name: 'a rejecting filter at 170 ns is at most worth mentioning',
    cells: [
      ...busy,
      socketCell({ filter: 'classic 14 instructions' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      ...hot,
      ...probe(320, 700, 100_000),
    ],
    outcome: 'info',
    certainty: 'measured',
    message: 'minor',
  },
  {
    // Seen at a load average of 7: the mean 298 ns above its floor, the median 193 ns.
    name: 'a rejecting filter on a busy machine: the mean is dear by interrupts, the median packet is not',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(448, 2300, 100_000), ...shape(343, 700)],
    outcome: 'info',
    certainty: 'measured',
    message: 'minor',
  },
  {
    name: 'just below what the median packet must pay',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(550, 2300, 100_000), ...shape(399, 500)],
    outcome: 'info',
  },
  {
    name: 'the median packet pays it: blamed',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(550, 2300, 100_000), ...shape(400, 500)],
    outcome: 'warning',
    message: 'priced',
  },
  {
    name: 'one tcpdump whose mean a stall of 3 ms doubled is still found by its median',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(1272, 4300, 100_000, 7583), ...shape(760, 38_000)],
    outcome: 'warning',
  },
  {
    name: 'a filter that takes a tenth of the packets, dearly: the mean tells',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(670, 3000, 100_000, 10_000), ...shape(300, 1000)],
    outcome: 'warning',
    args: { ns: 520 },
  },
  {
    name: 'the same mean less two standard errors is just below',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(670, 3000, 100_000, 10_000), ...shape(300, 1001)],
    outcome: 'info',
  },
  {
    name: 'a stall of 3 ms makes no rejecting filter dear',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(750, 2300, 100_000, 7500), ...shape(320, 38_000)],
    outcome: 'info',
  },
  {
    name: 'taps whose price is lost in the floor are negligible, and that is said',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(160, 2000, 100_000)],
    outcome: 'ok',
    certainty: 'measured',
    message: 'negligible',
    args: { ns: 10 },
  },
  {
    name: 'dear per packet, but at 1,000 packets a second below 1 % of a CPU',
    cells: [...traffic('eth0', 1000), ...tcpdump, kernelHooks, ...calm, ...probe(5150, 7000, 1000)],
    outcome: 'ok',
    certainty: 'measured',
    message: 'negligible',
  },
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
    name: 'sent packets pass taps too, and that is not priced',
    cells: [
      [receivePackets, { device: 'eth0' }, 0, 10_000],
      [transmitPackets, { device: 'eth0' }, 0, 5_000_000],
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 1000),
    ],
    outcome: 'info',
    certainty: 'possible',
    message: 'transmit',
  },
  {
    name: 'a sender with a capture: priced per sent packet, with who pays',
    cells: [...sends(400), ...tcpdump, kernelHooks, ...calm, ...sentProfile(40, 160)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'sentPriced',
    args: {
      sentNs: 400,
      sentCpu: 0.04,
      sent: 100_000,
      owners: 'tcpdump (pid 4242)',
      payers: ', of the processes: iperf3 (pid 77) 100%',
      received: '. Next to nothing is received',
    },
    command: /kill -INT 4242/,
  },
  {
    name: 'a sender with a capture that takes a third of sending and much of a CPU',
    cells: [...sends(2500), ...tcpdump, kernelHooks, ...calm, ...sentProfile(100, 100)],
    outcome: 'critical',
    message: 'sentPriced',
    args: { sentCpu: 0.25 },
  },
  {
    name: 'a sender: a filter that rejects takes time too, below the limit of a warning',
    cells: [...sends(179), ...tcpdump, kernelHooks, ...calm, ...sentProfile(40, 160)],
    outcome: 'info',
    certainty: 'measured',
    message: 'sentMinor',
  },
  {
    name: 'a sender: a small part of what sending costs is no warning',
    cells: [...sends(400), ...tcpdump, kernelHooks, ...calm, ...sentProfile(15, 185)],
    outcome: 'info',
    message: 'sentMinor',
  },
  {
    name: 'a sender without a profile: material only where much of a CPU goes',
    cells: [...sends(400), ...tcpdump, kernelHooks, ...calm],
    outcome: 'info',
    message: 'sentMinor',
  },
  {
    name: 'a sender of few packets, above idle: said, and no more',
    cells: [...sends(400, 5000), ...tcpdump, kernelHooks, ...calm, ...sentProfile(40, 160)],
    outcome: 'ok',
    message: 'sentNegligible',
  },
  {
    name: 'a sender whose packets were hardly timed is not priced',
    cells: [...sends(400, 100_000, 49), ...tcpdump, kernelHooks, ...calm],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'the packets of a list go by their own floor: segments behind the first',
    cells: [
      ...sends(400, 100_000, 1000),
      [sentSamples, { device: 'eth0', way: 'follows' }, null, 3000],
      [sentMedian, { device: 'eth0', way: 'follows' }, null, 340],
      [sentFloor, { device: 'eth0', way: 'follows', method: 'calibrated' }, null, 40],
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    args: { sentNs: 325 },
  },
  {
    name: 'both ways: what is received decides, and what sent packets pay is said with it',
    cells: [
      ...sends(400),
      ...busy.slice(0, 1),
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 3000, 100_000),
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    message: 'priced',
    args: { ns: 700, sending: '. Sent packets pay 400 ns each, 4% of a CPU at 100,000 packets/s' },
  },
  {
    name: 'both ways: cheap where packets are received, dear where they are sent',
    cells: [
      ...sends(400),
      ...busy.slice(0, 1),
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(200, 3000, 100_000),
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    message: 'sentPriced',
    args: { received: '. Received packets pay 50 ns each' },
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
  {
    name: 'no probe: a hot CPU and a tap that takes everything moved together, no more is claimed',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'correlated',
    args: { why: 'the probe did not measure this device' },
    command: /kill -INT 4242/,
  },
  {
    name: 'no probe, calm CPUs: neither blamed nor cleared',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'no probe: a filter may reject everything, a hot CPU is no proof against it',
    cells: [
      ...busy,
      socketCell({ filter: 'classic 14 instructions' }),
      ownerCell('1001', 'dhclient', '5'),
      kernelHooks,
      ...hot,
    ],
    outcome: 'info',
    certainty: 'possible',
  },
  {
    name: 'no probe: softirq time per packet at twice the baseline speaks against any tap',
    cells: [
      ...traffic('eth0', 100_000),
      socketCell({ filter: 'classic 14 instructions' }),
      ownerCell('1001', 'tcpdump', '5'),
      kernelHooks,
      ...cpu('0', 0.4, 100_000),
      [baselineSoftirqPerPacket, {}, 2000, 2000],
    ],
    outcome: 'warning',
    certainty: 'correlated',
  },
  {
    name: 'no probe: per-packet cost just below the rise is no sign',
    cells: [...busy, ...tcpdump, kernelHooks, ...cpu('0', 0.29, 100_000), [baselineSoftirqPerPacket, {}, 2000, 2000]],
    outcome: 'info',
  },
  {
    name: 'no probe: twelve ticks of softirq prove no hot CPU',
    seconds: 0.2,
    cells: [
      [receivePackets, { device: 'eth0' }, 0, 20_000],
      ...tcpdump,
      kernelHooks,
      [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 0.18],
      [softnetProcessed, { cpu: '0' }, 0, 20_000],
    ],
    outcome: 'info',
    message: 'unpriced',
  },
  {
    name: 'no probe and a device that carries next to nothing of the traffic: not measured',
    cells: [...traffic('eth0', 1000), ...traffic('eth1', 500_000), socketCell({ device: 'eth0' }), kernelHooks, ...hot],
    outcome: 'ok',
    message: 'ruledOut',
    args: { device: 'eth1' },
  },
  {
    name: 'no probe and just below a tenth of the traffic: not measured',
    cells: [...traffic('eth0', 9999), ...traffic('eth1', 90_001), socketCell({ device: 'eth0' }), kernelHooks, ...hot],
    outcome: 'ok',
    message: 'ruledOut',
    args: { device: 'eth1' },
  },
  {
    name: 'no probe and a tenth of the traffic: the device is spoken of',
    cells: [...traffic('eth0', 10_000), ...traffic('eth1', 90_000), ...tcpdump, kernelHooks, ...hot],
    outcome: 'warning',
    certainty: 'correlated',
  },
  {
    name: 'fifty samples are a price',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(850, 2000, 100_000, 50)],
    outcome: 'warning',
    certainty: 'measured',
  },
  {
    name: 'too few samples are no price',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(850, 2000, 100_000, 49)],
    outcome: 'info',
    message: 'unpriced',
    args: { why: 'the probe saw only 49 samples' },
  },
  {
    name: 'an unknown floor is no price',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      [spanSamples, tapsSpan, 0, 1000],
      [spanNanoseconds, tapsSpan, 0, 850_000],
    ],
    outcome: 'info',
    message: 'unpriced',
  },
  {
    name: 'cost is high and no tap is there: taps are ruled out',
    cells: [...busy, kernelHooks, ...hot, ...probe(150, 9000, 100_000)],
    outcome: 'ok',
    message: 'ruledOut',
    args: { device: 'eth0' },
  },
  {
    name: 'a packet takes 20 µs in NET_RX though no CPU is short of time: taps are ruled out',
    cells: [...busy, kernelHooks, ...calm, ...probe(150, 20_000, 100_000)],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'where the driver was told apart, it says on which side of the stack the time goes',
    cells: [
      ...busy,
      kernelHooks,
      ...calm,
      ...probe(150, 20_000, 100_000),
      [netRxDriverNanoseconds, { cpu: '0' }, 0, 15_000 * 100_000 * 10],
    ],
    outcome: 'ok',
    message: 'ruledOut',
    args: { where: ', 75 % of NET_RX in driver and GRO; what the rest is was not told apart' },
  },
  {
    name: 'where the profile told the parts apart, the largest are named instead of a side of the stack',
    cells: [
      ...busy,
      kernelHooks,
      ...calm,
      ...probe(150, 20_000, 100_000),
      [netRxDriverNanoseconds, { cpu: '0' }, 0, 15_000 * 100_000 * 10],
      ...profiled({ tracing: 6600, nftables: 2000, gro: 1400 }),
    ],
    outcome: 'ok',
    message: 'ruledOut',
    args: { where: '; most of it is tracing 66%, nftables 20%, GRO 14%' },
  },
  {
    name: 'a tap without a price is not blamed for a CPU that rules take up',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...profiled({ nftables: 9000, udp: 800, 'tap-receive': 200 })],
    outcome: 'ok',
    message: 'cleared',
    args: { share: 0.02 },
  },
  {
    name: 'a tap without a price may be to blame where the profile met it',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...hot,
      socketCell({ inode: '1003', netns: 'pod' }),
      [kernelFeature, { feature: 'per_netns_taps' }, 1, 1],
      ...profiled({ udp: 7000, 'tap-receive': 3000 }),
    ],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'correlated',
  },
  {
    name: 'a tap without a price is to blame where the profile met it and no other tap is there: a macvlan, a bond',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...profiled({ udp: 7000, 'tap-receive': 3000 })],
    outcome: 'warning',
    certainty: 'measured',
    message: 'profiled',
    args: { share: 0.3, ns: 2850, cpu: 0.285, why: 'the probe did not measure this device' },
    command: /kill -INT 4242/,
  },
  {
    name: 'a tap without a price that the profile met seldom is no more than a suspect',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...profiled({ udp: 9400, 'tap-receive': 600 })],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'a price of 28 µs is none that a tap has: it is not priced, and by the profile not blamed',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...hot,
      ...probe(28_150, 40_000, 20_000),
      ...profiled({ nftables: 9000, udp: 800, 'tap-receive': 200 }),
    ],
    outcome: 'ok',
    message: 'cleared',
  },
  {
    name: 'a price of 28 µs is none that a tap has, also where there is no profile to ask',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(28_150, 40_000, 20_000)],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'a packet merged of forty frames may take 20 µs: nothing is dear',
    cells: [...traffic('eth0', 400_000), kernelHooks, ...cpu('0', 0.2, 10_000), ...probe(150, 22_000, 10_000)],
    outcome: 'ok',
    message: '',
  },
  {
    name: 'just below that nothing is dear',
    cells: [...busy, kernelHooks, ...calm, ...probe(150, 19_900, 100_000)],
    outcome: 'ok',
    message: '',
  },
  {
    name: 'no tap and nothing high: nothing to say',
    cells: [...busy, kernelHooks, ...calm],
    outcome: 'ok',
    message: '',
  },
  {
    name: 'sockets of one ethertype, and of protocol 0, are no taps',
    cells: [
      ...busy,
      socketCell({ inode: '1', protocol: '0800', hook: 'packet_rcv' }),
      socketCell({ inode: '2', protocol: '88cc', hook: 'packet_rcv' }),
      socketCell({ inode: '3', protocol: '0000', hook: 'none' }),
      socketCell({ inode: '4', hook: 'none' }),
      kernelHooks,
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'a tap on an idle device costs nothing',
    cells: [...traffic('eth0', 499), ...tcpdump, kernelHooks, ...hot],
    outcome: 'ok',
    message: 'idle',
  },
  {
    name: 'an unbound tap is on every device of its namespace',
    cells: [
      ...busy,
      socketCell({ device: 'any' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    command: /tcpdump -i eth0 -s 96/,
  },
  {
    name: 'a tap on another device of the same name in another namespace is none here',
    cells: [
      ...busy,
      socketCell({ netns: 'pod' }),
      kernelHooks,
      [packetHooks, { protocol: '0800', device: 'any', function: 'ip_rcv', netns: 'pod' }, 1, 1],
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'up to 6.12 an unbound tap in a pod is in the path of the host: not ruled out',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...hot,
    ],
    outcome: 'info',
    certainty: 'possible',
    args: { owners: 'tcpdump (pid 4242)' },
  },
  {
    name: 'nor is it cleared by a span at its floor, which contains it on such a kernel',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...calm,
      ...probe(155, 2000, 100_000),
    ],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
    args: { why: 'on this kernel every packet of the host passes them, so that no floor is without them' },
  },
  {
    name: 'an unbound tap is billed by its own price',
    cells: [
      ...busy,
      socketCell({ device: 'any' }),
      socketCell({ inode: '2002' }),
      [tapNanoseconds, { inode: '1001', device: 'any', certainty: 'measured' }, null, 400],
      [tapNanoseconds, { inode: '2002', device: 'eth0', certainty: 'measured' }, null, 200],
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    args: {
      ns: 700,
      bill:
        'no process found for socket 1001: 400 ns, every device, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'no process found for socket 2002: 200 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072',
    },
  },
  {
    name: 'priced on its own, a tap in a pod is added to what the span shows',
    cells: [
      ...busy,
      ...tcpdump,
      socketCell({ inode: '2002', device: 'any', netns: 'pod' }),
      ownerCell('2002', 'sniffer', '77'),
      [tapNanoseconds, { inode: '2002', device: 'any', certainty: 'measured', netns: 'pod' }, null, 60],
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    args: {
      ns: 760,
      bill:
        'tcpdump (pid 4242): 700 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'sniffer (pid 77): 60 ns, every device (from another namespace), tpacket_rcv, filter matches all, ring v3 16x131072',
    },
  },
  {
    name: 'without a price of its own the bill says that it is not in there',
    cells: [
      ...busy,
      ...tcpdump,
      socketCell({ inode: '2002', device: 'any', netns: 'pod' }),
      ownerCell('2002', 'sniffer', '77'),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 0, 0],
      ...calm,
      ...probe(850, 2000, 100_000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    args: {
      ns: 700,
      bill:
        'tcpdump (pid 4242): 700 ns, eth0, tpacket_rcv, filter matches all, ring v3 16x131072; ' +
        'not priced: sniffer (pid 77), from another namespace',
    },
  },
  {
    name: 'where lists are kept by namespace it is not',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      kernelHooks,
      [kernelFeature, { feature: 'per_netns_taps' }, 1, 1],
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'nor on 6.18, when there is no BTF to ask',
    cells: [
      ...busy,
      socketCell({ device: 'any', netns: 'pod' }),
      kernelHooks,
      [
        unameInfo,
        { sysname: 'Linux', release: '6.18.44', version: '', machine: 'x86_64', nodename: '', domainname: '' },
        1,
        1,
      ],
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'no socket detail: the hook itself counts, and what it takes is not known',
    cells: [...busy, hookCell('eth0', 'tpacket_rcv'), kernelHooks, ...hot],
    outcome: 'info',
    certainty: 'possible',
    args: { owners: '1 AF_PACKET hook whose sockets were not seen' },
  },
  {
    name: "a kernel module's hook is named by its function",
    cells: [...busy, hookCell('any', 'vendor_sniff'), kernelHooks, ...calm, ...probe(850, 2000, 100_000)],
    outcome: 'warning',
    args: { owners: 'kernel function vendor_sniff (no AF_PACKET socket)' },
    command: /kallsyms/,
  },
  {
    name: 'packet sockets and hooks unread: not measured, never ok',
    cells: [...busy, ...hot],
    failed: { packet: { path: '/proc/net/ptype', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /permission denied/,
  },
  {
    name: 'a device counter reset inside the window is no traffic',
    cells: [
      [receivePackets, { device: 'eth0' }, 5_000_000, 10],
      [transmitPackets, { device: 'eth0' }, 0, 0],
      ...tcpdump,
      kernelHooks,
      ...hot,
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);

describe('PKT0101 on several devices', () => {
  const pods = Array.from({ length: 30 }, (_, pod) => traffic(`veth${pod}`, 1000)).flat();

  it('does not accuse devices that carry little: those are one line of what was not measured', () => {
    const cells = [...busy, ...pods, socketCell({ device: 'any' }), kernelHooks, ...calm];
    const findings = judge(afPacketTapCost, { cells });
    assert.deepEqual(
      findings.map(({ outcome, instances, at }) => [outcome, instances, at['device'] ?? '']),
      [
        ['info', 1, 'eth0'],
        ['not-measured', 30, ''],
      ],
    );
    assert.match(findings[1]!.missing[0]!.reason, /not priced/);
  });

  it('is not measured in a namespace whose sockets could not be read, whatever the others say', () => {
    const cells = [...busy, ...traffic('eth0', 5000, 'pod'), kernelHooks, ...calm];
    const window = windowOf({ cells });
    const at = window.after.collectors.findIndex(({ id, netns }) => id === 'packet' && netns === 'pod');
    const gaps = [{ path: '/proc/net/ptype', reason: 'input/output error (EIO)' }];
    window.after.collectors[at] = { ...window.after.collectors[at]!, status: 'unavailable', gaps };
    const findings = evaluateRules(window, [afPacketTapCost]);
    assert.deepEqual(
      findings.map(({ outcome }) => outcome),
      ['ok', 'not-measured'],
    );
    assert.equal(findings[1]!.at['netns'], 'pod');
    assert.match(findings[1]!.missing[0]!.reason, /EIO/);
  });

  it('quotes a device name that is no plain word', () => {
    const device = "a'b;c";
    const cells: Cell[] = [
      ...traffic(device, 100_000),
      socketCell({ device }),
      ownerCell('1001', 'tcpdump', '1'),
      kernelHooks,
    ];
    const [finding] = judge(afPacketTapCost, { cells });
    assert.match(finding!.remedies.map(({ command }) => command).join('\n'), /-i 'a'\\''b;c' /);
  });
});

describe('PKT0101 says which CPUs are short of time', () => {
  const load = (name: string, softirq: number, idle: number, processed: number): Cell[] => [
    [cpuSeconds, { cpu: name, mode: 'softirq' }, 0, softirq * 10],
    [cpuSeconds, { cpu: name, mode: 'user' }, 0, (1 - softirq - idle) * 10],
    [cpuSeconds, { cpu: name, mode: 'idle' }, 0, idle * 10],
    [softnetProcessed, { cpu: name }, 0, processed * 10],
  ];
  const cpusOf = (...cells: readonly Cell[]): readonly string[] => {
    const [found] = judge(afPacketTapCost, {
      cells: [...busy, ...tcpdump, kernelHooks, ...probe(3150, 5000, 100_000), ...cells],
    });
    assert.equal(found?.certainty, 'measured');
    return found.place.cpus ?? [];
  };

  it('one that the taps take a fifth of, with no time to spare, though softirq alone does not fill it', () => {
    assert.deepEqual(cpusOf(...load('0', 0.5, 0.05, 100_000), ...load('1', 0, 0, 0)), ['0']);
  });

  it('not one that is idle now and then, nor one that takes few of the packets', () => {
    assert.deepEqual(cpusOf(...load('0', 0.5, 0.2, 100_000), ...load('1', 0, 0, 0)), []);
    assert.deepEqual(cpusOf(...load('0', 0.5, 0.05, 60_000), ...load('1', 0.1, 0, 40_000)), []);
  });

  it('by what the probe counted of its packets on each CPU, where it did', () => {
    const elsewhere: Cell[] = [
      [spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 100_000],
      [spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 900_000],
    ];
    const loads = [...load('0', 0.5, 0.05, 100_000), ...load('1', 0.3, 0.02, 90_000)];
    assert.deepEqual(cpusOf(...loads, ...elsewhere), ['1']);
    const [found] = judge(afPacketTapCost, {
      cells: [...busy, ...tcpdump, kernelHooks, ...probe(3150, 5000, 100_000), ...loads, ...elsewhere],
    });
    assert.deepEqual(found?.args['cpus'], {
      words: 'CPU 1 27%, CPU 0 3.0%',
      data: [
        { cpu: '1', share: 0.27 },
        { cpu: '0', share: 0.03 },
      ],
    });
  });

  it('one that softirq fills, whatever the taps take of it', () => {
    assert.deepEqual(cpusOf(...load('0', 0.95, 0.05, 100_000)), ['0']);
  });
});
