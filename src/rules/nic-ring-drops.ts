import { interruptModes } from '../facts/interrupt-time.ts';
import { refusedReasons, ringLossOf, ringLossPlace } from '../facts/card-losses.ts';
import { gradeLoss, lossOf, lossShare } from '../facts/loss.ts';
import { gradeShare } from '../facts/lost.ts';
import { isInStatistics, saysNoBuffer, spokenNames } from '../metrics/nic-counters.ts';
import { namesIn, nicLossesOf, type NicLosses } from '../metrics/nic-losses.ts';
import { irqsOn } from '../facts/packet-cpus.ts';
import type { Signal } from '../facts/signal.ts';
import {
  cpuSeconds,
  deviceInfo,
  deviceIrq,
  driverCounters,
  interrupts,
  receiveCardLost,
  receiveDrop,
  receiveFifo,
  receiveMissed,
  receivePackets,
  receiveRing,
  receiveRingLost,
  receiveRingMost,
  skbDrops,
  skbDropsCounted,
  unameInfo,
} from '../metrics/catalogue/index.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import { andOn, either, increase, rate, sumBy, value, within, type Expression } from '../metrics/expression.ts';
import { besidesText, cardMessages, tellCardLoss, worstOfCard } from './card-losses.ts';
import { worded, listed } from './finding.ts';
import { againstLimit } from './proof.ts';
import { enlargeRing, enlargeRingIn, type Ring } from './remedies/nic.ts';
import {
  critical,
  decidingList,
  defineRule,
  info,
  notApplicable,
  notMeasured,
  ok,
  optional,
  optionalList,
  warning,
} from './rule.ts';
import { shared } from './shared-limits.ts';

/** For drivers that fetch their counters only every second or two. */
const SLOW_SECONDS = 3;

const received = increase(receivePackets);
const missed = increase(receiveMissed);
const fifo = increase(receiveFifo);
const physical = value(deviceInfo, { kind: 'physical' });

export const nicRingDrops = defineRule({
  code: 'PKT0501',
  id: 'nic-ring-drops',
  role: 'outcome',
  title: 'The NIC drops frames because the host does not empty its ring in time',
  scope: ['device'],
  none: 'no physical network device',
  signals: {
    // The first: rates are of its time, as what a card lost mostly stands in it.
    missed: andOn(['device'], missed, physical),
    packets: andOn(['device'], received, physical),
    fifo: optional(fifo),
    // Of two files, which are read one after the other.
    missedShare: optional(lossShare(within(receiveMissed), within(receivePackets))),
    fifoShare: optional(lossShare(fifo, received)),
    dropped: optional(increase(receiveDrop)),
    refused: optional(sumBy(['device'], within(skbDrops, { reason: refusedReasons }))),
    counted: optional(increase(skbDropsCounted)),
    // Some drivers count it by names of their own only; one that is not known may.
    own: decidingList(increase(receiveRingLost)),
    card: decidingList(increase(receiveCardLost)),
    ownAsked: optional(value(driverCounters, { kind: 'ring' })),
    cardAsked: optional(value(driverCounters, { kind: 'card' })),
    device: optional(value(deviceInfo)),
    kernel: optional(value(unameInfo)),
    ring: optional(value(receiveRing)),
    ringMost: optional(value(receiveRingMost)),
    irqs: optionalList(value(deviceIrq)),
    taken: optionalList(rate(interrupts)),
    softirq: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }))),
    idle: optionalList(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
  },
  thresholds: {
    lost: {
      value: 10,
      unit: 'packets',
      help: 'Frames lost in the window from which it can be a warning; fewer are mentioned.',
      source: 'judgement: one burst at the start of a flow',
    },
    share: {
      value: shared.lossNoticed,
      unit: 'ratio',
      help: 'Lost frames relative to all that arrived from which it is a warning.',
      source: 'judgement: a loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.)',
    },
    criticalShare: {
      value: shared.lossCritical,
      unit: 'ratio',
      help: 'Lost frames relative to all that arrived from which it is critical.',
      source: 'judgement: 1 % loss halves and halves again what a connection carries',
    },
    hot: {
      value: shared.shortOfTime,
      unit: 'ratio',
      help: 'Softirq share of a CPU from which a larger ring will not help.',
      source: 'the warning level of PKT0102',
    },
    spare: {
      value: shared.spare,
      unit: 'ratio',
      help: 'Share of its time such a CPU may be idle for the same, whoever takes the rest.',
      source: 'as PKT0101',
    },
  },
  messages: {
    ring:
      '{device}{of} lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}){besides}. Its ' +
      'interrupts run on CPU {cpus}, which have room: the ring is too small for the bursts.',
    slow:
      '{device}{of} lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}), ' +
      'because CPU {hot} that empties it is busy with softirq: a larger ring would only delay the loss{besides}.',
    starved:
      '{device}{of} lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}), ' +
      'and CPU {hot} that empties it is never idle: programs, NAPI threads or the hypervisor leave it no time. A larger ring would only delay the loss{besides}.',
    dropped:
      '{device}{of} dropped {lost:count} frames, {share:percent} of what arrived ({rate:rate}). This driver counts in ' +
      'rx_dropped what its receive ring had no room for{beside}{besides}.',
    own:
      '{device}{of} lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}). Its driver counts ' +
      'them as {counter} (ethtool -S){guessed}{besides}.',
    unplaced:
      '{device}{of} lost {lost:count} frames in its receive ring, {share:percent} of what arrived ({rate:rate}){besides}.',
    ...cardMessages,
  },
  alert: {
    differs: {
      dropped: 'which drivers count ring loss in rx_dropped, beside packets that nobody wants, a server does not know',
      own: 'what a driver counts by names of its own is on no page of node_exporter',
    },
    raise: ({ missedShare, fifoShare }, limits) => {
      // The larger of the two is over a limit where one of them is.
      const loss = (share: number): Expression =>
        andOn(
          ['device'],
          either(lossOf(missedShare, missed, limits.lost, share), lossOf(fifoShare, fifo, limits.lost, share)),
          physical,
        );
      const says = 'The device loses {value} of what arrives in its receive ring.';
      return {
        critical: { when: loss(limits.criticalShare), says },
        warning: { when: loss(limits.share), says },
      };
    },
  },
  stands(unread, { ownAsked, cardAsked, device, kernel }, _limits, _at, why) {
    if (unread !== 'own' && unread !== 'card') return false;
    // On a page a driver that was asked may have no such counter. Of what was said of this very device nothing stands.
    if ((unread === 'own' ? ownAsked : cardAsked)?.value === 0) return true;
    return why.labels === undefined && isInStatistics(device?.labels['driver'] ?? '', kernel?.labels['release']);
  },
  conclude(read, limits, at) {
    const { packets, missed, fifo, missedShare, fifoShare, device, irqs, taken, softirq, idle } = read;
    const name = at.labels['device'] ?? '';
    const driver = device?.labels['driver'] ?? '';
    const known = nicLossesOf(driver);
    const where = ringLossPlace(driver, read.kernel?.labels['release']);
    const told = Math.max(missed.value, fifo?.value ?? 0);
    const own = [...read.own].sort((a, b) => b.value - a.value)[0];
    const card = worstOfCard(read.card);
    if (told === 0 && own === undefined && card === undefined && (where === 'host' || where === 'ethtool')) {
      return notApplicable(
        `${driver} does not count frames lost in the ring in the statistics of ${name}: 0 says nothing${hint(name, known)}`,
      );
    }
    const { lost, by } = ringLossOf(
      {
        missed: missed.value,
        fifo: fifo?.value ?? 0,
        own: own?.value ?? 0,
        dropped: read.dropped?.value ?? 0,
        refused: read.refused?.value ?? 0,
      },
      where,
    );
    const byOwn = own !== undefined && by === 'own';
    const byDrops = by === 'dropped';
    if (where === 'rx_dropped' && read.dropped === undefined && !byOwn && told === 0 && card === undefined)
      return notMeasured(`${driver} counts frames lost in the ring in rx_dropped, which could not be read`);
    if (card !== undefined && card.lost > lost)
      return tellCardLoss(
        card,
        { device: name, netns: at.netns, driver, packets: packets.value, ring: lost, seconds: at.seconds },
        limits,
      );
    if (lost === 0 && known?.slow === true && at.seconds < SLOW_SECONDS && packets.value > 0) {
      return notMeasured(
        `${driver} fetches its counters every second or two: a window of ${SLOW_SECONDS} s or more tells`,
      );
    }
    const larger = (fifoShare?.value ?? 0) > (missedShare?.value ?? 0) ? fifoShare : missedShare;
    if (lost === 0 && driver === '')
      return notMeasured(`which driver ${name} has is not known, and so whether 0 in its statistics says anything`);
    if (lost === 0) return ok();
    const share = byOwn || byDrops ? lost / (lost + packets.value) : (larger?.value ?? 0);
    const grade = byOwn || byDrops ? gradeShare(lost, packets.value, limits).grade : gradeLoss(lost, larger, limits);
    const cpus = cpusOf(
      irqs.map(({ labels }) => labels['type'] ?? ''),
      taken,
    );
    const hot = softirq
      .filter(({ labels, value: used }) => cpus.includes(labels['cpu'] ?? '') && used >= limits.hot)
      .map(({ labels }) => labels['cpu'] ?? '');
    // With programs beside it, or with NAPI in threads, softirq never reaches such a share.
    const busy = idle
      .filter(({ labels, value: left }) => cpus.includes(labels['cpu'] ?? '') && left <= limits.spare)
      .map(({ labels }) => labels['cpu'] ?? '');
    const short = hot.length > 0 ? hot : busy;
    // What the stack refused is not told from it where the kernel's drops were not counted.
    const unsure = byDrops && (read.counted === undefined || (known?.since !== undefined && read.kernel === undefined));
    const names = known === undefined ? undefined : namesIn(known, ['ring', 'waited', 'port', 'memory']);
    // By the names that other drivers have for it.
    const guessed = byOwn && known === undefined;
    const message = byOwn
      ? 'own'
      : byDrops
        ? 'dropped'
        : hot.length > 0
          ? 'slow'
          : busy.length > 0
            ? 'starved'
            : cpus.length > 0 && idle.length > 0
              ? 'ring'
              : 'unplaced';
    const said = {
      certainty: unsure || guessed ? 'possible' : byDrops ? 'correlated' : 'measured',
      message,
      args: {
        beside: unsure ? worded(unsure, ', and packets that nobody wants besides: how many of each is not known') : '',
        guessed: guessed ? worded(guessed, ', as other drivers call it: which this one is is not known') : '',
        besides: besidesText(card),
        device: name,
        driver,
        of: driver === '' ? '' : worded({ driver }, ` (${driver})`),
        counter: own?.labels['counter'] ?? '',
        lost,
        share,
        rate: lost / at.seconds,
        cpus: listed(cpus),
        hot: listed(short),
      },
      evidence: {
        ...(byOwn
          ? ({ own: againstLimit(lost, limits.lost), missed: null } as const)
          : { missed: againstLimit(lost, limits.lost) }),
        fifo: null,
        ...(byDrops ? ({ dropped: null, refused: null } as const) : {}),
        packets: null,
        softirq: ['>=', limits.hot],
        ...(message === 'starved' ? ({ idle: ['<=', limits.spare] } as const) : {}),
      },
      remedies:
        at.netns === OWN_NETNS
          ? enlargeRing(name, irqsOn(taken, irqs), short, { names, size: ringOf(read.ring, read.ringMost) })
          : enlargeRingIn(at.netns, name, names),
      place: cpus.length > 0 ? { cpus: short.length > 0 ? short : cpus } : {},
      impact: { lostPerSecond: lost / at.seconds },
    } as const;
    if (grade === 'none' || unsure || (guessed && !saysNoBuffer(own.labels['counter'] ?? ''))) return info(said);
    return grade === 'critical' && !guessed ? critical(said) : warning(said);
  },
});

/** Where a driver tells of it by names of its own. */
function hint(device: string, known: NicLosses | undefined): string {
  const names = known === undefined ? [] : spokenNames(known, ['ring']);
  return names.length === 0 ? '' : `; \`ethtool -S ${device}\` may have it as ${names.join(' or ')}`;
}

function ringOf(frames: Signal | undefined, most: Signal | undefined): Ring | undefined {
  return frames === undefined || most === undefined ? undefined : { frames: frames.value, most: most.value };
}

/** The CPUs that took the interrupts, those that took most first. */
function cpusOf(
  types: readonly string[],
  taken: readonly { labels: Readonly<Record<string, string>>; value: number }[],
): string[] {
  const wanted = new Set(types);
  const rates = new Map<string, number>();
  for (const { labels, value: perSecond } of taken) {
    const cpu = labels['cpu'] ?? '';
    if (perSecond >= 1 && wanted.has(labels['type'] ?? '')) rates.set(cpu, (rates.get(cpu) ?? 0) + perSecond);
  }
  return [...rates]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 8)
    .map(([cpu]) => cpu);
}
