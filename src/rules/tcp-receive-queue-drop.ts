import { worded } from './finding.ts';
import { gradeLoss, lossOf } from '../facts/loss.ts';
import {
  backlogDropped,
  outOfOrderPruned,
  segmentLoss,
  segmentsLost,
  segmentsPruned,
  segmentsReceived,
  segmentsRefused,
  segmentsUnqueued,
} from '../facts/segments.ts';
import { endpoint, ownerOf, risen, holdersOfSockets } from '../facts/sockets.ts';
import { netstat, sysctl, tcpSocketDrops } from '../metrics/catalogue/index.ts';
import { either, increase, value } from '../metrics/expression.ts';
import { readerFirst, threadSignals } from './reader-signals.ts';
import { freeTheSocket, roomForSegments } from './remedies/buffers.ts';
import { critical, deciding, defineRule, info, list, ok, optional, optionalList, warning } from './rule.ts';
import { asPercent, holder } from './said.ts';
import { shared } from './shared-limits.ts';

const says = 'TCP drops {value} of the segments that arrive: a receive queue or a socket backlog is full.';

export const tcpReceiveQueueDrop = defineRule({
  code: 'PKT0403',
  id: 'tcp-receive-queue-drop',
  role: 'outcome',
  title: 'TCP drops segments that arrived: a receive queue or socket backlog is full',
  scope: ['netns'],
  signals: {
    // Any of them proves a loss; a page has often only the first.
    any: list(either(either(segmentsRefused, segmentsPruned), either(outOfOrderPruned, backlogDropped))),
    segments: deciding(segmentsReceived),
    // Since 4.19; before, RcvPruned tells of the same drops.
    refused: deciding(segmentsRefused),
    pruned: deciding(segmentsPruned),
    outOfOrder: deciding(outOfOrderPruned),
    backlog: deciding(backlogDropped),
    unqueued: optional(segmentsUnqueued),
    lost: optional(segmentsLost),
    share: optional(segmentLoss),
    // The pressure handler ran and made room: work, no loss. Shown, not judged.
    pruneCalls: optional(increase(netstat.member('TcpExt_PruneCalled'))),
    collapsed: optional(increase(netstat.member('TcpExt_TCPRcvCollapsed'))),
    tcpDrops: optionalList(increase(tcpSocketDrops)),
    owners: optionalList(holdersOfSockets),
    ...threadSignals,
    rmemMin: optional(value(sysctl, { name: 'net.ipv4.tcp_rmem.min' })),
    rmemInitial: optional(value(sysctl, { name: 'net.ipv4.tcp_rmem.default' })),
    rmemMax: optional(value(sysctl, { name: 'net.ipv4.tcp_rmem.max' })),
  },
  thresholds: {
    lost: {
      value: shared.segmentsRepaired,
      unit: 'segments',
      help: 'Segments dropped at receive queues in the window from which it can be a warning; fewer are mentioned.',
      source: 'judgement: TCP repairs a few without anyone noticing',
    },
    share: {
      value: shared.lossNoticed,
      unit: 'ratio',
      help: 'Dropped segments relative to received ones from which it is a warning.',
      source: 'judgement: a loss of 1 in 10,000 begins to bound the throughput of long paths (Mathis et al.)',
    },
    criticalShare: {
      value: shared.lossCritical,
      unit: 'ratio',
      help: 'Dropped segments relative to received ones from which it is critical.',
      source: 'judgement: 1 % loss halves and halves again what a connection carries',
    },
  },
  messages: {
    refused:
      '{refused:count} in-order segments were dropped{ofAll}{most} because the receive ' +
      'memory of their socket could not be charged: the buffer was shrunk or is full of small segments, or TCP or cgroup ' +
      'memory ran out. A slow reader alone does not do this.',
    pruned:
      '{pruned:count} segments were dropped{ofAll}{most} because pruning the receive ' +
      'queue of their socket made no room.',
    'out-of-order':
      '{outOfOrder:count} times segments that arrived out of order were thrown away for want of receive memory{most}: the sender must ' +
      'repeat them. Loss or reordering on the way fills the queue, a small receive buffer empties it.',
    backlog:
      '{backlog:count} segments were dropped{ofAll}{most} because the backlog of their ' +
      'socket was full: its own thread held the socket too long, for want of CPU time or in long system calls.',
  },
  alert: {
    raise: ({ lost, share }, limits) => ({
      critical: { when: lossOf(share, lost, limits.lost, limits.criticalShare), says },
      warning: { when: lossOf(share, lost, limits.lost, limits.share), says },
    }),
  },
  conclude(signals, limits, at) {
    const { refused, pruned, outOfOrder, backlog, rmemMin, rmemInitial, rmemMax } = signals;
    const lost = signals.lost?.value ?? 0;
    if (lost === 0) return ok();
    const counted = signals.segments !== undefined;
    const grade = gradeLoss(lost, signals.share, limits);
    const few = lost < limits.lost || (counted && grade === 'none');
    const share = Math.min(1, signals.share?.value ?? 1);
    const unqueued = signals.unqueued?.value ?? 0;
    const room = roomForSegments({
      netns: at.netns,
      rmem:
        rmemMin === undefined || rmemInitial === undefined || rmemMax === undefined
          ? undefined
          : [rmemMin.value, rmemInitial.value, rmemMax.value],
    });
    const [thrown, left] = [outOfOrder?.value ?? 0, backlog?.value ?? 0];
    const most = Math.max(unqueued, thrown, left);
    const message =
      most === left ? 'backlog' : most === thrown ? 'out-of-order' : (refused?.value ?? 0) > 0 ? 'refused' : 'pruned';
    const free = freeTheSocket(at.netns);
    const [socket] = risen(signals.tcpDrops);
    const owner = ownerOf(socket?.labels['inode'], signals.owners);
    // It counts what was old or doubled as well: one that dropped less than half of it is not named.
    const named = socket !== undefined && socket.value >= lost / 2;
    const late = named && left > 0 ? readerFirst(owner.pid, signals) : [];
    const onlyBacklog = lost === left;
    const said = {
      message,
      args: {
        lost,
        ...(counted ? { share } : {}),
        ofAll: counted ? worded(share, ` (${asPercent(share)} of those received are lost this way)`) : '',
        refused: refused?.value ?? 0,
        pruned: pruned?.value ?? 0,
        outOfOrder: thrown,
        backlog: left,
        most: named
          ? worded(
              { socket: endpoint(socket.labels), process: owner.name },
              `, most by ${endpoint(socket.labels)} of ${owner.name}`,
            )
          : '',
        ...(named ? { socket: endpoint(socket.labels), process: holder(owner) } : {}),
      },
      place: named && owner.pid !== undefined ? { pids: [owner.pid] } : {},
      evidence: {
        refused: null,
        pruned: null,
        outOfOrder: null,
        backlog: null,
        segments: null,
        pruneCalls: null,
        collapsed: null,
        ...(named ? ({ tcpDrops: null } as const) : {}),
      },
      remedies: [
        ...late,
        ...(onlyBacklog ? free : left === 0 ? room : message === 'backlog' ? [...free, ...room] : [...room, ...free]),
      ],
      impact: { lostPerSecond: lost / at.seconds },
    } as const;
    // What share it is of an unknown number nobody can say: a loss that goes on is a warning all the same.
    if (few || (!counted && lost / at.seconds < 1)) return info({ certainty: 'measured', ...said });
    return grade === 'critical'
      ? critical({ certainty: 'measured', ...said })
      : warning({ certainty: 'measured', ...said });
  },
});
