import { mostlyLost } from '../facts/price.ts';
import type { Signal } from '../facts/signal.ts';
import {
  baselineSpanQuantile,
  spanEvery,
  spanLost,
  spanQuantile,
  spanSamples,
  spanStamped,
} from '../metrics/catalogue/index.ts';
import { increase, sumBy, value } from '../metrics/expression.ts';
import { needsProbe } from './alert.ts';
import { critical, defineRule, notApplicable, notMeasured, ok, optional, warning } from './rule.ts';
import { shared } from './shared-limits.ts';

export const stackLatency = defineRule({
  code: 'PKT0104',
  id: 'stack-latency',
  role: 'outcome',
  title: 'Packets take long on their way into the stack',
  // The mode is part of the instance: a native span contains GRO and queueing, a generic one does not, and neither is
  // ever held against the other, nor against the other's baseline.
  scope: ['device', 'span', 'mode'],
  none: 'no span was measured',
  signals: {
    samples: increase(spanSamples),
    lost: optional(sumBy(['device', 'span', 'mode'], increase(spanLost))),
    // Of a span whose stamps travel with the packet: one that came without it was counted nowhere.
    stamped: optional(increase(spanStamped)),
    every: optional(value(spanEvery)),
    // Without a sample there is no quantile.
    p50: optional(value(spanQuantile, { quantile: '0.5' })),
    p99: optional(value(spanQuantile, { quantile: '0.99' })),
    max: optional(value(spanQuantile, { quantile: '1' })),
    baseP50: optional(value(baselineSpanQuantile, { quantile: '0.5' })),
    baseP99: optional(value(baselineSpanQuantile, { quantile: '0.99' })),
  },
  thresholds: {
    busy: {
      value: shared.idleDevice,
      unit: 'per second',
      help: 'Packets per second on a device below which too few samples are no loss: nobody waits for them.',
      source: 'the limit of PKT0101 below which a device counts as idle',
    },
    samples: {
      value: 200,
      unit: 'packets',
      help: 'Measured packets below which the quantiles of a span are not judged.',
      source: 'the 99th percentile of 200 is set by two of them',
    },
    lost: {
      value: shared.mostlyLost,
      unit: 'ratio',
      help: 'Share of the samples begun that were lost, from which those that are left are not taken for the whole.',
      source: 'as PKT0101',
    },
    p50: {
      value: 5000,
      unit: 'nanoseconds',
      help: 'Median of a span that holds only work, not waiting (taps, generic XDP), from which it is a warning.',
      source: 'measured: 150-400 ns without taps, 600 ns to 2 µs with one to four taps on small packets',
    },
    p99: {
      value: 100000,
      unit: 'nanoseconds',
      help: '99th percentile of such a span from which it is a warning.',
      source: 'judgement: a packet at the front of a queue makes 99 others late by that much',
    },
    criticalP99: {
      value: 1000000,
      unit: 'nanoseconds',
      help: '99th percentile of such a span from which it is critical.',
      source: 'half of the two jiffies one softirq run may take at HZ=1000 (net/core/dev.c:netdev_budget_usecs)',
    },
    nativeP50: {
      value: 100000,
      unit: 'nanoseconds',
      help: 'Median of a native XDP span, which contains the wait in GRO and in batches, from which it is a warning.',
      source: 'measured: 28.6 µs on average for one TCP bulk flow on an idle host',
    },
    rise: {
      value: 2,
      unit: 'ratio',
      help: 'Quantile relative to the same quantile of the baseline from which it has risen.',
      source: 'judgement: quantiles are exact to 6 %, repeated runs to some ten percent',
    },
    riseBy: {
      value: 500,
      unit: 'nanoseconds',
      help: 'Nanoseconds by which the median must have risen as well.',
      source: 'measured: the floor of the span itself moves between 150 and 390 ns with the sampling',
    },
  },
  messages: {
    slow: 'On {device} the {span} span ({mode}) takes {p50:ns} in the median and {p99:ns} for one packet in a hundred.',
    risen:
      'On {device} the {span} span ({mode}) takes {p50:ns} in the median and {p99:ns} for one packet in a hundred; the ' +
      'baseline had {baseP50:ns} and {baseP99:ns}.',
  },
  alert: needsProbe,
  conclude({ p50, p99, samples, lost, stamped, every, max, baseP50, baseP99 }, limits, at) {
    const { device = '', span = '', mode = '' } = at.labels;
    const missed = Math.max(lost?.value ?? 0, (stamped?.value ?? 0) - samples.value);
    const lossy = samples.value + missed < limits.samples ? undefined : mostlyLost(samples.value, missed, limits.lost);
    if (lossy !== undefined) return notMeasured(`${span} span: ${lossy}`);
    if (samples.value === 0) return notApplicable('no packet was measured on these devices');
    const packets = (samples.value * (every?.value ?? 1)) / at.seconds;
    if (samples.value < limits.samples && packets < limits.busy) {
      return notApplicable('too few packets came by for their latency to matter');
    }
    if (samples.value < limits.samples || p50 === undefined || p99 === undefined) {
      return notMeasured(
        `fewer than ${limits.samples} packets were measured, too few for a quantile: a longer window has more`,
      );
    }
    const native = mode === 'native';
    const grew = (now: Signal, base: Signal | undefined, by: number): boolean =>
      base !== undefined && now.value >= limits.rise * base.value && now.value - base.value >= by;
    // The tail of a native span is GRO hold and batch wait, so it can only be compared with itself, and in the median.
    const risen = grew(p50, baseP50, limits.riseBy) || (!native && grew(p99, baseP99, limits.p99 / 5));
    const slow = native ? p50.value >= limits.nativeP50 : p50.value >= limits.p50 || p99.value >= limits.p99;
    if (!risen && !slow) return ok();
    const compared = risen && baseP50 !== undefined && baseP99 !== undefined;
    const said = {
      certainty: 'measured',
      message: compared ? 'risen' : 'slow',
      args: {
        device,
        span,
        mode,
        p50: p50.value,
        p99: p99.value,
        ...(max === undefined ? {} : { max: max.value }),
        ...(compared ? { baseP50: baseP50.value, baseP99: baseP99.value } : {}),
      },
      evidence: {
        p50: ['>=', native ? limits.nativeP50 : limits.p50],
        samples: ['>=', limits.samples],
        lost: null,
        baseP50: null,
        ...(native ? {} : ({ p99: ['>=', limits.p99], baseP99: null } as const)),
      },
      remedies: [
        {
          action:
            span === 'taps'
              ? `What runs between reception and TC on ${device} are taps and generic XDP: see PKT0101 for who holds them.`
              : `See which part of the way is slow: the taps span on the same device, softirq saturation (PKT0102) and RPS.`,
          command: 'pktcost taps --window 10s',
          verify: 'pktcost diagnose --window 30s',
        },
      ],
    } as const;
    return !native && p99.value >= limits.criticalP99 ? critical(said) : warning(said);
  },
});
