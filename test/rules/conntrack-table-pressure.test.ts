import {
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
} from '../../src/metrics/catalogue/index.ts';
import { conntrackTablePressure } from '../../src/rules/conntrack-table-pressure.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const table = (before: number, after: number): Cell[] => [
  [conntrackEntries, {}, before, after],
  [conntrackLimit, {}, 1000, 1000],
];
const drops = (count: number): Cell => [conntrackDrop, {}, [5, 5], [5 + count, 5]];
const evicted = (count: number): Cell => [conntrackEarlyDrop, {}, [1, 1], [1, 1 + count]];

ruleCases(conntrackTablePressure, [
  {
    name: 'flows are evicted while no packet is lost',
    cells: [...table(1000, 1000), drops(0), evicted(40)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'evicting',
    args: { evicted: 40, rate: 4 },
    command: /nf_conntrack_max=4096/,
  },
  {
    name: 'evictions prove a full table even when both samples show room',
    cells: [...table(600, 600), drops(0), evicted(10)],
    outcome: 'warning',
    message: 'evicting',
  },
  {
    name: 'a few evictions and room are the tail of a burst, and mentioned',
    cells: [...table(600, 600), drops(0), evicted(9)],
    outcome: 'info',
    message: 'evicting',
    args: { evicted: 9 },
  },
  {
    name: 'a few evictions from a table that is still full',
    cells: [...table(960, 960), drops(0), evicted(9)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'evicting',
  },
  {
    name: 'room and no evictions',
    cells: [...table(600, 600), drops(0), evicted(0)],
    outcome: 'ok',
  },
  {
    name: 'nearly full without any eviction is a possibility, no more',
    cells: [...table(940, 950), drops(0), evicted(0)],
    outcome: 'warning',
    certainty: 'possible',
    message: 'near-full',
  },
  {
    name: 'just below: told, not warned of',
    cells: [...table(949, 949), drops(0), evicted(0)],
    outcome: 'info',
    message: 'filling',
  },
  { name: 'a level below is nothing', cells: [...table(849, 849), drops(0), evicted(0)], outcome: 'ok' },
  {
    name: '57 % full of one-way flows is no finding',
    cells: [...table(570, 570), drops(0), evicted(0)],
    outcome: 'ok',
  },
  {
    name: 'refused packets are told by PKT0201 alone',
    cells: [...table(1000, 1000), drops(30), evicted(40)],
    outcome: 'ok',
  },
  {
    name: 'one in a hundred refused is told by PKT0201 alone',
    cells: [...table(1000, 1000), drops(10), evicted(990)],
    outcome: 'ok',
  },
  {
    name: 'fewer, the odd one among many evictions, are told here',
    cells: [...table(1000, 1000), drops(9), evicted(991)],
    outcome: 'warning',
    message: 'evicting-most',
    args: { evicted: 991, refused: 9 },
  },
  {
    name: 'drops that are clashes do not silence it',
    cells: [...table(1000, 1000), drops(4), evicted(0), [conntrackInsertFailed, {}, [0, 0], [4, 0]]],
    outcome: 'warning',
    message: 'near-full',
  },
  {
    name: "another namespace's table is judged on its own, against the one limit it reads",
    cells: [
      ...table(10, 10),
      drops(0),
      evicted(0),
      [conntrackEntries, { netns: 'blue' }, 990, 990],
      [conntrackLimit, { netns: 'blue' }, 1000, 1000],
      [conntrackDrop, { netns: 'blue' }, [0, 0], [0, 0]],
      [conntrackEarlyDrop, { netns: 'blue' }, [0, 0], [0, 0]],
    ],
    outcome: 'warning',
    message: 'near-full',
    command: /ip netns exec blue conntrack -L/,
  },
  {
    name: 'a limit of 0 is unlimited',
    cells: [[conntrackEntries, {}, 5000, 5000], [conntrackLimit, {}, 0, 0], drops(0), evicted(0)],
    outcome: 'not-applicable',
  },
  {
    name: 'no statistics file, as in kernels without CONFIG_NF_CONNTRACK_PROCFS: the level is a warning, and nothing is said of drops',
    cells: table(990, 990),
    failed: { conntrack: { path: '/proc/net/stat/nf_conntrack', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'warning',
    certainty: 'possible',
    message: 'near-full-uncounted',
  },
  {
    name: 'no statistics file and a low level: not measured, with the path',
    cells: table(300, 300),
    failed: { conntrack: { path: '/proc/net/stat/nf_conntrack', reason: 'no such file or directory (ENOENT)' } },
    outcome: 'not-measured',
    missing: /drop: no such file/,
  },
  {
    name: 'a counter reset inside the window is no eviction',
    cells: [...table(500, 500), drops(0), [conntrackEarlyDrop, {}, [9000, 9000], [3, 1]]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
