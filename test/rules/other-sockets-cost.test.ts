import { packetSocket, profileProcessSamples, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { otherSocketsCost } from '../../src/rules/other-sockets-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const socketFor = (protocol: string, inode: string, hook = 'packet_rcv'): Cell => [
  packetSocket,
  { inode, device: 'any', protocol, type: 'raw', hook, filter: 'none', ring: 'none', fanout: 'none' },
  1,
  1,
];

ruleCases(otherSocketsCost, [
  {
    name: 'copies for the members of a group',
    cells: pathCells({ multicast: 7000, udp: 3000 }, { packets: 30_000 }),
    outcome: 'critical',
    certainty: 'measured',
    args: { largest: 'multicast 70%', payers: '' },
    command: /proc\/net\/igmp/,
  },
  {
    name: 'answers to a closed port',
    cells: pathCells({ icmp: 4000, udp: 6000 }, { packets: 60_000 }),
    outcome: 'warning',
    command: /UdpNoPorts/,
  },
  {
    name: 'what calls on packet and raw sockets take is work of their callers, whom no other packet waits for',
    cells: [
      ...pathCells({ 'packet-socket': 4000, raw: 3000, udp: 3000 }, { direction: 'socket' }),
      socketFor('88cc', '11'),
    ],
    outcome: 'ok',
  },
  {
    name: 'clones for raw sockets that a process reads: it is named',
    cells: [
      ...pathCells({ raw: 4000, udp: 6000 }),
      [profileProcessSamples, { direction: 'socket', pid: '7', comm: 'pingd', part: 'raw' }, 0, 3900],
    ],
    outcome: 'warning',
    args: { payers: '; paid by pingd (pid 7)' },
  },
  {
    name: 'sockets for IPv4 alone, which every packet is: named, though they are no taps',
    cells: [
      ...pathCells({ 'tap-receive': 4500, udp: 5500 }, { packets: 60_000 }),
      socketFor('0800', '11'),
      [socketOwner, { inode: '11', pid: '7', comm: 'dhclient' }, 1, 1],
    ],
    outcome: 'warning',
    args: { payers: '; sockets for one ethertype, held by dhclient (pid 7)' },
    command: /ss -0 -p/,
  },
  {
    name: 'the same functions where there is a tap: that is the price of taps',
    cells: [
      ...pathCells({ 'tap-receive': 4500, udp: 5500 }, { packets: 60_000 }),
      socketFor('0800', '11'),
      socketFor('0003', '12'),
    ],
    outcome: 'ok',
  },
  {
    name: 'a socket for another ethertype, or without a hook, is passed by',
    cells: [
      ...pathCells({ 'tap-receive': 4500, udp: 5500 }, { packets: 60_000 }),
      socketFor('88cc', '11'),
      socketFor('0800', '12', 'none'),
    ],
    outcome: 'ok',
  },
  {
    name: 'a little of each',
    cells: [...pathCells({ multicast: 900, icmp: 600, raw: 500, udp: 8000 }), socketFor('88cc', '11')],
    outcome: 'ok',
  },
  {
    name: 'less than 500 ns',
    cells: [...pathCells({ icmp: 4000, udp: 5000 }, { packets: 900_000 }), socketFor('88cc', '11')],
    outcome: 'ok',
  },
  ...pathLacking('multicast'),
]);
