import { interruptModes } from '../facts/interrupt-time.ts';
import { gradeLoss, lossOf, lossShare } from '../facts/loss.ts';
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
import { againstLimit } from './proof.ts';
import { raiseNetdevBacklog, raiseBudget } from './remedies/backlog.ts';
import { critical, deciding, defineRule, info, ok, optional, warning, type Instance } from './rule.ts';
import { shared } from './shared-limits.ts';

/** Runs since boot that ended with work left, of which nothing is said. */
const FEW = 1000;

const says = 'The backlog of the CPU drops {value} of the packets that the CPU is given.';

export const backlogDrops = defineRule({
  code: 'PKT0502',
  id: 'backlog-drops',
  role: 'outcome',
  title: 'The per-CPU backlog overflows: packets are dropped between devices and the stack',
  scope: ['cpu'],
  signals: {
    processed: increase(softnetProcessed),
    dropped: increase(softnetDropped),
    share: optional(lossShare(increase(softnetDropped), increase(softnetProcessed))),
    limited: optional(increase(softnetFlowLimit)),
    squeezed: deciding(increase(softnetSqueezed)),
    runs: deciding(sumBy(['cpu'], increase(softirqFunctions, { type: 'NET_RX' }))),
    softirq: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: interruptModes }))),
    idle: optional(sumBy(['cpu'], rate(cpuSeconds, { mode: ['idle', 'iowait'] }))),
    // Of the host: a namespace of its own does not have them.
    backlog: optional(value(sysctl, { name: 'net.core.netdev_max_backlog', netns: '' })),
    budget: optional(value(sysctl, { name: 'net.core.netdev_budget', netns: '' })),
    budgetUsecs: optional(value(sysctl, { name: 'net.core.netdev_budget_usecs', netns: '' })),
  },
  thresholds: {
    lost: {
      value: 10,
      unit: 'packets',
      help: 'Packets dropped by the backlog of a CPU in the window from which it can be a warning; fewer are mentioned.',
      source: 'judgement: one burst',
    },
    share: {
      value: shared.lossNoticed,
      unit: 'ratio',
      help: 'Dropped packets relative to all that the CPU was given from which it is a warning.',
      source: 'judgement: a loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.)',
    },
    criticalShare: {
      value: shared.lossCritical,
      unit: 'ratio',
      help: 'Dropped packets relative to all that the CPU was given from which it is critical.',
      source: 'judgement: 1 % loss halves and halves again what a connection carries',
    },
    squeezed: {
      value: 0.1,
      unit: 'ratio',
      help: 'Share of NET_RX runs that ended with work left from which it is mentioned.',
      source: 'judgement: normal in bursts; one run in ten means that the budget is the limit',
    },
    spare: {
      value: shared.spare,
      unit: 'ratio',
      help: 'Share of its time a CPU may be idle for a longer queue to be no advice.',
      source: 'as PKT0101',
    },
    squeezedPerSecond: {
      value: 10,
      unit: 'per second',
      help: 'Such runs per second below which nothing is said.',
      source: 'judgement',
    },
  },
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
    raise: ({ dropped, share }, limits) => ({
      critical: { when: lossOf(share, dropped, limits.lost, limits.criticalShare), says },
      warning: { when: lossOf(share, dropped, limits.lost, limits.share), says },
    }),
  },
  conclude(read, limits, at) {
    const cpu = at.labels['cpu'] ?? '';
    const lost = read.dropped.value;
    const share = read.share?.value ?? 0;
    const grade = gradeLoss(lost, read.share, limits);
    const tunables = { backlog: null, budget: null, budgetUsecs: null };
    if (lost > 0) {
      const limited = read.limited?.value ?? 0;
      const said = {
        certainty: 'measured',
        message: limited * 2 >= lost ? 'flow' : 'full',
        args: { cpu, lost, limited, share, rate: lost / at.seconds, limit: read.backlog?.value ?? 'unknown' },
        evidence: {
          dropped: againstLimit(lost, limits.lost),
          processed: null,
          limited: null,
          squeezed: null,
          softirq: null,
          ...tunables,
        },
        remedies: raiseNetdevBacklog({
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
      if (grade === 'none') return info(said);
      return grade === 'critical' ? critical(said) : warning(said);
    }
    const squeezes = read.squeezed?.value ?? 0;
    const runs = read.runs?.value ?? 0;
    if (runs === 0 || isSeldom(squeezes, limits.squeezedPerSecond, at) || squeezes / runs < limits.squeezed)
      return ok();
    // Both wrap at 32 bits, each at a time of its own.
    if (at.oneSample && squeezes > runs) return ok();
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
      evidence: {
        squeezed: ['>=', at.oneSample ? FEW : limits.squeezedPerSecond * at.seconds],
        runs: null,
        dropped: null,
        ...tunables,
      },
      remedies: raiseBudget(read.budget?.value, read.budgetUsecs?.value),
    });
  },
  stands(unread, { squeezed }, limits, at) {
    return unread === 'runs' && squeezed !== undefined && isSeldom(squeezed.value, limits.squeezedPerSecond, at);
  },
});

/** Since boot it is the share that says something, of more than a few: how often it was in any second nobody knows. */
function isSeldom(squeezes: number, perSecond: number, { oneSample, seconds }: Instance): boolean {
  return oneSample ? squeezes < FEW : squeezes / seconds < perSecond;
}
