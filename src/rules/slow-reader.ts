import { netstat, socketOwner, tcpSocketReceiveQueue } from '../metrics/catalogue/index.ts';
import { unlessOn, where } from '../metrics/condition.ts';
import { andOn, increase, peak, rate, value } from '../metrics/expression.ts';
import { segmentLossOf, segmentsLost } from './facts/segments.ts';
import { endpoint, ownerOf, risen } from './facts/sockets.ts';
import { inNetns } from './remedies/shell.ts';
import { defineRule, info, ok, optional, optionalList, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

const windowsClosed = netstat.member('TcpExt_TCPToZeroWindowAdv');

export const slowReader = defineRule({
  code: 'PKT0406',
  id: 'slow-reader',
  role: 'outcome',
  title: 'Programs read too slowly: TCP receive windows close, nothing is lost',
  seed: '§3.8, Example C',
  scope: ['netns'],
  signals: {
    closed: increase(windowsClosed),
    opened: optional(increase(netstat.member('TcpExt_TCPFromZeroWindowAdv'))),
    wanted: optional(increase(netstat.member('TcpExt_TCPWantZeroWindowAdv'))),
    // Mostly window probes: what follows from a closed window, no loss.
    probes: optional(increase(netstat.member('TcpExt_TCPZeroWindowDrop'))),
    refused: optional(increase(netstat.member('TcpExt_TCPRcvQDrop'))),
    pruned: optional(increase(netstat.member('TcpExt_RcvPruned'))),
    outOfOrder: optional(increase(netstat.member('TcpExt_OfoPruned'))),
    backlog: optional(increase(netstat.member('TcpExt_TCPBacklogDrop'))),
    segments: optional(increase(netstat.member('Tcp_InSegs'))),
    unread: optionalList(peak(tcpSocketReceiveQueue)),
    owners: optionalList(value(socketOwner)),
  },
  thresholds: thresholds.PKT0406,
  messages: {
    reader:
      'Receive windows closed {closed:count} times ({rate:rate}) while {lost:count} segments were dropped: senders wait for programs here that ' +
      'read too slowly. The most unread, {unread:bytes}, is on {socket} of {process}. No buffer and no tap is the cause.',
    'reader-unknown':
      'Receive windows closed {closed:count} times ({rate:rate}) while {lost:count} segments were dropped: senders wait for programs here that ' +
      'read too slowly. No connection held unread data when looked at.',
  },
  alert: {
    raise: (signals, limits) => {
      const closing = where(rate(windowsClosed), '>=', limits.closedPerSecond);
      const some = where(signals.closed, '>=', limits.closed);
      return {
        warning: {
          when: unlessOn([], andOn([], closing, some), segmentLossOf(signals, limits.lost, limits.share)),
          says: 'Receive windows close, {value}: programs read too slowly, and nothing is lost.',
        },
      };
    },
  },
  conclude(signals, limits, at) {
    const { closed, unread, owners } = signals;
    const rate = closed.value / at.seconds;
    if (closed.value < limits.closed) return ok();
    // With losses it is another matter, and PKT0403's.
    const { lost, share } = segmentsLost(signals);
    if (lost >= limits.lost && share >= limits.share) return ok();
    const fullest = risen(unread)[0];
    const owner = ownerOf(fullest?.labels['inode'], owners);
    const message = fullest === undefined ? 'reader-unknown' : 'reader';
    const said = {
      certainty: 'measured',
      message,
      args: {
        closed: closed.value,
        rate,
        lost,
        unread: fullest?.value ?? 0,
        socket:
          fullest === undefined
            ? ''
            : `${endpoint(fullest.labels)}${fullest.labels['peer'] === undefined ? '' : ` from ${fullest.labels['peer']}`}`,
        process: owner.name,
      },
      evidence: {
        closed: ['>=', limits.closed],
        opened: null,
        wanted: null,
        probes: null,
        refused: null,
        unread: null,
      },
      remedies: [
        {
          action: 'Find the connections with much unread data (Recv-Q), and what their programs do instead of reading.',
          command: inNetns(at.netns, 'ss -tnpOH | sort -k2,2nr | head', owner.pid),
          verify: inNetns(at.netns, 'nstat -az TcpExtTCPToZeroWindowAdv TcpExtTCPFromZeroWindowAdv', owner.pid),
        },
        ...(owner.pid === undefined
          ? []
          : [
              {
                action: 'See whether the process is short of CPU, waits for its disk, or is blocked.',
                command: `top -H -b -n 1 -p ${owner.pid} | head -n 20; cat /proc/${owner.pid}/wchan`,
                verify: inNetns(at.netns, 'nstat -az TcpExtTCPToZeroWindowAdv', owner.pid),
              },
            ]),
      ],
    } as const;
    return rate >= limits.closedPerSecond ? warning(said) : info(said);
  },
});
