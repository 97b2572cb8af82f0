import { netstat, socketOwner, tcpSocketReceiveQueue, tcpSocketSendQueue } from '../../src/metrics/catalogue/index.ts';
import { slowReader } from '../../src/rules/slow-reader.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const rose = (field: string, count: number): Cell => [netstat.member(field), {}, 30, 30 + count];
const socket = (inode: string, port: string, unread: number): Cell => [
  tcpSocketReceiveQueue,
  { family: 'inet', address: '10.0.0.1', port, inode, peer: '10.0.0.9:40000' },
  unread / 2,
  unread,
];
const held = (inode: string, port: string, peer: string, unsent: number): Cell => [
  tcpSocketSendQueue,
  { family: 'inet', address: '10.0.0.1', port, inode, peer },
  unsent,
  unsent,
];

ruleCases(slowReader, [
  {
    name: 'windows close at a rate: names the connection with the most unread data and its process',
    cells: [
      rose('TcpExt_TCPToZeroWindowAdv', 200),
      rose('TcpExt_TCPZeroWindowDrop', 300),
      rose('Tcp_InSegs', 1_000_000),
      socket('5', '5432', 6000000),
      socket('6', '5433', 100),
      [socketOwner, { inode: '5', pid: '99', comm: 'postgres' }, 1, 1],
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'reader',
    args: {
      closed: 200,
      rate: 20,
      unread: 6000000,
      socket: '10.0.0.1:5432 from 10.0.0.9:40000',
      process: 'postgres (pid 99)',
    },
    command: /ss -tnpOH[^]*-p 99/,
  },
  {
    name: 'a proxy that waits for its own client is no slow reader: mentioned, with the client',
    alertDiffers: 'proxy',
    cells: [
      rose('TcpExt_TCPToZeroWindowAdv', 960),
      rose('Tcp_InSegs', 1_000_000),
      socket('5', '8080', 6000000),
      held('6', '8081', '10.0.0.7:50000', 2000000),
      held('9', '8082', '10.0.0.8:50000', 3000000),
      ...['5', '6'].map((inode): Cell => [socketOwner, { inode, pid: '99', comm: 'nginx' }, 1, 1]),
      [socketOwner, { inode: '9', pid: '100', comm: 'other' }, 1, 1],
    ],
    outcome: 'info',
    certainty: 'measured',
    message: 'proxy',
    args: { process: 'nginx (pid 99)', client: '10.0.0.7:50000', waiting: 2000000 },
  },
  {
    name: 'beside a proxy a program that reads slowly of its own accord is named, though less is unread there',
    cells: [
      rose('TcpExt_TCPToZeroWindowAdv', 960),
      rose('Tcp_InSegs', 1_000_000),
      socket('5', '8080', 6000000),
      socket('7', '5432', 1000000),
      held('6', '8081', '10.0.0.7:50000', 2000000),
      ...['5', '6'].map((inode): Cell => [socketOwner, { inode, pid: '99', comm: 'nginx' }, 1, 1]),
      [socketOwner, { inode: '7', pid: '101', comm: 'postgres' }, 1, 1],
    ],
    outcome: 'warning',
    message: 'reader',
    args: { process: 'postgres (pid 101)' },
  },
  {
    name: '330 closures in 90 million segments are flow control at work: mentioned',
    seconds: 30,
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 330), rose('Tcp_InSegs', 90_000_000)],
    outcome: 'info',
  },
  {
    name: 'one in 10,000 is not',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 330), rose('Tcp_InSegs', 3_300_000)],
    outcome: 'warning',
  },
  {
    name: 'of how many segments is not known: less sure',
    alertDiffers: 'uncounted',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 330)],
    outcome: 'warning',
    certainty: 'correlated',
  },
  {
    name: 'now and then: mentioned',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 99)],
    outcome: 'info',
    message: 'reader-unknown',
  },
  { name: 'nine are flow control at work', cells: [rose('TcpExt_TCPToZeroWindowAdv', 9)], outcome: 'ok' },
  {
    name: 'with losses PKT0403 speaks',
    cells: [
      rose('TcpExt_TCPToZeroWindowAdv', 200),
      rose('TcpExt_TCPRcvQDrop', 50),
      rose('TcpExt_RcvPruned', 50),
      rose('Tcp_InSegs', 10000),
    ],
    outcome: 'ok',
  },
  {
    name: 'losses too small for PKT0403 do not silence it',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 200), rose('TcpExt_TCPRcvQDrop', 6), rose('Tcp_InSegs', 100000)],
    outcome: 'warning',
    args: { lost: 6 },
  },
  {
    name: 'five lost segments of a hundred are for PKT0403',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 200), rose('TcpExt_TCPRcvQDrop', 5), rose('Tcp_InSegs', 100)],
    outcome: 'ok',
  },
  {
    name: 'four are not, whatever their share',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 200), rose('TcpExt_TCPRcvQDrop', 4), rose('Tcp_InSegs', 100)],
    outcome: 'warning',
  },
  {
    name: 'one segment in 10,000 lost is for PKT0403',
    cells: [rose('TcpExt_TCPToZeroWindowAdv', 200), rose('TcpExt_TCPRcvQDrop', 10), rose('Tcp_InSegs', 100_000)],
    outcome: 'ok',
  },
  {
    name: 'window probes and pruning without a closed window are nothing',
    cells: [
      rose('TcpExt_TCPToZeroWindowAdv', 0),
      rose('TcpExt_TCPZeroWindowDrop', 500),
      rose('TcpExt_PruneCalled', 500),
    ],
    outcome: 'ok',
  },
  {
    name: 'no netstat: not measured',
    cells: [],
    failed: { netstat: { path: '/proc/net/netstat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /TCPToZeroWindowAdv: permission denied/,
  },
  {
    name: 'a counter reset inside the window is no burst',
    cells: [[netstat.member('TcpExt_TCPToZeroWindowAdv'), {}, 9000, 20]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
