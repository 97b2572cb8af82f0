import { dropsOwnedBy } from '../facts/drop-reasons.ts';
import { gradeShare, lostBy } from '../facts/lost.ts';
import { netstat, skbDrops } from '../metrics/catalogue/index.ts';
import { total } from '../metrics/condition.ts';
import { within } from '../metrics/expression.ts';
import { LOST, lossLimits, raiseLoss, tellLoss } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, defineRule, optionalList } from './rule.ts';

const says = '{value} of the packets are lost: too large for the MTU, or fragments are missing.';

export const mtuAndFragments = defineRule({
  code: 'PKT0703',
  id: 'mtu-and-fragments',
  role: 'outcome',
  title: 'Packets are lost: too large for the MTU, or fragments are missing',
  scope: ['netns'],
  signals: {
    received: within(netstat.member('Ip_InReceives')),
    unfragmented: deciding(within(netstat.member('Ip_FragFails'))),
    unfragmented6: deciding(within(netstat.member('Ip6_FragFails'))),
    tooBig6: deciding(within(netstat.member('Ip6_InTooBigErrors'))),
    reassembly: deciding(within(netstat.member('Ip_ReasmFails'))),
    reassembly6: deciding(within(netstat.member('Ip6_ReasmFails'))),
    drops: optionalList(within(skbDrops, dropsOwnedBy('PKT0703'))),
  },
  thresholds: lossLimits(10, 0.001, 0.1, 'the packets received'),
  messages: { lost: LOST },
  alert: {
    raise: ({ unfragmented, unfragmented6, tooBig6, reassembly, reassembly6, received }, limits) =>
      raiseLoss(total(unfragmented, unfragmented6, tooBig6, reassembly, reassembly6), received, limits, says),
  },
  conclude(read, limits, at) {
    const ways = [
      {
        counted: true,
        means: 'they are larger than the MTU and may not be fragmented',
        counters: [read.unfragmented, read.unfragmented6, read.tooBig6],
        dropReasons: ['PKT_TOO_BIG'],
      },
      {
        counted: true,
        means: 'their fragments did not all arrive',
        counters: [read.reassembly, read.reassembly6],
        dropReasons: ['FRAG_REASM_TIMEOUT', 'FRAG_TOO_FAR'],
      },
    ];
    const lost = lostBy(ways, read.drops);
    const graded = gradeShare(lost.lost, read.received.value, limits);
    const evidence = {
      unfragmented: null,
      unfragmented6: null,
      tooBig6: null,
      reassembly: null,
      reassembly6: null,
      received: null,
      drops: null,
    } as const;
    const remedies = [
      {
        action:
          'Compare the MTU of the devices along the way. Where ICMP "too big" is filtered, clamp the MSS, or let TCP probe the MTU. For fragments: ipfrag_high_thresh against the memory in use, and whether the sender can send smaller ones.',
        command: inNetns(
          at.netns,
          'ip -br link; cat /proc/net/sockstat | grep FRAG; sysctl net.ipv4.ipfrag_high_thresh net.ipv4.ipfrag_time net.ipv4.tcp_mtu_probing',
        ),
        verify: inNetns(at.netns, "nstat -az | grep 'Frag\\|Reasm'"),
      },
    ];
    return tellLoss({ lost, ...graded, of: 'of those received', evidence, remedies }, at);
  },
});
