/** What PKT0101 asks of a host, its limits, and what it can say. */
import { holdersOfSockets } from '../facts/sockets.ts';
import { cpuCount } from '../facts/cpu-time.ts';
import { interruptModes } from '../facts/interrupt-time.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';
import { inTheirTime, tappedPart, tappedRate, tappedSentRate } from '../facts/tapped.ts';
import { sentSocketPrices, socketPrices } from '../facts/tap-prices.ts';
import { receivingThreads } from '../facts/packet-cpus.ts';
import type { TapHook } from '../facts/taps.ts';
import {
  baselineSoftirqPerPacket,
  captureCpuSeconds,
  cpuSeconds,
  kernelFeature,
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  packetHooks,
  packetSocket,
  packetSocketRing,
  processCpu,
  processLastCpu,
  profileProcessSamples,
  profileSamples,
  profileTapSamples,
  receiveMissed,
  receivePackets,
  sentFloor,
  sentMedian,
  sentPackets,
  sentSamples,
  sentSeconds,
  softnetDropped,
  softnetProcessed,
  softnetReceivedRps,
  spanCpuPackets,
  spanEvery,
  spanFloor,
  spanLost,
  spanNanoseconds,
  spanQuantile,
  spanSamples,
  spanStddev,
  tappedMedian,
  tappedNanoseconds,
  tappedSamples,
  tappedSeconds,
  tappedStddev,
  transmitPackets,
  unameInfo,
} from '../metrics/catalogue/index.ts';
import { acrossNetns, earlier, either, increase, maxBy, rate, ratio, sumBy, value } from '../metrics/expression.ts';
import type { Argument, Advice } from './finding.ts';
import { deciding, decidingList, list, optional, optionalList, type Conclusion, type Given } from './rule.ts';

const socketLabels = ['inode', 'protocol', 'type', 'hook', 'filter', 'ring', 'fanout', 'uid', 'promiscuous'] as const;

// Without the label `device` they are given to every device of the namespace: an unbound tap sees them all.
const unboundTaps = sumBy(socketLabels, value(packetSocket, { protocol: ETH_P_ALL, device: 'any' }));

export const span = { span: 'taps' } as const;

export const signals = {
  received: rate(receivePackets),
  sent: deciding(rate(transmitPackets)),
  hostReceived: optional(sumBy([], acrossNetns(rate(receivePackets)))),
  // Every kernel lists its own protocols here, so nothing at all means unread, and no tap cannot be told from that.
  known: list(either(sumBy([], value(packetHooks)), sumBy([], value(packetSocket)))),
  hooks: optionalList(value(packetHooks, { protocol: 'ALL' })),
  unboundHooks: optionalList(sumBy(['protocol', 'function'], value(packetHooks, { protocol: 'ALL', device: 'any' }))),
  taps: decidingList(value(packetSocket, { protocol: ETH_P_ALL })),
  gone: optionalList(earlier(packetSocket, { protocol: ETH_P_ALL })),
  goneUnbound: optionalList(sumBy(socketLabels, earlier(packetSocket, { protocol: ETH_P_ALL, device: 'any' }))),
  unbound: optionalList(unboundTaps),
  everywhere: optionalList(acrossNetns(unboundTaps)),
  perNetnsTaps: optional(value(kernelFeature, { feature: 'per_netns_taps' })),
  kernel: optional(value(unameInfo)),
  owners: optionalList(holdersOfSockets),
  prices: optionalList(socketPrices),

  mean: optional(
    inTheirTime(
      ratio(value(tappedNanoseconds), value(tappedSamples), 'nanoseconds'),
      ratio(
        sumBy(['device'], increase(spanNanoseconds, span)),
        sumBy(['device'], increase(spanSamples, span)),
        'nanoseconds',
      ),
    ),
  ),
  samples: optional(inTheirTime(value(tappedSamples), sumBy(['device'], increase(spanSamples, span)))),
  allSamples: optional(sumBy(['device'], increase(spanSamples, span))),
  lost: optional(sumBy(['device'], increase(spanLost, span))),
  median: optional(
    inTheirTime(value(tappedMedian), maxBy(['device'], value(spanQuantile, { ...span, quantile: '0.5' }))),
  ),
  stddev: optional(inTheirTime(value(tappedStddev), maxBy(['device'], value(spanStddev, span)))),
  floor: optional(maxBy(['device'], value(spanFloor, span))),
  every: optional(value(spanEvery)),
  skbs: optional(tappedRate),
  there: optional(value(tappedSeconds)),
  passed: optional(tappedPart),
  skbsByCpu: optionalList(rate(spanCpuPackets)),
  netRx: optional(sumBy([], rate(netRxNanoseconds))),
  netRxPackets: optional(sumBy([], rate(netRxPackets))),
  netRxDriver: optional(sumBy([], rate(netRxDriverNanoseconds))),
  netRxByCpu: optionalList(rate(netRxNanoseconds)),
  netRxPacketsByCpu: optionalList(rate(netRxPackets)),

  softirq: optional(sumBy([], rate(cpuSeconds, { mode: 'softirq' }))),
  processed: optional(sumBy([], rate(softnetProcessed))),
  handed: optional(sumBy([], rate(softnetReceivedRps))),
  threads: optional(sumBy([], rate(processCpu, { role: receivingThreads }))),
  accounting: optional(value(kernelFeature, { feature: 'irq_time_accounting' })),
  softirqByCpu: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }))),
  processedByCpu: optionalList(rate(softnetProcessed)),
  idleByCpu: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
  threadTimes: optionalList(rate(processCpu, { role: receivingThreads })),
  lastCpus: optionalList(value(processLastCpu)),
  cpus: optional(cpuCount),
  dropped: optional(sumBy([], rate(softnetDropped))),
  missed: optional(rate(receiveMissed)),
  parts: optionalList(sumBy(['part'], increase(profileSamples, { direction: 'receive' }))),
  readers: optionalList(rate(captureCpuSeconds, { mode: 'user' })),
  rings: optionalList(sumBy(['inode'], value(packetSocketRing))),
  tapSamples: optionalList(sumBy(['hook'], increase(profileTapSamples, { direction: 'receive' }))),
  sentTapSamples: optionalList(sumBy(['hook'], increase(profileTapSamples, { direction: 'transmit' }))),
  allTaps: optionalList(sumBy(['inode', 'hook'], acrossNetns(value(packetSocket, { protocol: ETH_P_ALL })))),

  sentSamples: optionalList(value(sentSamples)),
  sentMedians: optionalList(value(sentMedian)),
  sentFloors: optionalList(maxBy(['device', 'way'], value(sentFloor))),
  sentPackets: optional(value(sentPackets)),
  sentSeconds: optional(value(sentSeconds)),
  tappedSending: optional(tappedSentRate),
  sentPrices: optionalList(sentSocketPrices),
  sentParts: optionalList(sumBy(['part'], increase(profileSamples, { direction: 'transmit' }))),
  payers: optionalList(
    sumBy(['pid', 'comm'], increase(profileProcessSamples, { direction: 'transmit', part: 'tap-transmit' })),
  ),
  baseline: optional(value(baselineSoftirqPerPacket)),
};

export const messages = {
  priced:
    'The taps on {device} cost {ns:ns} of the {perPacket:ns} that receiving a packet takes here ({share:percent}), ' +
    '{cpu:percent} of a CPU at {skbs:packets}. Without them a CPU could receive {without:packets} instead of {with:packets}. ' +
    'Held by {owners}{when}. Cost per packet by socket: {bill}. By CPU: {cpus}{sending}{beside}.',
  pricedAlone:
    'The taps on {device} cost {ns:ns} per received packet, {cpu:percent} of a CPU at {skbs:packets}; what a packet costs ' +
    'in all is not known. Held by {owners}{when}. Cost per packet by socket: {bill}. By CPU: {cpus}{sending}{beside}.',
  minor:
    'Taps are on {device}, held by {owners}{when}: {ns:ns} per packet, {share:percent} of what receiving it costs and ' +
    '{cpu:percent} of a CPU. Not the main cost{sending}.',
  negligible:
    'Taps are on {device}, held by {owners}{when}; their cost is negligible: {ns:ns} per packet, {share:percent} of what ' +
    'receiving it costs and {cpu:percent} of a CPU{sending}.',
  negligibleAlone:
    'Taps are on {device}, held by {owners}{when}; their cost is negligible: {ns:ns} per packet, {cpu:percent} of a CPU{sending}.',
  minorAlone:
    'Taps are on {device}, held by {owners}{when}: {ns:ns} per packet, {cpu:percent} of a CPU; what a packet costs in all is ' +
    'not known{sending}.',
  transmit:
    'The taps on {device}, held by {owners}, cost {ns:ns} per received packet, which is little in all; but {sent:packets} ' +
    'are sent, where they run as well and their price was not measured.',
  sentPriced:
    'The taps on {device} cost {sentNs:ns} per packet that is sent{ofSending}, {sentCpu:percent} of a CPU at {sent:packets}; ' +
    'whoever sends pays{payers}. Held by {owners}{when}. Cost per sent packet by socket: {sentBill}{received}{beside}.',
  sentMinor:
    'Taps are on {device}, held by {owners}{when}: {sentNs:ns} per packet that is sent{ofSending}, {sentCpu:percent} of a ' +
    'CPU at {sent:packets}{received}.',
  sentNegligible:
    'Taps are on {device}, held by {owners}{when}; what they cost where packets are sent is negligible: {sentNs:ns} each, ' +
    '{sentCpu:percent} of a CPU{received}.',
  correlated:
    'Taps on {device}, held by {owners}, see {packets:packets} while {signs}. Their price was not measured ({why}).',
  unpriced:
    'Taps on {device}, held by {owners}, see {packets:packets}. Their price was not measured ({why}): cost unknown.',
  idle: 'The tap of {owners} on {device} sees only {packets:packets}: that costs nothing worth naming.',
  cleared:
    'Taps are on {device}, held by {owners}; their price was not measured ({why}), but the profile met them in {share:percent} ' +
    '(± {error:percent}) of what received packets cost: they are not the cause{where}.',
  profiled:
    'The taps on {device} take {share:percent} (± {error:percent}) of what received packets cost by the profile: {ns:ns} of a ' +
    'packet, {cpu:percent} of a CPU. Held by {owners}. They have no price of their own ({why}).',
  ruledOut: 'No tap is on {device}, though {signs}: the cost lies elsewhere{where}.',
};

type Message = keyof typeof messages;

export type TapReadings = Given<typeof signals>;

export type TapCostConclusion = Conclusion<Message, keyof typeof signals>;

export interface Suspects {
  readonly taps: readonly TapHook[];
  readonly loose: readonly string[];
  readonly args: Readonly<Record<string, Argument>>;
  readonly remedies: readonly Advice[];
}
