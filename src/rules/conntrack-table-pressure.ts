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
import { unlessOn, where } from '../metrics/condition.ts';
import { andOn, either, increase, peak, ratio, value } from '../metrics/expression.ts';
import { readTable, tableOf } from './facts/conntrack.ts';
import { raiseConntrackMax } from './remedies/conntrack.ts';
import { defineRule, info, notApplicable, ok, optional, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

export const conntrackTablePressure = defineRule({
  code: 'PKT0202',
  id: 'conntrack-table-pressure',
  role: 'outcome',
  title: 'The conntrack table is nearly full: flows are evicted or soon refused',
  seed: '§3.7, Example A',
  scope: ['netns'],
  none: 'connection tracking is not in use',
  signals: {
    usage: optional(ratio(peak(conntrackEntries), peak(conntrackLimit))),
    entries: peak(conntrackEntries),
    limit: peak(conntrackLimit),
    lost: increase(conntrackDrop),
    evicted: increase(conntrackEarlyDrop),
    insertFailed: optional(increase(conntrackInsertFailed)),
    chainTooLong: optional(increase(conntrackChainTooLong)),
    buckets: optional(peak(conntrackBuckets)),
    total: optional(value(meminfo.member('MemTotal_bytes'))),
  },
  thresholds: thresholds.PKT0202,
  messages: {
    evicting:
      'The conntrack table reached its limit of {limit:count} entries: {evicted:count} flows without a two-way exchange were ' +
      'evicted so that new ones fit ({rate:rate}). No packet was refused yet.',
    'evicting-most':
      'The conntrack table reached its limit of {limit:count} entries: {evicted:count} flows without a two-way exchange were ' +
      'evicted so that new ones fit ({rate:rate}), and {refused:count} packets for which none was found were dropped.',
    'near-full':
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}). Nothing was evicted or refused ' +
      'in the window; at the limit packets of new flows are dropped.',
    filling:
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}). A level, not a fault: nothing was ' +
      'evicted or refused.',
  },
  alert: {
    differs: {
      level: 'a table that is nearly full is told without the statistics of conntrack as well, which some kernels lack',
    },
    raise: (signals, limits) => {
      const { usage, evicted } = signals;
      const { full, refusing } = tableOf(signals, limits.usage, limits.refused);
      const evicting = andOn([], usage, where(evicted, '>=', limits.evicted));
      return {
        warning: {
          when: unlessOn([], either(where(usage, '>=', limits.usage), evicting), andOn([], refusing, full)),
          says: 'The table is {value} full at its fullest in {range}, or flows are evicted so that new ones fit.',
          lasting: '10m',
        },
      };
    },
  },
  conclude({ usage, entries, limit, lost, evicted, insertFailed, chainTooLong, buckets, total }, limits, at) {
    if (usage === undefined || limit.value === 0) return notApplicable('nf_conntrack_max is 0: the table is unlimited');
    const table = readTable({ usage, lost, evicted, insertFailed, chainTooLong }, limits.usage);
    const { refused } = table;
    // PKT0201 says the rest.
    if (table.full && refused > 0 && table.refusedShare >= limits.refused) return ok();
    const args = {
      entries: entries.value,
      limit: limit.value,
      usage: usage.value,
      evicted: evicted.value,
      refused,
      rate: evicted.value / at.seconds,
    };
    const remedies = raiseConntrackMax({
      netns: at.netns,
      entries: entries.value,
      limit: limit.value,
      refusedPerSecond: evicted.value / at.seconds,
      buckets: buckets?.value,
      totalBytes: total?.value,
    });
    const evidence = { usage: ['>=', limits.usage], entries: null, limit: null, lost: null } as const;
    if (evicted.value >= limits.evicted) {
      const message: 'evicting-most' | 'evicting' = refused > 0 ? 'evicting-most' : 'evicting';
      return warning({
        certainty: 'measured',
        message,
        args,
        evidence: { evicted: ['>=', limits.evicted], ...evidence, usage: null },
        remedies,
      });
    }
    if (usage.value >= limits.usage) {
      return warning({ certainty: 'possible', message: 'near-full', args, evidence, remedies });
    }
    if (usage.value >= limits.filling) {
      return info({ message: 'filling', args, evidence: { ...evidence, usage: ['>=', limits.filling] }, remedies });
    }
    return ok();
  },
});
