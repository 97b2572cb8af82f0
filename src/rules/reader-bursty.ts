import { ofSocket } from '../facts/sockets.ts';
import { sysctl, udpSocketReceiveBuffer } from '../metrics/catalogue/index.ts';
import { value } from '../metrics/expression.ts';
import { readerAlert, readerSignals, readerThresholds, tellLate } from './reader-signals.ts';
import { raiseUdpBuffer } from './remedies/buffers.ts';
import { inNetns } from './remedies/shell.ts';
import { defineRule, optional, optionalList } from './rule.ts';

export const readerBursty = defineRule({
  code: 'PKT0415',
  id: 'reader-bursty',
  role: 'cause',
  title: 'A program keeps up with its socket, except in bursts larger than its buffer',
  scope: ['netns'],
  signals: {
    ...readerSignals,
    buffers: optionalList(value(udpSocketReceiveBuffer)),
    rmemMax: optional(value(sysctl, { name: 'net.core.rmem_max', netns: '' })),
    rmemDefault: optional(value(sysctl, { name: 'net.core.rmem_default', netns: '' })),
  },
  thresholds: readerThresholds,
  messages: {
    late:
      '{process} has time to spare (its busiest thread wanted {wanted:percent} of a CPU, and waited for one {waited:percent} of the time) and waits for its socket in between, but {trouble}: ' +
      'they come in bursts that its buffer does not hold, or while it waits.',
  },
  alert: readerAlert,
  conclude: (read, limits, at) =>
    tellLate(['bursty'], read, limits, at, ({ reader, time }) => ({
      message: 'late',
      args: {
        waited: time.thread?.waited ?? 0,
        wanted: (time.thread?.ran ?? 0) + (time.thread?.waited ?? 0),
      },
      evidence: { ran: ['<', limits.busy], waited: ['<', limits.waited], doing: null },
      remedies: [
        ...(reader.kind === 'udp'
          ? raiseUdpBuffer({
              netns: at.netns,
              port: /:(\d+)$/.exec(reader.socket)?.[1],
              pid: reader.pid,
              buffer: ofSocket(read.buffers, reader.inode),
              rmemMax: read.rmemMax?.value,
              rmemDefault: read.rmemDefault?.value,
              dropsPerSecond: reader.count / at.seconds,
            })
          : [
              {
                action: `Let the queue of ${reader.socket} hold a burst: a longer backlog of listen(), or a larger SO_RCVBUF.`,
                command: inNetns(at.netns, 'ss -ltnm; sysctl net.core.somaxconn net.ipv4.tcp_rmem', reader.pid),
                verify: 'pktcost diagnose --window 10s',
              },
            ]),
      ],
    })),
});
