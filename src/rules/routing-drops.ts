import { dropsOwnedBy, unnamedDropsOwnedBy } from '../facts/drop-reasons.ts';
import { lossOf } from '../facts/loss.ts';
import { gradeShare, lostBy } from '../facts/lost.ts';
import { netstat, skbDrops } from '../metrics/catalogue/index.ts';
import { largest, total, where } from '../metrics/condition.ts';
import { andOn, either, rate, ratio, type Expression, within } from '../metrics/expression.ts';
import { LOST, lossLimits, tellLoss } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, decidingList, defineRule } from './rule.ts';

type Of = typeof within | typeof rate;

/** rp_filter is of IPv4 alone, and its counter of no group of IP. */
const lostOf4 = (of: Of): Expression => {
  const field = (name: string): Expression => of(netstat.member(name));
  return total(
    field('TcpExt_IPReversePathFilter'),
    field('IpExt_InNoRoutes'),
    field('Ip_OutNoRoutes'),
    field('Ip_InAddrErrors'),
    field('Ip_InHdrErrors'),
  );
};

const lostOfBoth = (of: Of): Expression => {
  const field = (name: string): Expression => of(netstat.member(`Ip6_${name}`));
  return total(lostOf4(of), field('InNoRoutes'), field('OutNoRoutes'), field('InAddrErrors'), field('InHdrErrors'));
};

const says = '{value} of the packets are dropped by routing: no route, a refused source, or an expired TTL.';

export const routingDrops = defineRule({
  code: 'PKT0701',
  id: 'routing-drops',
  role: 'outcome',
  title: 'Packets are dropped by routing: no route, a refused source, or an expired TTL',
  scope: ['netns'],
  signals: {
    received: within(netstat.member('Ip_InReceives')),
    received6: deciding(within(netstat.member('Ip6_InReceives'))),
    rpFilter: deciding(within(netstat.member('TcpExt_IPReversePathFilter'))),
    noRoute: deciding(within(netstat.member('IpExt_InNoRoutes'))),
    noRoute6: deciding(within(netstat.member('Ip6_InNoRoutes'))),
    outNoRoute: deciding(within(netstat.member('Ip_OutNoRoutes'))),
    outNoRoute6: deciding(within(netstat.member('Ip6_OutNoRoutes'))),
    address: deciding(within(netstat.member('Ip_InAddrErrors'))),
    address6: deciding(within(netstat.member('Ip6_InAddrErrors'))),
    header: deciding(within(netstat.member('Ip_InHdrErrors'))),
    header6: deciding(within(netstat.member('Ip6_InHdrErrors'))),
    drops: decidingList(within(skbDrops, dropsOwnedBy('PKT0701'))),
    unnamed: decidingList(within(skbDrops, unnamedDropsOwnedBy('PKT0701'))),
  },
  thresholds: {
    ...lossLimits(10, 0.001, 0.5, 'the packets received'),
    perSecond: {
      value: 100,
      unit: 'per second',
      help: 'Packets lost per second from which it can be critical.',
      source: 'judgement: a single misled sender is most of what a quiet host receives, and takes nothing down',
    },
  },
  messages: { lost: LOST },
  alert: {
    differs: { reasons: "losses that only the kernel's reasons tell are not on a server" },
    raise: ({ received, received6 }, limits) => {
      const kinds = [
        { lossAs: lostOfBoth, arrived: total(received, received6) },
        { lossAs: lostOf4, arrived: received },
      ].map(({ lossAs, arrived }) => {
        const lost = lossAs(within);
        // What was dropped had been received; what could not be sent had not.
        const share = andOn([], ratio(lost, largest(arrived, lost)), received);
        return {
          warning: lossOf(share, lost, limits.lost, limits.share),
          critical: andOn(
            [],
            lossOf(share, lost, limits.lost, limits.criticalShare),
            where(lossAs(rate), '>=', limits.perSecond),
          ),
        };
      });
      const [both, four] = [kinds[0]!, kinds[1]!];
      return {
        // What was lost of IPv6 is of a number that is known.
        critical: { when: either(andOn([], both.critical, received6), four.critical), says },
        warning: { when: either(both.warning, four.warning), says },
      };
    },
  },
  conclude(read, limits, at) {
    const ways = [
      {
        means: 'rp_filter found no route back to their source over that device',
        counters: [read.rpFilter],
        dropReasons: ['IP_RPFILTER'],
      },
      {
        means: 'there is no route to their destination',
        counters: [read.noRoute, read.noRoute6],
        dropReasons: ['IP_INNOROUTES'],
      },
      {
        means: 'there is no route out for what this host sends',
        counters: [read.outNoRoute, read.outNoRoute6],
        dropReasons: ['IP_OUTNOROUTES'],
      },
      {
        means: 'they are for another host, and this one does not forward them, or have an address that no host has',
        counters: [read.address, read.address6],
        dropReasons: ['IP_INADDRERRORS'],
      },
      {
        means: 'their header was wrong or their TTL ran out',
        counters: [read.header, read.header6],
        dropReasons: ['IP_INHDR'],
      },
    ];
    const lost = lostBy(ways, [...read.drops, ...read.unnamed]);
    const gradeOf = (count: number, received: number, whole: boolean): ReturnType<typeof gradeShare> => {
      // What was dropped had been received; what could not be sent had not.
      const graded = gradeShare(count, Math.max(0, received - count), limits);
      const down = count / at.seconds >= limits.perSecond && whole;
      return { ...graded, grade: graded.grade === 'critical' && !down ? 'warning' : graded.grade };
    };
    const received6 = read.received6?.value ?? 0;
    // Without those of IPv6 it may be a part only.
    const lost6 = [read.noRoute6, read.outNoRoute6, read.address6, read.header6].some((each) => (each?.value ?? 0) > 0);
    const whole = read.received6 !== undefined || !(lost6 || at.unread.has('received6'));
    const both = gradeOf(lost.lost, read.received.value + received6, whole);
    // What was lost of IPv4 weighs by what came of it, whatever came of IPv6 or was not read.
    const lost4 = [read.rpFilter, read.noRoute, read.outNoRoute, read.address, read.header].reduce(
      (sum, each) => sum + (each?.value ?? 0),
      0,
    );
    const four = gradeOf(lost4, read.received.value, true);
    const byFour = lost4 === lost.lost || grades[four.grade] > grades[both.grade];
    const { share, grade } = byFour ? four : both;
    const of = byFour && received6 > 0 ? 'of the IPv4 packets received' : 'of those received';
    const evidence = {
      rpFilter: null,
      noRoute: null,
      noRoute6: null,
      outNoRoute: null,
      outNoRoute6: null,
      address: null,
      address6: null,
      header: null,
      header6: null,
      received: null,
      drops: null,
      unnamed: null,
    } as const;
    const remedies = [
      {
        action:
          'See which route the kernel finds for one of them, both ways; martians are logged with net.ipv4.conf.all.log_martians=1. rp_filter 2 (loose) lets asymmetric routes pass.',
        command: inNetns(
          at.netns,
          'ip rule; ip route show table all; sysctl -a --pattern rp_filter\\|forwarding\\|log_martians',
        ),
        verify: inNetns(at.netns, "nstat -az | grep 'ReversePath\\|NoRoutes\\|AddrErrors\\|HdrErrors'"),
      },
    ];
    return tellLoss({ lost, share, grade, of, evidence, remedies }, at);
  },
});

const grades = { none: 0, warning: 1, critical: 2 } as const;
