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
    command: /resolv\.conf$[^]*iptables-save -t nat \| grep -E 'MASQUERADE\|SNAT' \| grep -v random/m,
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
    name: 'nine in the window are mentioned',
    cells: [...table(100), rose(conntrackInsertFailed, 9), rose(conntrackDrop, 9), resolved],
    outcome: 'info',
    message: 'clashes',
    args: { clashes: 9 },
  },
  {
    name: 'ten in a minute on a host with many flows are mentioned',
    seconds: 60,
    cells: [...table(20000), rose(conntrackInsertFailed, 10), rose(conntrackDrop, 10), resolved],
    outcome: 'info',
    message: 'clashes',
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
    outcome: 'info',
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
    name: 'a few chains that are too long',
    cells: [
      ...table(20000),
      rose(conntrackInsertFailed, 3),
      rose(conntrackDrop, 0),
      rose(conntrackChainTooLong, 3),
      resolved,
    ],
    outcome: 'info',
    message: 'chains',
    args: { chains: 3 },
  },
  {
    name: 'drops that are no insert failures, in a table that has room, are said by no other rule',
    cells: [...table(20000), rose(conntrackInsertFailed, 0), rose(conntrackDrop, 500), resolved],
    outcome: 'info',
    certainty: 'measured',
    message: 'refused',
    args: { refused: 500, rate: 50 },
    command: /nf_conntrack_log_invalid/,
  },
  {
    name: 'the same in a full table is what PKT0201 says',
    cells: [...table(262144), rose(conntrackInsertFailed, 0), rose(conntrackDrop, 500), resolved],
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
