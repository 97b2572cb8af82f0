import {
  conntrackChainTooLong,
  conntrackDrop,
  conntrackEntries,
  conntrackInsertFailed,
} from '../metrics/catalogue/index.ts';
import { increase } from '../metrics/expression.ts';
import type { Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import type { Finding } from './finding.ts';
import { sinceText } from './one-sample.ts';
import { seeLevel } from './remedies/conntrack.ts';

/** Protocol trackers refuse a few packets with any table. */
const FEW = 100;

/**
 * What connection tracking dropped since boot, where how full its table is could not be read: a container is shown the statistics
 * alone, and sos may have run `conntrack -S` and no more. Nothing else drops so many.
 */
export function withDropsAlone(findings: readonly Finding[], code: string, window: Window): readonly Finding[] {
  if (code !== 'PKT0201') return findings;
  return findings.flatMap((finding) => {
    if (finding.outcome !== 'not-measured') return [finding];
    const wanted = finding.at['netns'];
    const told = window.value(conntrackDrop).flatMap(({ labels, value }) => {
      const netns = labels['netns'] ?? OWN_NETNS;
      if (wanted !== undefined && wanted !== netns) return [];
      if (countIn(window, conntrackEntries, netns) !== undefined) return [];
      // A clash is counted as both; a chain too long as insert_failed only.
      const failed = countIn(window, conntrackInsertFailed, netns) ?? 0;
      const clashes = Math.max(0, failed - (countIn(window, conntrackChainTooLong, netns) ?? 0));
      return value - clashes < FEW ? [] : [alone(finding, netns, value - clashes, window)];
    });
    return told.length === 0 ? [finding] : told;
  });
}

function countIn(window: Window, metric: Metric, netns: string): number | undefined {
  return window.value(metric).find(({ labels }) => (labels['netns'] ?? OWN_NETNS) === netns)?.value;
}

function alone(finding: Finding, netns: string, lost: number, window: Window): Finding {
  return {
    ...finding,
    outcome: 'warning',
    certainty: 'possible',
    message: 'drops-alone',
    words:
      'Connection tracking dropped {lost:count} packets {since} that are no clashes, as it does when its table is full. How full the ' +
      'table is could not be read.',
    args: { lost, since: sinceText(netns, window) },
    at: { netns },
    place: { netns },
    evidence: [
      {
        signal: 'lost',
        metric: conntrackDrop.name,
        over: [],
        labels: netns === OWN_NETNS ? {} : { netns },
        before: null,
        after: lost,
        value: lost,
        unit: conntrackDrop.unit,
        threshold: FEW,
        comparison: '>=',
        source: conntrackDrop.source,
        promql: increase(conntrackDrop).promql('5m'),
      },
    ],
    remedies: seeLevel(netns),
    missing: [],
  };
}
