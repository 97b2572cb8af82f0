import { dearPackets } from '../../src/rules/dear-packets.ts';
import { ruleCases } from '../support/cases.ts';
import { deviceCells, frameCells, pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const host: Cell[] = [...pathCells({ udp: 9000 }, { packets: 100_000 })];

ruleCases(dearPackets, [
  {
    name: 'a slow device whose packets are dear beside a cheap busy one',
    cells: [
      ...host,
      ...deviceCells('slow', 2800, { tcp: 4000, lock: 2000 }),
      ...deviceCells('fast', 100_000, { udp: 4000 }),
    ],
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
      ...deviceCells('slow', 2800, { tcp: 700, lock: 300 }, 5 / 6),
      ...deviceCells('fast', 100_000, { udp: 700 }, 5 / 6),
    ],
    outcome: 'warning',
    message: 'device',
    args: { device: 'slow', packets: 2800, parts: 'TCP 70%, locks 30%' },
  },
  {
    name: 'samples of a device, and nobody says of how much of the window they are: they may be few of many',
    cells: [
      ...host,
      ...deviceCells('slow', 2800, { tcp: 200, lock: 100 }, null),
      ...deviceCells('fast', 100_000, { udp: 700 }),
    ],
    outcome: 'not-measured',
  },
  {
    name: 'what has a rule of its own is told, and left to it',
    cells: [
      ...host,
      ...deviceCells('slow', 2800, { nftables: 5000, udp: 1000 }),
      ...deviceCells('fast', 100_000, { udp: 4000 }),
    ],
    outcome: 'info',
    message: 'device',
  },
  {
    name: 'what has a rule of its own, which asks for more than that and finds nothing',
    cells: [
      ...host,
      ...deviceCells('slow', 2800, { nftables: 500, udp: 1500, tcp: 1450, ip: 1400 }),
      ...deviceCells('fast', 100_000, { udp: 4000 }),
    ],
    outcome: 'warning',
    message: 'device',
  },
  {
    name: 'a part that has a rule of its own and is a fourteenth of a CPU, which that rule says of this device',
    cells: [
      ...host,
      ...deviceCells('slow', 2800, { nftables: 700, udp: 40 }),
      ...deviceCells('fast', 100_000, { udp: 4000 }),
    ],
    outcome: 'info',
    message: 'device',
  },
  {
    name: 'a device that next to nothing came by: its samples are those of devices that nobody watches',
    cells: [...host, ...deviceCells('veth0', 2, { routing: 600, icmp: 300 })],
    outcome: 'ok',
  },
  {
    name: 'every packet of the host is dear',
    cells: [...pathCells({ other: 8000, udp: 1000 }, { packets: 5000 }), frameCells('eth0', 5000)],
    outcome: 'warning',
    message: 'host',
  },
  {
    name: 'large packets that GRO merged from many frames',
    cells: [
      ...pathCells({ other: 8000, udp: 1000 }, { packets: 5000 }),
      ...deviceCells('eth0', 100_000, { other: 8000, udp: 1000 }),
    ],
    outcome: 'ok',
  },
  { name: 'cheap packets', cells: [...host, ...deviceCells('fast', 100_000, { udp: 4000 })], outcome: 'ok' },
  { name: 'dear packets that are few', cells: [...host, ...deviceCells('slow', 20, { tcp: 400 })], outcome: 'ok' },
  ...pathLacking('udp'),
]);
