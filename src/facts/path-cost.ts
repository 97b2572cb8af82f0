/** What a group of parts costs on the way of a packet, from the samples of the profile: for the rules that ask who owns a part. */
import type { Direction } from '../profile/direction.ts';
import { parts as knownParts, partTitle } from '../profile/parts.ts';
import { errorOfShare, mostOf } from './chance.ts';
import { tooFewPackets } from './price.ts';
import { SAMPLES_TO_PRICE } from './profile-price.ts';
import type { Signal } from './signal.ts';

/** What pktcost takes itself is no part of what a packet costs. */
export const PKTCOST_PART = 'self';

export interface ProfileReadings {
  /** Samples of the window by the labels `direction` and `part`. */
  readonly samples: readonly Signal[];
  /** Seconds of a CPU that a sample stands for, and seconds sampled. */
  readonly period: Signal;
  readonly sampled: Signal;
  /** How many CPUs a clock ran on, and how many there were, by the label `state`; nothing where that was not told. */
  readonly clocks: readonly Signal[];
  /** Packets per second, of the whole host. */
  readonly processed: Signal | undefined;
  readonly sent: Signal | undefined;
}

export interface PathCost {
  readonly direction: Direction;
  /** The device whose packets these are; of the whole host where there is none. */
  readonly of?: { readonly device: string; readonly netns: string };
  /** Of what packets cost in this direction, plus or minus `error`. */
  readonly share: number;
  readonly error: number;
  /** CPU-seconds per second. */
  readonly cpu: number;
  /** Per packet: of these parts, and of all. */
  readonly ns: number;
  readonly perPacket: number;
  /** What pktcost took itself, of all samples of the direction: it is in none of the figures above. */
  readonly own: number;
  /** Of all parts of the direction, the largest first. */
  readonly parts: readonly (readonly [part: string, share: number])[];
}

const directions = ['receive', 'transmit', 'socket'] as const;

/** Which parts are meant, of a direction: what a call does for its caller may be done for others in the softirq. */
export type PartOf = (part: string, direction: Direction) => boolean;

/** Samples of a direction: all but pktcost's own, and those of them that `isPart` picks. */
function counted(read: ProfileReadings, direction: Direction, isPart: PartOf) {
  const sampled = read.samples.filter(({ labels }) => labels['direction'] === direction);
  const theirs = sampled.filter(({ labels }) => labels['part'] !== PKTCOST_PART);
  const total = (of: readonly Signal[]): number => of.reduce((sum, { value }) => sum + value, 0);
  const [whole, all] = [total(sampled), total(theirs)];
  return {
    theirs,
    all,
    own: whole === 0 ? 0 : (whole - all) / whole,
    mine: total(theirs.filter(({ labels }) => isPart(labels['part'] ?? '', direction))),
  };
}

/** What `isPart` picks costs in each direction that has enough samples and packets. */
export function pathCosts(read: ProfileReadings, isPart: PartOf): readonly PathCost[] {
  return directions.flatMap((direction) => {
    const packets = packetsOf(read, direction);
    const { theirs, own, all, mine } = counted(read, direction, isPart);
    if (all < SAMPLES_TO_PRICE || packets === undefined || read.sampled.value <= 0) return [];
    if (tooFewPackets(packets * read.sampled.value) !== undefined) return [];
    if (mine === 0) return [];
    const share = mine / all;
    const cpuOf = (samples: number): number => (samples * read.period.value) / read.sampled.value;
    return [
      {
        direction,
        share,
        error: errorOfShare(share, all),
        cpu: cpuOf(mine),
        ns: (cpuOf(mine) * 1e9) / packets,
        perPacket: (cpuOf(all) * 1e9) / packets,
        own,
        parts: theirs
          .map(({ labels, value }) => [labels['part'] ?? '', value / all] as const)
          .sort(([, a], [, b]) => b - a),
      },
    ];
  });
}

function packetsOf({ processed, sent }: ProfileReadings, direction: Direction): number | undefined {
  if (direction === 'receive') return processed?.value;
  if (direction === 'transmit') return sent?.value;
  return processed === undefined || sent === undefined ? undefined : processed.value + sent.value;
}

export interface CostLimits {
  readonly share: number;
  readonly nanoseconds: number;
  readonly cpu: number;
  readonly criticalShare: number;
  readonly criticalCpu: number;
}

export type Grade = 'critical' | 'warning';

/** A share counts without its error, so that chance raises no finding. */
export function gradeCost({ share, error, cpu, ns }: PathCost, limits: CostLimits): Grade | undefined {
  const surely = share - error;
  if (surely < limits.share || cpu < limits.cpu || ns < limits.nanoseconds) return undefined;
  return surely >= limits.criticalShare && cpu >= limits.criticalCpu ? 'critical' : 'warning';
}

/** The direction in which these parts are dear, the one that burns most if several are. */
export function dearest(
  costs: readonly PathCost[],
  limits: CostLimits,
): { readonly cost: PathCost; readonly grade: Grade } | undefined {
  const graded = costs.flatMap((cost) => {
    const grade = gradeCost(cost, limits);
    return grade === undefined ? [] : [{ cost, grade }];
  });
  return graded.sort((a, b) => b.cost.cpu - a.cost.cpu)[0];
}

/** What ran on a CPU without a clock is in no sample, so that nothing is cheap for it. */
export function unsampledCpus(clocks: readonly Signal[]): string | undefined {
  const of = (state: string): number => clocks.find(({ labels }) => labels['state'] === state)?.value ?? 0;
  return of('sampled') < of('online')
    ? `only ${of('sampled')} of ${of('online')} CPUs were sampled, and what the others did is not known`
    : undefined;
}

/**
 * Why these parts can be called neither dear nor cheap: a direction of which too little was sampled, or whose packets were too few or
 * counted by nobody, and in which they may take more than the limits allow. Undefined where they surely do not.
 */
export function unsureOf(read: ProfileReadings, isPart: PartOf, limits: CostLimits): string | undefined {
  const seconds = read.sampled.value;
  if (seconds <= 0) return 'the profile did not sample: the window ended before it began';
  const partial = unsampledCpus(read.clocks);
  if (partial !== undefined) return partial;
  for (const direction of directions) {
    const { all, mine } = counted(read, direction, isPart);
    const most = mostOf(mine);
    if ((most * read.period.value) / seconds < limits.cpu || most / Math.max(all, 1) < limits.share) continue;
    if (all < SAMPLES_TO_PRICE)
      return `only ${all} samples of ${ways[direction]} in ${seconds.toFixed(1)} s of profile: ${SAMPLES_TO_PRICE} are needed, which a longer window gives`;
    // As of a namespace that is not looked into.
    const packets = packetsOf(read, direction) ?? 0;
    if (packets <= 0) return `there are samples of ${ways[direction]}, and no packets were counted`;
    const few = tooFewPackets(packets * seconds);
    if (few !== undefined) return `of ${ways[direction]}: ${few}`;
  }
  return undefined;
}

const ways: Readonly<Record<Direction, string>> = {
  receive: 'received packets',
  transmit: 'sent packets',
  socket: 'socket calls',
};

export function directionName({ direction, of }: PathCost): string {
  return of === undefined ? ways[direction] : `${ways[direction]} of ${deviceWords(of)}`;
}

export function deviceWords({ device, netns }: NonNullable<PathCost['of']>): string {
  return `${device}${netns === '' ? '' : ` in namespace ${netns}`}`;
}

export { partTitle };

/** Who can own a part; undefined for one that this version does not know. */
export function ownerOfPart(part: string): string | undefined {
  return knownParts.find(({ id }) => id === part)?.owner;
}
