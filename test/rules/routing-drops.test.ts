import { netstat } from '../../src/metrics/catalogue/index.ts';
import { routingDrops } from '../../src/rules/routing-drops.ts';
import { ruleCases } from '../support/cases.ts';
import { lossCases } from '../support/losses.ts';
import type { Cell } from '../support/window.ts';

const given = (packets: number): Cell => [netstat.member('Ip_InReceives'), {}, 1000, 1000 + packets];
const counted = (lost: number): Cell => [netstat.member('TcpExt_IPReversePathFilter'), {}, 5, 5 + lost];

ruleCases(routingDrops, [
  ...lossCases({
    field: 'TcpExt_IPReversePathFilter',
    reason: 'IP_RPFILTER',
    location: 'ip_rcv_finish_core',
    byReason: true,
  }),
  {
    name: 'what was dropped had been received, and is no part of what is left',
    cells: [given(2000), counted(500), [netstat.member('Ip6_InReceives'), {}, 0, 2000]],
    outcome: 'warning',
    args: { share: 0.25 },
  },
  {
    name: 'what came of IPv6 makes a loss of IPv4 no smaller',
    cells: [given(2000), counted(1000), [netstat.member('Ip6_InReceives'), {}, 0, 200_000]],
    outcome: 'critical',
    args: { share: 0.5, ofAll: ', 50% of the IPv4 packets received' },
  },
  {
    name: 'a loss of IPv6 is of all that came',
    cells: [
      given(2000),
      counted(0),
      [netstat.member('Ip6_InReceives'), {}, 0, 2000],
      [netstat.member('Ip6_InNoRoutes'), {}, 0, 1000],
    ],
    outcome: 'warning',
    args: { share: 0.25, ofAll: ', 25% of those received' },
  },
  {
    name: 'a single source on a quiet host is all that it receives, and nothing is down',
    cells: [given(999), counted(999)],
    outcome: 'warning',
    args: { share: 1 },
  },
  { name: 'a hundred a second may be', cells: [given(1000), counted(1000)], outcome: 'critical' },
  { name: 'less than half is not', cells: [given(4002), counted(2000)], outcome: 'warning' },
]);
