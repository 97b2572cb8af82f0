import {
  acceptQueue,
  acceptQueueLimit,
  listenerDrops,
  netstat,
  socketOwner,
  sysctl,
} from '../../src/metrics/catalogue/index.ts';
import { synQueueFull } from '../../src/rules/syn-queue-full.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const counts = (dropped: number, cookies: number): Cell[] => [
  [netstat.member('TcpExt_TCPReqQFullDrop'), {}, 10, 10 + dropped],
  [netstat.member('TcpExt_TCPReqQFullDoCookies'), {}, 20, 20 + cookies],
];
const syncookies = (mode: number): Cell => [sysctl, { name: 'net.ipv4.tcp_syncookies' }, mode, mode];
const labels = { family: 'inet6', address: '::', port: '443', inode: '9' };

ruleCases(synQueueFull, [
  {
    name: 'cookies off and the queue full: requests are dropped by the listener named',
    cells: [
      ...counts(489, 0),
      syncookies(0),
      [listenerDrops, labels, 0, 489],
      [acceptQueue, labels, 0, 0],
      [acceptQueueLimit, labels, 10, 10],
      [sysctl, { name: 'net.core.somaxconn' }, 4096, 4096],
      [socketOwner, { inode: '9', pid: '50', comm: 'haproxy' }, 1, 1],
    ],
    outcome: 'critical',
    certainty: 'measured',
    message: 'dropped',
    args: { dropped: 489, listener: '[::]:443', process: 'haproxy (pid 50)' },
    command: /tcp_syncookies=1[^]*sport = :443/,
  },
  {
    name: 'the listener unknown',
    cells: [...counts(489, 0), syncookies(0)],
    outcome: 'critical',
    message: 'dropped-unknown',
  },
  { name: 'one a second is critical', cells: [...counts(10, 0), syncookies(0)], outcome: 'critical' },
  { name: 'just below one a second is a warning', cells: [...counts(9, 0), syncookies(0)], outcome: 'warning' },
  { name: 'five in a minute are a warning', seconds: 60, cells: [...counts(5, 0), syncookies(0)], outcome: 'warning' },
  { name: 'four are mentioned', cells: [...counts(4, 0), syncookies(0)], outcome: 'info' },
  {
    name: 'cookies at a rate: a warning, nothing dropped',
    cells: [...counts(0, 489), syncookies(1)],
    outcome: 'warning',
    message: 'cookies',
    args: { rate: 48.9 },
  },
  {
    name: 'just below the rate: mentioned',
    cells: [...counts(0, 99), syncookies(1)],
    outcome: 'info',
    message: 'cookies',
  },
  {
    name: 'with tcp_syncookies = 2 every request counts: no sign of anything',
    cells: [...counts(0, 90000), syncookies(2)],
    outcome: 'ok',
  },
  {
    name: 'without knowing the mode cookies prove nothing',
    cells: counts(0, 90000),
    outcome: 'info',
    certainty: 'possible',
    message: 'cookies-or-always',
  },
  { name: 'nothing rose', cells: [...counts(0, 0), syncookies(1)], outcome: 'ok' },
  {
    name: 'no netstat: not measured',
    cells: [syncookies(1)],
    failed: { netstat: { path: '/proc/net/netstat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /TCPReqQFullDrop: permission denied/,
  },
  {
    name: 'a counter reset inside the window is no flood',
    cells: [
      [netstat.member('TcpExt_TCPReqQFullDrop'), {}, 700, 2],
      [netstat.member('TcpExt_TCPReqQFullDoCookies'), {}, 0, 0],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
