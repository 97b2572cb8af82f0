import { gradeOf } from '../facts/loss.ts';
import { gradeShare } from '../facts/lost.ts';
import { totalOf } from '../facts/signal.ts';
import { netstat, xfrmErrors as errorsOfXfrm } from '../metrics/catalogue/index.ts';
import { increase, rate, within } from '../metrics/expression.ts';
import { lossLimits } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { critical, decidingList, defineRule, info, ok, optionalList, warning } from './rule.ts';

export const xfrmErrors = defineRule({
  code: 'PKT0706',
  id: 'xfrm-errors',
  role: 'outcome',
  title: 'IPsec drops packets',
  scope: ['netns'],
  signals: {
    received: within(netstat.member('Ip_InReceives')),
    errors: decidingList(increase(errorsOfXfrm)),
    inTime: optionalList(within(errorsOfXfrm)),
    rates: optionalList(rate(errorsOfXfrm)),
  },
  thresholds: lossLimits(10, 0.001, 0.5, 'the packets received'),
  messages: {
    lost: 'IPsec dropped {lost:count} packets ({rate:rate}), {most:count} of them for {error} (field of /proc/net/xfrm_stat).',
  },
  alert: { none: 'node_exporter reads /proc/net/xfrm_stat only when asked to, and under other names' },
  conclude({ received, errors, inTime, rates }, limits, at) {
    const found = errors.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
    const [first] = found;
    if (first === undefined) return ok();
    const lost = found.reduce((sum, { value }) => sum + value, 0);
    const perSecond = totalOf(rates);
    const { share } = gradeShare(totalOf(inTime), received.value, limits);
    const grade = gradeOf(lost, share, limits);
    const said = {
      certainty: 'measured',
      message: 'lost',
      args: { lost, rate: perSecond, most: first.value, error: first.labels['error'] ?? '' },
      evidence: { errors: ['>=', limits.lost], received: null },
      remedies: [
        {
          action:
            'Look the field up in Documentation/networking/xfrm_proc.rst: mostly a missing or expired state (NoStates), a policy that asks for more (TmplMismatch, Pols), or a replay window too small (StateSeqError).',
          command: inNetns(at.netns, 'cat /proc/net/xfrm_stat; ip -s xfrm state; ip -s xfrm policy'),
          verify: inNetns(at.netns, 'cat /proc/net/xfrm_stat'),
        },
      ],
      impact: { lostPerSecond: perSecond },
    } as const;
    if (grade === 'none') return info(said);
    return grade === 'critical' ? critical(said) : warning(said);
  },
});
