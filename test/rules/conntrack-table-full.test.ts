import {
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
  meminfo,
} from '../../src/metrics/catalogue/index.ts';
import { conntrackTableFull } from '../../src/rules/conntrack-table-full.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const table = (before: number, after: number): Cell[] => [
  [conntrackEntries, {}, before, after],
  [conntrackLimit, {}, 500, 500],
];
const drops = (before: readonly number[], after: readonly number[]): Cell => [conntrackDrop, {}, before, after];

ruleCases(conntrackTableFull, [
  {
    name: 'full of assured flows: drops rise while early_drop stays still',
    cells: [...table(500, 500), drops([10, 0], [110, 100]), [conntrackEarlyDrop, {}, [0, 0], [0, 0]]],
    outcome: 'critical',
    certainty: 'measured',
    message: 'dropping',
    args: { lost: 200, rate: 20, usage: 1 },
    command: /nf_conntrack_max=8192/,
  },
  {
    name: 'a flood: the table is not made larger than an eighth of the memory',
    cells: [
      ...table(500, 500),
      drops([0, 0], [1_000_000, 0]),
      [meminfo.member('MemTotal_bytes'), {}, 2 ** 30, 2 ** 30],
    ],
    outcome: 'critical',
    command: /nf_conntrack_max=262144\n/,
  },
  {
    name: 'no room for a larger one: only who fills it is asked',
    cells: [...table(500, 500), drops([0, 0], [10, 0]), [meminfo.member('MemTotal_bytes'), {}, 2 ** 20, 2 ** 20]],
    outcome: 'critical',
    command: /^conntrack -L/,
  },
  {
    name: 'in a namespace the counters are read there, the limit is set on the host',
    cells: [
      [conntrackEntries, { netns: 'blue' }, 500, 500],
      [conntrackLimit, { netns: 'blue' }, 500, 500],
      [conntrackDrop, { netns: 'blue' }, [0], [200]],
    ],
    outcome: 'critical',
    command: /^sysctl -w net\.netfilter\.nf_conntrack_max=8192\nip netns exec blue conntrack -L/,
  },
  {
    name: 'a table that was full at the first sample only was full',
    cells: [...table(490, 300), drops([0, 0], [5, 0])],
    outcome: 'critical',
  },
  {
    name: 'a per-CPU counter that wrapped in the window counts what was added, not 2^32',
    cells: [...table(500, 500), drops([0xfffffff0, 0], [0x10, 0])],
    outcome: 'critical',
    args: { lost: 32 },
  },
  { name: 'full and calm: nothing was lost', cells: [...table(500, 500), drops([7, 7], [7, 7])], outcome: 'ok' },
  { name: 'just below the limit stays quiet', cells: [...table(470, 474), drops([0, 0], [9, 0])], outcome: 'ok' },
  {
    name: 'evictions prove that the table was full between two samples with room',
    cells: [...table(300, 300), drops([0, 0], [9, 0]), [conntrackEarlyDrop, {}, [0, 0], [2, 0]]],
    outcome: 'critical',
  },
  {
    name: 'one packet in a hundred new flows refused, the others let in by evictions: new flows fail',
    cells: [...table(500, 500), drops([0, 0], [10, 0]), [conntrackEarlyDrop, {}, [0, 0], [990, 0]]],
    outcome: 'critical',
    args: { lost: 10 },
  },
  {
    name: 'fewer are the odd one that found nothing to evict: PKT0202 tells of it',
    cells: [...table(500, 500), drops([0, 0], [9, 0]), [conntrackEarlyDrop, {}, [0, 0], [991, 0]]],
    outcome: 'ok',
  },
  {
    name: 'evictions alone lose no packet',
    cells: [...table(500, 500), drops([0, 0], [0, 0]), [conntrackEarlyDrop, {}, [0, 0], [40, 0]]],
    outcome: 'ok',
  },
  {
    name: 'drops that are clashes are not put down to the full table',
    cells: [...table(500, 500), drops([0, 0], [4, 0]), [conntrackInsertFailed, {}, [0, 0], [4, 0]]],
    outcome: 'ok',
  },
  {
    name: 'a limit of 0 is unlimited',
    cells: [[conntrackEntries, {}, 500, 500], [conntrackLimit, {}, 0, 0], drops([0, 0], [9, 0])],
    outcome: 'not-applicable',
  },
  {
    name: 'conntrack not loaded: nothing to be full',
    cells: [],
    inapplicable: {
      conntrack: { path: '/proc/sys/net/netfilter/nf_conntrack_count', reason: 'connection tracking is not loaded' },
    },
    outcome: 'not-applicable',
  },
  {
    name: 'no statistics file: not measured, with the path',
    cells: table(500, 500),
    failed: { conntrack: { path: '/proc/net/stat/nf_conntrack', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /nf_conntrack_stat_drop: no such file/,
  },
  {
    name: 'a counter reset inside the window is no burst of drops',
    cells: [...table(500, 500), drops([5000, 5000], [3, 1])],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
