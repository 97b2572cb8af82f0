/** What a packet costs otherwise: no tap, or one that the profile clears. */
import { kernelFeature, netRxDriverNanoseconds } from '../../../src/metrics/catalogue/index.ts';
import { kernelHooks, socketCell } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { traffic, probe, cpu, profiled, tcpdump, busy, calm, hot } from './cells.ts';

export const ruledOutCases: readonly Case[] = [
  {
    name: 'cost is high and no tap is there: taps are ruled out',
    cells: [...busy, kernelHooks, ...hot, ...probe(150, 9000, 100_000)],
    outcome: 'ok',
    message: 'ruledOut',
    args: { device: 'eth0' },
  },
  {
    name: 'a packet takes 20 µs in NET_RX though no CPU is short of time: taps are ruled out',
    cells: [...busy, kernelHooks, ...calm, ...probe(150, 20_000, 100_000)],
    outcome: 'ok',
    message: 'ruledOut',
  },
  {
    name: 'where the driver was told apart, it says on which side of the stack the time goes',
    cells: [
      ...busy,
      kernelHooks,
      ...calm,
      ...probe(150, 20_000, 100_000),
      [netRxDriverNanoseconds, { cpu: '0' }, 0, 15_000 * 100_000 * 10],
    ],
    outcome: 'ok',
    message: 'ruledOut',
    args: { where: ', 75% of NET_RX in driver and GRO; what the rest is was not told apart' },
  },
  {
    name: 'where the profile told the parts apart, the largest are named instead of a side of the stack',
    cells: [
      ...busy,
      kernelHooks,
      ...calm,
      ...probe(150, 20_000, 100_000),
      [netRxDriverNanoseconds, { cpu: '0' }, 0, 15_000 * 100_000 * 10],
      ...profiled({ tracing: 6600, nftables: 2000, gro: 1400 }),
    ],
    outcome: 'ok',
    message: 'ruledOut',
    args: { where: '; most of it is tracing 66%, nftables 20%, GRO 14%' },
  },
  {
    name: 'a tap without a price is not blamed for a CPU that rules take up',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...profiled({ nftables: 9000, udp: 800, 'tap-receive': 200 })],
    outcome: 'ok',
    message: 'cleared',
    args: { share: 0.02 },
  },
  {
    name: 'a tap without a price may be to blame where the profile met it',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...hot,
      socketCell({ inode: '1003', netns: 'pod' }),
      [kernelFeature, { feature: 'per_netns_taps' }, 1, 1],
      ...profiled({ udp: 7000, 'tap-receive': 3000 }),
    ],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'correlated',
  },
  {
    name: 'a tap without a price is to blame where the profile met it and no other tap is there: a macvlan, a bond',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot, ...profiled({ udp: 7000, 'tap-receive': 3000 })],
    outcome: 'warning',
    certainty: 'measured',
    message: 'profiled',
    args: { share: 0.3, ns: 2850, cpu: 0.285, why: 'the probe did not measure this device' },
    command: /kill -INT 4242/,
  },
  {
    name: 'a tap without a price that the profile met seldom is no more than a suspect',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...profiled({ udp: 9400, 'tap-receive': 600 })],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'a price of 28 µs is none that a tap has: it is not priced, and by the profile not blamed',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...hot,
      ...probe(28_150, 40_000, 20_000),
      ...profiled({ nftables: 9000, udp: 800, 'tap-receive': 200 }),
    ],
    outcome: 'ok',
    message: 'cleared',
  },
  {
    name: 'a price of 28 µs is none that a tap has, also where there is no profile to ask',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(28_150, 40_000, 20_000)],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'a packet merged of forty frames may take 20 µs: nothing is dear',
    cells: [...traffic('eth0', 400_000), kernelHooks, ...cpu('0', 0.2, 10_000), ...probe(150, 22_000, 10_000)],
    outcome: 'ok',
    message: '',
  },
  {
    name: 'just below that nothing is dear',
    cells: [...busy, kernelHooks, ...calm, ...probe(150, 19_900, 100_000)],
    outcome: 'ok',
    message: '',
  },
  {
    name: 'no tap and nothing high: nothing to say',
    cells: [...busy, kernelHooks, ...calm],
    outcome: 'ok',
    message: '',
  },
  {
    name: 'sockets of one ethertype, and of protocol 0, are no taps',
    cells: [
      ...busy,
      socketCell({ inode: '1', protocol: '0800', hook: 'packet_rcv' }),
      socketCell({ inode: '2', protocol: '88cc', hook: 'packet_rcv' }),
      socketCell({ inode: '3', protocol: '0000', hook: 'none' }),
      socketCell({ inode: '4', hook: 'none' }),
      kernelHooks,
      ...hot,
    ],
    outcome: 'ok',
    message: 'ruledOut',
  },
];
