import { allocationReclaim } from '../../src/rules/allocation-reclaim.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';

ruleCases(allocationReclaim, [
  {
    name: 'packets reclaim memory',
    cells: pathCells({ reclaim: 1000, 'page-allocation': 2000, udp: 7000 }, { packets: 20_000 }),
    outcome: 'warning',
    message: 'reclaim',
    command: /min_free_kbytes/,
  },
  {
    name: 'nothing but reclaim',
    cells: pathCells({ reclaim: 7000, udp: 3000 }, { packets: 20_000 }),
    outcome: 'critical',
    certainty: 'measured',
    message: 'reclaim',
  },
  {
    name: 'allocation takes three fifths of a dear packet',
    cells: pathCells(
      { 'skb-allocation': 3000, 'page-allocation': 2000, freeing: 1000, udp: 4000 },
      { packets: 20_000 },
    ),
    outcome: 'critical',
    message: 'dear',
  },
  {
    name: 'a packet that does little else',
    cells: pathCells({ 'skb-allocation': 2500, freeing: 2000, udp: 5500 }, { packets: 20_000 }),
    outcome: 'ok',
  },
  { name: 'a touch of reclaim', cells: pathCells({ reclaim: 300, udp: 9700 }, { packets: 20_000 }), outcome: 'ok' },
  ...pathLacking('reclaim'),
]);
