import {
  netstat,
  socketOwner,
  socketOwnerCpu,
  sysctl,
  udpSocketDrops,
  udpSocketReceiveBuffer,
} from '../metrics/catalogue/index.ts';
import { total, where } from '../metrics/condition.ts';
import { andOn, either, increase, peak, ratio, value, type Expression } from '../metrics/expression.ts';
import { cpuOf, endpoint, ofSocket, ownerOf, risen } from './facts/sockets.ts';
import { raiseUdpBuffer, readFaster } from './remedies/buffers.ts';
import { inNetns } from './remedies/shell.ts';
import { critical, defineRule, ok, optional, optionalList, warning, type Signal } from './rule.ts';
import { thresholds } from './thresholds.ts';

const udp = (field: string): ReturnType<typeof increase> => increase(netstat.member(`Udp_${field}`));
const udp6 = (field: string): ReturnType<typeof optional> => optional(increase(netstat.member(`Udp6_${field}`)));

export const udpBufferErrors = defineRule({
  code: 'PKT0405',
  id: 'udp-buffer-errors',
  role: 'outcome',
  title: 'UDP datagrams are lost at their socket',
  seed: '§3.8, Example C',
  scope: ['netns'],
  signals: {
    // InErrors contains RcvbufErrors and MemErrors, and checksum errors besides: never added, never judged.
    full: udp('RcvbufErrors'),
    full6: udp6('RcvbufErrors'),
    delivered: udp('InDatagrams'),
    delivered6: udp6('InDatagrams'),
    // Since 6.1.
    memory: optional(udp('MemErrors')),
    memory6: udp6('MemErrors'),
    unsent: optional(udp('SndbufErrors')),
    unsent6: udp6('SndbufErrors'),
    sent: optional(udp('OutDatagrams')),
    sent6: udp6('OutDatagrams'),
    socketDrops: optionalList(increase(udpSocketDrops)),
    buffers: optionalList(value(udpSocketReceiveBuffer)),
    owners: optionalList(value(socketOwner)),
    ownerCpus: optionalList(peak(socketOwnerCpu)),
    rmemMax: optional(value(sysctl, { name: 'net.core.rmem_max', netns: '' })),
    rmemDefault: optional(value(sysctl, { name: 'net.core.rmem_default', netns: '' })),
  },
  thresholds: thresholds.PKT0405,
  messages: {
    burst:
      '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
      '({rate:rate}), most by {socket} of {process}. A larger buffer bridges bursts; should the reader be slower than the ' +
      'traffic for long, none is large enough.',
    'burst-unknown':
      '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
      '({rate:rate}). Whose is unknown: no socket that is there at both ends of the window dropped any.',
    flood:
      '{lost:count} UDP datagrams ({share:percent}) were dropped because the receive buffer of their socket was full ' +
      '({rate:rate}), most by {socket} of {process}. With such a share the reader is too slow for the traffic: a larger buffer ' +
      'would only delay the loss.',
    memory:
      '{memory:count} UDP datagrams ({share:percent}) were dropped because udp_mem or the memory limit of a cgroup was reached: ' +
      'not the buffer of one socket.',
    unsent:
      '{unsent:count} UDP datagrams ({share:percent}) could not be sent: the send buffer, the queue of the device, or its ' +
      'neighbour entry was full.',
  },
  alert: {
    differs: { most: 'critical is also said where more datagrams could not be sent than were lost on arrival' },
    raise: (read, { lost, share, criticalShare }) => {
      const full = total(read.full, read.full6);
      const memory = total(read.memory, read.memory6);
      const unsent = total(read.unsent, read.unsent6);
      const arrived = total(read.delivered, read.delivered6, read.full, read.full6, read.memory, read.memory6);
      const sent = total(read.sent, read.sent6, read.unsent, read.unsent6);
      const loss = (of: Expression, all: Expression, from: number): Expression =>
        andOn([], where(ratio(of, all), '>=', from), where(of, '>=', lost));
      const received = (from: number): Expression => either(loss(full, arrived, from), loss(memory, arrived, from));
      return {
        critical: {
          when: received(criticalShare),
          says: '{value} of the datagrams that arrive are lost at their socket.',
        },
        warning: {
          when: either(received(share), loss(unsent, sent, share)),
          says: '{value} of the datagrams are lost at their socket, or cannot be sent.',
        },
      };
    },
  },
  conclude(read, limits, at) {
    const full = sum(read.full, read.full6);
    const memory = sum(read.memory, read.memory6);
    const unsent = sum(read.unsent, read.unsent6);
    const arrived = sum(read.delivered, read.delivered6) + full + memory;
    const kinds = [
      { kind: 'full', count: full, share: full / Math.max(1, arrived) },
      { kind: 'memory', count: memory, share: memory / Math.max(1, arrived) },
      { kind: 'unsent', count: unsent, share: unsent / Math.max(1, sum(read.sent, read.sent6) + unsent) },
    ] as const;
    const material = kinds
      .filter(({ count, share }) => count >= limits.lost && share >= limits.share)
      .sort((a, b) => b.count - a.count);
    const worst = material[0];
    if (worst === undefined) return ok();
    const dropping = risen(read.socketDrops);
    const socket = dropping[0];
    const owner = ownerOf(socket?.labels['inode'], read.owners);
    const { share } = worst;
    const message =
      worst.kind !== 'full'
        ? worst.kind
        : share >= limits.flood
          ? 'flood'
          : socket === undefined
            ? 'burst-unknown'
            : 'burst';
    const buffer = raiseUdpBuffer({
      netns: at.netns,
      port: socket?.labels['port'],
      pid: owner.pid,
      buffer: ofSocket(read.buffers, socket?.labels['inode']),
      rmemMax: read.rmemMax?.value,
      rmemDefault: read.rmemDefault?.value,
      dropsPerSecond: (socket?.value ?? full) / at.seconds,
    });
    const faster = readFaster(at.netns, owner.pid);
    const forKind = {
      full: share >= limits.flood ? [...faster, ...buffer] : [...buffer, ...faster],
      memory: [memoryLimits],
      unsent: [sendPath(at.netns)],
    };
    const said = {
      certainty: 'measured',
      message,
      args: {
        lost: worst.count,
        share,
        rate: worst.count / at.seconds,
        memory,
        unsent,
        socket: socket === undefined ? 'an unknown socket' : endpoint(socket.labels),
        process: owner.name,
        sockets: dropping.length,
      },
      evidence: {
        full: null,
        full6: null,
        memory: null,
        memory6: null,
        unsent: null,
        unsent6: null,
        delivered: null,
        delivered6: null,
        socketDrops: null,
      },
      remedies: material.flatMap(({ kind }) => forKind[kind]),
      // The CPU the reader depends on: packet work that fills it can be why the socket is not emptied in time.
      place: worst.kind === 'full' ? cpuOf(socket?.labels['inode'], read.ownerCpus) : {},
      impact: { lostPerSecond: worst.count / at.seconds },
    } as const;
    // What cannot be sent is reported to most programs, which may try again.
    return share >= limits.criticalShare && worst.kind !== 'unsent' ? critical(said) : warning(said);
  },
});

function sum(...parts: readonly (Signal | undefined)[]): number {
  return parts.reduce((total, part) => total + (part?.value ?? 0), 0);
}

const memoryLimits = {
  action: 'Compare the memory of all UDP sockets with udp_mem (pages), and look for a cgroup at its limit.',
  command:
    "cat /proc/sys/net/ipv4/udp_mem; grep ^UDP: /proc/net/sockstat; grep -r '^max ' /sys/fs/cgroup --include=memory.events | grep -v ' 0$'",
  verify: 'nstat -az UdpMemErrors Udp6MemErrors',
} as const;

function sendPath(netns: string): { readonly action: string; readonly command: string; readonly verify: string } {
  return {
    action:
      'See whether the device or its queue is what refuses: drops of the qdisc, then the program (SO_SNDBUF, pace of sending).',
    command: inNetns(netns, 'tc -s qdisc show && ss -uanmp'),
    verify: inNetns(netns, 'nstat -az UdpSndbufErrors Udp6SndbufErrors'),
  };
}
