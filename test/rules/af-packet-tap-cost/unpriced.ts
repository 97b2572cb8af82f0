/** Taps without a price: no probe, too few samples, no floor. */
import {
  baselineSoftirqPerPacket,
  cpuSeconds,
  receivePackets,
  softnetProcessed,
  spanNanoseconds,
  spanSamples,
} from '../../../src/metrics/catalogue/index.ts';
import { kernelHooks, ownerCell, socketCell } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { traffic, tapsSpan, probe, cpu, tcpdump, busy, calm, hot } from './cells.ts';

export const unpricedCases: readonly Case[] = [
  {
    name: 'no probe: a hot CPU and a tap that takes everything moved together, no more is claimed',
    cells: [...busy, ...tcpdump, kernelHooks, ...hot],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'correlated',
    args: { why: 'the probe did not measure this device' },
    command: /kill -INT 4242/,
  },
  {
    name: 'no probe, calm CPUs: neither blamed nor cleared',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'no probe: a filter may reject everything, a hot CPU is no proof against it',
    cells: [
      ...busy,
      socketCell({ filter: 'classic 14 instructions' }),
      ownerCell('1001', 'dhclient', '5'),
      kernelHooks,
      ...hot,
    ],
    outcome: 'info',
    certainty: 'possible',
  },
  {
    name: 'no probe: softirq time per packet at twice the baseline speaks against any tap',
    cells: [
      ...traffic('eth0', 100_000),
      socketCell({ filter: 'classic 14 instructions' }),
      ownerCell('1001', 'tcpdump', '5'),
      kernelHooks,
      ...cpu('0', 0.4, 100_000),
      [baselineSoftirqPerPacket, {}, 2000, 2000],
    ],
    outcome: 'warning',
    certainty: 'correlated',
  },
  {
    name: 'no probe: per-packet cost just below the rise is no sign',
    cells: [...busy, ...tcpdump, kernelHooks, ...cpu('0', 0.29, 100_000), [baselineSoftirqPerPacket, {}, 2000, 2000]],
    outcome: 'info',
  },
  {
    name: 'no probe: twelve ticks of softirq prove no hot CPU',
    seconds: 0.2,
    cells: [
      [receivePackets, { device: 'eth0' }, 0, 20_000],
      ...tcpdump,
      kernelHooks,
      [cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 0.18],
      [softnetProcessed, { cpu: '0' }, 0, 20_000],
    ],
    outcome: 'info',
    message: 'unpriced',
  },
  {
    name: 'no probe and a device that carries next to nothing of the traffic: not measured',
    cells: [...traffic('eth0', 1000), ...traffic('eth1', 500_000), socketCell({ device: 'eth0' }), kernelHooks, ...hot],
    outcome: 'ok',
    message: 'ruledOut',
    args: { device: 'eth1' },
  },
  {
    name: 'no probe and just below a tenth of the traffic: not measured',
    cells: [...traffic('eth0', 9999), ...traffic('eth1', 90_001), socketCell({ device: 'eth0' }), kernelHooks, ...hot],
    outcome: 'ok',
    message: 'ruledOut',
    args: { device: 'eth1' },
  },
  {
    name: 'no probe and a tenth of the traffic: the device is spoken of',
    cells: [...traffic('eth0', 10_000), ...traffic('eth1', 90_000), ...tcpdump, kernelHooks, ...hot],
    outcome: 'warning',
    certainty: 'correlated',
  },
  {
    name: 'fifty samples are a price',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(850, 2000, 100_000, 50)],
    outcome: 'warning',
    certainty: 'measured',
  },
  {
    name: 'too few samples are no price',
    cells: [...busy, ...tcpdump, kernelHooks, ...calm, ...probe(850, 2000, 100_000, 49)],
    outcome: 'info',
    message: 'unpriced',
    args: { why: 'the probe timed only 49 packets' },
  },
  {
    name: 'an unknown floor is no price',
    cells: [
      ...busy,
      ...tcpdump,
      kernelHooks,
      ...calm,
      [spanSamples, tapsSpan, 0, 1000],
      [spanNanoseconds, tapsSpan, 0, 850_000],
    ],
    outcome: 'info',
    message: 'unpriced',
  },
];
