import { meminfo, netstat, sockstat, sysctl, tcpMem, unameInfo } from '../../src/metrics/catalogue/index.ts';
import { tcpMemoryPressure } from '../../src/rules/tcp-memory-pressure.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const limits: Cell[] = [
  [tcpMem, { limit: 'min' }, 7500, 7500],
  [tcpMem, { limit: 'pressure' }, 10000, 10000],
  [tcpMem, { limit: 'max' }, 15000, 15000],
  [meminfo.member('MemTotal_bytes'), {}, 2 ** 33, 2 ** 33],
];
const memory = (before: number, after: number, page = 4096): Cell[] => [
  [sockstat.member('TCP_mem'), {}, before, after],
  [sockstat.member('TCP_mem_bytes'), {}, before * page, after * page],
];
const rose = (field: string, count: number, netns?: string): Cell => [
  netstat.member(field),
  netns === undefined ? {} : { netns },
  4,
  4 + count,
];
const orphans = (count: number): Cell[] => [
  [sockstat.member('TCP_orphan'), {}, count, 0],
  [sysctl, { name: 'net.ipv4.tcp_max_orphans' }, 4096, 4096],
];
const kernel = (release: string): Cell => [
  unameInfo,
  { sysname: 'Linux', release, version: '#1', machine: 'aarch64', nodename: 'h', domainname: '' },
  1,
  1,
];

ruleCases(tcpMemoryPressure, [
  {
    name: 'pressure that lasts through the window: the counter stands still, the level tells',
    cells: [...limits, ...memory(11000, 12000), rose('TcpExt_TCPMemoryPressures', 0)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'pressure',
    args: { memory: 12000, usage: 0.8 },
    command: /tcp_mem='15000 20000 30000'/,
  },
  {
    name: 'above at the first sample only',
    cells: [...limits, ...memory(11000, 2000)],
    outcome: 'warning',
    message: 'pressure',
  },
  {
    name: 'at the limit is not yet above it',
    cells: [...limits, ...memory(10000, 10000)],
    ran: ['netstat'],
    outcome: 'ok',
  },
  {
    name: 'the hard limit',
    cells: [...limits, ...memory(15000, 14000)],
    outcome: 'critical',
    message: 'exhausted',
  },
  {
    name: 'connections killed in another namespace are killed all the same',
    cells: [
      ...limits,
      ...memory(100, 100),
      rose('TcpExt_TCPAbortOnMemory', 0),
      rose('TcpExt_TCPAbortOnMemory', 10, 'pod-1'),
    ],
    outcome: 'critical',
    message: 'aborted',
    args: { aborted: 10 },
  },
  {
    name: 'nine are a warning',
    cells: [...limits, ...memory(100, 100), rose('TcpExt_TCPAbortOnMemory', 9)],
    outcome: 'warning',
    message: 'aborted',
  },
  {
    name: 'killed as orphans: a quarter of tcp_max_orphans is where that begins',
    cells: [...limits, ...memory(100, 100), ...orphans(1024), rose('TcpExt_TCPAbortOnMemory', 20)],
    outcome: 'critical',
    message: 'orphans',
    args: { orphans: 1024, maxOrphans: 4096 },
    command: /tcp_orphan_retries/,
  },
  {
    name: 'killed with few orphans and memory to spare at the ends: it came and went',
    cells: [...limits, ...memory(100, 100), ...orphans(1023), rose('TcpExt_TCPAbortOnMemory', 20)],
    outcome: 'critical',
    message: 'passing',
  },
  {
    name: 'many orphans, and how many are too many was not read',
    cells: [
      ...limits,
      ...memory(100, 100),
      orphans(262_200)[0]!,
      rose('TcpExt_TCPAbortOnMemory', 0),
      rose('TcpExt_TCPMemoryPressures', 0),
    ],
    outcome: 'not-measured',
    missing: /262,200 orphans are too many: net\.ipv4\.tcp_max_orphans/,
  },
  {
    name: 'few orphans are no question, whatever the limit',
    cells: [
      ...limits,
      ...memory(100, 100),
      orphans(900)[0]!,
      rose('TcpExt_TCPAbortOnMemory', 0),
      rose('TcpExt_TCPMemoryPressures', 0),
    ],
    outcome: 'ok',
  },
  {
    name: 'many orphans and nobody killed',
    cells: [...limits, ...memory(100, 100), ...orphans(4000), rose('TcpExt_TCPAbortOnMemory', 0)],
    outcome: 'ok',
  },
  {
    name: 'pressure that came and went',
    cells: [...limits, ...memory(100, 100), rose('TcpExt_TCPMemoryPressures', 2)],
    outcome: 'warning',
    message: 'entered',
  },
  {
    name: 'the figure of the host, repeated in a namespace, is told once',
    cells: [...limits, ...memory(100, 100), [sockstat.member('TCP_mem'), { netns: 'pod-1' }, 100, 100]],
    ran: ['netstat'],
    outcome: 'ok',
  },
  {
    name: 'limits are not doubled beyond a quarter of the memory',
    cells: [
      ...limits.filter(([metric]) => metric.name !== 'node_memory_MemTotal_bytes'),
      [meminfo.member('MemTotal_bytes'), {}, 2 ** 28, 2 ** 28],
      ...memory(12000, 12000),
    ],
    outcome: 'warning',
    command: /^lsns -t net [^\n]* ss -tmnpO;[^\n]*,w\[[^\n]*$/,
  },
  {
    name: 'up to 5.19 the unit is 4 KiB whatever the page: 16 times less than it seems',
    cells: [...limits, ...memory(20000, 20000, 65536), kernel('5.10.0-30-arm64')],
    alertDiffers: 'pages',
    ran: ['netstat'],
    outcome: 'ok',
  },
  {
    name: 'since 6.0 it is the page',
    cells: [...limits, ...memory(20000, 20000, 65536), kernel('6.1.0-20-arm64')],
    outcome: 'critical',
  },
  {
    name: 'large pages of an unknown kernel: the unit is not guessed',
    cells: [...limits, ...memory(20000, 20000, 65536)],
    alertDiffers: 'pages',
    outcome: 'not-measured',
    missing: /unit of TCP memory/,
  },
  {
    name: 'in a namespace of its own tcp_mem is not there',
    cells: memory(90000, 90000),
    outcome: 'not-measured',
    missing: /initial network namespace/,
  },
  {
    name: 'no sockstat: not measured',
    cells: limits,
    failed: { sockstat: { path: '/proc/net/sockstat', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /TCP_mem: permission denied/,
  },
  {
    name: 'a counter reset inside the window kills nobody, and is told',
    cells: [...limits, ...memory(100, 100), [netstat.member('TcpExt_TCPAbortOnMemory'), {}, 500, 3]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
