import { netstat, socketOwner, sysctl, tcpSocketDrops } from '../../src/metrics/catalogue/index.ts';
import { tcpReceiveQueueDrop } from '../../src/rules/tcp-receive-queue-drop.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

interface Counts {
  readonly segments: number;
  readonly refused?: number;
  readonly pruned?: number;
  readonly outOfOrder?: number;
  readonly backlog?: number;
  readonly pruneCalls?: number;
}
function tcp({ segments, refused = 0, pruned = 0, outOfOrder = 0, backlog = 0, pruneCalls = 0 }: Counts): Cell[] {
  const rose = (field: string, count: number): Cell => [netstat.member(field), {}, 100, 100 + count];
  return [
    rose('Tcp_InSegs', segments),
    rose('TcpExt_TCPRcvQDrop', refused),
    rose('TcpExt_RcvPruned', pruned),
    rose('TcpExt_OfoPruned', outOfOrder),
    rose('TcpExt_TCPBacklogDrop', backlog),
    rose('TcpExt_PruneCalled', pruneCalls),
  ];
}
const rmem: Cell[] = [
  [sysctl, { name: 'net.ipv4.tcp_rmem.min' }, 4096, 4096],
  [sysctl, { name: 'net.ipv4.tcp_rmem.default' }, 131072, 131072],
  [sysctl, { name: 'net.ipv4.tcp_rmem.max' }, 6291456, 6291456],
];

const connection = (inode: string, drops: number): Cell[] => [
  [tcpSocketDrops, { family: 'v4', address: '10.0.0.1', port: '80', inode, peer: '10.0.0.2:5000' }, 7, 7 + drops],
];

ruleCases(tcpReceiveQueueDrop, [
  {
    name: 'segments refused after a vain pruning count once, not twice',
    cells: [...tcp({ segments: 10000, refused: 20, pruned: 20 }), ...rmem],
    outcome: 'warning',
    certainty: 'measured',
    message: 'refused',
    args: { lost: 20, share: 0.002 },
    command: /tcp_rmem='4096 131072 12582912'/,
  },
  {
    name: 'one in a hundred is critical',
    cells: tcp({ segments: 10000, refused: 100 }),
    outcome: 'critical',
  },
  {
    name: 'pruned alone: another message',
    cells: tcp({ segments: 10000, pruned: 20 }),
    outcome: 'warning',
    message: 'pruned',
  },
  {
    name: 'out-of-order queues thrown away',
    cells: tcp({ segments: 10000, outOfOrder: 20, pruned: 2 }),
    outcome: 'warning',
    message: 'out-of-order',
  },
  {
    name: 'the socket backlog: no buffer is proposed',
    cells: [...tcp({ segments: 10000, backlog: 20 }), ...rmem],
    outcome: 'warning',
    message: 'backlog',
    command: /^ss -tmnpO \| grep -E 'bl\[1-9\]'$/,
  },
  {
    name: 'the connection that dropped most is named, and links by its process',
    cells: [
      ...tcp({ segments: 10000, backlog: 20 }),
      ...rmem,
      ...connection('31', 20),
      ...connection('32', 3),
      [socketOwner, { inode: '31', pid: '812', comm: 'node' }, 1, 1],
    ],
    outcome: 'warning',
    args: { socket: '10.0.0.1:80', process: 'node (pid 812)', most: ', most by 10.0.0.1:80 of node (pid 812)' },
  },
  {
    name: 'a connection that dropped less than half of them is not',
    cells: [...tcp({ segments: 10000, backlog: 20 }), ...rmem, ...connection('31', 9)],
    outcome: 'warning',
    args: { most: '' },
  },
  {
    name: 'mostly the socket backlog: what helps it comes first',
    cells: [...tcp({ segments: 10000, backlog: 20, refused: 5 }), ...rmem],
    outcome: 'warning',
    message: 'backlog',
    command: /^ss -tmnpO \| grep -E 'bl[^]*tcp_rmem=/,
  },
  {
    name: 'mostly the receive queue: its room comes first',
    cells: [...tcp({ segments: 10000, backlog: 5, refused: 20 }), ...rmem],
    outcome: 'warning',
    message: 'refused',
    command: /tcp_rmem=[^]*grep -E 'bl/,
  },
  {
    name: 'four of thirteen are mentioned',
    cells: tcp({ segments: 13, refused: 4 }),
    outcome: 'info',
    message: 'refused',
    args: { lost: 4, share: 4 / 13 },
  },
  {
    name: 'nine backlog drops in 100,000 are mentioned',
    cells: tcp({ segments: 100000, backlog: 9 }),
    outcome: 'info',
    message: 'backlog',
    args: { lost: 9 },
  },
  { name: 'none', cells: tcp({ segments: 100000 }), outcome: 'ok' },
  { name: 'ten in 100,000 are not', cells: tcp({ segments: 100000, refused: 10 }), outcome: 'warning' },
  {
    name: 'pruning that made room and collapsing lose nothing',
    cells: [...tcp({ segments: 10000, pruneCalls: 5000 }), [netstat.member('TcpExt_TCPRcvCollapsed'), {}, 0, 90000]],
    outcome: 'ok',
  },
  {
    name: 'another namespace speaks for itself',
    cells: [
      ...tcp({ segments: 10000 }),
      ...tcp({ segments: 10000, backlog: 20 }).map(([metric, , before, after]): Cell => [
        metric,
        { netns: 'pod-1' },
        before,
        after,
      ]),
    ],
    outcome: 'warning',
    command: /^ip netns exec pod-1 ss -tmnpO \| grep/,
  },
  {
    name: 'no netstat: not measured',
    cells: rmem,
    failed: { netstat: { path: '/proc/net/netstat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /RcvPruned: permission denied/,
  },
  {
    name: 'a counter reset inside the window is no loss',
    cells: [
      ...tcp({ segments: 10000 }).filter(([metric]) => !metric.name.endsWith('RcvPruned')),
      [netstat.member('TcpExt_RcvPruned'), {}, 900, 50],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
