import {
  directionOf,
  profileByCpu,
  profileByDevice,
  profileOf,
  type DeviceProfile,
  type DirectionProfile,
} from '../../facts/profile.ts';
import { type PartShare, type ProfiledDirection, SAMPLES_TO_PRICE } from '../../facts/profile-price.ts';
import type {
  Cost,
  CostPart,
  Profile,
  ProfileDevice,
  ProfileDirection,
  ProfileHook,
  ProfilePart,
  ProfilePayer,
  ProfileStack,
} from '../../generated/report.ts';
import {
  profileNetfilterSamples,
  profileOtherSamples,
  profileOwnNanoseconds,
  profileProcessSamples,
  profileProgramSamples,
  profileStackSamples,
} from '../../metrics/catalogue/index.ts';
import { hookWords } from '../../facts/filters.ts';
import type { Labels, Metric } from '../../metrics/metric.ts';
import type { Window } from '../../metrics/window.ts';
import { isPartId, partOf, partTitle } from '../../profile/parts.ts';

const MOST_PAYERS = 10;
const MOST_DEVICES = 64;

/** The profile of the window as the report has it. */
export function reportProfile(window: Window): Profile {
  const found = profileOf(window);
  if (typeof found === 'string') {
    const nothing = { clock: null, periodNs: null, seconds: null, cpus: null, lost: null, ownNs: null };
    return { ...nothing, reason: found, directions: [], devices: [] };
  }
  const own = window.increase(profileOwnNanoseconds).cells[0];
  return {
    clock: found.clock,
    periodNs: found.periodSeconds * 1e9,
    seconds: found.seconds,
    cpus: found.cpus.sampled,
    lost: found.lost,
    ownNs: own?.increase ?? null,
    reason: null,
    directions: found.directions.map((direction) => directionSection(window, direction)),
    devices: profileByDevice(window)
      .map(deviceSection)
      .sort((a, b) => (b.nsPerPacket ?? 0) - (a.nsPerPacket ?? 0) || b.samples - a.samples)
      .slice(0, MOST_DEVICES),
  };
}

function directionSection(window: Window, profile: DirectionProfile): ProfileDirection {
  const { direction, samples, price, otherPrice } = profile;
  const rows = (metric: Metric): [Labels, number][] =>
    window
      .increase(metric)
      .cells.filter(({ labels }) => labels['direction'] === direction)
      .map(({ labels, increase }) => [labels, increase]);
  const share = (count: number): number => (samples === 0 ? 0 : count / samples);
  return {
    direction,
    samples,
    cpuShare: profile.cpuShare,
    packetsPerSecond: profile.packetsPerSecond,
    nsPerPacket: price?.ns ?? null,
    nsError: price?.error ?? null,
    ruler: price?.ruler ?? null,
    otherNs: otherPrice?.ns ?? null,
    rulersDiffer: profile.rulersDiffer,
    reason: profile.notPriced,
    parts: profile.parts.map(partSection),
    netfilter: rows(profileNetfilterSamples)
      .map(([labels, count]): ProfileHook => {
        const { family = '', hook = '', engine = '' } = labels;
        return { hook: hookWords({ family, hook }), engine, samples: count, share: share(count) };
      })
      .sort((a, b) => b.samples - a.samples),
    processes: payers(rows(profileProcessSamples), 'pid', 'comm', share),
    programs: payers(rows(profileProgramSamples), 'program_id', 'name', share),
    other: stacks(rows(profileOtherSamples), 'function'),
    stacks: stacks(rows(profileStackSamples), 'stack'),
  };
}

/** Their parts together. */
function payers(
  rows: readonly (readonly [Labels, number])[],
  id: string,
  name: string,
  share: (samples: number) => number,
): ProfilePayer[] {
  const byId = new Map<string, { readonly name: string; readonly samples: number }>();
  for (const [labels, count] of rows) {
    const key = labels[id] ?? '';
    byId.set(key, { name: labels[name] ?? '', samples: (byId.get(key)?.samples ?? 0) + count });
  }
  return [...byId]
    .map(([key, payer]) => ({ id: key, name: payer.name, samples: payer.samples, share: share(payer.samples) }))
    .sort((a, b) => b.samples - a.samples || (a.id < b.id ? -1 : 1))
    .slice(0, MOST_PAYERS);
}

function stacks(rows: readonly (readonly [Labels, number])[], label: string): ProfileStack[] {
  return rows
    .map(([labels, samples]) => ({ stack: labels[label] ?? '', samples }))
    .sort((a, b) => b.samples - a.samples || (a.stack < b.stack ? -1 : 1));
}

function deviceSection({
  netns,
  device,
  samples,
  packetsPerSecond,
  price,
  notPriced,
  parts,
}: DeviceProfile): ProfileDevice {
  return {
    netns,
    device,
    samples,
    packetsPerSecond,
    nsPerPacket: price?.ns ?? null,
    nsError: price?.error ?? null,
    reason: notPriced,
    parts: parts.map(partSection),
  };
}

function partSection({ part, samples, share, error, ns, nsError }: PartShare): ProfilePart {
  const owner = isPartId(part) ? partOf(part).owner : 'kernel';
  return { part, title: partTitle(part), owner, samples, share, error, ns, nsError };
}

/** What the breakdown has under other names already: the driver's part, and the taps'. */
const DRIVER = new Set(['driver-receive', 'gro', 'backlog', 'softirq', 'completion', 'xdp']);
const TAPS = new Set(['tap-receive', 'self']);

/** The breakdown with the rest of NET_RX taken apart, in the proportions that the profile saw. */
function withParts(breakdown: readonly CostPart[], seen: readonly PartShare[]): CostPart[] {
  const split = breakdown.some(({ part }) => part === 'driver-gro');
  const traced = breakdown.some(({ part }) => part === 'tracing');
  const inRest = seen.filter(
    ({ part }) => !TAPS.has(part) && !(split && DRIVER.has(part)) && !(traced && part === 'tracing'),
  );
  const whole = inRest.reduce((sum, { samples }) => sum + samples, 0);
  return breakdown.map((each) => ({
    ...each,
    parts:
      each.part !== 'net-rx-rest' || whole === 0
        ? []
        : inRest.map(({ part, samples }) => ({
            part,
            ns: (each.ns * samples) / whole,
            share: (each.share * samples) / whole,
          })),
  }));
}

/**
 * The whole of the cost with its rests taken apart. A device's by its own samples or not at all: the host's mean would hide a dear
 * device behind a busy one.
 */
export function withProfile(window: Window, cost: Cost): Cost {
  const receive = directionOf(window, 'receive');
  const priced = (profile: ProfiledDirection | undefined): readonly PartShare[] =>
    profile === undefined || profile.samples < SAMPLES_TO_PRICE ? [] : profile.parts;
  const cpus = new Map(profileByCpu(window).map((each) => [each.cpu, each]));
  const devices = new Map(profileByDevice(window).map((each) => [`${each.netns} ${each.device}`, each]));
  return {
    ...cost,
    host: { ...cost.host, breakdown: withParts(cost.host.breakdown, priced(receive)) },
    devices: cost.devices.map((each) => ({
      ...each,
      breakdown: withParts(each.breakdown, priced(devices.get(`${each.netns} ${each.device}`))),
    })),
    cpus: cost.cpus.map((each) => ({ ...each, breakdown: withParts(each.breakdown, priced(cpus.get(each.cpu))) })),
  };
}
