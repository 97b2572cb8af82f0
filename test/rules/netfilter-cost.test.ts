import {
  filterChainRules,
  filterEstablishedPosition,
  filterReachableRules,
  filterRulePackets,
  profileNetfilterSamples,
  receivePackets,
  softnetProcessed,
  spanUnmarked,
} from '../../src/metrics/catalogue/index.ts';
import { netfilterCost } from '../../src/rules/netfilter-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { deviceCells, pathCells, pathLacking } from '../support/path.ts';
import type { Cell } from '../support/window.ts';

const place = { engine: 'nftables', family: 'inet', table: 'filter', chain: 'input', hook: 'input', device: '' };
const chain = (rules: number, labels = {}): Cell[] => [
  [filterChainRules, { ...place, priority: '0', policy: 'accept', ...labels }, rules, rules],
  [filterReachableRules, { ...place, ...labels }, rules, rules],
];
const hook = (samples: number, labels = {}): Cell => [
  profileNetfilterSamples,
  { direction: 'receive', family: 'inet', hook: 'input', engine: 'nftables', ...labels },
  0,
  samples,
];
/** By devices of which each test tells. */
const shared = pathCells({ nftables: 900, udp: 4900, tcp: 200 }, { packets: 100_000 }).filter(
  ([metric]) => metric !== receivePackets,
);
const busy = pathCells({ nftables: 6300, udp: 2700, gro: 1000 }, { packets: 86_000 });

ruleCases(netfilterCost, [
  {
    name: 'what pktcost took is left out of the share, and said',
    cells: [...pathCells({ nftables: 4500, udp: 4500, self: 1000 }, { packets: 86_000 }), hook(4500), ...chain(200)],
    outcome: 'warning',
    certainty: 'measured',
    message: 'dear',
    args: { share: 0.5, besidesOwn: ' without pktcost itself (10% of all)' },
  },
  {
    name: '200 rules on the way in: the chain is named, known flows are to pass first',
    cells: [...busy, hook(6300), ...chain(200)],
    outcome: 'critical',
    certainty: 'measured',
    message: 'dear',
    args: {
      share: 0.63,
      cpu: 0.63,
      places: 'the input hook (nftables)',
      owners: 'chain input of table inet filter (nftables), 200 rules',
      way: 'received packets',
    },
    command:
      /nft insert rule inet filter input ct state established,related accept comment pktcost[^]*nft -a list chain inet filter input/,
  },
  {
    name: 'known flows pass first already, and the busy rule is far down: a set, and the rule in front',
    cells: [
      ...busy,
      hook(6300),
      ...chain(200),
      [filterEstablishedPosition, place, 1, 1],
      [
        filterRulePackets,
        { engine: 'nftables', family: 'inet', table: 'filter', chain: 'input', handle: '205', position: '198' },
        0,
        500_000,
      ],
    ],
    outcome: 'critical',
    command: /^nft -a list chain inet filter input\nnft -a list chain inet filter input$/,
  },
  {
    name: 'iptables in another namespace is named with it',
    cells: [
      ...busy,
      hook(6300, { engine: 'iptables', hook: 'forward' }),
      ...chain(3, { hook: 'forward', chain: 'forward' }),
      ...chain(500, { engine: 'iptables', family: 'ip', chain: 'FORWARD', hook: 'forward', netns: 'blue' }),
    ],
    outcome: 'critical',
    args: { owners: 'chain FORWARD of table ip filter (iptables) in namespace blue, 500 rules' },
    command: /ip netns exec blue iptables -t filter -I FORWARD 1 -m conntrack/,
  },
  {
    name: 'a third of what a packet costs is a warning',
    cells: [...pathCells({ nftables: 3300, udp: 6700 }, { packets: 86_000 }), hook(3300), ...chain(60)],
    outcome: 'warning',
  },
  {
    name: 'a quarter, but for the error of so few samples',
    cells: [...pathCells({ nftables: 260, udp: 740 }, { packets: 10_000 }), hook(260), ...chain(60)],
    outcome: 'ok',
  },
  {
    name: 'a seventh of what packets cost, all of it on a slow device beside a busy cheap one',
    cells: [
      ...shared,
      ...deviceCells('slow', 3000, { nftables: 900, udp: 100 }),
      ...deviceCells('fast', 97_000, { udp: 4800, tcp: 200 }),
      hook(900),
      ...chain(5000),
    ],
    outcome: 'warning',
    certainty: 'measured',
    message: 'dear',
    args: {
      share: 0.9,
      way: 'received packets of slow',
      ns: 30_000,
      owners: 'chain input of table inet filter (nftables), 5,000 rules',
    },
  },
  {
    name: 'the same share of a device whose packets are no dearer than the others',
    cells: [
      ...shared,
      ...deviceCells('one', 30_000, { nftables: 900, udp: 1100 }),
      ...deviceCells('other', 70_000, { udp: 3800, tcp: 200 }),
      hook(900),
    ],
    outcome: 'ok',
  },
  {
    name: 'the same of a slow device, and for how long its samples were taken is not told',
    cells: [
      ...shared,
      ...deviceCells('slow', 3000, { nftables: 900, udp: 100 }).filter(([metric]) => metric !== spanUnmarked),
      ...deviceCells('fast', 97_000, { udp: 4800, tcp: 200 }),
      hook(900),
    ],
    outcome: 'not-measured',
  },
  {
    name: 'the same share of an idle host burns nothing',
    cells: [...pathCells({ nftables: 300, udp: 100 }, { packets: 1000 }), hook(300), ...chain(200)],
    outcome: 'ok',
  },
  {
    name: 'a large share of a cheap packet',
    cells: [...pathCells({ nftables: 3000, udp: 2000 }, { packets: 700_000 }), hook(3000), ...chain(12)],
    outcome: 'ok',
  },
  {
    name: 'conntrack and NAT are for another rule',
    cells: [...pathCells({ conntrack: 6000, nat: 1000, udp: 3000 }), hook(6000, { engine: 'conntrack' })],
    outcome: 'ok',
  },
  {
    name: 'chains that were not seen leave the cost without an owner',
    cells: [...busy, hook(6300)],
    outcome: 'critical',
    args: { owners: 'rules whose chains were not seen' },
    command: /nft list ruleset/,
  },
  {
    name: 'rules for ARP are no rules of the input hook of IP, nor the other way round',
    cells: [...busy, hook(6300, { family: 'arp' }), ...chain(200)],
    outcome: 'critical',
    args: { places: 'the arp input hook (nftables)', owners: 'rules whose chains were not seen' },
  },
  {
    name: 'rules for ARP own what is spent on their hook',
    cells: [...busy, hook(6300, { family: 'arp' }), ...chain(900), ...chain(200, { family: 'arp' })],
    outcome: 'critical',
    args: { owners: 'chain input of table arp filter (nftables), 200 rules' },
  },
  {
    name: 'sent packets have a price as well',
    cells: [
      ...pathCells({ nftables: 6000, qdisc: 1000 }, { direction: 'transmit', packets: 50_000 }),
      hook(6000, { direction: 'transmit', hook: 'output' }),
      ...chain(300, { chain: 'output', hook: 'output' }),
    ],
    outcome: 'critical',
    args: { way: 'sent packets', places: 'the output hook (nftables)' },
  },
  {
    name: 'packets that nobody counted have no price',
    cells: busy.filter(([metric]) => metric !== softnetProcessed),
    failed: { softnet: { path: '/proc/net/softnet_stat', reason: 'no such file' } },
    outcome: 'not-measured',
  },
  ...pathLacking('nftables'),
]);
