import { counter } from '../metric.ts';

// TODO the metrics of the new collector: node_exporter's names where it has them.
export const templateEvents = counter('pktcost_template_events_total', {
  unit: 'events',
  labels: ['name'],
  collector: 'template',
  source: '/proc/template',
  help: 'TODO one sentence: what makes this number move.',
});
