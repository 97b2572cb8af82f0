import { tcFilters } from '../../src/metrics/catalogue/index.ts';
import { tcFilterCost } from '../../src/rules/tc-filter-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';

const ingress = { hook: 'ingress', kind: 'u32', side: 'ingress', qdisc: '', parent: '' };
const htb = { hook: 'htb 1:', kind: 'u32', side: '', qdisc: 'htb', parent: '1:' };
const busy = pathCells({ 'tc-filter': 6000, udp: 4000 }, { packets: 60_000 });

ruleCases(tcFilterCost, [
  {
    name: '200 u32 filters',
    cells: [...busy, [tcFilters, { device: 'eth0', ...ingress }, 200, 200]],
    outcome: 'critical',
    certainty: 'measured',
    args: { owners: '200 u32 filters at the ingress of eth0' },
    command: /tc -s filter show dev eth0 ingress/,
  },
  {
    name: 'filters of the queue that senders wait for, beside more at the ingress',
    cells: [
      ...pathCells({ 'tc-filter': 6000, udp: 4000 }, { direction: 'transmit', packets: 60_000 }),
      [tcFilters, { device: 'eth0', ...ingress }, 900, 900],
      [tcFilters, { device: 'eth0', ...htb }, 200, 200],
    ],
    outcome: 'critical',
    args: { owners: '200 u32 filters at the htb 1: of eth0', way: 'sent packets' },
    command: /tc -s filter show dev eth0 parent 1:/,
  },
  {
    name: 'a queue whose lock is held for its filters',
    cells: [
      ...pathCells({ qdisc: 3400, 'tc-filter': 3200, udp: 3400 }, { direction: 'transmit', packets: 60_000 }),
      [tcFilters, { device: 'eth0', ...htb }, 2000, 2000],
    ],
    outcome: 'critical',
    args: { owners: '2,000 u32 filters at the htb 1: of eth0' },
  },
  {
    name: 'a queueing discipline that takes most of it, with a filter',
    cells: [
      ...pathCells({ qdisc: 4000, 'tc-filter': 500, tcp: 5500 }, { direction: 'transmit' }),
      [tcFilters, { device: 'eth0', ...htb }, 1, 1],
    ],
    outcome: 'warning',
    args: { owners: 'queues' },
  },
  {
    name: 'a queueing discipline',
    cells: pathCells({ qdisc: 4000, 'tc-filter': 500, tcp: 5500 }, { direction: 'transmit' }),
    outcome: 'warning',
    args: { owners: 'queues, or filters that were not seen', way: 'sent packets' },
    command: /tc -s qdisc show/,
  },
  { name: 'an ordinary queue', cells: pathCells({ qdisc: 1500, tcp: 8500 }, { direction: 'transmit' }), outcome: 'ok' },
  { name: 'less than 700 ns', cells: pathCells({ 'tc-filter': 4000, udp: 4000 }, { packets: 900_000 }), outcome: 'ok' },
  ...pathLacking('tc-filter'),
]);
