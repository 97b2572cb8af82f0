import { linkInfo } from '../../src/metrics/catalogue/index.ts';
import { virtualPathCost } from '../../src/rules/virtual-path-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const busy = pathCells({ bridge: 6000, udp: 4000 }, { packets: 20_000 });
const link = (device: string, kind: string, master = '', netns?: string): Cell => [
  linkInfo,
  { device, kind, master, lower: '', ...(netns === undefined ? {} : { netns }) },
  1,
  1,
];

ruleCases(virtualPathCost, [
  {
    name: 'a bridge with two ports in a namespace',
    cells: [
      ...busy,
      link('br0', 'bridge', '', 'blue'),
      link('v0', 'veth', 'br0', 'blue'),
      link('v1', 'veth', 'br0', 'blue'),
      link('br0', 'bridge'),
    ],
    outcome: 'critical',
    certainty: 'measured',
    args: { owners: 'br0 (bridge, 2 ports, namespace blue), br0 (bridge)', largest: 'bridge 60%' },
    command: /bridge-nf-call-iptables/,
  },
  {
    name: 'a tunnel',
    cells: [...pathCells({ tunnel: 4000, udp: 6000 }), link('vxlan9', 'vxlan'), link('br0', 'bridge')],
    outcome: 'warning',
    args: { owners: 'vxlan9 (vxlan)' },
    command: /udp_tnl/,
  },
  {
    name: 'an ordinary bridge',
    cells: [...pathCells({ bridge: 2900, udp: 7100 }), link('br0', 'bridge')],
    outcome: 'ok',
  },
  {
    name: 'half a cheap packet',
    cells: [...pathCells({ bridge: 5000, udp: 4000 }, { packets: 600_000 }), link('br0', 'bridge')],
    outcome: 'ok',
  },
  ...pathLacking('bridge'),
]);
