import { routingRules } from '../../src/metrics/catalogue/index.ts';
import { routingRulesCost } from '../../src/rules/routing-rules-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';

const busy = pathCells({ routing: 7000, udp: 3000 }, { packets: 30_000 });

ruleCases(routingRulesCost, [
  {
    name: 'a thousand rules in a namespace',
    cells: [
      ...busy,
      [routingRules, { family: 'ip', netns: 'blue' }, 1003, 1003],
      [routingRules, { family: 'ip' }, 3, 3],
    ],
    outcome: 'critical',
    certainty: 'measured',
    message: 'rules',
    args: { rules: 1003, owners: 'ip rule of namespace blue' },
    command: /ip netns exec blue ip rule show/,
  },
  {
    name: 'lookups are dear though the rules are few',
    cells: [...busy, [routingRules, { family: 'ip' }, 3, 3]],
    outcome: 'critical',
    message: 'dear',
    command: /rp_filter/,
  },
  { name: 'rules that were not read', cells: busy, outcome: 'critical', message: 'unread' },
  { name: 'two fifths', cells: pathCells({ routing: 4000, udp: 6000 }), outcome: 'warning' },
  { name: 'an ordinary lookup', cells: pathCells({ routing: 2000, udp: 8000 }), outcome: 'ok' },
  { name: 'less than 700 ns', cells: pathCells({ routing: 4000, udp: 4000 }, { packets: 900_000 }), outcome: 'ok' },
  ...pathLacking('routing'),
]);
