/** What taps take of packets that are sent. */
import {
  receivePackets,
  sentFloor,
  sentMedian,
  sentSamples,
  transmitPackets,
} from '../../../src/metrics/catalogue/index.ts';
import { kernelHooks } from '../../support/taps.ts';
import type { Case } from '../../support/window.ts';
import { probe, tcpdump, sends, sentProfile, busy, calm } from './cells.ts';

export const sentCases: readonly Case[] = [
  {
    name: 'sent packets pass taps too, and that is not priced',
    cells: [
      [receivePackets, { device: 'eth0' }, 0, 10_000],
      [transmitPackets, { device: 'eth0' }, 0, 5_000_000],
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 2000, 1000),
    ],
    outcome: 'info',
    certainty: 'possible',
    message: 'transmit',
  },
  {
    name: 'a sender with a capture: priced per sent packet, with who pays',
    cells: [...sends(400), ...tcpdump, kernelHooks, ...calm, ...sentProfile(40, 160)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'sentPriced',
    args: {
      sentNs: 400,
      sentCpu: 0.04,
      sent: 100_000,
      owners: 'tcpdump (pid 4242)',
      payers: ', of the processes: iperf3 (pid 77) 100%',
      received: '. Next to nothing is received',
    },
    command: /kill -INT 4242/,
  },
  {
    name: 'a sender with a capture that takes a third of sending and much of a CPU',
    cells: [...sends(2500), ...tcpdump, kernelHooks, ...calm, ...sentProfile(100, 100)],
    outcome: 'critical',
    message: 'sentPriced',
    args: { sentCpu: 0.25 },
  },
  {
    name: 'a sender: a filter that rejects takes time too, below the limit of a warning',
    cells: [...sends(179), ...tcpdump, kernelHooks, ...calm, ...sentProfile(40, 160)],
    outcome: 'info',
    certainty: 'measured',
    message: 'sentMinor',
  },
  {
    name: 'a sender: a small part of what sending costs is no warning',
    cells: [...sends(400), ...tcpdump, kernelHooks, ...calm, ...sentProfile(15, 185)],
    outcome: 'info',
    message: 'sentMinor',
  },
  {
    name: 'a sender without a profile: material only where much of a CPU goes',
    cells: [...sends(400), ...tcpdump, kernelHooks, ...calm],
    outcome: 'info',
    message: 'sentMinor',
  },
  {
    name: 'a sender of few packets, above idle: said, and no more',
    cells: [...sends(400, 5000), ...tcpdump, kernelHooks, ...calm, ...sentProfile(40, 160)],
    outcome: 'ok',
    message: 'sentNegligible',
  },
  {
    name: 'a sender whose packets were hardly timed is not priced',
    cells: [...sends(400, 100_000, 49), ...tcpdump, kernelHooks, ...calm],
    outcome: 'info',
    certainty: 'possible',
    message: 'unpriced',
  },
  {
    name: 'the packets of a list go by their own floor: segments behind the first',
    cells: [
      ...sends(400, 100_000, 1000),
      [sentSamples, { device: 'eth0', way: 'follows' }, null, 3000],
      [sentMedian, { device: 'eth0', way: 'follows' }, null, 340],
      [sentFloor, { device: 'eth0', way: 'follows', method: 'calibrated' }, null, 40],
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    args: { sentNs: 325 },
  },
  {
    name: 'both ways: what is received decides, and what sent packets pay is said with it',
    cells: [
      ...sends(400),
      ...busy.slice(0, 1),
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(850, 3000, 100_000),
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    message: 'priced',
    args: { ns: 700, sending: '. Sent packets pay 400 ns each, 4% of a CPU at 100,000 packets/s' },
  },
  {
    name: 'both ways: cheap where packets are received, dear where they are sent',
    cells: [
      ...sends(400),
      ...busy.slice(0, 1),
      ...tcpdump,
      kernelHooks,
      ...calm,
      ...probe(200, 3000, 100_000),
      ...sentProfile(40, 160),
    ],
    outcome: 'warning',
    message: 'sentPriced',
    args: { received: '. Received packets pay 50 ns each' },
  },
];
