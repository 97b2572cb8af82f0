import { netstat, sysctl } from '../metrics/catalogue/index.ts';
import { increase, value } from '../metrics/expression.ts';
import { segmentLossOf, segmentsLost } from './facts/segments.ts';
import { freeTheSocket, roomForSegments } from './remedies/buffers.ts';
import { critical, defineRule, ok, optional, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

const says = 'TCP drops {value} of the segments that arrive: a receive queue or a socket backlog is full.';

export const tcpReceiveQueueDrop = defineRule({
  code: 'PKT0403',
  id: 'tcp-receive-queue-drop',
  role: 'outcome',
  title: 'TCP drops segments that arrived: a receive queue or socket backlog is full',
  seed: '§3.8, Example C',
  scope: ['netns'],
  signals: {
    segments: increase(netstat.member('Tcp_InSegs')),
    // Since 4.19; before, RcvPruned tells of the same drops.
    refused: optional(increase(netstat.member('TcpExt_TCPRcvQDrop'))),
    pruned: increase(netstat.member('TcpExt_RcvPruned')),
    outOfOrder: increase(netstat.member('TcpExt_OfoPruned')),
    backlog: increase(netstat.member('TcpExt_TCPBacklogDrop')),
    // The pressure handler ran and made room: work, no loss. Shown, not judged.
    pruneCalls: optional(increase(netstat.member('TcpExt_PruneCalled'))),
    collapsed: optional(increase(netstat.member('TcpExt_TCPRcvCollapsed'))),
    rmemMin: optional(value(sysctl, { name: 'net.ipv4.tcp_rmem.min' })),
    rmemInitial: optional(value(sysctl, { name: 'net.ipv4.tcp_rmem.default' })),
    rmemMax: optional(value(sysctl, { name: 'net.ipv4.tcp_rmem.max' })),
  },
  thresholds: thresholds.PKT0403,
  messages: {
    refused:
      '{refused:count} in-order segments were dropped ({share:percent} of those received are lost this way) because the receive ' +
      'memory of their socket could not be charged: the buffer was shrunk or is full of small segments, or TCP or cgroup ' +
      'memory ran out. A slow reader alone does not do this.',
    pruned:
      '{pruned:count} segments were dropped ({share:percent} of those received are lost this way) because pruning the receive ' +
      'queue of their socket made no room.',
    'out-of-order':
      '{outOfOrder:count} times segments that arrived out of order were thrown away for want of receive memory: the sender must ' +
      'repeat them. Loss or reordering on the way fills the queue, a small receive buffer empties it.',
    backlog:
      '{backlog:count} segments were dropped ({share:percent} of those received are lost this way) because the backlog of their ' +
      'socket was full: its own thread held the socket too long, for want of CPU time or in long system calls.',
  },
  alert: {
    raise: (signals, { lost, share, criticalShare }) => ({
      critical: { when: segmentLossOf(signals, lost, criticalShare), says },
      warning: { when: segmentLossOf(signals, lost, share), says },
    }),
  },
  conclude(signals, limits, at) {
    const { refused, pruned, outOfOrder, backlog, rmemMin, rmemInitial, rmemMax } = signals;
    const { unqueued, lost, share } = segmentsLost(signals);
    if (lost < limits.lost || share < limits.share) return ok();
    const room = roomForSegments({
      netns: at.netns,
      rmem:
        rmemMin === undefined || rmemInitial === undefined || rmemMax === undefined
          ? undefined
          : [rmemMin.value, rmemInitial.value, rmemMax.value],
    });
    const most = Math.max(unqueued, outOfOrder.value, backlog.value);
    const message =
      most === backlog.value
        ? 'backlog'
        : most === outOfOrder.value
          ? 'out-of-order'
          : (refused?.value ?? 0) > 0
            ? 'refused'
            : 'pruned';
    const free = freeTheSocket(at.netns);
    const onlyBacklog = lost === backlog.value;
    const said = {
      message,
      args: {
        lost,
        share,
        refused: refused?.value ?? 0,
        pruned: pruned.value,
        outOfOrder: outOfOrder.value,
        backlog: backlog.value,
      },
      evidence: {
        refused: null,
        pruned: null,
        outOfOrder: null,
        backlog: null,
        segments: null,
        pruneCalls: null,
        collapsed: null,
      },
      remedies: onlyBacklog
        ? free
        : backlog.value === 0
          ? room
          : message === 'backlog'
            ? [...free, ...room]
            : [...room, ...free],
      impact: { lostPerSecond: lost / at.seconds },
    } as const;
    return share >= limits.criticalShare
      ? critical({ certainty: 'measured', ...said })
      : warning({ certainty: 'measured', ...said });
  },
});
