import { netstat, sockstat, sysctl, tcpPortsTaken } from '../../src/metrics/catalogue/index.ts';
import { portsExhausted } from '../../src/rules/ports-exhausted.ts';
import { ruleCases } from '../support/cases.ts';
import { unread } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const overflow = (count: number): Cell => [netstat.member('TcpExt_TCPTimeWaitOverflow'), {}, 3, 3 + count];
const sockets = (used: number, waiting: number): Cell[] => [
  [sockstat.member('TCP_inuse'), {}, used, used],
  [sockstat.member('TCP_tw'), {}, waiting, 0],
  [sysctl, { name: 'net.ipv4.ip_local_port_range' }, 28_232, 28_232],
];

const taken = (ports: number): Cell => [
  tcpPortsTaken,
  { family: 'v4', address: '10.0.0.1', peer: '10.0.0.9:443' },
  ports,
  ports,
];

ruleCases(portsExhausted, [
  {
    name: 'connections are closed without their wait',
    cells: [overflow(500)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'overflow',
    args: { overflow: 500 },
    command: /tcp_max_tw_buckets/,
  },
  { name: 'nine are a remark', cells: [overflow(9)], outcome: 'info' },
  {
    name: 'as many connections as ports',
    cells: [overflow(0), ...sockets(400, 27_000)],
    outcome: 'warning',
    certainty: 'possible',
    message: 'ports',
    alertDiffers: 'ports',
  },
  {
    name: 'by the ports that one peer takes: it is named, and sure',
    cells: [overflow(0), ...sockets(26_000, 10), taken(25_500)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'peer',
    args: { peer: '10.0.0.9:443', taken: 25_500, ports: 28_232 },
    alertDiffers: 'ports',
  },
  {
    name: 'as many connections as ports, to many peers: none runs out',
    cells: [overflow(0), ...sockets(400, 27_000), taken(9000)],
    outcome: 'ok',
  },
  {
    name: 'few ports, and whom those that wait were to is not known',
    cells: [
      overflow(0),
      ...sockets(40, 60).slice(0, 2),
      [sysctl, { name: 'net.ipv4.ip_local_port_range' }, 100, 100],
      taken(40),
    ],
    outcome: 'warning',
    certainty: 'possible',
    message: 'ports',
    alertDiffers: 'ports',
  },
  { name: 'fewer than nine in ten', cells: [overflow(0), ...sockets(400, 25_000)], outcome: 'ok' },
  {
    name: 'none, and the range is not known',
    cells: [overflow(0), ...sockets(4, 2).slice(0, 2)],
    ran: ['sysctl'],
    outcome: 'ok',
  },
  unread(),
  {
    name: 'a reset inside the window',
    cells: [[netstat.member('TcpExt_TCPTimeWaitOverflow'), {}, 1000, 5]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
