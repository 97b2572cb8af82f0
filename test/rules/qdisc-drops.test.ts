import { qdiscDrops as dropped, qdiscPackets, qdiscRequeues } from '../../src/metrics/catalogue/index.ts';
import { qdiscDrops } from '../../src/rules/qdisc-drops.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const queue = (sent: number, lost: number): Cell[] => [
  [qdiscPackets, { device: 'eth0', kind: 'tbf' }, 10, 10 + sent],
  [dropped, { device: 'eth0', kind: 'tbf' }, 5, 5 + lost],
  [qdiscRequeues, { device: 'eth0', kind: 'tbf' }, 0, 3],
];

ruleCases(qdiscDrops, [
  {
    name: 'one in a hundred',
    cells: queue(99_000, 1000),
    outcome: 'warning',
    certainty: 'measured',
    args: { device: 'eth0', kind: 'tbf', lost: 1000, share: 0.01, rate: 100, requeues: 3 },
    command: /tc -s qdisc show dev eth0/,
  },
  { name: 'half of all is critical', cells: queue(1000, 1000), outcome: 'critical' },
  { name: 'fewer than one in a thousand is a remark', cells: queue(1_000_000, 999), outcome: 'info' },
  { name: 'one is a remark', cells: queue(1, 1), outcome: 'info', args: { lost: 1 } },
  { name: 'none', cells: queue(1000, 0), outcome: 'ok' },
  {
    name: 'a counter that wrapped at 2^32 counts what was added',
    cells: [
      [qdiscPackets, { device: 'eth0', kind: 'tbf' }, 0, 10_000],
      [dropped, { device: 'eth0', kind: 'tbf' }, 0xfffffff0, 0xf0],
    ],
    outcome: 'warning',
    args: { lost: 256 },
  },
  {
    name: 'unread',
    cells: [],
    failed: { qdisc: { path: 'qdisc', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
  {
    name: 'a discipline that was replaced',
    cells: [
      [qdiscPackets, { device: 'eth0', kind: 'tbf' }, 1_000_000, 5],
      [dropped, { device: 'eth0', kind: 'tbf' }, 1_000_000_000, 5],
    ],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
