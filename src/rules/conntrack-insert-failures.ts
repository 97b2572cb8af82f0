import {
  conntrackBuckets,
  conntrackChainTooLong,
  conntrackClashResolved,
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
} from '../metrics/catalogue/index.ts';
import { clampMin, unlessOn, where } from '../metrics/condition.ts';
import { andOn, either, increase, peak, rate, ratio } from '../metrics/expression.ts';
import { fullTable, readTable } from './facts/conntrack.ts';
import { avoidClashes, raiseBuckets } from './remedies/conntrack.ts';
import { defineRule, info, ok, optional, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

export const conntrackInsertFailures = defineRule({
  code: 'PKT0203',
  id: 'conntrack-insert-failures',
  role: 'outcome',
  title: 'New conntrack entries are lost although the table has room',
  seed: '§3.7',
  scope: ['netns'],
  none: 'connection tracking is not in use',
  signals: {
    insertFailed: increase(conntrackInsertFailed),
    // Absent before 6.1.
    chainTooLong: optional(increase(conntrackChainTooLong)),
    // Absent up to 5.9, where insert_failed counts the clashes that were resolved as well.
    resolved: optional(increase(conntrackClashResolved)),
    entries: peak(conntrackEntries),
    buckets: optional(peak(conntrackBuckets)),
    usage: optional(ratio(peak(conntrackEntries), peak(conntrackLimit))),
    lost: increase(conntrackDrop),
    evicted: optional(increase(conntrackEarlyDrop)),
  },
  thresholds: thresholds.PKT0203,
  messages: {
    clashes:
      '{clashes:count} packets lost their conntrack entry to another packet of the same flow or port ({rate:rate}) and were ' +
      'dropped; the table is not full. Mostly parallel DNS queries through NAT.',
    chains:
      '{chains:count} packets of new flows were dropped because their hash chain was too long ({rate:rate}); the table is not ' +
      'full, its hash of {buckets:count} buckets is too small for {entries:count} entries, or one source aims at a chain.',
    'resolved-or-not':
      '{clashes:count} conntrack entries met another one of the same flow ({rate:rate}). This kernel counts the resolved ' +
      'clashes, which lose nothing, together with the others.',
    'beside-full':
      '{clashes:count} entries were lost to clashes and {chains:count} to long chains while the table was full: settle PKT0201 ' +
      'or PKT0202 first and look again.',
  },
  alert: {
    raise: (signals, limits) => {
      const { insertFailed, entries } = signals;
      const many = where(insertFailed, '>=', limits.lost);
      const often = where(rate(conntrackInsertFailed), '>=', limits.lostPerSecond);
      const share = where(ratio(insertFailed, clampMin(entries, 1)), '>=', limits.share);
      return {
        warning: {
          when: unlessOn([], andOn([], many, either(often, share)), fullTable(signals, limits.full)),
          says: '{value} entries were lost in {range} to clashes or to hash chains that are too long.',
        },
      };
    },
  },
  conclude(signals, limits, at) {
    const { insertFailed, chainTooLong, resolved, entries, buckets } = signals;
    const chains = Math.min(chainTooLong?.value ?? 0, insertFailed.value);
    const { full, clashes } = readTable(signals, limits.full);
    const rate = insertFailed.value / at.seconds;
    const share = insertFailed.value / Math.max(1, entries.value);
    if (insertFailed.value < limits.lost || (rate < limits.lostPerSecond && share < limits.share)) return ok();
    const args = { clashes, chains, rate, entries: entries.value, buckets: buckets?.value ?? 0 };
    const evidence = {
      insertFailed: ['>=', limits.lost],
      chainTooLong: null,
      resolved: null,
      lost: null,
      entries: null,
      usage: null,
    } as const;
    if (full) return info({ message: 'beside-full', args, evidence });
    const impact = { lostPerSecond: rate };
    if (chains > clashes) {
      return warning({
        certainty: 'measured',
        message: 'chains',
        args: { ...args, rate: chains / at.seconds },
        evidence: { ...evidence, buckets: null },
        remedies: raiseBuckets(at.netns, entries.value, buckets?.value),
        impact,
      });
    }
    const certain = resolved !== undefined;
    const [message, certainty] = certain
      ? (['clashes', 'measured'] as const)
      : (['resolved-or-not', 'possible'] as const);
    return warning({
      certainty,
      message,
      args: { ...args, rate: clashes / at.seconds },
      evidence,
      remedies:
        chains > 0
          ? [...avoidClashes(at.netns), ...raiseBuckets(at.netns, entries.value, buckets?.value)]
          : avoidClashes(at.netns),
      impact: certain ? impact : {},
    });
  },
});
