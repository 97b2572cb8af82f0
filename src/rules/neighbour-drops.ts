import { dropsOwnedBy, unnamedDropsOwnedBy } from '../facts/drop-reasons.ts';
import { gradeShare, lostBy } from '../facts/lost.ts';
import type { Signal } from '../facts/signal.ts';
import {
  neighbourEntries,
  neighbourLimit,
  neighbourTableFull,
  neighbourUnresolved,
  netstat,
  skbDrops,
} from '../metrics/catalogue/index.ts';
import { either, inOwnNetns, peak, sumBy, value, within } from '../metrics/expression.ts';
import { LOST, lossLimits, tellLoss } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, decidingList, defineRule, list, notMeasured, ok, optional, optionalList, warning } from './rule.ts';
import { tableLimits, tableLosses } from './remedies/neighbours.ts';

const sent = within(netstat.member('Ip_OutRequests'));

export const neighbourDrops = defineRule({
  code: 'PKT0702',
  id: 'neighbour-drops',
  role: 'outcome',
  title: 'Packets are lost: the MAC address of the next hop is not found, or the neighbour table is full',
  scope: ['netns'],
  signals: {
    // A table at its limit is told where nothing else was copied.
    any: list(either(sent, inOwnNetns(sumBy([], peak(neighbourEntries))))),
    sent: deciding(sent),
    forwarded: optional(within(netstat.member('Ip_ForwDatagrams'))),
    // Of the whole host: told with pktcost's own namespace, where the reasons do not tell whose they are.
    full: deciding(sumBy([], within(neighbourTableFull, { netns: '' }))),
    unresolved: deciding(sumBy([], within(neighbourUnresolved, { netns: '' }))),
    entries: optionalList(peak(neighbourEntries)),
    limits: optionalList(value(neighbourLimit)),
    drops: decidingList(within(skbDrops, dropsOwnedBy('PKT0702'))),
    unnamed: decidingList(within(skbDrops, unnamedDropsOwnedBy('PKT0702'))),
  },
  thresholds: lossLimits(10, 0.001, 0.5, 'the packets to be sent'),
  messages: {
    lost: LOST,
    'full-now':
      'The neighbour table {table} of the host holds {entries:count} entries, and gc_thresh3 is {limit:count}: at the limit packets ' +
      'for hosts that are not in it are dropped, unless old entries can be thrown out.',
  },
  alert: { none: 'node_exporter does not read the statistics of the neighbour tables' },
  conclude(read, limits, at) {
    const own = at.netns === '';
    const drops = [...read.drops, ...read.unnamed];
    const lost = lostBy(
      [
        {
          means: 'the neighbour table of the host is full (gc_thresh3)',
          counters: own ? [read.full] : [],
          dropReasons: ['NEIGH_CREATEFAIL'],
        },
        {
          means: 'too many packets waited for the address of their neighbour',
          // With reasons the namespace is known, and the host's counter would tell the same drops twice.
          counters: own && drops.length === 0 ? [read.unresolved] : [],
          dropReasons: ['NEIGH_QUEUEFULL'],
          locations: ['__neigh_event_send'],
        },
      ],
      drops,
    );
    const given = (read.sent?.value ?? 0) + (read.forwarded?.value ?? 0);
    const graded = gradeShare(lost.lost, given, limits);
    const evidence = {
      sent: null,
      forwarded: null,
      full: ['>=', limits.lost],
      unresolved: null,
      entries: null,
      limits: null,
      drops: null,
      unnamed: null,
    } as const;
    const remedies = [
      {
        action:
          'See which neighbours do not answer: packets for a host that is gone, or a scan of a whole subnet. A table that is full needs a larger gc_thresh3, or routed instead of flat subnets.',
        command: `${inNetns(at.netns, 'ip -s neigh show nud failed nud incomplete; ip neigh | wc -l')}; ${tableLimits}`,
        verify: tableLosses,
      },
    ];
    const full = own ? fullest(read.entries, read.limits) : undefined;
    if (full !== undefined && (read.sent === undefined || graded.grade === 'none'))
      return warning({
        certainty: 'possible',
        message: 'full-now',
        args: full,
        evidence: { ...evidence, entries: ['>=', full.limit] },
        remedies,
      });
    if (read.sent === undefined)
      return lost.lost > 0 ? notMeasured('what was sent could not be read: of how many packets it is not known') : ok();
    return tellLoss({ lost, ...graded, of: 'of those to be sent', evidence, remedies }, at);
  },
});

/** The table at its limit; entries that are never thrown out do not count for the kernel, and are among them here. */
function fullest(
  entries: readonly Signal[],
  limits: readonly Signal[],
): { readonly table: string; readonly entries: number; readonly limit: number } | undefined {
  return entries
    .flatMap(({ labels, value: held }) => {
      const limit = limits.find((each) => each.labels['table'] === labels['table'])?.value;
      return limit === undefined || limit <= 0 || held < limit
        ? []
        : [{ table: labels['table'] ?? '', entries: held, limit }];
    })
    .sort((a, b) => b.entries / b.limit - a.entries / a.limit)[0];
}
