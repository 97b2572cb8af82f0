import { breakdownOf, enough, netRxCost, netRxOf, receivedInNetRx } from '../../facts/breakdown.ts';
import { cpuPrices } from '../../facts/cpu-prices.ts';
import { byLabel, cells } from '../../facts/figures.ts';
import { interruptShares } from '../../facts/interrupt-time.ts';
import type { PriceLimits } from '../../facts/price.ts';
import { packetsByCpu, tapTimes } from '../../facts/tapped.ts';
import type { CpuCost } from '../../generated/report.ts';
import {
  cpuDedicated,
  cpuNode,
  cpuSeconds,
  netRxTimedRuns,
  softirqFunctions,
  softnetDropped,
  softnetProcessed,
  softnetSqueezed,
} from '../../metrics/catalogue/index.ts';
import type { Window } from '../../metrics/window.ts';

/** What a packet costs on each CPU. */
export function cpuCosts(window: Window, limits: PriceLimits): CpuCost[] {
  const netRx = netRxOf(window);
  const taps = tapTimes(window, limits);
  const counted = [...packetsByCpu(window).values()];
  const packets = byLabel(window, softnetProcessed, 'cpu');
  const dropped = byLabel(window, softnetDropped, 'cpu');
  const squeezed = byLabel(window, softnetSqueezed, 'cpu');
  const runs = new Map(
    cells(window, softirqFunctions)
      .filter(({ labels }) => labels['type'] === 'NET_RX')
      .map(({ labels, increase }) => [labels['cpu'] ?? '', increase]),
  );
  const nodes = new Map(window.value(cpuNode).map(({ labels }) => [labels['cpu'], Number(labels['node'])]));
  const timedRuns = byLabel(window, netRxTimedRuns, 'cpu');
  const prices = cpuPrices(window);
  const interrupts = interruptShares(window);
  return cells(window, cpuSeconds)
    .filter(({ labels }) => labels['mode'] === 'softirq')
    .sort((a, b) => Number(a.labels['cpu']) - Number(b.labels['cpu']))
    .map(({ labels, increase, seconds }) => {
      const cpu = labels['cpu'] ?? '';
      const passed = packets.get(cpu);
      const time = netRx.get(cpu);
      const watched = Math.max(0, ...counted.map((byCpu) => byCpu.get(cpu) ?? 0));
      const timed = time === undefined || !receivedInNetRx(time.packets, watched) ? null : enough(netRxCost([time]));
      const nsPerPacket = prices.get(cpu) ?? null;
      const told = taps?.get(cpu);
      const tap = taps === undefined || told === null ? null : (told ?? { seconds: 0, share: 0 });
      return {
        cpu,
        numaNode: nodes.get(cpu) ?? null,
        dedicatedBy: window
          .value(cpuDedicated)
          .flatMap((each) => (each.labels['cpu'] === cpu ? [each.labels['by']!] : [])),
        softirqSeconds: increase,
        // Of the wall clock: the modes of a mostly idle CPU do not add up to it (kernel/time/tick-sched.c).
        // Of a short window ticks may have more than there was.
        softirqShare: seconds > 0 ? Math.min(1, increase / seconds) : null,
        interruptShare: interrupts.get(cpu) ?? null,
        packets: passed?.increase ?? null,
        packetsPerSecond: passed === undefined || passed.seconds <= 0 ? null : passed.increase / passed.seconds,
        nsPerPacket,
        netRxRuns: runs.get(cpu) ?? null,
        netRxTimedRuns: timedRuns.get(cpu)?.increase ?? null,
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
