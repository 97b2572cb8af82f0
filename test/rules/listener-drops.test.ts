import { listenerDrops as dropsOfListeners, netstat, sysctl } from '../../src/metrics/catalogue/index.ts';
import { listenerDrops } from '../../src/rules/listener-drops.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const tcp = (drops: number, overflows: number, synQueue = 0): Cell[] => [
  [netstat.member('TcpExt_ListenDrops'), {}, 5, 5 + drops],
  [netstat.member('TcpExt_ListenOverflows'), {}, 1, 1 + overflows],
  [netstat.member('TcpExt_TCPReqQFullDrop'), {}, 0, synQueue],
];

ruleCases(listenerDrops, [
  {
    name: 'dropped although no queue was full',
    cells: [...tcp(100, 0), [sysctl, { name: 'net.ipv4.tcp_max_syn_backlog' }, 128, 128]],
    outcome: 'warning',
    certainty: 'measured',
    args: { others: 100, rate: 10, synBacklog: 128, listener: 'an unknown listener' },
    command: /tcp_max_syn_backlog/,
  },
  {
    name: 'the listener is named',
    cells: [...tcp(100, 0), [dropsOfListeners, { address: '0.0.0.0', port: '80', inode: '12' }, 0, 100]],
    outcome: 'warning',
  },
  { name: 'full queues are what other rules speak about', cells: tcp(100, 60, 40), outcome: 'ok' },
  { name: 'four are a remark', cells: tcp(104, 60, 40), outcome: 'info', args: { others: 4 } },
  { name: 'none', cells: tcp(0, 0), outcome: 'ok' },
  {
    name: 'unread',
    cells: [],
    failed: { netstat: { path: '/proc/net/netstat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'a reset inside the window',
    cells: [
      [netstat.member('TcpExt_ListenDrops'), {}, 1000, 5],
      [netstat.member('TcpExt_ListenOverflows'), {}, 1000, 5],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
