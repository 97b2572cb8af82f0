/**
 * What the sampling profile says of a packet's price: shares of the parts in each direction with their errors, and nanoseconds by
 * two rulers. For rules and report alike.
 */
import {
  netRxNanoseconds,
  netRxPackets,
  profileCpus,
  profileDeviceSamples,
  profileLost,
  profilePeriod,
  profileSamples,
  profileSeconds,
  softnetProcessed,
  spanCpuPackets,
  spanUnmarked,
  transmitPackets,
} from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Increase, Window } from '../metrics/window.ts';
import type { Direction } from '../profile/direction.ts';
import { directions } from '../profile/direction.ts';
import { cells, increaseIn } from './figures.ts';
import { price, type ProfiledDirection, type NetRxTotal } from './profile-price.ts';
import { deviceKey } from './spans.ts';

export interface DirectionProfile extends ProfiledDirection {
  readonly direction: Direction;
}

export interface CpuProfile extends ProfiledDirection {
  readonly direction: Direction;
  readonly cpu: string;
}

export interface DeviceProfile extends ProfiledDirection {
  readonly direction: Direction;
  readonly netns: string;
  readonly device: string;
}

export interface SampledProfile {
  readonly clock: string;
  readonly periodSeconds: number;
  readonly seconds: number;
  readonly cpus: { readonly sampled: number; readonly online: number };
  readonly lost: number;
  readonly directions: readonly DirectionProfile[];
}

const profiles = new WeakMap<Window, SampledProfile | string>();

/** The profile of a window, or why there is none. */
export function profileOf(window: Window): SampledProfile | string {
  let known = profiles.get(window);
  if (known === undefined) profiles.set(window, (known = readProfile(window)));
  return known;
}

/** One direction; undefined where the profile is missing. */
export function directionOf(window: Window, direction: Direction): DirectionProfile | undefined {
  const profile = profileOf(window);
  return typeof profile === 'string' ? undefined : profile.directions.find((each) => each.direction === direction);
}

function readProfile(window: Window): SampledProfile | string {
  const [period] = window.value(profilePeriod);
  if (window.single) return 'one sample only: a profile takes a window';
  if (period === undefined) {
    const [absent] = window.whyAbsent(profilePeriod);
    return absent === undefined ? 'no profile was taken' : absent.reason;
  }
  const seconds = window.value(profileSeconds)[0]?.value ?? 0;
  if (seconds <= 0) return 'the profile had no time to sample';
  const cpus = new Map(window.value(profileCpus).map(({ labels, value }) => [labels['state'], value]));
  const clock = { periodSeconds: period.value, seconds };
  return {
    clock: period.labels['clock'] ?? '',
    ...clock,
    cpus: { sampled: cpus.get('sampled') ?? 0, online: cpus.get('online') ?? 0 },
    lost: increaseIn(window, profileLost),
    directions: directions.map((direction) => ({
      direction,
      ...price(
        partSamples(cells(window, profileSamples).filter(({ labels }) => labels['direction'] === direction)),
        clock,
        hostPackets(window, direction),
        direction === 'receive' ? netRxTime(window) : undefined,
      ),
    })),
  };
}

/** By CPU, for receiving: where a CPU's packets cost more than the others'. */
export function profileByCpu(window: Window): readonly CpuProfile[] {
  const profile = profileOf(window);
  if (typeof profile === 'string') return [];
  const received = rateByLabel(window, softnetProcessed, 'cpu');
  const byCpu = groupBy(
    cells(window, profileSamples).filter(({ labels }) => labels['direction'] === 'receive'),
    ({ labels }) => labels['cpu'] ?? '',
  );
  return [...byCpu]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([cpu, found]) => ({
      direction: 'receive',
      cpu,
      ...price(partSamples(found), profile, received.get(cpu), netRxTime(window, cpu)),
    }));
}

/** Of a CPU's packets so many must be of watched devices: what others' packets cost would be booked to the watched ones. */
const WATCHED_SHARE = 0.9;

/**
 * By device, from tc ingress on: protocols, netfilter, sockets. The mark that a device's program leaves on its CPU stands until the
 * next packet of a watched device, so only CPUs count on which next to all packets are of watched ones, and only devices of whose
 * packets next to all came to such CPUs.
 */
export function profileByDevice(window: Window): readonly DeviceProfile[] {
  const profile = profileOf(window);
  if (typeof profile === 'string') return [];
  const passed = cells(window, spanCpuPackets);
  const sound = soundCpus(passed, rateByLabel(window, softnetProcessed, 'cpu'));
  const packetsOn = groupBy(passed, ({ labels }) => deviceKey(labels));
  const unmarked = new Map(window.value(spanUnmarked).map(({ labels, value }) => [deviceKey(labels), value]));
  const byDevice = groupBy(
    cells(window, profileDeviceSamples).filter(
      ({ labels }) => labels['direction'] === 'receive' && sound.has(labels['cpu'] ?? ''),
    ),
    ({ labels }) => deviceKey(labels),
  );
  return [...byDevice].flatMap(([key, found]) => {
    const packets = packetsOn.get(key) ?? [];
    const all = packets.reduce((sum, cell) => sum + rate(cell), 0);
    const here = packets
      .filter(({ labels }) => sound.has(labels['cpu'] ?? ''))
      .reduce((sum, cell) => sum + rate(cell), 0);
    // So much of its time its samples were of no device.
    const away = unmarked.get(key) ?? 0;
    if (here < WATCHED_SHARE * all || away >= 1) return [];
    const { netns = '', device = '' } = found[0]!.labels;
    const clock = { ...profile, seconds: profile.seconds * (1 - away) };
    return [{ direction: 'receive', netns, device, ...price(partSamples(found), clock, here, undefined) } as const];
  });
}

function soundCpus(watched: readonly Increase[], processed: ReadonlyMap<string, number>): ReadonlySet<string> {
  const byCpu = new Map<string, number>();
  for (const cell of watched) {
    const cpu = cell.labels['cpu'] ?? '';
    byCpu.set(cpu, (byCpu.get(cpu) ?? 0) + rate(cell));
  }
  return new Set(
    [...byCpu]
      .filter(([cpu, packets]) => packets >= WATCHED_SHARE * (processed.get(cpu) ?? Infinity))
      .map(([cpu]) => cpu),
  );
}

function partSamples(found: readonly Increase[]): ReadonlyMap<string, number> {
  const byPart = new Map<string, number>();
  for (const { labels, increase } of found) {
    const part = labels['part'] ?? '';
    byPart.set(part, (byPart.get(part) ?? 0) + increase);
  }
  return byPart;
}

function netRxTime(window: Window, cpu?: string): NetRxTotal | undefined {
  const of = (metric: Metric): readonly Increase[] =>
    cells(window, metric).filter(({ labels }) => cpu === undefined || labels['cpu'] === cpu);
  const [times, packets] = [of(netRxNanoseconds), of(netRxPackets)];
  if (times.length === 0 || packets.length === 0) return undefined;
  const sum = (found: readonly Increase[]): number => found.reduce((all, { increase }) => all + increase, 0);
  return { ns: sum(times), packets: sum(packets) };
}

/** Per second. A packet that is sent through a bridge or a tunnel is handed over more than once, and counts as often. */
function hostPackets(window: Window, direction: Direction): number | undefined {
  const received = cells(window, softnetProcessed);
  const sent = cells(window, transmitPackets);
  const counted = direction === 'receive' ? [received] : direction === 'transmit' ? [sent] : [received, sent];
  if (counted.some((found) => found.length === 0)) return undefined;
  return counted.flat().reduce((sum, cell) => sum + rate(cell), 0);
}

function groupBy(found: readonly Increase[], keyOf: (cell: Increase) => string): ReadonlyMap<string, Increase[]> {
  const groups = new Map<string, Increase[]>();
  for (const cell of found) {
    const key = keyOf(cell);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return groups;
}

function rate({ increase, seconds }: Increase): number {
  return seconds > 0 ? increase / seconds : 0;
}

function rateByLabel(window: Window, metric: Metric, label: string): ReadonlyMap<string, number> {
  return new Map(cells(window, metric).map((cell) => [cell.labels[label] ?? '', rate(cell)]));
}
