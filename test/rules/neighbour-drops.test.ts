import { neighbourTableFull, neighbourUnresolved, netstat, skbDrops } from '../../src/metrics/catalogue/index.ts';
import { neighbourDrops } from '../../src/rules/neighbour-drops.ts';
import { ruleCases } from '../support/cases.ts';
import { unread } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const sent = (packets: number, netns?: string): Cell => [
  netstat.member('Ip_OutRequests'),
  netns === undefined ? {} : { netns },
  100,
  100 + packets,
];
const full = (count: number): Cell => [neighbourTableFull, { table: 'arp' }, 1, 1 + count];
const failed = (lost: number): Cell => [
  skbDrops,
  { reason: 'NEIGH_FAILED', location: 'neigh_invalidate', device: 'eth0' },
  1,
  1 + lost,
];

ruleCases(neighbourDrops, [
  {
    name: 'the table is full',
    cells: [sent(10_000), full(500)],
    outcome: 'warning',
    certainty: 'measured',
    args: { lost: 500, why: 'the neighbour table of the host is full (gc_thresh3)' },
    command: /gc_thresh3/,
  },
  {
    name: 'neighbours that do not answer, by the reason',
    cells: [sent(10_000), full(0), failed(500)],
    outcome: 'warning',
    args: { lost: 500, why: 'the neighbour did not answer', where: ', on eth0' },
  },
  {
    name: 'too many waited, by the counter alone',
    cells: [sent(10_000), full(0), [neighbourUnresolved, { table: 'arp' }, 0, 500]],
    outcome: 'warning',
    args: { lost: 500 },
  },
  { name: 'few of many are a remark', cells: [sent(10_000_000), full(500)], outcome: 'info' },
  { name: 'one is a remark', cells: [sent(10_000), failed(1)], outcome: 'info' },
  { name: 'most of all is critical', cells: [sent(100), full(500)], outcome: 'critical' },
  { name: 'none', cells: [sent(10_000), full(0)], ran: ['drops'], outcome: 'ok' },
  unread(),
  {
    name: 'a reset inside the window',
    cells: [[netstat.member('Ip_OutRequests'), {}, 1000, 5], full(5)],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
