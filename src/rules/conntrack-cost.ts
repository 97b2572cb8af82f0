import { conntrackBuckets, conntrackEntries } from '../metrics/catalogue/index.ts';
import { everywhere, value } from '../metrics/expression.ts';
import { worded } from './finding.ts';
import {
  costLimits,
  costly,
  costWords,
  judgeParts,
  needsProfile,
  notDear,
  partsArgument,
  pathSignals,
  VERIFY,
} from './path-parts.ts';
import { setSysctl } from './remedies/setting.ts';
import { inNetns } from './remedies/shell.ts';
import { defineRule, optionalList } from './rule.ts';

const PARTS = new Set(['conntrack', 'nat']);

export const conntrackCost = defineRule({
  code: 'PKT0110',
  id: 'conntrack-cost',
  role: 'cause',
  title: 'Connection tracking slows every packet',
  scope: [],
  signals: {
    ...pathSignals,
    entries: optionalList(everywhere(value(conntrackEntries))),
    buckets: optionalList(everywhere(value(conntrackBuckets))),
  },
  thresholds: costLimits(
    0.3,
    700,
    'estimate from single runs, not a series: a packet of a known flow takes 0.15 to 0.4 µs, a new flow 2 to 4 µs',
  ),
  messages: {
    dear: `Connection tracking and NAT take ${costWords}. Largest parts: {largest}. Most entries: {owners}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => PARTS.has(part), limits);
    if (judged === undefined) return notDear(read, (part) => PARTS.has(part), limits);
    const [most] = [...read.entries].sort((a, b) => b.value - a.value);
    const netns = most?.labels['netns'] ?? '';
    const buckets = Math.max(0, ...read.buckets.map(({ value: number }) => number));
    const crowded = buckets > 0 && (most?.value ?? 0) > buckets;
    return costly(judged, {
      message: 'dear',
      args: {
        largest: partsArgument(judged.cost.parts.filter(([part]) => PARTS.has(part))),
        owners:
          most === undefined
            ? worded(null, 'unknown')
            : `${netns === '' ? "pktcost's own namespace" : `namespace ${netns}`}, ${most.value.toLocaleString('en-US')}`,
      },
      evidence: { samples: null, entries: null, buckets: null, processed: null },
      remedies: [
        {
          action:
            'Do not track what no rule asks about: exempt the busy flows, such as DNS or the load balancer, before they are looked up.',
          command: inNetns(
            netns,
            "nft add table inet notrack && nft add chain inet notrack pre '{ type filter hook prerouting priority -300; }' && nft add rule inet notrack pre udp dport PORT notrack",
          ),
          undo: inNetns(netns, 'nft delete table inet notrack'),
          verify: VERIFY,
        },
        ...(crowded
          ? [
              {
                action: `Enlarge the hash to twice its buckets: there are more entries than its ${buckets}, and each lookup walks a chain.`,
                ...setSysctl([{ name: 'net.netfilter.nf_conntrack_buckets', value: 2 * buckets, before: buckets }]),
                verify: VERIFY,
              },
            ]
          : []),
        {
          action: 'See which rules need it: a host without stateful rules or NAT needs no tracking at all.',
          command: inNetns(netns, "nft list ruleset | grep -E 'ct state|nat'; iptables-save | grep -E 'conntrack|nat'"),
          verify: VERIFY,
        },
      ],
    });
  },
});
