import {
  acceptQueue,
  acceptQueueLimit,
  listenerDrops,
  netstat,
  socketOwner,
  sysctl,
} from '../../src/metrics/catalogue/index.ts';
import type { Labels } from '../../src/metrics/metric.ts';
import { listenQueueOverflow } from '../../src/rules/listen-queue-overflow.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const overflows = (count: number, labels: Labels = {}): Cell => [
  netstat.member('TcpExt_ListenOverflows'),
  labels,
  1000,
  1000 + count,
];
const accepted: Cell = [netstat.member('Tcp_PassiveOpens'), {}, 500, 800];
const somaxconn: Cell = [sysctl, { name: 'net.core.somaxconn' }, 4096, 4096];

interface Socket {
  readonly port: string;
  readonly inode: string;
  readonly drops: number;
  readonly waiting: number;
  readonly limit: number;
  readonly netns?: string;
}
function listening({ port, inode, drops, waiting, limit, netns }: Socket): Cell[] {
  const labels = { family: 'inet', address: '0.0.0.0', port, inode, ...(netns === undefined ? {} : { netns }) };
  return [
    [listenerDrops, labels, 3, 3 + drops],
    [acceptQueue, labels, waiting, waiting],
    [acceptQueueLimit, labels, limit, limit],
  ];
}
const owner = (inode: string, pid: string, comm: string): Cell => [socketOwner, { inode, pid, comm }, 1, 1];

ruleCases(listenQueueOverflow, [
  {
    name: "names the listener, its process and the program's own backlog",
    cells: [
      overflows(192),
      accepted,
      somaxconn,
      ...listening({ port: '8080', inode: '77', drops: 192, waiting: 512, limit: 511 }),
      ...listening({ port: '22', inode: '78', drops: 0, waiting: 0, limit: 128 }),
      owner('77', '812', 'node'),
      owner('78', '1', 'sshd'),
    ],
    outcome: 'critical',
    certainty: 'measured',
    message: 'backlog',
    args: {
      attempts: 192,
      rate: 19.2,
      through: '; 300 connections came through',
      listener: '0.0.0.0:8080',
      process: 'node (pid 812)',
      limit: 511,
      somaxconn: 4096,
    },
    command: /ss -ltnp 'sport = :8080'/,
  },
  {
    name: 'somaxconn binds: raised, and the program restarted',
    cells: [
      overflows(192),
      somaxconn,
      ...listening({ port: '80', inode: '77', drops: 192, waiting: 4097, limit: 4096 }),
      owner('77', '812', 'nginx'),
      owner('77', '813', 'nginx'),
    ],
    outcome: 'critical',
    message: 'somaxconn',
    args: { process: 'nginx (pid 812) and 1 more' },
    command: /net\.core\.somaxconn=8192/,
  },
  {
    name: "a listener's drops alone do not make it the culprit: the one with the full queue is",
    cells: [
      overflows(50),
      somaxconn,
      ...listening({ port: '9', inode: '70', drops: 400, waiting: 0, limit: 128 }),
      ...listening({ port: '80', inode: '77', drops: 50, waiting: 129, limit: 128 }),
    ],
    outcome: 'critical',
    args: { listener: '0.0.0.0:80', process: 'an unknown process', others: 1 },
  },
  {
    name: 'a full queue without drops of its own is a likelihood',
    cells: [overflows(50), somaxconn, ...listening({ port: '80', inode: '77', drops: 0, waiting: 129, limit: 128 })],
    outcome: 'critical',
    message: 'listener',
  },
  {
    name: 'no listener dropped: it came or went in the window',
    cells: [overflows(50), somaxconn, ...listening({ port: '80', inode: '77', drops: 0, waiting: 0, limit: 128 })],
    outcome: 'critical',
    message: 'listener-closed',
    command: /ss -ltnpH/,
  },
  {
    name: 'listeners that cannot be listed do not silence the counter',
    cells: [overflows(50), somaxconn],
    failed: { sockets: { path: 'inet_diag', reason: 'permission denied (EACCES)' } },
    outcome: 'critical',
    message: 'listener-unread',
  },
  {
    name: 'in a namespace the command enters it by the process',
    cells: [
      overflows(0),
      overflows(90, { netns: 'pod-1' }),
      [sysctl, { name: 'net.core.somaxconn', netns: 'pod-1' }, 128, 128],
      ...listening({ port: '80', inode: '77', drops: 90, waiting: 129, limit: 128, netns: 'pod-1' }),
      owner('77', '4711', 'app'),
    ],
    outcome: 'critical',
    message: 'somaxconn',
    command: /^nsenter -t 4711 -n sysctl -w net\.core\.somaxconn=256$/m,
  },
  {
    name: 'a queue as long as somaxconn allows is not made shorter',
    cells: [
      overflows(200),
      [sysctl, { name: 'net.core.somaxconn' }, 100_000, 100_000],
      ...listening({ port: '8080', inode: '77', drops: 192, waiting: 100_001, limit: 100_000 }),
    ],
    outcome: 'critical',
    message: 'somaxconn',
    command: /^ss -ltnp 'sport = :8080'$/m,
  },
  {
    name: 'five attempts over a minute are a warning',
    seconds: 60,
    cells: [overflows(5), somaxconn],
    outcome: 'warning',
  },
  { name: 'just below one a second', cells: [overflows(9), somaxconn], outcome: 'warning' },
  { name: 'four are mentioned', cells: [overflows(4), somaxconn], outcome: 'info' },
  {
    name: "a listener's drops without overflow are of another kind",
    cells: [overflows(0), somaxconn, ...listening({ port: '80', inode: '77', drops: 300, waiting: 0, limit: 128 })],
    outcome: 'ok',
  },
  {
    name: 'no netstat: not measured, with the path',
    cells: [somaxconn],
    failed: { netstat: { path: '/proc/net/netstat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /ListenOverflows: permission denied/,
  },
  {
    name: 'a counter reset inside the window is no burst',
    cells: [[netstat.member('TcpExt_ListenOverflows'), {}, 5000, 12]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
