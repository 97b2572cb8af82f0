import { switchHits, switchLost, switchMissed } from '../../src/metrics/catalogue/index.ts';
import { switchDrops } from '../../src/rules/switch-drops.ts';
import { ruleCases } from '../support/cases.ts';
import type { Cell } from '../support/window.ts';

const gap = { path: 'openvswitch', reason: 'not in the copy' };
const looked = (hit: number, missed: number, lost: number, datapath = 'system@ovs-system'): Cell[] => [
  [switchHits, { datapath }, 50, 50 + hit],
  [switchMissed, { datapath }, 50, 50 + missed],
  [switchLost, { datapath }, 5, 5 + lost],
];

ruleCases(switchDrops, [
  {
    name: 'a tenth of the first packets of flows',
    cells: looked(90_000, 5000, 500),
    outcome: 'critical',
    certainty: 'measured',
    args: { datapath: 'system@ovs-system', lost: 500, share: 0.1, rate: 50 },
    command: /dpctl\/show -s/,
  },
  {
    name: 'the datapath of ovs-vswitchd counts lost ones apart',
    cells: looked(90_000, 4500, 500, 'netdev@ovs-netdev'),
    outcome: 'critical',
    args: { share: 0.1 },
  },
  { name: 'some of them', cells: looked(90_000, 5000, 10), outcome: 'warning', args: { share: 0.002 } },
  { name: 'fewer than matter are a remark', cells: looked(90_000, 5000, 9), outcome: 'info' },
  { name: 'few of many are a remark', cells: looked(90_000, 500_000, 20), outcome: 'info' },
  {
    name: 'the worst of two datapaths',
    cells: [...looked(9, 5000, 20), ...looked(9, 5000, 600, 'netdev@ovs-netdev')],
    outcome: 'critical',
    args: { datapath: 'netdev@ovs-netdev' },
  },
  { name: 'none', cells: looked(90_000, 5000, 0), outcome: 'ok' },
  {
    name: 'what was not copied',
    cells: [],
    failed: { openvswitch: gap },
    outcome: 'not-measured',
    missing: /not in the copy/,
  },
  {
    name: 'a datapath that was made anew',
    cells: [[switchLost, { datapath: 'system@ovs-system' }, 500, 5]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
