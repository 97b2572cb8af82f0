import { clashes, evictions, fullTable, isFull, refusals, tableUsage } from '../facts/conntrack.ts';
import {
  conntrackBuckets,
  conntrackChainTooLong,
  conntrackClashResolved,
  conntrackDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
} from '../metrics/catalogue/index.ts';
import { clampMin, unlessOn, where } from '../metrics/condition.ts';
import { andOn, either, increase, peak, rate, ratio } from '../metrics/expression.ts';
import { againstLimit } from './proof.ts';
import { avoidClashes, raiseBuckets, seeRefusals } from './remedies/conntrack.ts';
import { defineRule, info, notMeasured, ok, optional, warning } from './rule.ts';
import { shared } from './shared-limits.ts';

export const conntrackInsertFailures = defineRule({
  code: 'PKT0203',
  id: 'conntrack-insert-failures',
  role: 'outcome',
  title: 'New conntrack entries are lost although the table has room',
  scope: ['netns'],
  none: 'connection tracking is not in use',
  signals: {
    insertFailed: increase(conntrackInsertFailed),
    perSecond: optional(rate(conntrackInsertFailed)),
    share: optional(ratio(increase(conntrackInsertFailed), clampMin(peak(conntrackEntries), 1))),
    clashes: optional(clashes),
    refused: optional(refusals),
    // Absent before 6.1.
    chainTooLong: optional(increase(conntrackChainTooLong)),
    // Absent up to 5.9, where insert_failed counts the clashes that were resolved as well.
    resolved: optional(increase(conntrackClashResolved)),
    entries: peak(conntrackEntries),
    buckets: optional(peak(conntrackBuckets)),
    usage: optional(tableUsage),
    limit: optional(peak(conntrackLimit)),
    lost: optional(increase(conntrackDrop)),
    evicted: optional(evictions),
  },
  thresholds: {
    full: {
      value: shared.tableFull,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use from which the losses are left to PKT0201 and PKT0202.',
      source: 'as PKT0201',
    },
    lost: {
      value: 10,
      unit: 'events',
      help: 'Entries lost at confirmation in the window from which it can be a warning; fewer are mentioned.',
      source: 'judgement: single clashes are normal on any host that resolves names through NAT',
    },
    lostPerSecond: {
      value: 1,
      unit: 'per second',
      help: 'Entries lost at confirmation per second from which it is worth a warning.',
      source: 'judgement: each is one packet, for DNS a five-second timeout of its caller (resolv.conf(5))',
    },
    share: {
      value: 0.01,
      unit: 'ratio',
      help: 'Entries lost relative to the entries in the table, for hosts with few flows.',
      source: 'judgement: one flow in a hundred',
    },
  },
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
    refused:
      '{refused:count} packets were dropped by connection tracking ({rate:rate}) although the table had room when looked at and ' +
      'they did not clash: there was no memory for an entry, the tracker of their protocol refused them, or the table was full ' +
      'for a moment in between.',
    'beside-full':
      '{clashes:count} entries were lost to clashes and {chains:count} to long chains while the table was full: settle PKT0201 ' +
      'or PKT0202 first and look again.',
  },
  alert: {
    raise: ({ insertFailed, perSecond, share, usage, limit, evicted }, limits) => {
      const many = where(insertFailed, '>=', limits.lost);
      const often = either(where(perSecond, '>=', limits.lostPerSecond), where(share, '>=', limits.share));
      return {
        warning: {
          when: unlessOn(
            [],
            andOn([], andOn([], many, often), either(usage, where(limit, '==', 0))),
            fullTable(usage, evicted, limits.full),
          ),
          says: '{value} entries were lost in {range} to clashes or to hash chains that are too long.',
        },
      };
    },
  },
  conclude(signals, limits, at) {
    const { insertFailed, chainTooLong, resolved, entries, buckets } = signals;
    const chains = Math.min(chainTooLong?.value ?? 0, insertFailed.value);
    const clashes = signals.clashes?.value ?? 0;
    const refused = signals.refused?.value ?? 0;
    const full = isFull(signals.usage, signals.evicted, limits.full);
    // Without a level nobody can say that the table had room; a limit of 0 means that there is none.
    const unknown = signals.usage === undefined && signals.limit?.value !== 0;
    const rate = signals.perSecond?.value ?? 0;
    const share = signals.share?.value ?? 0;
    if (insertFailed.value === 0) {
      // PKT0201 and PKT0202 speak about a full table.
      if (signals.lost === undefined) return notMeasured('what conntrack drops could not be read');
      if (refused === 0 || full) return ok();
      if (unknown) return notMeasured('whether the table that dropped packets was full could not be read');
      return info({
        certainty: 'measured',
        message: 'refused',
        args: { refused, rate: refused / at.seconds },
        evidence: { lost: ['>', 0], insertFailed: null, entries: null, usage: null },
        remedies: seeRefusals(at.netns),
        impact: { lostPerSecond: refused / at.seconds },
      });
    }
    const few = insertFailed.value < limits.lost || (rate < limits.lostPerSecond && share < limits.share);
    const args = { clashes, chains, rate, entries: entries.value, buckets: buckets?.value ?? 0 };
    const evidence = {
      insertFailed: againstLimit(insertFailed.value, limits.lost),
      chainTooLong: null,
      resolved: null,
      lost: null,
      entries: null,
      usage: null,
    } as const;
    if (full || unknown) return info({ message: 'beside-full', args, evidence });
    const impact = { lostPerSecond: rate };
    const grade = few ? info : warning;
    if (chains > clashes) {
      return grade({
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
    return grade({
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
