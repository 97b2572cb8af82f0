import { evictions, fullTable, isFull, isRefusing, refusing } from '../facts/conntrack.ts';
import { conntrackChainTooLong, conntrackDrop, conntrackInsertFailed } from '../metrics/catalogue/index.ts';
import { unlessOn, where } from '../metrics/condition.ts';
import { andOn, either, increase } from '../metrics/expression.ts';
import { againstLimit } from './proof.ts';
import { enlargeTable, levelSignals, refusalSignals, sizeSignals } from './conntrack-table-signals.ts';
import { deciding, defineRule, info, notApplicable, ok, optional, warning } from './rule.ts';
import { shared } from './shared-limits.ts';

export const conntrackTablePressure = defineRule({
  code: 'PKT0202',
  id: 'conntrack-table-pressure',
  role: 'outcome',
  title: 'The conntrack table is nearly full: flows are evicted or soon refused',
  scope: ['netns'],
  none: 'connection tracking is not in use',
  signals: {
    ...levelSignals,
    // Kernels without CONFIG_NF_CONNTRACK_PROCFS have no file for these two: the level alone is worth a warning.
    lost: deciding(increase(conntrackDrop)),
    evicted: deciding(evictions),
    insertFailed: deciding(increase(conntrackInsertFailed)),
    chainTooLong: optional(increase(conntrackChainTooLong)),
    ...refusalSignals,
    ...sizeSignals,
  },
  thresholds: {
    usage: {
      value: shared.tableFull,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use at either end of the window from which the table counts as nearly full.',
      source: 'net/netfilter/nf_conntrack_core.c:gc_worker starts to evict above 95 % of nf_conntrack_max',
    },
    refused: {
      value: shared.flowsRefused,
      unit: 'ratio',
      help: 'Packets dropped among the new flows that met a full table from which the rest is left to PKT0201.',
      source: 'as PKT0201',
    },
    filling: {
      value: 0.85,
      unit: 'ratio',
      help: 'Share of nf_conntrack_max in use that is told without a warning: a level alone harms nobody.',
      source: 'Netdata warns from 85 %; node-mixin from 75 %',
    },
    evicted: {
      value: 10,
      unit: 'events',
      help: 'Evicted flows (early_drop) in the window from which it is worth a warning; fewer are mentioned.',
      source: 'judgement: fewer are the tail of one burst',
    },
  },
  messages: {
    evicting:
      'The conntrack table reached its limit of {limit:count} entries: {evicted:count} unreplied flows were ' +
      'evicted so that new ones fit ({rate:rate}). No packet was refused yet.',
    'evicting-most':
      'The conntrack table reached its limit of {limit:count} entries: {evicted:count} unreplied flows were ' +
      'evicted so that new ones fit ({rate:rate}), and {refused:count} packets for which none was found were dropped.',
    'evicting-uncounted':
      'The conntrack table reached its limit of {limit:count} entries: {evicted:count} unreplied flows were ' +
      'evicted so that new ones fit ({rate:rate}). Whether packets were refused as well could not be read.',
    'near-full':
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}). Nothing was evicted or refused ' +
      'in the window; at the limit packets of new flows are dropped.',
    'near-full-uncounted':
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}); at the limit packets of new flows ' +
      'are dropped. Whether any were is not known: the statistics of conntrack could not be read.',
    filling:
      'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}). A level, not a fault: nothing was ' +
      'evicted or refused.',
    'filling-uncounted': 'The conntrack table holds {entries:count} of {limit:count} entries ({usage:percent}).',
  },
  alert: {
    raise: ({ usage, evicted, letIn }, limits) => {
      const full = fullTable(usage, evicted, limits.usage);
      const refused = refusing(letIn, limits.refused);
      const evicting = andOn([], usage, where(evicted, '>=', limits.evicted));
      return {
        warning: {
          when: unlessOn([], either(where(usage, '>=', limits.usage), evicting), andOn([], refused, full)),
          says: 'The table is {value} full at its fullest in {range}, or flows are evicted so that new ones fit.',
          lasting: '10m',
        },
      };
    },
  },
  conclude({ usage, entries, limit, lost, evicted, buckets, total, ...read }, limits, at) {
    if (usage === undefined || limit.value === 0) return notApplicable('nf_conntrack_max is 0: the table is unlimited');
    const refused = read.refused?.value ?? 0;
    const failing = isRefusing(read.letIn, limits.refused);
    // insert_failed explains all drops, or a part of them where some of it were chains too long.
    const unsure = lost === undefined || (refused === 0 && lost.value > 0 && at.unread.has('chainTooLong'));
    const counted = lost !== undefined && evicted !== undefined;
    // PKT0201 says the rest.
    if (isFull(usage, evicted, limits.usage) && failing) return ok();
    const args = {
      entries: entries.value,
      limit: limit.value,
      usage: usage.value,
      evicted: evicted?.value ?? 0,
      refused,
      rate: (evicted?.value ?? 0) / at.seconds,
    };
    const remedies = enlargeTable({ entries, limit, buckets, total }, at.netns, (evicted?.value ?? 0) / at.seconds);
    const evidence = { usage: ['>=', limits.usage], entries: null, limit: null, lost: null } as const;
    if (evicted !== undefined && evicted.value > 0) {
      const message: 'evicting-most' | 'evicting' | 'evicting-uncounted' =
        refused > 0 ? 'evicting-most' : unsure ? 'evicting-uncounted' : 'evicting';
      const grade = evicted.value >= limits.evicted || usage.value >= limits.usage ? warning : info;
      return grade({
        // Were packets refused, PKT0201 would say so, and this rule nothing.
        certainty: unsure ? 'correlated' : 'measured',
        message,
        args,
        evidence: { evicted: againstLimit(evicted.value, limits.evicted), ...evidence, usage: null },
        remedies,
      });
    }
    if (usage.value >= limits.usage) {
      const message: 'near-full' | 'near-full-uncounted' = counted ? 'near-full' : 'near-full-uncounted';
      return warning({ certainty: 'possible', message, args, evidence, remedies });
    }
    if (usage.value >= limits.filling) {
      const message: 'filling' | 'filling-uncounted' = counted ? 'filling' : 'filling-uncounted';
      return info({ message, args, evidence: { ...evidence, usage: ['>=', limits.filling] }, remedies });
    }
    return ok();
  },
});
