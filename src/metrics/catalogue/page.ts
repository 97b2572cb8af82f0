import { gauge } from '../metric.ts';

/** What `pktcost metrics` says of its own page, for whoever reads it later and elsewhere. */
const page = { collector: 'page', source: 'pktcost metrics', unit: 'none' } as const;

export const pageTime = gauge('pktcost_page_time_seconds', {
  ...page,
  labels: [],
  unit: 'seconds',
  help: 'Unix time at which the page was made: a page that is not made anew shows counters that stand still.',
});
export const pageCollector = gauge('pktcost_page_collector_info', {
  ...page,
  labels: ['collector', 'status'],
  help:
    '1 for each collector, with how it fared: ok, partial, unavailable or not-applicable. What a collector that is ok ' +
    'leaves out is zero, and not unknown.',
});
