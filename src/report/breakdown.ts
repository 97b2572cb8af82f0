import type { CostPart } from '../generated/report.ts';
import { netRxDriverNanoseconds, netRxNanoseconds, netRxPackets } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';

/** What the probe measured of NET_RX on one CPU, or on several as a mean; nanoseconds per pass into the stack. */
export interface NetRxCost {
  readonly ns: number;
  /** Of `ns`, what passed in the driver and GRO; null where the two were not told apart. */
  readonly driverNs: number | null;
  readonly packets: number;
}

/** By CPU, those alone that handled a packet. */
export type NetRxByCpu = ReadonlyMap<string, NetRxCost>;

export function netRxOf(window: Window): NetRxByCpu {
  const byCpu = (metric: typeof netRxPackets): ReadonlyMap<string, number> =>
    new Map(window.increase(metric).cells.map(({ labels, increase }) => [labels['cpu'] ?? '', increase]));
  const [packets, drivers] = [byCpu(netRxPackets), byCpu(netRxDriverNanoseconds)];
  return new Map(
    [...byCpu(netRxNanoseconds)].flatMap(([cpu, nanoseconds]) => {
      const count = packets.get(cpu) ?? 0;
      const driver = drivers.get(cpu);
      if (count === 0) return [];
      const driverNs = driver === undefined ? null : driver / count;
      return [[cpu, { ns: nanoseconds / count, driverNs, packets: count }] as const];
    }),
  );
}

/**
 * The mean over CPUs, each with as many packets as `weights` says (those of one device), or with its own. The driver's part is
 * known only where it is known of every one of them.
 */
export function meanNetRx(netRx: NetRxByCpu, weights?: ReadonlyMap<string, number>): NetRxCost | null {
  const shares = [...netRx].map(([cpu, cost]) => ({ cost, weight: weights?.get(cpu) ?? (weights ? 0 : cost.packets) }));
  const used = shares.filter(({ weight }) => weight > 0);
  const packets = used.reduce((sum, { weight }) => sum + weight, 0);
  if (packets === 0) return null;
  const mean = (of: (cost: NetRxCost) => number): number =>
    used.reduce((sum, { cost, weight }) => sum + of(cost) * weight, 0) / packets;
  const split = used.every(({ cost }) => cost.driverNs !== null);
  return { ns: mean(({ ns }) => ns), driverNs: split ? mean(({ driverNs }) => driverNs ?? 0) : null, packets };
}

/**
 * Splits the accounted time per packet into driver and GRO, taps, the rest of NET_RX, and what is left over. Where the driver was
 * not told apart it stays within the rest. Where the tick-sampled softirq time falls short of the NET_RX time that was measured,
 * the measured one is the whole.
 */
export function breakdownOf(accountedNs: number | null, netRx: NetRxCost | null, tapNs: number | null): CostPart[] {
  if (netRx === null || tapNs === null) return [];
  const { driverNs } = netRx;
  const known = (driverNs ?? 0) + tapNs;
  const parts = [
    ...(driverNs === null ? [] : [{ part: 'driver-gro' as const, ns: driverNs }]),
    { part: 'taps' as const, ns: tapNs },
    { part: 'net-rx-rest' as const, ns: Math.max(0, netRx.ns - known) },
    { part: 'unexplained' as const, ns: Math.max(0, (accountedNs ?? 0) - Math.max(netRx.ns, known)) },
  ];
  const whole = parts.reduce((sum, { ns }) => sum + ns, 0);
  return whole === 0 ? [] : parts.map(({ part, ns }) => ({ part, ns, share: ns / whole }));
}
