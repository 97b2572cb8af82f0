import { evictions, fullTable, isFull, isRefusing, refusing } from '../facts/conntrack.ts';
import { conntrackChainTooLong, conntrackDrop, conntrackInsertFailed } from '../metrics/catalogue/index.ts';
import { andOn, increase } from '../metrics/expression.ts';
import { enlargeTable, levelSignals, refusalSignals, sizeSignals } from './conntrack-table-signals.ts';
import { critical, deciding, defineRule, notApplicable, notMeasured, ok, optional, warning } from './rule.ts';
import { shared } from './shared-limits.ts';

export const conntrackTableFull = defineRule({
  code: 'PKT0201',
  id: 'conntrack-table-full',
  role: 'outcome',
  title: 'The conntrack table is full: packets of new flows are dropped',
  scope: ['netns'],
  none: 'connection tracking is not in use',
  signals: {
    ...levelSignals,
    lost: increase(conntrackDrop),
    evicted: deciding(evictions),
    // A drop that is also an insert_failed was a clash or a chain too long, and happens in an empty table as well.
    insertFailed: optional(increase(conntrackInsertFailed)),
    chainTooLong: optional(increase(conntrackChainTooLong)),
    ...refusalSignals,
    ...sizeSignals,
  },
  thresholds: {
    usage: {
      value: shared.tableFull,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which drops are put down to a full table.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
    refused: {
      value: shared.flowsRefused,
      unit: 'ratio',
      help: 'Packets dropped among the new flows that met a full table (dropped and let in by evicting another) from which new flows fail.',
      source: 'judgement: one flow in a hundred; below, PKT0202 tells of the evictions and names the drops',
    },
  },
  messages: {
    dropping:
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}) and {lost:count} packets were ' +
      'dropped in the window ({rate:rate}): new flows fail while established ones go on.',
  },
  alert: {
    raise: ({ usage, evicted, refused, letIn }, limits) => {
      const full = fullTable(usage, evicted, limits.usage);
      const failing = refusing(letIn, limits.refused);
      // Without a limit there is no usage.
      const met = andOn([], failing, andOn([], full, usage));
      return {
        critical: {
          when: andOn([], refused, met),
          says: '{value} packets of new flows were dropped in {range} because the table is full.',
        },
      };
    },
  },
  conclude({ usage, entries, limit, evicted, buckets, total, ...read }, limits, at) {
    if (usage === undefined || limit.value === 0) return notApplicable('nf_conntrack_max is 0: the table is unlimited');
    const refused = read.refused?.value ?? 0;
    const failing = isRefusing(read.letIn, limits.refused);
    const full = isFull(usage, evicted, limits.usage);
    // insert_failed explains all drops, or a part of them where some of it were chains too long.
    if (full && refused === 0 && read.lost.value > 0 && at.unread.has('chainTooLong'))
      return notMeasured('all drops may be clashes: how many chains were too long was not read');
    if (!full || !failing) return ok();
    // Without insert_failed a drop may as well be a clash, which an empty table has too.
    const sure = !at.unread.has('insertFailed');
    const said = {
      certainty: sure ? 'measured' : 'correlated',
      message: 'dropping',
      args: {
        entries: entries.value,
        limit: limit.value,
        usage: usage.value,
        lost: refused,
        rate: refused / at.seconds,
        evicted: evicted?.value ?? 0,
      },
      evidence: { usage: ['>=', limits.usage], lost: ['>', 0], entries: null, limit: null, evicted: null },
      remedies: enlargeTable({ entries, limit, buckets, total }, at.netns, refused / at.seconds),
      impact: { lostPerSecond: refused / at.seconds },
    } as const;
    return sure ? critical(said) : warning(said);
  },
});
