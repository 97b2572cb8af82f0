/** How the receiving side of a host fares beside its taps. */
import { hotCpus, receiveCost, type HotCpu, type ReceiveCost } from '../facts/packet-cost.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import { worded, type FindingPlace, type Worded } from './finding.ts';
import { type Instance } from './rule.ts';
import type { TapReadings } from './tap-cost-signals.ts';
import type { TapLimits } from './tap-cost-limits.ts';

/** How the receiving side of the host fares. */
export interface Load {
  readonly cost: ReceiveCost | undefined;
  readonly hot: readonly HotCpu[];
  readonly losing: boolean;
  /** Softirq time per packet is above the baseline, and is no trifle. */
  readonly risen: boolean;
  readonly dear: boolean;
  /** The device carries enough of the host's packets for the host's state to be its doing. */
  readonly dominant: boolean;
}

export function loadOf(read: TapReadings, limits: TapLimits, at: Instance): Load {
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
function handled({ packetsPerSecond }: ReceiveCost, { hostReceived }: TapReadings): number {
  return Math.max(packetsPerSecond, hostReceived?.value ?? 0);
}

function exceeds(lost: number, received: number, limit: number): boolean {
  return lost > 0 && lost >= limit * (received + lost);
}

/** The CPUs that are short of time by packets, or by the taps themselves. */
export function placeOf({ hot }: Load, burdened: readonly string[] = []): FindingPlace {
  const cpus = [...new Set([...hot.map(({ cpu }) => cpu), ...burdened])];
  return cpus.length > 0 ? { cpus } : {};
}

export function signsOf(load: Load): Worded {
  const { hot, losing, risen, dear } = load;
  const [hottest] = hot;
  const cpu = hottest === undefined ? null : { cpu: hottest.cpu, share: hottest.share };
  return worded({ hottest: cpu, losing, risen, dear }, signsText(load));
}

function signsText({ hot, losing, risen, dear }: Load): string {
  const [hottest] = hot;
  const signs = [
    ...(hottest === undefined
      ? []
      : [
          `CPU ${hottest.cpu} spends ${Math.round(hottest.share * 100)}% of its time in softirq, interrupts and NAPI threads`,
        ]),
    ...(losing ? ['packets are lost in ring or backlog'] : []),
    ...(risen ? ['softirq time per packet is above the baseline'] : []),
    ...(dear ? ['a packet takes long in NET_RX'] : []),
  ];
  return signs.join(', ');
}
