import { lossOf } from '../facts/loss.ts';
import { segmentLoss, segmentsLost, segmentsReceived, segmentsRefused } from '../facts/segments.ts';
import { clientOf, endpoint, ownerOf, risen, holdersOfSockets } from '../facts/sockets.ts';
import { netstat, tcpSocketReceiveQueue, tcpSocketSendQueue } from '../metrics/catalogue/index.ts';
import { clampMin, unlessOn, where } from '../metrics/condition.ts';
import { andOn, increase, peak, rate, ratio } from '../metrics/expression.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, defineRule, info, ok, optional, optionalList, warning } from './rule.ts';
import { holder } from './said.ts';
import { shared } from './shared-limits.ts';

const windowsClosed = netstat.member('TcpExt_TCPToZeroWindowAdv');

export const slowReader = defineRule({
  code: 'PKT0406',
  id: 'slow-reader',
  role: 'outcome',
  title: 'Programs read too slowly: TCP receive windows close, nothing is lost',
  scope: ['netns'],
  signals: {
    closed: increase(windowsClosed),
    opened: optional(increase(netstat.member('TcpExt_TCPFromZeroWindowAdv'))),
    wanted: optional(increase(netstat.member('TcpExt_TCPWantZeroWindowAdv'))),
    // Mostly window probes: what follows from a closed window, no loss.
    probes: optional(increase(netstat.member('TcpExt_TCPZeroWindowDrop'))),
    refused: optional(segmentsRefused),
    lost: optional(segmentsLost),
    lostShare: optional(segmentLoss),
    segments: deciding(segmentsReceived),
    perSecond: optional(rate(windowsClosed)),
    closedShare: optional(ratio(increase(windowsClosed), clampMin(segmentsReceived, 1))),
    unread: optionalList(peak(tcpSocketReceiveQueue)),
    waiting: optionalList(peak(tcpSocketSendQueue)),
    // Whose it was at either end: the fullest of one need not be among those of the other.
    owners: optionalList(holdersOfSockets),
  },
  thresholds: {
    lost: {
      value: shared.segmentsRepaired,
      unit: 'segments',
      help: 'Segments dropped at receive queues from which, with the share, the finding is left to PKT0403.',
      source: 'as PKT0403',
    },
    share: {
      value: shared.lossNoticed,
      unit: 'ratio',
      help: 'Dropped segments relative to received ones from which, with the count, the finding is left to PKT0403.',
      source: 'as PKT0403',
    },
    closed: {
      value: 10,
      unit: 'events',
      help: 'Receive windows that closed in the window of measurement below which nothing is said.',
      source: 'judgement: flow control doing its work now and then',
    },
    closedPerSecond: {
      value: 10,
      unit: 'per second',
      help: 'Receive windows closing per second from which it is a warning.',
      source: 'judgement: ten stalled senders a second is more than a download throttled on purpose',
    },
    closedShare: {
      value: 0.0001,
      unit: 'ratio',
      help: 'Receive windows closing relative to segments received from which, with the rate, it is a warning.',
      source:
        'judgement: a buffer of 6 MB (tcp_rmem) that is filled and half emptied again closes once in 2,000 segments of 1,500 bytes',
    },
  },
  messages: {
    reader:
      'Receive windows closed {closed:count} times ({rate:rate}) while {lost:count} segments were dropped: senders wait for programs here that ' +
      'read too slowly. The most unread, {unread:bytes}, is on {socket} of {process}. No buffer and no tap is the cause.',
    'reader-unknown':
      'Receive windows closed {closed:count} times ({rate:rate}) while {lost:count} segments were dropped: senders wait for programs here that ' +
      'read too slowly. No connection held unread data when looked at.',
    'reader-unsure':
      'Receive windows closed {closed:count} times ({rate:rate}) while {lost:count} segments were dropped: senders wait for programs here that ' +
      'read too slowly. The most unread, {unread:bytes}, is on {fullest}; whether its program itself waits for a client could not be seen.',
    proxy:
      'Receive windows closed {closed:count} times ({rate:rate}) while {lost:count} segments were dropped: {process} has ' +
      '{unread:bytes} unread on {socket} and waits for its own client {client}, which has not taken {waiting:bytes}. It passes on ' +
      'what it reads: the client is what is slow.',
  },
  alert: {
    differs: {
      proxy: 'whose windows close is not known to a server, so a proxy whose client is slow is among them',
      uncounted: 'without the segments received no share is known',
    },
    raise: ({ closed, perSecond, closedShare, lost, lostShare }, limits) => {
      const closing = where(perSecond, '>=', limits.closedPerSecond);
      const some = andOn([], where(closed, '>=', limits.closed), where(closedShare, '>=', limits.closedShare));
      return {
        warning: {
          when: unlessOn([], andOn([], closing, some), lossOf(lostShare, lost, limits.lost, limits.share)),
          says: 'Receive windows close, {value}: programs read too slowly, and nothing is lost.',
        },
      };
    },
  },
  conclude(signals, limits, at) {
    const { closed, unread, waiting, owners, segments } = signals;
    const rate = signals.perSecond?.value ?? 0;
    if (closed.value < limits.closed) return ok();
    // With losses it is another matter, and PKT0403's.
    const lost = signals.lost?.value ?? 0;
    if (lost >= limits.lost && (signals.lostShare?.value ?? 1) >= limits.share) return ok();
    const behind = risen(unread);
    // Of a connection whose owner itself waits for a peer nobody can say that it is read slowly of its own accord.
    const slow = behind.find(({ labels }) => clientOf(labels['inode'], waiting, owners) === undefined);
    const fullest = slow ?? behind[0];
    const client = slow === undefined ? clientOf(fullest?.labels['inode'], waiting, owners) : undefined;
    const owner = ownerOf(fullest?.labels['inode'], owners);
    // What would have told a proxy.
    const unseen = ['unread', 'waiting', 'owners'].some((name) => at.unread.has(name));
    const message =
      fullest === undefined ? 'reader-unknown' : unseen ? 'reader-unsure' : client === undefined ? 'reader' : 'proxy';
    const sure = segments !== undefined && !unseen;
    const name =
      fullest === undefined
        ? ''
        : `${endpoint(fullest.labels)}${fullest.labels['peer'] === undefined ? '' : ` from ${fullest.labels['peer']}`}`;
    const said = {
      certainty: sure ? 'measured' : 'correlated',
      message,
      args: {
        closed: closed.value,
        rate,
        lost,
        unread: fullest?.value ?? 0,
        ...(message === 'reader-unsure' ? { fullest: name } : { socket: name, process: holder(owner) }),
        client: client?.labels['peer'] ?? '',
        waiting: client?.value ?? 0,
      },
      evidence: {
        closed: ['>=', limits.closed],
        opened: null,
        wanted: null,
        probes: null,
        refused: null,
        unread: null,
        ...(message === 'proxy' ? ({ waiting: null } as const) : {}),
      },
      place: owner.pid === undefined ? {} : { pids: [owner.pid] },
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
    const often = rate >= limits.closedPerSecond;
    const many = (signals.closedShare?.value ?? 1) >= limits.closedShare;
    return often && many && message !== 'proxy' ? warning(said) : info(said);
  },
});
