import { gradeLoss, lossOf, lossShare } from '../facts/loss.ts';
import { qdiscBacklog, qdiscDrops as droppedByQdisc, qdiscPackets, qdiscRequeues } from '../metrics/catalogue/index.ts';
import { increase, peak } from '../metrics/expression.ts';
import { lossLimits } from './losing.ts';
import { inNetns, shellQuote } from './remedies/shell.ts';
import { critical, defineRule, info, ok, optional, warning } from './rule.ts';

const says = 'The queueing discipline of the device drops {value} of what it is given.';

export const qdiscDrops = defineRule({
  code: 'PKT0503',
  id: 'qdisc-drops',
  role: 'outcome',
  title: 'The queueing discipline of a device drops packets before they are sent',
  scope: ['device', 'kind'],
  none: 'no device with a queueing discipline that counts',
  signals: {
    dropped: increase(droppedByQdisc),
    sent: increase(qdiscPackets),
    share: optional(lossShare(increase(droppedByQdisc), increase(qdiscPackets))),
    requeues: optional(increase(qdiscRequeues)),
    queued: optional(peak(qdiscBacklog)),
  },
  thresholds: lossLimits(10, 0.001, 0.1, 'the packets given to the queue'),
  messages: {
    lost:
      '{kind} on {device} dropped {lost:count} packets that were to be sent, {share:percent} of those it was given ({rate:rate}); ' +
      '{queued:count} waited in it. It is told to send no faster, or the device takes no more ({requeues:count} requeued). No ' +
      'counter of the device has them.',
  },
  alert: {
    raise: ({ dropped, share }, limits) => ({
      critical: { when: lossOf(share, dropped, limits.lost, limits.criticalShare), says },
      warning: { when: lossOf(share, dropped, limits.lost, limits.share), says },
    }),
  },
  conclude({ dropped, requeues, queued, ...read }, limits, at) {
    const lost = dropped.value;
    if (lost === 0) return ok();
    const device = at.labels['device'] ?? '';
    const share = read.share?.value ?? 0;
    const grade = gradeLoss(lost, read.share, limits);
    const said = {
      certainty: 'measured',
      message: 'lost',
      args: {
        device,
        kind: at.labels['kind'] ?? '',
        lost,
        share,
        rate: lost / at.seconds,
        queued: queued?.value ?? 0,
        requeues: requeues?.value ?? 0,
      },
      evidence: { dropped: ['>=', limits.lost], sent: null, requeues: null, queued: null },
      remedies: [
        {
          action:
            'See which class drops and by which limit. A rate that was set is to be kept: then let senders slow down (fq_codel marks and drops early), or raise rate, burst or limit.',
          command: inNetns(
            at.netns,
            `tc -s qdisc show dev ${shellQuote(device)}; tc -s class show dev ${shellQuote(device)}`,
          ),
          verify: inNetns(at.netns, `tc -s qdisc show dev ${shellQuote(device)}`),
        },
      ],
      place: { device },
      impact: { lostPerSecond: lost / at.seconds },
    } as const;
    if (grade === 'none') return info(said);
    return grade === 'critical' ? critical(said) : warning(said);
  },
});
