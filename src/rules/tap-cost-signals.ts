/** What PKT0101 asks of a host, its limits, and what it can say. */
import { type PriceLimits } from '../facts/price.ts';
import { type Tap } from '../facts/taps.ts';
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
  sentTapNanoseconds,
  socketOwner,
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
} from '../metrics/catalogue/index.ts';
import {
  acrossNetns,
  earlier,
  either,
  increase,
  maxBy,
  rate,
  ratio,
  sumBy,
  value,
  type Expression,
} from '../metrics/expression.ts';
import { type Argument, type Remedy } from './finding.ts';
import {
  deciding,
  decidingList,
  list,
  optional,
  optionalList,
  type Conclusion,
  type Given,
  type Limits,
  type Overrides,
  type Thresholds,
} from './rule.ts';
import { shared } from './shared-limits.ts';

const ETH_P_ALL = '0003';

const socketLabels = ['inode', 'protocol', 'type', 'hook', 'filter', 'ring', 'fanout', 'uid', 'promiscuous'] as const;

// Without the label `device` they are given to every device of the namespace: an unbound tap sees them all.
const unboundTaps = sumBy(socketLabels, value(packetSocket, { protocol: ETH_P_ALL, device: 'any' }));

// Likewise: the hook of an unbound socket has no device, and its price goes to all.
const socketPrices = maxBy(['inode', 'certainty'], value(tapNanoseconds));

export const span = { span: 'taps' } as const;

/** Where taps came or went in the window, the time in which they were there speaks for them. */
function inTheirTime<L extends string>(theirs: Expression<L>, whole: Expression<L>): Expression<L> {
  return { ...either(theirs, whole), metrics: [...whole.metrics, ...theirs.metrics] };
}

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
  owners: optionalList(value(socketOwner)),
  ownersBefore: optionalList(earlier(socketOwner)),
  prices: optionalList(socketPrices),
  pricesEverywhere: optionalList(acrossNetns(socketPrices)),

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
  lost: optional(sumBy(['device'], increase(spanLost, span))),
  median: optional(
    inTheirTime(value(tappedMedian), maxBy(['device'], value(spanQuantile, { ...span, quantile: '0.5' }))),
  ),
  stddev: optional(inTheirTime(value(tappedStddev), maxBy(['device'], value(spanStddev, span)))),
  floor: optional(maxBy(['device'], value(spanFloor, span))),
  every: optional(value(spanEvery)),
  skbs: optional(
    inTheirTime(ratio(value(tappedPackets), sumBy(['device'], value(tappedSeconds)), 'packets/s'), rate(spanPackets)),
  ),
  there: optional(value(tappedSeconds)),
  // Of the packets of the window, those that passed the taps which are priced.
  passed: optional(ratio(value(tappedPackets), increase(spanPackets), 'ratio')),
  skbsByCpu: optionalList(rate(spanCpuPackets)),
  netRx: optional(sumBy([], rate(netRxNanoseconds))),
  netRxPackets: optional(sumBy([], rate(netRxPackets))),
  netRxDriver: optional(sumBy([], rate(netRxDriverNanoseconds))),
  netRxByCpu: optionalList(rate(netRxNanoseconds)),
  netRxPacketsByCpu: optionalList(rate(netRxPackets)),

  softirq: optional(sumBy([], rate(cpuSeconds, { mode: 'softirq' }))),
  processed: optional(sumBy([], rate(softnetProcessed))),
  handed: optional(sumBy([], rate(softnetReceivedRps))),
  threads: optional(sumBy([], rate(processCpu, { role: ['napi', 'backlog'] }))),
  accounting: optional(value(kernelFeature, { feature: 'irq_time_accounting' })),
  softirqByCpu: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['softirq', 'irq'] }))),
  processedByCpu: optionalList(rate(softnetProcessed)),
  idleByCpu: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
  threadTimes: optionalList(rate(processCpu, { role: ['napi', 'backlog'] })),
  lastCpus: optionalList(value(processLastCpu)),
  cpus: optional(sumBy([], rate(cpuSeconds))),
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
  sentPrices: optionalList(maxBy(['inode', 'certainty'], value(sentTapNanoseconds))),
  sentParts: optionalList(sumBy(['part'], increase(profileSamples, { direction: 'transmit' }))),
  payers: optionalList(
    sumBy(['pid', 'comm'], increase(profileProcessSamples, { direction: 'transmit', part: 'tap-transmit' })),
  ),
  baseline: optional(value(baselineSoftirqPerPacket)),
};

export const thresholds = {
  busy: {
    value: shared.idleDevice,
    unit: 'per second',
    help: 'Packets per second on a device below which a tap costs nothing worth naming.',
    source:
      'measured: the dearest taps (three captures of TCP bulk, 19 µs a packet) take 1 % of a CPU at 526 packets/s',
  },
  samples: {
    value: 50,
    unit: 'packets',
    help: 'Measured packets below which the mean of the tap span is not taken for a price.',
    source: 'judgement: the standard error of the mean is then about a seventh of the spread',
  },
  lost: {
    value: shared.mostlyLost,
    unit: 'ratio',
    help: 'Share of the samples begun that were lost, from which those that are left are not taken for the whole.',
    source: 'judgement: packets lose their stamp by what happens to them (a clone, another device), not by chance',
  },
  nanoseconds: {
    value: 250,
    unit: 'nanoseconds',
    help: 'Price of the taps per packet from which it can be worth a warning; the median packet has to pay it as well.',
    source:
      'measured: a tap whose filter rejects costs 130-340 ns in the mean and up to 200 ns in the median at load averages ' +
      'of 2 to 10, one tcpdump 540-1,120 ns and at least 520 ns',
  },
  uneven: {
    value: 500,
    unit: 'nanoseconds',
    help: 'Price that is enough though the median packet pays less: a filter takes some packets. Less two standard errors.',
    source:
      'measured: interrupts within the span moved the mean by up to 150 ns (a stall of 3 ms by 440 ns, at an error of as much)',
  },
  sentNanoseconds: {
    value: 180,
    unit: 'nanoseconds',
    help: 'Price of the taps per packet sent, in the median, from which it can be worth a warning.',
    source:
      'measured: a tap whose filter rejects costs 130-150 ns here, one tcpdump 220-280 ns on a quiet machine, two 400-430 ns',
  },
  share: {
    value: 0.1,
    unit: 'ratio',
    help: 'Share of the cost of receiving a packet that the taps take, from which it is a warning.',
    source:
      'judgement: a CPU without them carries a ninth more packets. One tcpdump takes 10-26 % here; at 15 % a third of ' +
      'them would be missed',
  },
  cpu: {
    value: 0.01,
    unit: 'ratio',
    help: 'CPU time the taps burn, in CPUs, from which they are material.',
    source: 'judgement: 1 % of one CPU, the budget pktcost allows itself',
  },
  minorShare: {
    value: 0.05,
    unit: 'ratio',
    help: 'Share of the cost of a packet below which taps are called negligible.',
    source: 'judgement: within what the span and its floor can tell apart',
  },
  criticalShare: {
    value: 0.3,
    unit: 'ratio',
    help: 'Share of the cost of a packet from which taps that also burn much CPU, or meet drops, are critical.',
    source: 'judgement: a CPU without them carries over 40 % more packets',
  },
  criticalCpu: {
    value: 0.2,
    unit: 'ratio',
    help: 'CPU time the taps burn, in CPUs, from which a critical share is critical without drops.',
    source: 'judgement: a fifth of a core',
  },
  hot: {
    value: shared.shortOfTime,
    unit: 'ratio',
    help: 'Share of its time that a CPU spends in softirq and NAPI threads from which it is short of room.',
    source: 'the warning level of PKT0102',
  },
  spare: {
    value: shared.spare,
    unit: 'ratio',
    help: 'Share of its time a CPU may be idle and still count as short of time where the taps take criticalCpu of it.',
    source: 'judgement: with more to spare a program waits for its turn only in bursts',
  },
  loss: {
    value: shared.lossNoticed,
    unit: 'ratio',
    help: 'Packets lost in NIC ring or backlog relative to those received from which a loss counts.',
    source: 'the warning level of PKT0501 and PKT0502',
  },
  dominant: {
    value: 0.1,
    unit: 'ratio',
    help: "Share of the host's packets a device must carry before the cost of the host is put down to it.",
    source: 'judgement: less cannot be the cause of a busy CPU',
  },
  rise: {
    value: 1.5,
    unit: 'ratio',
    help: 'Softirq time per packet relative to the baseline from which it has risen.',
    source: 'judgement: more than a change of packet sizes does',
  },
  dearest: {
    value: 25000,
    unit: 'nanoseconds',
    help: 'Price per packet and tap above which it is not believed: something else ran within the span.',
    source:
      'measured: a capture that copies skbs of 64 KB takes 6 to 7 µs; spans of 28 to 65 µs were of a CPU taken up by rules',
  },
  dear: {
    value: 20000,
    unit: 'nanoseconds',
    help: 'NET_RX time per packet, per frame where GRO merges, from which receiving is called expensive whatever the CPUs do.',
    source: 'measured: an untapped packet costs 1-3 µs, an skb of 64 KB that came as one frame up to 10 µs',
  },
} as const satisfies Thresholds;

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

/** The limits by which the taps have a price, for whoever else shows one. */
export function priceLimits(overrides: Overrides = {}): PriceLimits {
  const limit = (name: keyof PriceLimits): number => overrides['PKT0101']?.[name] ?? thresholds[name].value;
  return { samples: limit('samples'), lost: limit('lost') };
}

type Message = keyof typeof messages;

export type Read = Given<typeof signals>;

export type TapCostConclusion = Conclusion<Message, keyof typeof signals>;

export type Limit = Limits<typeof thresholds>;

export interface Suspects {
  readonly taps: readonly Tap[];
  readonly loose: readonly string[];
  readonly args: Readonly<Record<string, Argument>>;
  readonly remedies: readonly Remedy[];
}
