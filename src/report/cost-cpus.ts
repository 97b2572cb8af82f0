import type { CpuCost, Spans } from '../generated/report.ts';
import {
  cpuDedicated,
  cpuNode,
  cpuSeconds,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
  softnetSqueezed,
  spanCpuPackets,
} from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { breakdownOf, netRxCost, type NetRxByCpu } from './breakdown.ts';
import { byLabel, cells, enough, isTimed, meanTapNs, PACKETS_TO_PRICE } from './cost-figures.ts';
import { deviceKey } from './spans.ts';

export function cpuCosts(window: Window, netRx: NetRxByCpu, taps: ReadonlyMap<string, TapTime> | undefined): CpuCost[] {
  const packets = byLabel(window, softnetProcessed, 'cpu');
  const dropped = byLabel(window, softnetDropped, 'cpu');
  const squeezed = byLabel(window, softnetSqueezed, 'cpu');
  const runs = new Map(
    cells(window, softirqFunctions)
      .filter(({ labels }) => labels['type'] === 'NET_RX')
      .map(({ labels, increase }) => [labels['cpu'] ?? '', increase]),
  );
  const nodes = new Map(window.value(cpuNode).map(({ labels }) => [labels['cpu'], Number(labels['node'])]));
  const prices = cpuPrices(window);
  return cells(window, cpuSeconds)
    .filter(({ labels }) => labels['mode'] === 'softirq')
    .sort((a, b) => Number(a.labels['cpu']) - Number(b.labels['cpu']))
    .map(({ labels, increase, seconds }) => {
      const cpu = labels['cpu'] ?? '';
      const passed = packets.get(cpu);
      const time = netRx.get(cpu);
      const timed = time === undefined ? null : enough(netRxCost([time]));
      const nsPerPacket = prices.get(cpu) ?? null;
      const tap = taps === undefined ? null : (taps.get(cpu) ?? { seconds: 0, share: 0 });
      return {
        cpu,
        numaNode: nodes.get(cpu) ?? null,
        dedicatedBy: window
          .value(cpuDedicated)
          .flatMap((each) => (each.labels['cpu'] === cpu ? [each.labels['by']!] : [])),
        softirqSeconds: increase,
        // Of the wall clock: the modes of a mostly idle CPU do not add up to it (kernel/time/tick-sched.c).
        softirqShare: seconds > 0 ? increase / seconds : null,
        packets: passed?.increase ?? null,
        packetsPerSecond: passed === undefined || passed.seconds <= 0 ? null : passed.increase / passed.seconds,
        nsPerPacket,
        netRxRuns: runs.get(cpu) ?? null,
        netRxNsPerPacket: timed?.ns ?? null,
        breakdown: breakdownOf(
          nsPerPacket,
          timed,
          tap === null || timed === null ? null : (tap.seconds * 1e9) / timed.packets,
        ),
        tapSeconds: tap?.seconds ?? null,
        tapShare: tap?.share ?? null,
        dropped: dropped.get(cpu)?.increase ?? null,
        squeezed: squeezed.get(cpu)?.increase ?? null,
      };
    });
}

/** Softirq time per pass into the stack on each CPU that did enough of it. */
export function cpuPrices(window: Window): ReadonlyMap<string, number> {
  const packets = byLabel(window, softnetProcessed, 'cpu');
  return new Map(
    cells(window, cpuSeconds).flatMap(({ labels, increase }) => {
      const passed = packets.get(labels['cpu'] ?? '')?.increase ?? 0;
      const priced = labels['mode'] === 'softirq' && passed >= PACKETS_TO_PRICE && isTimed(window, increase);
      return priced ? [[labels['cpu'] ?? '', (increase * 1e9) / passed] as const] : [];
    }),
  );
}

/** The mean of the CPUs, each with its packets; null where one that had a share worth naming has no price. */
export function weighed(prices: ReadonlyMap<string, number>, packets: ReadonlyMap<string, number>): number | null {
  const all = [...packets.values()].reduce((sum, count) => sum + count, 0);
  const priced = [...packets].flatMap(([cpu, count]) => {
    const price = prices.get(cpu);
    return price === undefined ? [] : [{ price, count }];
  });
  const known = priced.reduce((sum, { count }) => sum + count, 0);
  if (known === 0 || known < 0.99 * all) return null;
  return priced.reduce((sum, { price, count }) => sum + price * count, 0) / known;
}

interface TapTime {
  readonly seconds: number;
  /** Per second in which the probe was there. */
  readonly share: number;
}

/** What the taps of all watched devices took on each CPU; undefined when that cannot be told. */
export function tapTimes(window: Window, spans: ReadonlyMap<string, Spans>): ReadonlyMap<string, TapTime> | undefined {
  const prices = new Map([...spans].map(([key, own]) => [key, meanTapNs([own])]));
  const packets = cells(window, spanCpuPackets);
  if (packets.length === 0 || ![...prices.values()].some((price) => price !== null)) return undefined;
  const times = new Map<string, TapTime>();
  for (const { labels, increase, seconds } of packets) {
    const cpu = labels['cpu'] ?? '';
    const took = (increase * (prices.get(deviceKey(labels)) ?? 0)) / 1e9;
    const before = times.get(cpu) ?? { seconds: 0, share: 0 };
    times.set(cpu, { seconds: before.seconds + took, share: before.share + (seconds > 0 ? took / seconds : 0) });
  }
  return times;
}
