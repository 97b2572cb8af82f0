import { gradeLoss, lossOf } from '../facts/loss.ts';
import type { Signal } from '../facts/signal.ts';
import { netstat } from '../metrics/catalogue/index.ts';
import { increase, ratio, subtract } from '../metrics/expression.ts';
import { worded, type Argument } from './finding.ts';
import { lossLimits } from './losing.ts';
import { inNetns } from './remedies/shell.ts';
import { critical, defineRule, info, ok, optional, warning } from './rule.ts';

// A SYN or SYN-ACK that nobody answers is sent again as well (tcp_output.c:tcp_rtx_synack), and proves no loss: a scan, a
// peer that is gone.
const handshakes = increase(netstat.member('TcpExt_TCPSynRetrans'));
const again = subtract(increase(netstat.member('Tcp_RetransSegs')), handshakes);
// Those sent again are among them (tcp_output.c:__tcp_transmit_skb).
const sent = increase(netstat.member('Tcp_OutSegs'));

const says = 'TCP sends {value} of its segments again.';

export const tcpRetransmission = defineRule({
  code: 'PKT0407',
  id: 'tcp-retransmission',
  role: 'outcome',
  title: 'TCP retransmits: segments or their ACKs are lost on the way',
  scope: ['netns'],
  signals: {
    again,
    handshakes,
    sent,
    share: optional(ratio(again, sent)),
    lostAgain: optional(increase(netstat.member('TcpExt_TCPLostRetransmit'))),
    timeouts: optional(increase(netstat.member('TcpExt_TCPTimeouts'))),
    spurious: optional(increase(netstat.member('TcpExt_TCPDSACKRecv'))),
  },
  thresholds: lossLimits(10, 0.01, 0.05, 'the segments sent'),
  messages: {
    lost:
      '{again:count} TCP segments were sent again, {share:percent} of those sent ({rate:rate}{beside}). ' +
      'They were lost on the way or in this host: ' +
      'the table of where packets were lost tells what this host dropped.',
    unanswered:
      '{handshakes:count} SYNs or SYN-ACKs were sent again ({rate:rate}) because nobody answered: a peer that is gone, a filter on ' +
      'the way, or a scan. No segment with data was.',
  },
  alert: {
    raise: ({ again, share }, limits) => ({
      critical: { when: lossOf(share, again, limits.lost, limits.criticalShare), says },
      warning: { when: lossOf(share, again, limits.lost, limits.share), says },
    }),
  },
  conclude({ again, handshakes, lostAgain, timeouts, spurious, ...read }, limits, at) {
    if (again.value <= 0 && handshakes.value === 0) return ok();
    if (again.value <= 0)
      return info({
        certainty: 'measured',
        message: 'unanswered',
        args: { handshakes: handshakes.value, rate: handshakes.value / at.seconds },
        evidence: { handshakes: ['>', 0], sent: null, timeouts: null },
      });
    const said = {
      certainty: 'measured',
      message: 'lost',
      args: {
        again: again.value,
        share: Math.min(1, read.share?.value ?? 0),
        rate: again.value / at.seconds,
        // What was not counted is not said to be none.
        ...(timeouts === undefined ? {} : { timeouts: timeouts.value }),
        beside: besideText([
          [timeouts, 'timeouts'],
          [lostAgain, 'were lost once more'],
          [spurious, 'had arrived after all'],
        ]),
        inBrackets:
          timeouts === undefined ? '' : worded(timeouts.value, ` (${timeouts.value.toLocaleString('en-US')} timeouts)`),
      },
      evidence: {
        again: ['>=', limits.lost],
        handshakes: null,
        sent: null,
        lostAgain: null,
        timeouts: null,
        spurious: null,
      },
      remedies: [
        {
          action:
            'See whose connections they are, and whether all go the same way: if so, that way loses packets, and mtr or the counters of its switches tell where.',
          command: inNetns(at.netns, "ss -tino state established | grep -B1 'retrans:[0-9]*/[1-9]'"),
          verify: inNetns(at.netns, "nstat -az | grep 'RetransSegs\\|LostRetransmit\\|TCPTimeouts'"),
        },
      ],
      impact: { lostPerSecond: again.value / at.seconds },
    } as const;
    const grade = gradeLoss(again.value, read.share, limits);
    if (grade === 'none') return info(said);
    return grade === 'critical' ? critical(said) : warning(said);
  },
});

/** `; 12 timeouts, 3 were lost once more`, of those that were counted. */
function besideText(counts: readonly (readonly [Signal | undefined, string])[]): Argument {
  const told = counts.flatMap(([count, words]) => (count === undefined ? [] : [{ count: count.value, words }]));
  if (told.length === 0) return '';
  const pieces = told.map(({ count, words }) => `${count.toLocaleString('en-US')} ${words}`);
  return worded(
    told.map(({ count }) => count),
    `; ${pieces.join(', ')}`,
  );
}
