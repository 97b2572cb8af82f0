import { dropsOwnedBy } from '../facts/drop-reasons.ts';
import { gradeShare, lostBy } from '../facts/lost.ts';
import { netstat, skbDrops } from '../metrics/catalogue/index.ts';
import { total } from '../metrics/condition.ts';
import { within } from '../metrics/expression.ts';
import { LOST, lossLimits, raiseLoss, tellLoss } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, defineRule, optionalList } from './rule.ts';

const says = '{value} of the packets that arrive have a wrong checksum.';

export const checksumErrors = defineRule({
  code: 'PKT0409',
  id: 'checksum-errors',
  role: 'outcome',
  title: 'Packets arrive with a wrong checksum and are dropped',
  scope: ['netns'],
  signals: {
    received: within(netstat.member('Ip_InReceives')),
    udp: deciding(within(netstat.member('Udp_InCsumErrors'))),
    udp6: deciding(within(netstat.member('Udp6_InCsumErrors'))),
    tcp: deciding(within(netstat.member('Tcp_InCsumErrors'))),
    ip: deciding(within(netstat.member('IpExt_InCsumErrors'))),
    icmp: deciding(within(netstat.member('Icmp_InCsumErrors'))),
    icmp6: deciding(within(netstat.member('Icmp6_InCsumErrors'))),
    drops: optionalList(within(skbDrops, dropsOwnedBy('PKT0409'))),
  },
  thresholds: lossLimits(10, 0.001, 0.1, 'the packets received'),
  messages: { lost: LOST },
  alert: {
    raise: ({ udp, udp6, tcp, ip, icmp, icmp6, received }, limits) =>
      raiseLoss(total(udp, udp6, tcp, ip, icmp, icmp6), received, limits, says),
  },
  conclude(read, limits, at) {
    const ways = [
      {
        counted: true,
        means: 'their UDP checksum was wrong',
        counters: [read.udp, read.udp6],
        dropReasons: ['UDP_CSUM'],
      },
      {
        counted: true,
        means: 'their TCP checksum was wrong',
        counters: [read.tcp],
        dropReasons: ['TCP_CSUM'],
      },
      {
        counted: true,
        means: 'the checksum of their IP header was wrong',
        counters: [read.ip],
        dropReasons: ['IP_CSUM'],
      },
      {
        counted: true,
        means: 'their ICMP checksum was wrong',
        counters: [read.icmp, read.icmp6],
        dropReasons: ['ICMP_CSUM'],
      },
    ];
    const lost = lostBy(ways, read.drops);
    const graded = gradeShare(lost.lost, read.received.value, limits);
    const evidence = {
      udp: null,
      udp6: null,
      tcp: null,
      ip: null,
      icmp: null,
      icmp6: null,
      received: null,
      drops: null,
    } as const;
    const remedies = [
      {
        action:
          'Find out where they are spoilt: a cable, a switch, or a device whose checksum offload is at fault. Capture some and see whether they come from one sender.',
        command: inNetns(at.netns, "tcpdump -nvv -c 200 -i any | grep -i 'bad\\|incorrect'"),
        verify: inNetns(at.netns, 'nstat -az | grep -i csum'),
      },
    ];
    return tellLoss({ lost, ...graded, of: 'of those received', evidence, remedies }, at);
  },
});
