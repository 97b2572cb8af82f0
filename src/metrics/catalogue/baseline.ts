import { gauge } from '../metric.ts';

/** Figures of an earlier report given with `--baseline`: the same host at a calm time. Absent without one. */
const baseline = { collector: 'baseline', source: 'baseline report' } as const;

export const baselineSpanQuantile = gauge('pktcost_baseline_span_quantile_nanoseconds', {
  ...baseline,
  labels: ['device', 'span', 'mode', 'quantile'],
  perNetns: true,
  sparse: true,
  unit: 'nanoseconds',
  help: 'Quantile of a span in the baseline report.',
});
export const baselineSoftirqPerPacket = gauge('pktcost_baseline_softirq_nanoseconds_per_packet', {
  ...baseline,
  labels: [],
  sparse: true,
  unit: 'nanoseconds',
  help: 'Softirq and NAPI thread time per packet of the whole host in the baseline report.',
});
