import { dropsOwnedBy } from '../facts/drop-reasons.ts';
import { gradeShare, lostBy } from '../facts/lost.ts';
import { netstat, skbDrops } from '../metrics/catalogue/index.ts';
import { within } from '../metrics/expression.ts';
import { LOST, lossLimits, raiseLoss, tellLoss } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, decidingList, defineRule } from './rule.ts';

const says = '{value} of the packets are lost for want of memory.';

export const memoryDrops = defineRule({
  code: 'PKT0705',
  id: 'memory-drops',
  role: 'outcome',
  title: 'Packets are lost because memory for them ran out',
  scope: ['netns'],
  signals: {
    received: within(netstat.member('Ip_InReceives')),
    emergency: deciding(within(netstat.member('TcpExt_PFMemallocDrop'))),
    drops: decidingList(within(skbDrops, dropsOwnedBy('PKT0705'))),
  },
  thresholds: lossLimits(10, 0.0001, 0.05, 'the packets received'),
  messages: { lost: LOST },
  alert: {
    differs: { reasons: "losses that only the kernel's reasons tell are not on a server" },
    raise: ({ emergency, received }, limits) => raiseLoss(emergency, received, limits, says),
  },
  conclude(read, limits, at) {
    const ways = [
      {
        means: 'they were in memory kept for emergencies',
        counters: [read.emergency],
        dropReasons: ['PFMEMALLOC'],
      },
    ];
    const lost = lostBy(ways, read.drops);
    const graded = gradeShare(lost.lost, read.received.value, limits);
    const evidence = {
      emergency: null,
      received: null,
      drops: null,
    } as const;
    const remedies = [
      {
        action:
          'Look for failed page allocations and for a cgroup at its limit, then at what TCP and UDP hold against tcp_mem and udp_mem.',
        command: inNetns(
          at.netns,
          "dmesg | grep -i 'page allocation'; cat /proc/net/sockstat; grep -r '^max ' /sys/fs/cgroup --include=memory.events | grep -v ' 0$'",
        ),
        verify: inNetns(at.netns, 'nstat -az | grep -i mem'),
      },
    ];
    return tellLoss({ lost, ...graded, of: 'of those received', evidence, remedies }, at);
  },
});
