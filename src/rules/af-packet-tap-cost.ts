import {
  baselineSoftirqPerPacket,
  cpuSeconds,
  kernelFeature,
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  packetHooks,
  packetSocket,
  processCpu,
  processLastCpu,
  receiveMissed,
  receivePackets,
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
  transmitPackets,
  unameInfo,
} from '../metrics/catalogue/index.ts';
import { acrossNetns, either, increase, maxBy, rate, ratio, sumBy, value } from '../metrics/expression.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import { needsProbe } from './alert.ts';
import type { Argument, Place, Remedy } from './finding.ts';
import { burdenedCpus, hotCpus, receiveCost, shareOf, tapPrice, tapShares } from './facts/packet-cost.ts';
import type { HotCpu, ReceiveCost, TapPrice } from './facts/packet-cost.ts';
import {
  billText,
  elsewhereText,
  foreignBill,
  hooksWithoutSocket,
  ownersText,
  splitBill,
  takesEverything,
  tapsOn,
  type ForeignBill,
  type Tap,
} from './facts/taps.ts';
import { findModule, narrowTaps } from './remedies/taps.ts';
import { critical, defineRule, info, list, notMeasured, ok, optional, optionalList, warning } from './rule.ts';
import type { Conclusion, Given, Instance, Limits } from './rule.ts';
import { thresholds } from './thresholds.ts';

const ETH_P_ALL = '0003';
const socketLabels = ['inode', 'protocol', 'type', 'hook', 'filter', 'ring', 'fanout', 'uid', 'promiscuous'] as const;

// Without the label `device` they are given to every device of the namespace: an unbound tap sees them all.
const unboundTaps = sumBy(socketLabels, value(packetSocket, { protocol: ETH_P_ALL, device: 'any' }));
// Likewise: the hook of an unbound socket has no device, and its price goes to all.
const socketPrices = maxBy(['inode', 'certainty'], value(tapNanoseconds));
const span = { span: 'taps' } as const;

const signals = {
  received: rate(receivePackets),
  sent: optional(rate(transmitPackets)),
  hostReceived: optional(sumBy([], acrossNetns(rate(receivePackets)))),
  // Every kernel lists its own protocols here, so nothing at all means unread, and no tap cannot be told from that.
  known: list(either(sumBy([], value(packetHooks)), sumBy([], value(packetSocket)))),
  hooks: optionalList(value(packetHooks, { protocol: 'ALL' })),
  unboundHooks: optionalList(sumBy(['protocol', 'function'], value(packetHooks, { protocol: 'ALL', device: 'any' }))),
  taps: optionalList(value(packetSocket, { protocol: ETH_P_ALL })),
  unbound: optionalList(unboundTaps),
  everywhere: optionalList(acrossNetns(unboundTaps)),
  perNetnsTaps: optional(value(kernelFeature, { feature: 'per_netns_taps' })),
  kernel: optional(value(unameInfo)),
  owners: optionalList(value(socketOwner)),
  prices: optionalList(socketPrices),
  pricesEverywhere: optionalList(acrossNetns(socketPrices)),

  mean: optional(
    ratio(
      sumBy(['device'], increase(spanNanoseconds, span)),
      sumBy(['device'], increase(spanSamples, span)),
      'nanoseconds',
    ),
  ),
  samples: optional(sumBy(['device'], increase(spanSamples, span))),
  lost: optional(sumBy(['device'], increase(spanLost, span))),
  median: optional(maxBy(['device'], value(spanQuantile, { ...span, quantile: '0.5' }))),
  stddev: optional(maxBy(['device'], value(spanStddev, span))),
  floor: optional(maxBy(['device'], value(spanFloor, span))),
  every: optional(value(spanEvery)),
  skbs: optional(rate(spanPackets)),
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
  baseline: optional(value(baselineSoftirqPerPacket)),
};

const messages = {
  priced:
    'The taps on {device} cost {ns:ns} of the {perPacket:ns} that receiving a packet takes here ({share:percent}), ' +
    '{cpu:percent} of a CPU at {skbs:rate}. Without them a CPU could receive {without:rate} instead of {with:rate}. ' +
    'Held by {owners}. Bill per packet: {bill}. By CPU: {cpus}.',
  pricedAlone:
    'The taps on {device} cost {ns:ns} per received packet, {cpu:percent} of a CPU at {skbs:rate}; what a packet costs ' +
    'in all is not known. Held by {owners}. Bill per packet: {bill}. By CPU: {cpus}.',
  minor:
    'Taps are on {device}, held by {owners}: {ns:ns} per packet, {share:percent} of what receiving it costs and ' +
    '{cpu:percent} of a CPU. Not the main cost.',
  negligible:
    'Taps are on {device}, held by {owners}; their cost is negligible: {ns:ns} per packet, {share:percent} of what ' +
    'receiving it costs and {cpu:percent} of a CPU.',
  negligibleAlone:
    'Taps are on {device}, held by {owners}; their cost is negligible: {ns:ns} per packet, {cpu:percent} of a CPU.',
  minorAlone:
    'Taps are on {device}, held by {owners}: {ns:ns} per packet, {cpu:percent} of a CPU; what a packet costs in all is ' +
    'not known.',
  transmit:
    'The taps on {device}, held by {owners}, cost {ns:ns} per received packet, which is little in all; but {sent:rate} ' +
    'are sent, where they run as well and their price was not measured.',
  correlated:
    'Taps on {device}, held by {owners}, see {packets:rate} while {signs}. Their price was not measured ({why}).',
  unpriced:
    'Taps on {device}, held by {owners}, see {packets:rate}. Their price was not measured ({why}), so they are neither ' +
    'blamed nor cleared.',
  idle: 'The tap of {owners} on {device} sees only {packets:rate}: that costs nothing worth naming.',
  ruledOut: 'No tap is on {device}, though {signs}: the cost lies elsewhere{where}.',
};

type Message = keyof typeof messages;
type Read = Given<typeof signals>;
type Said = Conclusion<Message, keyof typeof signals>;
type Limit = Limits<typeof thresholds.PKT0101>;

export const afPacketTapCost = defineRule({
  code: 'PKT0101',
  id: 'af-packet-tap-cost',
  role: 'cause',
  title: 'AF_PACKET taps make every packet dearer',
  seed: '§4, conclusion',
  scope: ['device'],
  none: 'no network device',
  signals,
  thresholds: thresholds.PKT0101,
  messages,
  alert: needsProbe,
  conclude(read, limits, at) {
    const device = at.labels['device'] ?? '';
    const packets = read.received.value + (read.sent?.value ?? 0);
    const taps = tapsOn({
      bound: read.taps,
      unbound: read.unbound,
      everywhere: tapsArePerNetns(read) ? [] : read.everywhere,
      owners: read.owners,
    });
    const loose = hooksWithoutSocket([...read.hooks, ...read.unboundHooks], taps);
    if (packets < limits.busy) {
      const bound = taps.filter((tap) => tap.device !== 'any');
      if (bound.length === 0) return ok();
      return ok({ message: 'idle', args: { device, owners: ownersText(bound), packets }, evidence: { taps: null } });
    }
    const load = loadOf(read, limits, at);
    if (taps.length === 0 && loose.size === 0) {
      if (!load.dominant || !(load.hot.length > 0 || load.risen || load.dear)) return ok();
      return ok({
        message: 'ruledOut',
        args: { device, signs: signsText(load), where: whereText(read) },
        evidence: { received: ['>=', limits.busy], softirqByCpu: null, netRx: null, netRxDriver: null },
      });
    }
    const place = { device, netns: at.netns };
    const modules = [...loose.keys()].filter((name) => name !== 'AF_PACKET');
    const suspects: Suspects = {
      taps,
      loose: looseText(loose),
      args: { device, owners: [...(taps.length > 0 ? [ownersText(taps)] : []), ...looseText(loose)].join(', ') },
      remedies: [...narrowTaps(taps, place), ...(modules.length > 0 ? [findModule(modules, place)] : [])],
    };
    const local = tapPrice(read, limits, at.seconds);
    if (typeof local === 'string') return judgeUnpriced(local, packets, suspects, load, limits);
    const foreign = foreignBill(taps, read.pricesEverywhere);
    if (taps.length > 0 && foreign.unpriced.length === taps.length && loose.size === 0)
      return judgeUnpriced(foreignWhy, packets, suspects, load, limits);
    return judgePriced(withForeign(local, foreign.ns), read, suspects, load, limits, foreign);
  },
});

/**
 * Up to 6.12 one list of unbound taps serves all namespaces (net/core/dev.c:ptype_all), so that a foreign tap is paid here
 * too; 6.18 has one list for each. Without BTF to ask, the kernels in between count as the old ones.
 */
function tapsArePerNetns({ perNetnsTaps, kernel }: Read): boolean {
  if (perNetnsTaps !== undefined) return perNetnsTaps.value === 1;
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(kernel?.labels['release'] ?? '') ?? [];
  return Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 18);
}

/** Up to 6.12 whatever passes a device without a tap, to show the floor, passes the unbound taps of all namespaces too. */
const foreignWhy = 'on this kernel every packet of the host passes them, so that no floor is without them';

function withForeign({ ns, skbsPerSecond }: TapPrice, foreignNs: number): TapPrice {
  const all = ns + foreignNs;
  return { ns: all, skbsPerSecond, cpu: (all * skbsPerSecond) / 1e9 };
}

interface Suspects {
  readonly taps: readonly Tap[];
  readonly loose: readonly string[];
  readonly args: Readonly<Record<string, Argument>>;
  readonly remedies: readonly Remedy[];
}

/** How the receiving side of the host fares. */
interface Load {
  readonly cost: ReceiveCost | undefined;
  readonly hot: readonly HotCpu[];
  readonly losing: boolean;
  /** Softirq time per packet is above the baseline, and is no trifle. */
  readonly risen: boolean;
  readonly dear: boolean;
  /** The device carries enough of the host's packets for the host's state to be its doing. */
  readonly dominant: boolean;
}

function loadOf(read: Read, limits: Limit, at: Instance): Load {
  const cost = receiveCost(read, at.seconds);
  // The baseline is softirq time, and NET_RX alone would always be below it.
  const ticks = receiveCost({ ...read, netRx: undefined }, at.seconds);
  // The NIC counters are those of pktcost's own namespace; a device elsewhere may have the same name.
  const missed = at.netns === OWN_NETNS ? (read.missed?.value ?? 0) : 0;
  return {
    cost,
    hot: hotCpus(read, limits.hot, limits.busy, at.seconds),
    losing:
      exceeds(missed, read.received.value, limits.loss) ||
      exceeds(read.dropped?.value ?? 0, read.processed?.value ?? 0, limits.loss),
    risen:
      read.baseline !== undefined &&
      ticks !== undefined &&
      ticks.perPacketNs >= limits.rise * read.baseline.value &&
      ticks.nsPerSecond >= limits.criticalCpu * 1e9,
    dear: cost?.from === 'net_rx' && cost.nsPerSecond / handled(cost, read) >= limits.dear,
    dominant: read.hostReceived === undefined || read.received.value >= limits.dominant * read.hostReceived.value,
  };
}

/** Packets after GRO, or the frames where it merged many into one: 64 KB of them take long in all and little each. */
function handled({ packetsPerSecond }: ReceiveCost, { hostReceived }: Read): number {
  return Math.max(packetsPerSecond, hostReceived?.value ?? 0);
}

/** Which side of the stack's entrance the time goes, where that was told apart. */
function whereText({ netRx, netRxDriver }: Read): string {
  if (netRx === undefined || netRxDriver === undefined || netRx.value === 0) return '';
  const share = Math.min(1, netRxDriver.value / netRx.value);
  return `, ${Math.round(share * 100)} % of NET_RX in driver and GRO, the rest in protocols and sockets`;
}

/** Without a price, at most the signs of a costly tap can have moved together. */
function judgeUnpriced(why: string, packets: number, suspects: Suspects, load: Load, limits: Limit): Said {
  if (!load.dominant) return notMeasured(`taps are on busy devices and were not priced: ${why}`);
  const args = { ...suspects.args, packets, why };
  // A filter that looks at packets may reject nearly all of them; only a rise against the baseline speaks against it.
  const copies = suspects.taps.some(takesEverything);
  if ((load.hot.length > 0 && copies) || load.risen) {
    return warning({
      certainty: 'correlated',
      message: 'correlated',
      args: { ...args, signs: signsText(load) },
      evidence: {
        received: ['>=', limits.busy],
        sent: null,
        taps: null,
        unbound: null,
        softirqByCpu: ['>=', limits.hot],
        dropped: null,
        missed: null,
        baseline: null,
      },
      remedies: suspects.remedies,
      place: placeOf(load),
    });
  }
  return info({
    certainty: 'possible',
    message: 'unpriced',
    args,
    evidence: { received: ['>=', limits.busy], sent: null, taps: null, unbound: null, hooks: null },
    remedies: suspects.remedies,
  });
}

function judgePriced(
  price: TapPrice,
  read: Read,
  { taps, loose, ...suspects }: Suspects,
  load: Load,
  limits: Limit,
  foreign: ForeignBill,
): Said {
  const { ns, cpu } = price;
  const relative = load.cost === undefined ? undefined : shareOf(price, load.cost, read);
  const args = {
    ...suspects.args,
    ns,
    cpu,
    skbs: price.skbsPerSecond,
    ...(relative === undefined ? {} : { share: relative.share }),
  };
  const local = taps.filter(({ elsewhere }) => !elsewhere);
  const parts = [...splitBill(local, ns - foreign.ns, read.prices), ...foreign.shares];
  const unpriced =
    foreign.unpriced.length === 0 ? [] : [`not priced: ${ownersText(foreign.unpriced)}, ${elsewhereText}`];
  const bill = { bill: [billText(parts), ...unpriced, ...loose].filter((line) => line !== '').join('; ') };
  const evidence = {
    mean: ['>=', limits.nanoseconds],
    median: null,
    floor: null,
    samples: ['>=', limits.samples],
    lost: null,
    skbs: null,
    skbsByCpu: null,
    netRxByCpu: null,
    netRxPacketsByCpu: null,
    taps: null,
    unbound: null,
    hooks: null,
  } as const;
  const enough = relative === undefined ? cpu >= limits.criticalCpu : relative.share >= limits.share;
  if (cpu < limits.cpu || !isDear(price, read, limits, foreign.ns) || !enough) {
    const sent = read.sent?.value ?? 0;
    if (ns >= limits.nanoseconds && (ns * sent) / 1e9 >= limits.criticalCpu) {
      const { remedies } = suspects;
      return info({ certainty: 'possible', message: 'transmit', args: { ...args, sent }, evidence, remedies });
    }
    const quiet = { mean: null, median: null, floor: null, samples: null, taps: null, unbound: null };
    const small = cpu < limits.cpu || (relative !== undefined && relative.share < limits.minorShare);
    const certainty = 'measured';
    if (small) {
      const message = relative === undefined ? 'negligibleAlone' : 'negligible';
      return ok({ certainty, message, args, evidence: quiet });
    }
    const message = relative === undefined ? 'minorAlone' : 'minor';
    return info({ certainty, message, args, evidence: quiet, remedies: suspects.remedies });
  }
  const shares = tapShares(read, price);
  const said = {
    certainty: 'measured',
    evidence,
    remedies: suspects.remedies,
    place: placeOf(load, burdenedCpus(shares, read.idleByCpu, limits.criticalCpu, limits.spare)),
    impact: read.cpus !== undefined && read.cpus.value > 0 ? { cpuShare: cpu / read.cpus.value } : {},
  } as const;
  if (relative === undefined)
    return warning({ ...said, message: 'pricedAlone', args: { ...args, ...bill, cpus: cpusText(shares) } });
  const { restNs, share } = relative;
  const full = {
    ...args,
    ...bill,
    cpus: cpusText(shares),
    perPacket: restNs + ns,
    with: 1e9 / (restNs + ns),
    without: 1e9 / restNs,
  };
  const pressing = cpu >= limits.criticalCpu || load.hot.length > 0 || load.losing;
  return share >= limits.criticalShare && pressing
    ? critical({ ...said, message: 'priced', args: full })
    : warning({ ...said, message: 'priced', args: full });
}

/**
 * Whether the taps are dear by what they do. Interrupts and stalls that fall into the span make the mean of cheap taps
 * look dear; the median does not move by them, nor does it by a filter that takes a packet now and then, whose price the
 * mean has to tell, without what chance may have added.
 */
function isDear({ ns }: TapPrice, { median, stddev, samples, floor }: Read, limits: Limit, foreignNs: number): boolean {
  if (ns < limits.nanoseconds) return false;
  if (median === undefined || median.value - (floor?.value ?? 0) + foreignNs >= limits.nanoseconds) return true;
  const error = (stddev?.value ?? 0) / Math.sqrt(samples?.value ?? 1);
  return ns - 2 * error >= limits.uneven;
}

/** Which CPUs pay, the dearest first, without those that a stray packet came to: `CPU 3 12%`. */
function cpusText(shares: ReadonlyMap<string, number>): string {
  const all = [...shares].sort(([, a], [, b]) => b - a);
  const paying = all.filter(([, share], index) => index === 0 || share >= 0.001);
  const shown = paying.slice(0, 4).map(([cpu, share]) => `CPU ${cpu} ${(share * 100).toPrecision(2)}%`);
  return [...shown, ...(paying.length > 4 ? [`${paying.length - 4} more`] : [])].join(', ');
}

/** The CPUs that are short of time by packets, or by the taps themselves. */
function placeOf({ hot }: Load, burdened: readonly string[] = []): Place {
  const cpus = [...new Set([...hot.map(({ cpu }) => cpu), ...burdened])];
  return cpus.length > 0 ? { cpus } : {};
}

function exceeds(lost: number, received: number, limit: number): boolean {
  return lost > 0 && lost >= limit * (received + lost);
}

function looseText(loose: ReadonlyMap<string, number>): string[] {
  return [...loose].map(([name, count]) =>
    name === 'AF_PACKET'
      ? `${count} AF_PACKET hook(s) whose sockets were not seen`
      : `kernel function ${name} (no AF_PACKET socket)`,
  );
}

function signsText({ hot, losing, risen, dear }: Load): string {
  const [hottest] = hot;
  const signs = [
    ...(hottest === undefined
      ? []
      : [`CPU ${hottest.cpu} spends ${Math.round(hottest.share * 100)} % of its time in softirq`]),
    ...(losing ? ['packets are lost in ring or backlog'] : []),
    ...(risen ? ['softirq time per packet is above the baseline'] : []),
    ...(dear ? ['a packet takes long in NET_RX'] : []),
  ];
  return signs.join(', ');
}
