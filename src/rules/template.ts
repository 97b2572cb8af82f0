import { softnetDropped } from '../metrics/catalogue/index.ts';
import { where } from '../metrics/condition.ts';
import { increase } from '../metrics/expression.ts';
import { defineRule, ok, warning } from './rule.ts';

/** TODO: what `npm run new:rule` begins with. It is compiled and tested like any rule, and no report asks it anything. */
export const template = defineRule({
  code: 'PKT0000',
  id: 'template',
  // TODO: 'cause' makes packets dear, 'outcome' is what users suffer from, 'context' helps to judge both.
  role: 'outcome',
  title: 'TODO what is wrong, as one would say it aloud',
  scope: ['cpu'],
  none: 'TODO why there is nothing of the kind on this host',
  signals: {
    // One that is missing makes the rule not measured; see optional, deciding and list in rule.ts for the others.
    lost: increase(softnetDropped),
  },
  thresholds: {
    lost: {
      value: 10,
      unit: 'packets',
      help: 'TODO what it is the limit of.',
      source: 'TODO a kernel file, a peer, a measurement, or judgement and why',
    },
  },
  messages: {
    lossy: '{lost:count} packets were lost in the window ({rate:rate}).',
  },
  // Where no counter moves that need not on a healthy host, `watched` says when a watch looks at it: see Watched in rule.ts.
  // The same for a Prometheus server, or `{ none: why }`. The cases hold it against conclude().
  alert: {
    raise: ({ lost }, limits) => ({
      warning: { when: where(lost, '>=', limits.lost), says: '{value} packets were lost in {range}.' },
    }),
  },
  conclude({ lost }, limits, at) {
    if (lost.value < limits.lost) return ok();
    const perSecond = lost.value / at.seconds;
    return warning({
      certainty: 'measured',
      message: 'lossy',
      args: { lost: lost.value, rate: perSecond },
      evidence: { lost: ['>=', limits.lost] },
      remedies: [{ action: 'TODO what to do, one sentence.', command: 'TODO what to type' }],
      impact: { lostPerSecond: perSecond },
    });
  },
});
