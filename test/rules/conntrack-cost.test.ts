import { conntrackBuckets, conntrackEntries } from '../../src/metrics/catalogue/index.ts';
import { conntrackCost } from '../../src/rules/conntrack-cost.ts';
import { ruleCases } from '../support/cases.ts';
import { pathCells, pathLacking } from '../support/path.ts';

const busy = pathCells({ conntrack: 5000, nat: 1000, udp: 4000 }, { packets: 60_000 });

ruleCases(conntrackCost, [
  {
    name: 'lookups in chains that are long, in a namespace',
    cells: [
      ...busy,
      [conntrackEntries, {}, 40, 40],
      [conntrackEntries, { netns: 'blue' }, 900_000, 900_000],
      [conntrackBuckets, {}, 65_536, 65_536],
    ],
    outcome: 'critical',
    certainty: 'measured',
    args: { owners: 'namespace blue, 900,000', largest: 'connection tracking 50%, address translation (NAT) 10%' },
    command: /notrack[^]*nf_conntrack_buckets/,
  },
  {
    name: 'two fifths of a packet',
    cells: pathCells({ conntrack: 4000, udp: 6000 }),
    outcome: 'warning',
    args: { owners: 'unknown' },
  },
  { name: 'an ordinary firewall', cells: pathCells({ conntrack: 2500, udp: 7500 }), outcome: 'ok' },
  { name: 'less than 700 ns', cells: pathCells({ conntrack: 5000, udp: 4000 }, { packets: 800_000 }), outcome: 'ok' },
  ...pathLacking('conntrack'),
]);
