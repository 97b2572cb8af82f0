import { placeBehind } from '../facts/behind.ts';
import { AT_LIMIT, droppedUncounted, LEAST_UDP_PAGES } from '../facts/datagrams.ts';
import { lossOf } from '../facts/loss.ts';
import { groupRefused, unitOf } from '../facts/readers.ts';
import { addUp } from '../facts/signal.ts';
import { cpuOf, endpoint, loserOf, ofSocket, ownerOf, risen } from '../facts/sockets.ts';
import { where } from '../metrics/condition.ts';
import { andOn, either, type Expression } from '../metrics/expression.ts';
import { byMemory, bySockets, countsRefused, sayUnexplained, unexplained } from './datagrams-unplaced.ts';
import { worded, type Argument, type FindingPlace } from './finding.ts';
import { fateOf, readerFirst } from './reader-signals.ts';
import { memoryLimits, raiseUdpBuffer, readFaster, sendPath } from './remedies/buffers.ts';
import { raiseSocketMemory } from './remedies/quota.ts';
import { critical, defineRule, info, notMeasured, ok, warning, type Instance } from './rule.ts';
import { holder } from './said.ts';
import { shared } from './shared-limits.ts';
import { causeOf, lossesIn } from './udp-buffer-losses.ts';
import { messages } from './udp-buffer-messages.ts';
import { signals, type UdpReadings } from './udp-buffer-signals.ts';

export const udpBufferErrors = defineRule({
  code: 'PKT0405',
  id: 'udp-buffer-errors',
  role: 'outcome',
  title: 'UDP datagrams are lost at their socket',
  scope: ['netns'],
  signals,
  thresholds: {
    lost: {
      value: shared.datagramsMissed,
      unit: 'datagrams',
      help: 'Datagrams lost in the window from which it can be a warning; fewer are mentioned.',
      source: 'Netdata: more than 10 per minute',
    },
    share: {
      value: 0.001,
      unit: 'ratio',
      help: 'Lost datagrams relative to all of them from which it is a warning.',
      source: 'judgement: a tenth of the share from which hotsos raises an issue',
    },
    criticalShare: {
      value: 0.01,
      unit: 'ratio',
      help: 'Lost datagrams relative to all of them from which it is critical.',
      source: 'hotsos: more than 1 % of the datagrams',
    },
    perSecond: {
      value: 100,
      unit: 'per second',
      help: 'Datagrams lost per second from which it is a warning whatever their share: a busy socket hides another.',
      source: 'judgement: nobody sends a datagram again by himself, and one of a hundred sockets may lose all it gets',
    },
    flood: {
      value: 0.1,
      unit: 'ratio',
      help: 'Lost share from which no larger buffer is proposed, unless the reader is seen to have time to spare.',
      source: 'judgement: a buffer bridges bursts, not a tenth of the traffic of a whole window',
    },
    behind: {
      value: 0.5,
      unit: 'ratio',
      help: 'Packets dropped by devices and their queues, relative to the datagrams that could not be sent, from which these are lost.',
      source:
        "judgement: a sender that gets EAGAIN still has its datagram, and what the namespace drops otherwise may be anybody's",
    },
  },
  messages,
  alert: {
    differs: { uncounted: 'what Linux 6.18 refuses for memory and counts nowhere is not on a server' },
    raise: (read, { lost, share, criticalShare, perSecond, behind }) => {
      const received = (from: number): Expression =>
        either(
          lossOf(read.overflowedShare, read.overflowed, lost, from),
          lossOf(read.refusedShare, read.refused, lost, from),
        );
      const unsent = lossOf(read.notSentShare, read.notSent, lost, share);
      const often = either(
        andOn([], read.overflowedShare, where(read.overflowedPerSecond, '>=', perSecond)),
        andOn([], read.refusedShare, where(read.refusedPerSecond, '>=', perSecond)),
      );
      // Of how many they are is asked of both.
      const counted = (when: Expression): Expression => andOn([], andOn([], when, read.full), read.delivered);
      return {
        critical: {
          when: counted(received(criticalShare)),
          says: '{value} of the datagrams that arrive are lost at their socket.',
        },
        warning: {
          when: counted(
            either(received(share), either(often, andOn([], unsent, where(read.behindShare, '>=', behind)))),
          ),
          says: '{value} of the datagrams are lost at their socket, or cannot be sent.',
        },
      };
    },
  },
  conclude(read, limits, at) {
    if (read.full === undefined || read.delivered === undefined) {
      const told = bySockets(read, limits, at) ?? byMemory(read, at);
      if (told !== undefined) return told;
      // That it could not be read is told by itself.
      const unread = at.unread.has('full') || at.unread.has('delivered');
      return unread ? ok() : notMeasured('datagrams of IPv4 are not counted');
    }
    const { full, memory, uncounted, unsent, byLevel, behind, material, worst } = lossesIn(read, limits, at);
    if (material.length === 0) {
      const rest = unexplained(read, full);
      if (rest >= limits.lost && rest > (worst?.count ?? 0)) return sayUnexplained(read, rest, at);
    }
    if (worst === undefined) {
      const untold = whyUntold(read, full, limits.lost, at);
      return byMemory(read, at) ?? (untold === undefined ? ok() : notMeasured(untold));
    }
    const where = placeBehind(read.refusing, read.queued);
    const sentOn = material.some(({ kind }) => kind === 'unsent') ? where.message : 'refused';
    const { socket, certain } = loserIn(read, full, memory, at);
    const owner = ownerOf(socket?.labels['inode'], read.owners);
    const group = groupRefused(owner.pid, read.memoryGroups, read.memoryRefused, read.memoryUsed);
    const dropping = risen(read.socketDrops);
    const { share } = worst;
    const flooded = share >= limits.flood && worst.count >= limits.lost;
    const fate = fateOf(owner.pid, read);
    // The files of the kernel have the drops of each, ss the buffers too.
    const isListed = !at.unread.has('buffers') || read.queues.length > 0;
    const message = causeOf({
      ...{ kind: worst.kind, sentOn, byLevel, group, flooded, fate },
      found: socket !== undefined,
      ...{ listed: isListed, told: !at.unread.has('socketDrops') || read.queues.length > 0 },
      several: dropping.length > 0,
      few: dropping.length > 0 && 2 * dropping.reduce((sum, each) => sum + each.value, 0) < full + memory,
    });
    const buffer = raiseUdpBuffer({
      netns: at.netns,
      port: socket?.labels['port'],
      pid: owner.pid,
      buffer: ofSocket(read.buffers, socket?.labels['inode']),
      rmemMax: read.rmemMax?.value,
      rmemDefault: read.rmemDefault?.value,
      dropsPerSecond: (socket?.value ?? full) / at.seconds,
    });
    const late = readerFirst(owner.pid, read);
    const faster = readFaster(at.netns, owner.pid);
    const forKind = {
      // What a larger buffer would only delay is no advice.
      full: late.length > 0 ? [...late, ...faster] : flooded && fate !== 'bursty' ? faster : [...buffer, ...faster],
      memory: [group === undefined ? memoryLimits : raiseSocketMemory(group.cgroup, group.version)],
      unsent: [sendPath(at.netns, where.device)],
    };
    const unsure =
      message === 'memory-level' ||
      // Of version 2 any memory is counted.
      (message === 'memory-group' && group?.version !== 'v1') ||
      worst.kind === 'unsent' ||
      (worst.kind === 'full' && socket !== undefined && !certain);
    const said = {
      certainty: unsure ? 'correlated' : 'measured',
      message,
      args: {
        lost: worst.count,
        share,
        rate: worst.count / at.seconds,
        memory,
        unsent,
        ...(byLevel ? { pages: read.pages?.value ?? 0, most: read.most?.value ?? 0 } : {}),
        socket: socket === undefined ? 'an unknown socket' : endpoint(socket.labels),
        process: holder(owner),
        dropper:
          socket === undefined
            ? ''
            : worded(
                endpoint(socket.labels),
                `; the socket that dropped most is ${endpoint(socket.labels)} of ${owner.name}`,
              ),
        sockets: dropping.length,
        ...(worst.kind === 'memory' && group !== undefined
          ? { unit: unitOf(group.cgroup), holder: owner.name, ...(group.times !== undefined && { times: group.times }) }
          : {}),
        ...(worst.kind === 'unsent'
          ? {
              behind,
              device: deviceWords(message, where),
              reason: where.reason,
              unseen: at.unread.has('queued') ? ': what the queues of the devices drop could not be counted' : '',
            }
          : {}),
      },
      evidence: {
        full: null,
        full6: null,
        memory: null,
        memory6: null,
        unsent: null,
        unsent6: null,
        ...(byLevel ? ({ errors: null, pages: ['>=', (read.most?.value ?? 0) * AT_LIMIT] } as const) : {}),
        ...(worst.kind === 'unsent' ? ({ refusing: null, queued: null } as const) : {}),
        ...(message === 'memory-group' ? ({ memoryRefused: ['>', 0] } as const) : {}),
        ...(message === 'memory-group-full' ? ({ memoryUsed: null } as const) : {}),
        ...(worst.kind === 'memory' && uncounted !== undefined ? ({ noMemory: ['>', 0] } as const) : {}),
        delivered: null,
        delivered6: null,
        socketDrops: null,
      },
      remedies: (material.length > 0 ? material : [worst]).flatMap(({ kind }) => forKind[kind]),
      place: placeOfLoss(worst.kind, socket?.labels['inode'], owner.pid, group !== undefined, read),
      impact: message === 'refused' ? {} : { lostPerSecond: worst.count / at.seconds },
    } as const;
    if (material.length === 0) return info(said);
    // What cannot be sent is reported to most programs, which may try again.
    const grave = material.some(({ kind, grade }) => kind !== 'unsent' && grade === 'critical');
    return grave ? critical(said) : warning(said);
  },
  stands(unread, { full, errors, checksum, memory, pages, kernel }, _, at) {
    if (unread === 'most') return countsRefused(memory, kernel, at) || (pages?.value ?? Infinity) < LEAST_UDP_PAGES;
    if (unread === 'pages') return countsRefused(memory, kernel, at);
    // The level tells where the kernel does not count.
    if (unread === 'byLevel' && (memory !== undefined || at.unread.has('memory'))) return true;
    if (errors === undefined) return false;
    if (unread === 'memory') return errors.value <= (full?.value ?? 0);
    return unread === 'byLevel' && errors.value - (full?.value ?? 0) - (checksum?.value ?? 0) <= 0;
  },
});

/** Where no loss was counted: what may have been lost and was not seen. */
function whyUntold(read: UdpReadings, full: number, least: number, at: Instance): string | undefined {
  // Each kernel has one of the two: MemErrors since 5.14, and udp_mem of the host, which is not shown everywhere.
  const errors = at.unread.has('errors6') || read.errors === undefined ? undefined : addUp(read.errors, read.errors6);
  const beyond = droppedUncounted(errors, read.socketDrops);
  if (beyond >= least)
    return `whether ${beyond.toLocaleString('en-US')} datagrams that sockets dropped and no error of UDP has were refused for memory, which Linux 6.18 does not count`;
  const untold = read.memory === undefined && (read.pages === undefined || read.most === undefined);
  return untold && unexplained(read, full) > 0
    ? 'why datagrams were not delivered: neither MemErrors nor udp_mem is there'
    : undefined;
}

/** Which socket lost most of what was refused, as far as that can be told. */
function loserIn(read: UdpReadings, full: number, memory: number, at: Instance): ReturnType<typeof loserOf> {
  const turnedAway =
    read.errors === undefined
      ? undefined
      : Math.max(0, addUp(read.errors, read.errors6) - full - (read.memory?.value ?? 0));
  const partly = ['full6', 'memory', 'memory6'].some((name) => at.unread.has(name));
  return loserOf(read.socketDrops, { lost: full + memory, turnedAway, partly });
}

/** The CPU the reader depends on: packet work that fills it can be why the socket is not emptied in time. */
function placeOfLoss(
  kind: 'full' | 'memory' | 'unsent',
  inode: string | undefined,
  pid: string | undefined,
  known: boolean,
  read: UdpReadings,
): FindingPlace {
  const pids = pid === undefined ? {} : { pids: [pid] };
  if (kind === 'full') return { ...cpuOf(inode, read.ownerCpus), ...pids };
  return kind === 'memory' && known ? pids : {};
}

function deviceWords(message: string, { message: told, device }: ReturnType<typeof placeBehind>): Argument {
  if (device === undefined) return told === 'unsent-queue' ? '' : 'an unknown device';
  return message === 'unsent-queue' ? worded(device, ` on ${device}`) : device;
}
