import { cpuSeconds, softnetProcessed } from '../metrics/catalogue/index.ts';
import type { Window } from '../metrics/window.ts';
import { byLabel, cells, isTimed, rateTogether } from './figures.ts';
import { once } from './once.ts';
import { PACKETS_TO_PRICE } from './price.ts';

/** Softirq time per pass into the stack on each CPU that did enough of it. */
export const cpuPrices = once((window: Window): ReadonlyMap<string, number> => {
  const packets = byLabel(window, softnetProcessed, 'cpu');
  return new Map(
    cells(window, cpuSeconds).flatMap((time) => {
      const { cpu = '', mode } = time.labels;
      const passed = packets.get(cpu);
      if (mode !== 'softirq' || passed === undefined || passed.increase < PACKETS_TO_PRICE) return [];
      return isTimed(window, time.increase)
        ? [[cpu, (rateTogether([time]) * 1e9) / rateTogether([passed])] as const]
        : [];
    }),
  );
});

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
