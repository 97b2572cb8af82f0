import {
  deviceNumaNode,
  meminfoNuma,
  numaForeign,
  numaHit,
  numaMiss,
  numaOther,
  numaStatEnabled,
} from '../../src/metrics/catalogue/index.ts';
import { numaNodeShortOfMemory } from '../../src/rules/numa-node-short-of-memory.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const on: Cell = [numaStatEnabled, {}, 1, 1];
const node = (name: string, hit: number, foreign: number, miss = 0): Cell[] => [
  [numaHit, { node: name }, 10, 10 + hit],
  [numaForeign, { node: name }, 10, 10 + foreign],
  [numaMiss, { node: name }, 10, 10 + miss],
  [meminfoNuma.member('MemFree'), { node: name }, 2 ** 20, 2 ** 20],
  [meminfoNuma.member('MemTotal'), { node: name }, 2 ** 35, 2 ** 35],
];
const nic: Cell = [deviceNumaNode, { device: 'eth0' }, 0, 0];

ruleCases(numaNodeShortOfMemory, [
  {
    name: "the NIC's node cannot serve what wants it; the other helps out and is not blamed",
    cells: [on, nic, ...node('0', 90000, 10000), ...node('1', 90000, 0, 10000)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'short-with-nic',
    args: { node: '0', share: 0.1, rate: 1000, devices: 'eth0' },
    command: /node0\/meminfo/,
  },
  {
    name: 'a node without a NIC: information',
    cells: [on, ...node('1', 90000, 10000)],
    outcome: 'info',
    message: 'short',
  },
  { name: 'just below the share', cells: [on, nic, ...node('0', 190_200, 9800)], outcome: 'ok' },
  { name: 'just below the rate', cells: [on, nic, ...node('0', 10000, 4999)], outcome: 'ok' },
  {
    name: 'pages for the CPUs of another node (numa_other) are no shortage',
    cells: [on, nic, ...node('0', 90000, 0), [numaOther, { node: '0' }, 0, 80000]],
    outcome: 'ok',
  },
  {
    name: 'a node that serves what others could not (numa_miss) is not short itself',
    cells: [on, nic, ...node('0', 90000, 0, 50000)],
    outcome: 'ok',
  },
  {
    name: 'vm.numa_stat = 0: disabled, not clean',
    cells: [[numaStatEnabled, {}, 0, 0], nic, ...node('0', 0, 0)],
    outcome: 'not-measured',
    missing: /vm\.numa_stat is 0/,
  },
  {
    name: 'nothing counted and the switch not readable',
    cells: [nic, ...node('0', 0, 0)],
    outcome: 'not-measured',
    missing: /not known/,
  },
  {
    name: 'no NUMA in this kernel',
    cells: [],
    inapplicable: { numa: { path: '/sys/devices/system/node', reason: 'this kernel is built without NUMA' } },
    outcome: 'not-applicable',
  },
  {
    name: 'numastat unreadable: not measured',
    cells: [on],
    failed: { numa: { path: '/sys/devices/system/node/node0/numastat', reason: 'I/O error (EIO)' } },
    outcome: 'not-measured',
    missing: /numa_foreign_total: I\/O error/,
  },
  {
    name: 'a counter reset inside the window, as by vm.numa_stat, is no shortage',
    cells: [on, [numaHit, { node: '0' }, 900, 2], [numaForeign, { node: '0' }, 90000, 5000]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
