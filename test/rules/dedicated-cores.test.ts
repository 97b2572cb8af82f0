import { cpuDedicated } from '../../src/metrics/catalogue/index.ts';
import { dedicatedCores } from '../../src/rules/dedicated-cores.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

ruleCases(dedicatedCores, [
  {
    name: 'each by its means',
    cells: [
      ...['2', '3', '4'].map((cpu): Cell => [cpuDedicated, { cpu, by: 'isolcpus' }, 1, 1]),
      [cpuDedicated, { cpu: '3', by: 'nohz_full' }, 1, 1],
    ],
    outcome: 'info',
    message: 'apart',
    args: { how: 'isolcpus 2-4, nohz_full 3' },
  },
  { name: 'none', cells: [], ran: ['nodeconfig'], outcome: 'ok', message: '' },
  {
    name: 'unread',
    cells: [],
    failed: { nodeconfig: { path: '/sys/devices/system/cpu/isolated', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /EACCES/,
  },
]);
