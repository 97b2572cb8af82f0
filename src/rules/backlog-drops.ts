import {
  cpuSeconds,
  softirqFunctions,
  softnetDropped,
  softnetFlowLimit,
  softnetProcessed,
  softnetSqueezed,
  sysctl,
} from '../metrics/catalogue/index.ts';
import { increase, rate, sumBy, value } from '../metrics/expression.ts';
import { gradeLoss, lossOf } from './facts/loss.ts';
import { raiseBacklog, raiseBudget } from './remedies/backlog.ts';
import { critical, defineRule, info, ok, optional, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

const says = 'The backlog of the CPU drops {value} of the packets that the CPU is given.';

export const backlogDrops = defineRule({
  code: 'PKT0502',
  id: 'backlog-drops',
  role: 'outcome',
  title: 'The per-CPU backlog overflows: packets are dropped between devices and the stack',
  seed: '-',
  scope: ['cpu'],
  signals: {
    processed: increase(softnetProcessed),
    dropped: increase(softnetDropped),
    limited: optional(increase(softnetFlowLimit)),
    squeezed: optional(increase(softnetSqueezed)),
    runs: optional(sumBy(['cpu'], increase(softirqFunctions, { type: 'NET_RX' }))),
    softirq: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: ['softirq', 'irq'] }))),
    idle: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
    // Of the host: a namespace of its own does not have them.
    backlog: optional(value(sysctl, { name: 'net.core.netdev_max_backlog', netns: '' })),
    budget: optional(value(sysctl, { name: 'net.core.netdev_budget', netns: '' })),
    budgetUsecs: optional(value(sysctl, { name: 'net.core.netdev_budget_usecs', netns: '' })),
  },
  thresholds: thresholds.PKT0502,
  messages: {
    full:
      'The backlog of CPU {cpu} (net.core.netdev_max_backlog {limit}) dropped {lost:count} packets, {share:percent} of ' +
      'the packets that the CPU was given ({rate:rate}).',
    flow:
      'The flow limit of the backlog of CPU {cpu} dropped {limited:count} of {lost:count} lost packets ({share:percent} of ' +
      'those it was given): single flows take most of the queue.',
    squeezed:
      'On CPU {cpu} {squeezes:count} softirq runs, {squeezeShare:percent} of all, ended with packets left to receive (budget ' +
      '{budget} packets or {usecs} µs). Nothing was dropped by that.',
  },
  alert: {
    raise: ({ dropped, processed }, { lost, share, criticalShare }) => ({
      critical: { when: lossOf(dropped, processed, lost, criticalShare), says },
      warning: { when: lossOf(dropped, processed, lost, share), says },
    }),
  },
  conclude(read, limits, at) {
    const cpu = at.labels['cpu'] ?? '';
    const lost = read.dropped.value;
    const { share, grade } = gradeLoss(lost, read.processed.value, limits);
    const tunables = { backlog: null, budget: null, budgetUsecs: null };
    if (grade !== 'none') {
      const limited = read.limited?.value ?? 0;
      const said = {
        certainty: 'measured',
        message: limited * 2 >= lost ? 'flow' : 'full',
        args: { cpu, lost, limited, share, rate: lost / at.seconds, limit: read.backlog?.value ?? 'unknown' },
        evidence: {
          dropped: ['>=', limits.lost],
          processed: null,
          limited: null,
          squeezed: null,
          softirq: null,
          ...tunables,
        },
        remedies: raiseBacklog({
          cpu,
          limit: read.backlog?.value,
          perSecond: (read.processed.value + lost) / at.seconds,
          softirq: read.softirq?.value,
          // Beside programs softirq gets its part and no more: such a CPU has no time left either.
          idle: (read.idle?.value ?? 1) > limits.spare,
          byFlow: limited * 2 >= lost,
        }),
        impact: { lostPerSecond: lost / at.seconds },
      } as const;
      return grade === 'critical' ? critical(said) : warning(said);
    }
    const squeezes = read.squeezed?.value ?? 0;
    const runs = read.runs?.value ?? 0;
    if (runs === 0 || squeezes / at.seconds < limits.squeezedPerSecond || squeezes / runs < limits.squeezed)
      return ok();
    return info({
      certainty: 'measured',
      message: 'squeezed',
      args: {
        cpu,
        squeezes,
        squeezeShare: Math.min(1, squeezes / runs),
        budget: read.budget?.value ?? 'unknown',
        usecs: read.budgetUsecs?.value ?? 'unknown',
      },
      evidence: { squeezed: ['>=', limits.squeezedPerSecond * at.seconds], runs: null, dropped: null, ...tunables },
      remedies: raiseBudget(read.budget?.value, read.budgetUsecs?.value),
    });
  },
});
