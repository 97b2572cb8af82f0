/** Hosts with taps, as cells of a window: traffic, the span of the taps, CPUs, the profile. */
import {
  cpuSeconds,
  netRxNanoseconds,
  netRxPackets,
  profilePeriod,
  profileProcessSamples,
  profileSamples,
  profileSeconds,
  receivePackets,
  sentFloor,
  sentMedian,
  sentPackets,
  sentSamples,
  sentSeconds,
  softnetDropped,
  softnetProcessed,
  spanCpuPackets,
  spanEvery,
  spanFloor,
  spanNanoseconds,
  spanPackets,
  spanQuantile,
  spanSamples,
  spanStddev,
  tappedMedian,
  tappedNanoseconds,
  tappedPackets,
  tappedSamples,
  tappedSeconds,
  tappedStddev,
  transmitPackets,
} from '../../../src/metrics/catalogue/index.ts';
import { ownerCell, socketCell } from '../../support/taps.ts';
import type { Cell } from '../../support/window.ts';

export const traffic = (device: string, perSecond: number, netns?: string): Cell[] => {
  const labels = netns === undefined ? { device } : { device, netns };
  return [
    [receivePackets, labels, 1000, 1000 + perSecond * 10],
    [transmitPackets, labels, 500, 500],
  ];
};
export const tapsSpan = { device: 'eth0', span: 'taps', mode: 'tracepoint' };
/** Span of `mean` ns on a floor of 150 ns, and a whole receive cost of `netRx` ns per skb, at `skbs` skbs per second. */
export const probe = (mean: number, netRx: number, skbs: number, samples = (skbs * 10) / 16): Cell[] => [
  [spanSamples, tapsSpan, 0, samples],
  [spanNanoseconds, tapsSpan, 0, samples * mean],
  [spanFloor, { ...tapsSpan, method: 'empty' }, 150, 150],
  [spanPackets, { device: 'eth0' }, 0, skbs * 10],
  [spanEvery, {}, 16, 16],
  [netRxNanoseconds, { cpu: '0' }, 0, netRx * skbs * 10],
  [netRxPackets, { cpu: '0' }, 0, skbs * 10],
];
/** Median and standard deviation of the same span. */
export const shape = (median: number, stddev: number): Cell[] => [
  [spanQuantile, { ...tapsSpan, quantile: '0.5' }, null, median],
  [spanStddev, tapsSpan, null, stddev],
];
export const cpu = (name: string, softirq: number, processed: number): Cell[] => [
  [cpuSeconds, { cpu: name, mode: 'softirq' }, 0, softirq * 10],
  [cpuSeconds, { cpu: name, mode: 'idle' }, 0, (1 - softirq) * 10],
  [softnetProcessed, { cpu: name }, 0, processed * 10],
  [softnetDropped, { cpu: name }, 0, 0],
];
/** Samples of received packets by part, in a window of ten seconds with a sample each millisecond. */
export const profiled = (parts: Readonly<Record<string, number>>): Cell[] => [
  [profilePeriod, { clock: 'cpu-clock' }, 0.001, 0.001],
  [profileSeconds, {}, 0, 10],
  ...Object.entries(parts).map(([part, samples]): Cell => [
    profileSamples,
    { direction: 'receive', cpu: '0', part },
    0,
    samples,
  ]),
];
export const tcpdump = [socketCell({}), ownerCell('1001', 'tcpdump', '4242')];
/** The taps were there for two seconds, a fifth of the packets, at 850 ns through the span. */
export const there = (lasts: string): Cell[] => [
  [tappedSeconds, { device: 'eth0', lasts }, null, 2],
  [tappedSamples, { device: 'eth0' }, null, 12_000],
  [tappedNanoseconds, { device: 'eth0' }, null, 12_000 * 850],
  [tappedMedian, { device: 'eth0' }, null, 840],
  [tappedStddev, { device: 'eth0' }, null, 300],
  [tappedPackets, { device: 'eth0' }, null, 200_000],
];
/** eth0 sends 100,000 packets a second straight to its driver; the taps take `ns` of each, on a floor of 100 ns. */
export const sends = (ns: number, perSecond = 100_000, samples = 15_000): Cell[] => [
  [receivePackets, { device: 'eth0' }, 0, 10],
  [transmitPackets, { device: 'eth0' }, 0, perSecond * 10],
  [sentSamples, { device: 'eth0', way: 'direct' }, null, samples],
  [sentMedian, { device: 'eth0', way: 'direct' }, null, 100 + ns],
  [sentFloor, { device: 'eth0', way: 'direct', method: 'calibrated' }, null, 100],
  [sentPackets, { device: 'eth0' }, null, perSecond * 2.5],
  [sentSeconds, {}, null, 2.5],
];
/** Samples of sent packets by part. */
export const sentProfile = (taps: number, rest: number): Cell[] => [
  [profileSamples, { direction: 'transmit', cpu: '0', part: 'tap-transmit' }, 0, taps],
  [profileSamples, { direction: 'transmit', cpu: '0', part: 'driver-transmit' }, 0, rest],
  [profileProcessSamples, { direction: 'transmit', pid: '77', comm: 'iperf3', part: 'tap-transmit' }, 0, taps],
];
export const gone = ([metric, labels, before]: Cell): Cell => [metric, labels, before, null];
export const busy = traffic('eth0', 100_000);
export const calm = [...cpu('0', 0.2, 100_000), ...cpu('1', 0, 0)];
export const hot = [...cpu('0', 0.95, 100_000), ...cpu('1', 0, 0)];

/** Another device fills CPU 1, where a packet costs `netRx` ns; eth0's all come to CPU 0. */
export const neighbour = (netRx: number, skbs: number): Cell[] => [
  [netRxNanoseconds, { cpu: '1' }, 0, netRx * skbs * 10],
  [netRxPackets, { cpu: '1' }, 0, skbs * 10],
  [spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 100_000 * 10],
];
