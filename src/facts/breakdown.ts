import {
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  profileEntranceTracing,
  profileSamples,
} from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Window } from '../metrics/window.ts';
import { once } from './once.ts';
import { PACKETS_TO_PRICE } from './price.ts';
import { SAMPLES_TO_PRICE } from './profile-price.ts';
import type { CostPart } from '../generated/report.ts';

/** What the probe measured of NET_RX on one CPU. */
interface NetRxTime {
  readonly nanoseconds: number;
  /** Of them, in the driver and GRO; undefined where the two were not told apart. */
  readonly driver: number | undefined;
  /** Programs and probes of others: not in `driver`, and by the profile. */
  readonly tracing: number;
  readonly packets: number;
}

export type NetRxByCpu = ReadonlyMap<string, NetRxTime>;

/** As a mean, in nanoseconds per pass into the stack. */
export interface NetRxCost {
  readonly ns: number;
  readonly driverNs: number | null;
  readonly tracingNs: number;
  readonly packets: number;
}

/** NET_RX time by CPU. */
export const netRxOf = once((window: Window): NetRxByCpu => {
  const byCpu = (metric: typeof netRxPackets): ReadonlyMap<string, number> =>
    new Map(window.increase(metric).cells.map(({ labels, increase }) => [labels['cpu'] ?? '', increase]));
  const shares = tracedShares(window);
  const [packets, drivers] = [byCpu(netRxPackets), byCpu(netRxDriverNanoseconds)];
  return new Map(
    [...byCpu(netRxNanoseconds)].map(([cpu, nanoseconds]) => {
      const traced = shares(cpu);
      const driver = drivers.get(cpu);
      return [
        cpu,
        {
          nanoseconds,
          driver: driver === undefined ? undefined : Math.max(0, driver - nanoseconds * traced.entrance),
          tracing: nanoseconds * traced.all,
          packets: packets.get(cpu) ?? 0,
        },
      ];
    }),
  );
});

/**
 * Of the time of NET_RX, what tracing takes: all of it, and what of that comes before the probe's own program at the entrance of the
 * stack, which the probe books as the driver's. A tracepoint's programs run in the order of their attach, and ours come back last.
 */
function tracedShares(window: Window): (cpu: string) => { readonly all: number; readonly entrance: number } {
  const count = (metric: Metric, cpu: string | undefined, part?: string): number =>
    window
      .increase(metric)
      .cells.filter(
        ({ labels }) =>
          (labels['direction'] ?? 'receive') === 'receive' &&
          (cpu === undefined || labels['cpu'] === cpu) &&
          (part === undefined || labels['part'] === part),
      )
      .reduce((sum, { increase }) => sum + increase, 0);
  return (cpu) => {
    const of = count(profileSamples, cpu) >= SAMPLES_TO_PRICE ? cpu : undefined;
    const samples = count(profileSamples, of);
    if (samples < SAMPLES_TO_PRICE) return { all: 0, entrance: 0 };
    return {
      all: count(profileSamples, of, 'tracing') / samples,
      entrance: count(profileEntranceTracing, of) / samples,
    };
  };
}

/** Of some CPUs together: with RPS one takes packets from the card and another through the stack, and a packet costs both. */
export function netRxCost(times: readonly NetRxTime[]): NetRxCost | null {
  const spent = times.filter(({ nanoseconds }) => nanoseconds > 0);
  const total = (of: (time: NetRxTime) => number): number => spent.reduce((sum, time) => sum + of(time), 0);
  const packets = total((time) => time.packets);
  if (packets === 0) return null;
  const split = spent.every(({ driver }) => driver !== undefined);
  return {
    ns: total(({ nanoseconds }) => nanoseconds) / packets,
    driverNs: split ? total(({ driver }) => driver ?? 0) / packets : null,
    tracingNs: total(({ tracing }) => tracing) / packets,
    packets,
  };
}

/** Counters are read one after the other; what NET_RX did not receive is more than that. */
const RECEIVED = 0.9;

/**
 * Whether it was NET_RX that received these packets. Threads receive outside of it, and the strays that it received meanwhile have
 * another price.
 */
export function receivedInNetRx(inNetRx: number, packets: number): boolean {
  return inNetRx >= RECEIVED * packets;
}

/** Whether NET_RX received the packets that came to these CPUs. */
export function receivedOn(netRx: NetRxByCpu, packets: ReadonlyMap<string, number>): boolean {
  let [seen, all] = [0, 0];
  for (const [cpu, count] of packets) {
    all += count;
    seen += Math.min(count, netRx.get(cpu)?.packets ?? 0);
  }
  return receivedInNetRx(seen, all);
}

/** The mean of the CPUs that a device's packets came to, each with as many as `weights` says. */
export function netRxCostOn(netRx: NetRxByCpu, weights: ReadonlyMap<string, number>): NetRxCost | null {
  if (!receivedOn(netRx, weights)) return null;
  const used = [...weights].flatMap(([cpu, weight]) => {
    const time = netRx.get(cpu);
    const cost = time === undefined ? null : netRxCost([time]);
    return cost === null || weight === 0 ? [] : [{ cost, weight }];
  });
  const packets = used.reduce((sum, { weight }) => sum + weight, 0);
  if (packets === 0) return null;
  const mean = (of: (cost: NetRxCost) => number): number =>
    used.reduce((sum, { cost, weight }) => sum + of(cost) * weight, 0) / packets;
  const split = used.every(({ cost }) => cost.driverNs !== null);
  return {
    ns: mean(({ ns }) => ns),
    driverNs: split ? mean(({ driverNs }) => driverNs ?? 0) : null,
    tracingNs: mean(({ tracingNs }) => tracingNs),
    packets,
  };
}

/** Of the packets that these CPUs took, the share that is of a device of which so many came to each: in the mean of those packets. */
export function shareOn(netRx: NetRxByCpu, weights: ReadonlyMap<string, number>): number {
  let [share, all] = [0, 0];
  for (const [cpu, count] of weights) {
    const packets = netRx.get(cpu)?.packets ?? 0;
    if (packets === 0) continue;
    share += count * Math.min(1, count / packets);
    all += count;
  }
  return all === 0 ? 0 : share / all;
}

/** Too few packets make no price. */
export function enough(cost: NetRxCost | null): NetRxCost | null {
  return cost !== null && cost.packets >= PACKETS_TO_PRICE ? cost : null;
}

/**
 * Splits the accounted time per packet into driver and GRO, what traces packets, taps, the rest of NET_RX, and what is left over. Where the driver was
 * not told apart it stays within the rest. Where the tick-sampled softirq time falls short of the NET_RX time that was measured,
 * the measured one is the whole.
 * @param tapNs what the taps take of such a packet
 * @param meanTapNs what they take of `accountedNs` and `netRx`, which are means of other devices' packets as well
 */
export function breakdownOf(
  accountedNs: number | null,
  netRx: NetRxCost | null,
  tapNs: number | null,
  meanTapNs: number | null = tapNs,
): CostPart[] {
  if (netRx === null || tapNs === null || meanTapNs === null) return [];
  const { driverNs, tracingNs } = netRx;
  const known = (driverNs ?? 0) + tracingNs + meanTapNs;
  const parts = [
    ...(driverNs === null ? [] : [{ part: 'driver-gro' as const, ns: driverNs }]),
    ...(tracingNs === 0 ? [] : [{ part: 'tracing' as const, ns: tracingNs }]),
    { part: 'taps' as const, ns: tapNs },
    { part: 'net-rx-rest' as const, ns: Math.max(0, netRx.ns - known) },
    { part: 'unexplained' as const, ns: Math.max(0, (accountedNs ?? 0) - Math.max(netRx.ns, known)) },
  ];
  const whole = parts.reduce((sum, { ns }) => sum + ns, 0);
  return whole === 0 ? [] : parts.map(({ part, ns }) => ({ part, ns, share: ns / whole }));
}
