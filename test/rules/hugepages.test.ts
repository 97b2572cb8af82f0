import { hugepagesFree, hugepagesReserved, hugepagesTotal } from '../../src/metrics/catalogue/index.ts';
import { hugepages } from '../../src/rules/hugepages.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const pool = (size: string, total: number, free: number, reserved = 0): Cell[] => [
  [hugepagesTotal, { size }, total, total],
  [hugepagesFree, { size }, free, free],
  [hugepagesReserved, { size }, reserved, reserved],
];

ruleCases(hugepages, [
  {
    name: 'used up, in one size of two',
    cells: [...pool('1073741824', 8, 0), ...pool('2097152', 0, 0)],
    outcome: 'info',
    message: 'exhausted',
    args: { size: 1073741824, total: 8 },
    command: /^grep -H \. \/sys\/devices\/system\/node\/node\*\/hugepages\/hugepages-1048576kB\//,
  },
  { name: 'free but promised is used up', cells: pool('2097152', 512, 12, 12), outcome: 'info', message: 'exhausted' },
  { name: 'one left', cells: pool('2097152', 512, 13, 12), outcome: 'ok', message: 'configured', args: { left: 1 } },
  { name: 'no pool', cells: pool('2097152', 0, 0), outcome: 'ok', message: '' },
  {
    name: 'unread',
    cells: [],
    failed: { meminfo: { path: '/sys/kernel/mm/hugepages', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
]);
