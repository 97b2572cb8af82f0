import {
  conntrackBuckets,
  conntrackChainTooLong,
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
  meminfo,
} from '../metrics/catalogue/index.ts';
import { andOn, increase, peak, ratio, value } from '../metrics/expression.ts';
import { readTable, tableOf } from './facts/conntrack.ts';
import { raiseConntrackMax } from './remedies/conntrack.ts';
import { critical, defineRule, notApplicable, ok, optional } from './rule.ts';
import { thresholds } from './thresholds.ts';

export const conntrackTableFull = defineRule({
  code: 'PKT0201',
  id: 'conntrack-table-full',
  role: 'outcome',
  title: 'The conntrack table is full: packets of new flows are dropped',
  seed: '§3.7, Example A',
  scope: ['netns'],
  none: 'connection tracking is not in use',
  signals: {
    // Absent when the limit is 0, which means unlimited up to 6.12.
    usage: optional(ratio(peak(conntrackEntries), peak(conntrackLimit))),
    entries: peak(conntrackEntries),
    limit: peak(conntrackLimit),
    lost: increase(conntrackDrop),
    evicted: optional(increase(conntrackEarlyDrop)),
    // A drop that is also an insert_failed was a clash or a chain too long, and happens in an empty table as well.
    insertFailed: optional(increase(conntrackInsertFailed)),
    chainTooLong: optional(increase(conntrackChainTooLong)),
    buckets: optional(peak(conntrackBuckets)),
    total: optional(value(meminfo.member('MemTotal_bytes'))),
  },
  thresholds: thresholds.PKT0201,
  messages: {
    dropping:
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}) and {lost:count} packets were ' +
      'dropped in the window ({rate:rate}): new flows fail while established ones go on.',
  },
  alert: {
    raise: (signals, limits) => {
      const { full, refused, refusing } = tableOf(signals, limits.usage, limits.refused);
      // Without a limit there is no usage.
      const met = andOn([], refusing, andOn([], full, signals.usage));
      return {
        critical: {
          when: andOn([], refused, met),
          says: '{value} packets of new flows were dropped in {range} because the table is full.',
        },
      };
    },
  },
  conclude({ usage, entries, limit, lost, evicted, insertFailed, chainTooLong, buckets, total }, limits, at) {
    if (usage === undefined || limit.value === 0) return notApplicable('nf_conntrack_max is 0: the table is unlimited');
    const table = readTable({ usage, lost, evicted, insertFailed, chainTooLong }, limits.usage);
    const { refused } = table;
    if (!table.full || refused === 0 || table.refusedShare < limits.refused) return ok();
    return critical({
      certainty: 'measured',
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
      remedies: raiseConntrackMax({
        netns: at.netns,
        entries: entries.value,
        limit: limit.value,
        refusedPerSecond: refused / at.seconds,
        buckets: buckets?.value,
        totalBytes: total?.value,
      }),
      impact: { lostPerSecond: refused / at.seconds },
    });
  },
});
