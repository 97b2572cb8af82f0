import {
  conntrackBuckets,
  conntrackChainTooLong,
  conntrackClashResolved,
  conntrackDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
} from '../../src/metrics/catalogue/index.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { conntrackInsertFailures } from '../../src/rules/conntrack-insert-failures.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const table = (entries: number): Cell[] => [
  [conntrackEntries, {}, entries, entries],
  [conntrackLimit, {}, 262144, 262144],
  [conntrackBuckets, {}, 65536, 65536],
];
const rose = (metric: Metric, count: number): Cell => [metric, {}, [7, 0], [7 + count, 0]];
const resolved = rose(conntrackClashResolved, 50);

ruleCases(conntrackInsertFailures, [
  {
    name: 'clashes: packets of parallel DNS queries are lost',
    cells: [
      ...table(20000),
      rose(conntrackInsertFailed, 30),
      rose(conntrackDrop, 30),
      rose(conntrackChainTooLong, 0),
      resolved,
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'clashes',
    args: { clashes: 30, rate: 3 },
    command: /resolv\.conf$[^]*random-fully/m,
  },
  {
    name: 'chains too long: the hash is too small',
    cells: [
      ...table(90000),
      rose(conntrackInsertFailed, 100),
      rose(conntrackDrop, 5),
      rose(conntrackChainTooLong, 95),
      resolved,
    ],
    outcome: 'warning',
    message: 'chains',
    args: { chains: 95, clashes: 5, buckets: 65536 },
    command: /nf_conntrack_buckets=131072/,
  },
  {
    name: 'up to 5.9 resolved clashes count as failures: possible only',
    cells: [...table(20000), rose(conntrackInsertFailed, 30), rose(conntrackDrop, 0)],
    outcome: 'warning',
    certainty: 'possible',
    message: 'resolved-or-not',
  },
  {
    name: 'nine in the window are left alone',
    cells: [...table(100), rose(conntrackInsertFailed, 9), rose(conntrackDrop, 9), resolved],
    outcome: 'ok',
  },
  {
    name: 'ten in a minute on a host with many flows are left alone',
    seconds: 60,
    cells: [...table(20000), rose(conntrackInsertFailed, 10), rose(conntrackDrop, 10), resolved],
    outcome: 'ok',
  },
  {
    name: 'ten in a minute on a host with few flows are one in fifty',
    seconds: 60,
    cells: [...table(500), rose(conntrackInsertFailed, 10), rose(conntrackDrop, 10), resolved],
    outcome: 'warning',
  },
  {
    name: 'just below one in a hundred',
    seconds: 60,
    cells: [...table(1001), rose(conntrackInsertFailed, 10), rose(conntrackDrop, 10), resolved],
    outcome: 'ok',
  },
  {
    name: 'resolved clashes lose nothing',
    cells: [
      ...table(20000),
      rose(conntrackInsertFailed, 0),
      rose(conntrackDrop, 0),
      rose(conntrackClashResolved, 9000),
    ],
    outcome: 'ok',
  },
  {
    name: 'drops that are no insert failures are not its business',
    cells: [...table(20000), rose(conntrackInsertFailed, 0), rose(conntrackDrop, 500), resolved],
    outcome: 'ok',
  },
  {
    name: 'with a full table the full table comes first',
    cells: [...table(262144), rose(conntrackInsertFailed, 30), rose(conntrackDrop, 800), resolved],
    outcome: 'info',
    message: 'beside-full',
  },
  {
    name: 'no statistics file: not measured',
    cells: table(20000),
    failed: { conntrack: { path: '/proc/net/stat/nf_conntrack', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /insert_failed: no such file/,
  },
  {
    name: 'a counter reset inside the window is no burst',
    cells: [...table(20000), [conntrackInsertFailed, {}, [90000, 0], [3, 0]], rose(conntrackDrop, 0), resolved],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
