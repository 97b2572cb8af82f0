/** What the rules about parts of a packet's cost have in common: readings, limits, words. */
import { cpuCount, ofAllCpuTime } from '../facts/cpu-time.ts';
import { worded, type Worded } from './finding.ts';
import {
  dearest,
  partTitle,
  pathCosts,
  unsureOf,
  directionName,
  type CostLimits,
  type Grade,
  type PartOf,
  type PathCost,
  type ProfileReadings,
} from '../facts/path-cost.ts';
import { dearDeviceCosts, unsureOfDevices, type DeviceReadings } from '../facts/device-cost.ts';
import type { Signal } from '../facts/signal.ts';
import {
  profileCpus,
  profileDeviceSamples,
  profilePeriod,
  profileSamples,
  profileSeconds,
  receivePackets,
  softnetProcessed,
  spanPackets,
  spanUnmarked,
  transmitPackets,
} from '../metrics/catalogue/index.ts';
import { acrossNetns, everywhere, increase, maxBy, rate, sumBy, value } from '../metrics/expression.ts';
import {
  deciding,
  list,
  notMeasured,
  ok,
  optional,
  optionalList,
  type Conclusion,
  type Shown,
  type Threshold,
  type Unsaid,
} from './rule.ts';
import { asPercent } from './said.ts';

/** What tells the packets of one device from those of the host. */
export const ofDevices = {
  byDevice: everywhere(sumBy(['device', 'part'], increase(profileDeviceSamples, { direction: 'receive' }))),
  skbs: everywhere(rate(spanPackets)),
  unmarked: everywhere(value(spanUnmarked)),
  frames: everywhere(rate(receivePackets)),
  received: sumBy([], acrossNetns(rate(receivePackets))),
};

export const pathSignals = {
  samples: list(sumBy(['direction', 'part'], increase(profileSamples))),
  period: maxBy([], value(profilePeriod)),
  sampled: maxBy([], value(profileSeconds)),
  clocks: optionalList(value(profileCpus)),
  processed: deciding(sumBy([], rate(softnetProcessed))),
  sent: deciding(sumBy([], acrossNetns(rate(transmitPackets)))),
  cpus: optional(cpuCount),
  byDevice: optionalList(ofDevices.byDevice),
  skbs: optionalList(ofDevices.skbs),
  unmarked: optionalList(ofDevices.unmarked),
  frames: optionalList(ofDevices.frames),
  received: optional(ofDevices.received),
} as const;

/** No server of metrics has a profile. */
export const needsProfile: Unsaid = { none: 'what a part costs is sampled by the profile, during a diagnosis only' };

const helps = {
  share:
    'Share of what packets cost in a direction, or of what those of a device cost that are twice as dear as the others, from which it is a warning, the error of the profile taken off.',
  nanoseconds: 'Price per packet below which it is not worth a warning.',
  cpu: 'CPU time it burns, in CPUs, below which it is not material.',
  criticalShare: 'Share from which it is critical if it also burns criticalCpu.',
  criticalCpu: 'CPU time it burns, in CPUs, from which a critical share is critical.',
} as const;

type CostThresholds = Readonly<Record<keyof CostLimits, Threshold>>;

/** Limits of a part, in the manner of PKT0101: how large its share, how much of a CPU. */
export function costLimits(share: number, nanoseconds: number, source: string): CostThresholds {
  const limit = (name: keyof CostLimits, number: number, unit: string, from: string): Threshold => ({
    value: number,
    unit,
    help: helps[name],
    source: from,
  });
  return {
    share: limit('share', share, 'ratio', source),
    nanoseconds: limit('nanoseconds', nanoseconds, 'nanoseconds', source),
    cpu: limit('cpu', 0.05, 'ratio', 'judgement: a twentieth of a CPU; less makes nobody wait'),
    criticalShare: limit('criticalShare', 0.5, 'ratio', 'judgement: a CPU without it carries twice the packets'),
    criticalCpu: limit('criticalCpu', 0.3, 'ratio', 'judgement: about a third of a core'),
  };
}

export interface JudgedPath {
  readonly cost: PathCost;
  readonly grade: Grade;
  readonly args: {
    readonly ns: number;
    readonly perPacket: number;
    readonly share: number;
    readonly error: number;
    readonly cpu: number;
    readonly way: string;
    readonly besidesOwn: Worded | '';
  };
  readonly impact: { readonly cpuShare?: number };
}

/** What these parts cost where they are dear; undefined where they are not. */
export function judgeParts(
  read: ProfileReadings & DeviceReadings & { readonly cpus: Signal | undefined },
  isPart: PartOf,
  limits: CostLimits,
): JudgedPath | undefined {
  const found =
    dearest(pathCosts(read, isPart), limits) ??
    dearest(
      dearDeviceCosts(read, (part) => isPart(part, 'receive')),
      limits,
    );
  if (found === undefined) return undefined;
  const { cost, grade } = found;
  const { ns, perPacket, share, error, cpu } = cost;
  return {
    cost,
    grade,
    args: { ns, perPacket, share, error, cpu, way: directionName(cost), besidesOwn: besidesOwn(cost) },
    impact: ofAllCpuTime(cpu, read.cpus),
  };
}

/** The table of parts has all that was sampled. */
function besidesOwn({ own }: PathCost): Worded | '' {
  return own < LEAST_OWN ? '' : worded(own, ` without pktcost itself (${asPercent(own)} of all)`);
}

/** What pktcost took below which a share is the same with and without it. */
const LEAST_OWN = 0.005;

/** What is said of parts that are dear, besides what all such findings say. */
type Costly<M extends string, K extends string> = Shown<M, K> & { readonly message: M };

/** The finding about parts that are dear: the profile's figures, and the rule's own words. */
export function costly<const M extends string, K extends string>(
  { args, impact, grade, cost: { of } }: JudgedPath,
  said: Costly<M, K | DeviceSignal>,
): Conclusion<M, K | DeviceSignal> {
  return {
    ...{ outcome: grade, certainty: 'measured', ...said, args: { ...args, ...said.args }, impact },
    ...(of === undefined ? {} : { place: { ...of, ...said.place }, evidence: { ...deviceProof, ...said.evidence } }),
  };
}

const deviceProof = { byDevice: null, skbs: null } as const;
type DeviceSignal = keyof typeof deviceProof;

/** Of parts that were not found dear: that they are not, or that too little was seen to say so. */
export function notDear(
  read: ProfileReadings & DeviceReadings,
  isPart: PartOf,
  limits: CostLimits,
): Conclusion<never, never> {
  const unsure = unsureOf(read, isPart, limits) ?? unsureOfDevices(read, (part) => isPart(part, 'receive'), limits);
  return unsure === undefined ? ok() : notMeasured(unsure);
}

/** The words of every such finding, to which each rule adds who owns it. */
export const costWords =
  '{share:percent} (± {error:percent}) of what {way} cost{besidesOwn}: {ns:ns} of {perPacket:ns} a packet, {cpu:percent} of a CPU';

/** The largest parts of a direction with their shares, as an argument. */
export function partsArgument(parts: PathCost['parts'], most = 3): Worded {
  return worded(Object.fromEntries(parts.slice(0, most)), partsText(parts, most));
}

/** `nftables 63%, UDP 12%`: the same in words. */
export function partsText(parts: PathCost['parts'], most = 3): string {
  return parts
    .slice(0, most)
    .map(([part, share]) => `${partTitle(part)} ${asPercent(share)}`)
    .join(', ');
}

export const VERIFY = 'pktcost diagnose --window 10s';
