/** Prices at the limits between a warning, a remark and nothing. */
import { kernelHooks, ownerCell, socketCell } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { traffic, probe, shape, tcpdump, busy, calm, hot } from './cells.ts';

export const limitsCases: readonly Case[] = [
  {
    name: 'just below the share: a remark, no warning',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(548, 4000, 100_000)],
    outcome: 'info',
    certainty: 'measured',
    message: 'minor',
    args: { ns: 398, share: 0.0995 },
  },
  {
    name: 'just below the share that is worth a word',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(640, 10_000, 100_000)],
    outcome: 'ok',
    message: 'negligible',
    args: { share: 0.049 },
  },
  {
    name: 'a rejecting filter at 170 ns is at most worth mentioning',
    cells: [
      ...busy,
      socketCell({ filter: 'classic 14 instructions' }),
      ownerCell('1001', 'tcpdump', '4242'),
      kernelHooks,
      ...hot,
      ...probe(320, 700, 100_000),
    ],
    outcome: 'info',
    certainty: 'measured',
    message: 'minor',
  },
  {
    // Seen at a load average of 7: the mean 298 ns above its floor, the median 193 ns.
    name: 'a rejecting filter on a busy machine: the mean is dear by interrupts, the median packet is not',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(448, 2300, 100_000), ...shape(343, 700)],
    outcome: 'info',
    certainty: 'measured',
    message: 'minor',
  },
  {
    name: 'just below what the median packet must pay',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(550, 2300, 100_000), ...shape(399, 500)],
    outcome: 'info',
  },
  {
    name: 'the median packet pays it: blamed',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(550, 2300, 100_000), ...shape(400, 500)],
    outcome: 'warning',
    message: 'priced',
  },
  {
    name: 'one tcpdump whose mean a stall of 3 ms doubled is still found by its median',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(1272, 4300, 100_000, 7583), ...shape(760, 38_000)],
    outcome: 'warning',
  },
  {
    name: 'a filter that takes a tenth of the packets, dearly: the mean tells',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(670, 3000, 100_000, 10_000), ...shape(300, 1000)],
    outcome: 'warning',
    args: { ns: 520 },
  },
  {
    name: 'the same mean less two standard errors is just below',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(670, 3000, 100_000, 10_000), ...shape(300, 1001)],
    outcome: 'info',
  },
  {
    name: 'a stall of 3 ms makes no rejecting filter dear',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(750, 2300, 100_000, 7500), ...shape(320, 38_000)],
    outcome: 'info',
  },
  {
    name: 'taps whose price is lost in the floor are negligible, and that is said',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...probe(160, 2000, 100_000)],
    outcome: 'ok',
    certainty: 'measured',
    message: 'negligible',
    args: { ns: 10 },
  },
  {
    name: 'dear per packet, but at 1,000 packets a second below 1 % of a CPU',
    cells: [...traffic('eth0', 1000), ...tcpdump, kernelHooks, ...calm, ...probe(5150, 7000, 1000)],
    outcome: 'ok',
    certainty: 'measured',
    message: 'negligible',
  },
];
