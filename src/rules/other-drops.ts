import { dropsOwnedBy, unnamedDropsOwnedBy } from '../facts/drop-reasons.ts';
import { gradeShare, lostBy } from '../facts/lost.ts';
import { ownerOf, risen, holdersOfSockets } from '../facts/sockets.ts';
import { netstat, rawSocketDrops, skbDrops } from '../metrics/catalogue/index.ts';
import { within } from '../metrics/expression.ts';
import { needsProbe } from './alert.ts';
import { LOST, lossLimits, tellLoss } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { decidingList, defineRule, optionalList } from './rule.ts';

export const otherDrops = defineRule({
  code: 'PKT0708',
  id: 'other-drops',
  role: 'outcome',
  title: 'Packets are lost in the kernel for a reason that no other rule covers',
  scope: ['netns'],
  watched: { seldom: 'only the probe tells' },
  signals: {
    received: within(netstat.member('Ip_InReceives')),
    drops: decidingList(within(skbDrops, dropsOwnedBy('PKT0708'))),
    unnamed: decidingList(within(skbDrops, unnamedDropsOwnedBy('PKT0708'))),
    // A full raw socket is passed over without a drop of the packet (net/ipv4/raw.c:raw_v4_input).
    raw: decidingList(within(rawSocketDrops)),
    owners: optionalList(holdersOfSockets),
  },
  thresholds: lossLimits(10, 0.001, 0.5, 'the packets received'),
  messages: { lost: LOST },
  alert: needsProbe,
  conclude({ received, drops, unnamed, raw, owners }, limits, at) {
    const full = risen(raw).map((each) => ({
      means: `the raw socket of ${ownerOf(each.labels['inode'], owners).name} for protocol ${each.labels['protocol'] ?? ''} was full`,
      counters: [each],
      dropReasons: [],
    }));
    const lost = lostBy(full, [...drops, ...unnamed]);
    const graded = gradeShare(lost.lost, received.value, limits);
    const evidence = { received: null, drops: null, unnamed: null, raw: null } as const;
    const type = lost.ways[0]?.type;
    const remedies = [
      ...(type === undefined
        ? []
        : [
            {
              action: 'Look where most of them are lost.',
              command: inNetns(at.netns, type.replaceAll('DEVICE', lost.ways[0]?.device || 'DEVICE')),
            },
          ]),
      {
        action: 'Watch the drops as they come, with the function that each happens in.',
        command: inNetns(at.netns, 'perf trace -e skb:kfree_skb --max-events 20'),
      },
    ];
    return tellLoss({ lost, ...graded, of: 'of those received', evidence, remedies }, at);
  },
});
