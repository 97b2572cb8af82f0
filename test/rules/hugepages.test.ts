import {
  hugepagesFree,
  hugepagesOvercommit,
  hugepagesReserved,
  hugepagesSurplus,
  hugepagesTotal,
} from '../../src/metrics/catalogue/index.ts';
import { hugepages } from '../../src/rules/hugepages.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const pool = (size: string, total: number, free: number, reserved = 0): Cell[] => [
  [hugepagesTotal, { size }, total, total],
  [hugepagesFree, { size }, free, free],
  [hugepagesReserved, { size }, reserved, reserved],
];

const beyond = (size: string, overcommit: number, surplus: number): Cell[] => [
  [hugepagesOvercommit, { size }, overcommit, overcommit],
  [hugepagesSurplus, { size }, surplus, surplus],
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
  {
    name: 'used up, but the kernel may make more',
    cells: [...pool('2097152', 520, 0), ...beyond('2097152', 64, 8)],
    outcome: 'ok',
    message: 'extensible',
    args: { total: 520, room: 56 },
  },
  {
    name: 'used up, and as many were made as may be',
    cells: [...pool('2097152', 576, 0), ...beyond('2097152', 64, 64)],
    outcome: 'info',
    message: 'exhausted',
  },
  {
    name: 'used up, and the limit was lowered since',
    cells: [...pool('2097152', 576, 0), ...beyond('2097152', 0, 64)],
    outcome: 'info',
    message: 'exhausted',
  },
  {
    name: 'used up in the size that may not grow',
    cells: [...pool('1073741824', 8, 0), ...beyond('1073741824', 0, 0), ...beyond('2097152', 64, 0)],
    outcome: 'info',
    message: 'exhausted',
  },
  { name: 'no pool', cells: pool('2097152', 0, 0), outcome: 'ok', message: '' },
  {
    name: 'unread',
    cells: [],
    failed: { meminfo: { path: '/sys/kernel/mm/hugepages', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
]);
