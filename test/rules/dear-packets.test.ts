import { profileDeviceSamples, receivePackets, spanPackets, spanUnmarked } from '../../src/metrics/catalogue/index.ts';
import { dearPackets } from '../../src/rules/dear-packets.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const frames = (name: string, packets: number): Cell => [receivePackets, { device: name }, 0, packets * 10];
const host: Cell[] = [...pathCells({ udp: 9000 }, { packets: 100_000 })];
/** @param unmarked of its packets those that came while samples were of no device; null where that is not told */
const device = (
  name: string,
  packets: number,
  parts: Readonly<Record<string, number>>,
  unmarked: number | null = 0,
): Cell[] => [
  ...Object.entries(parts).map(([part, samples]): Cell => [
    profileDeviceSamples,
    { direction: 'receive', device: name, part },
    0,
    samples,
  ]),
  [spanPackets, { device: name }, 0, packets * 10],
  ...(unmarked === null ? [] : [[spanUnmarked, { device: name }, null, unmarked] satisfies Cell]),
  frames(name, packets),
];

ruleCases(dearPackets, [
  {
    name: 'a slow device whose packets are dear beside a cheap busy one',
    cells: [...host, ...device('slow', 2800, { tcp: 4000, lock: 2000 }), ...device('fast', 100_000, { udp: 4000 })],
    outcome: 'warning',
    certainty: 'measured',
    message: 'device',
    args: { device: 'slow', packets: 2800, parts: 'TCP 67%, locks 33%' },
    command: /folded/,
  },
  {
    name: 'the same by the samples of a sixth of the window: programs rested, and they were of no device else',
    cells: [
      ...host,
      ...device('slow', 2800, { tcp: 700, lock: 300 }, 5 / 6),
      ...device('fast', 100_000, { udp: 700 }, 5 / 6),
    ],
    outcome: 'warning',
    message: 'device',
    args: { device: 'slow', packets: 2800, parts: 'TCP 70%, locks 30%' },
  },
  {
    name: 'samples of a device, and nobody says of how much of the window they are: they may be few of many',
    cells: [...host, ...device('slow', 2800, { tcp: 200, lock: 100 }, null), ...device('fast', 100_000, { udp: 700 })],
    outcome: 'not-measured',
  },
  {
    name: 'what has a rule of its own is told, and left to it',
    cells: [...host, ...device('slow', 2800, { nftables: 5000, udp: 1000 }), ...device('fast', 100_000, { udp: 4000 })],
    outcome: 'info',
    message: 'device',
  },
  {
    name: 'a device that next to nothing came by: its samples are those of devices that nobody watches',
    cells: [...host, ...device('veth0', 2, { routing: 600, icmp: 300 })],
    outcome: 'ok',
  },
  {
    name: 'every packet of the host is dear',
    cells: [...pathCells({ other: 8000, udp: 1000 }, { packets: 5000 }), frames('eth0', 5000)],
    outcome: 'warning',
    message: 'host',
  },
  {
    name: 'large packets that GRO merged from many frames',
    cells: [
      ...pathCells({ other: 8000, udp: 1000 }, { packets: 5000 }),
      ...device('eth0', 100_000, { other: 8000, udp: 1000 }),
    ],
    outcome: 'ok',
  },
  { name: 'cheap packets', cells: [...host, ...device('fast', 100_000, { udp: 4000 })], outcome: 'ok' },
  { name: 'dear packets that are few', cells: [...host, ...device('slow', 20, { tcp: 400 })], outcome: 'ok' },
  ...pathLacking('udp'),
]);
