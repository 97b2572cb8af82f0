import { readerAlert, readerSignals, readerThresholds, tellLate } from './reader-signals.ts';
import { defineRule } from './rule.ts';

export const readerBusy = defineRule({
  code: 'PKT0413',
  id: 'reader-busy',
  role: 'cause',
  title: 'A program does not read its socket in time: its own work takes all its time',
  scope: ['netns'],
  signals: readerSignals,
  thresholds: readerThresholds,
  messages: {
    late:
      '{process} reads too slowly: {trouble} while its thread {comm} ({tid}) ran {ran:percent} of the time, {others}. Its own work is the ' +
      'limit, and no buffer makes up for that.',
  },
  alert: readerAlert,
  conclude: (read, limits, at) =>
    tellLate(['busy'], read, limits, at, ({ reader, time }) => ({
      message: 'late',
      args: {
        ran: time.thread?.ran ?? 0,
        comm: time.thread?.comm ?? '',
        tid: time.thread?.tid ?? '',
        others:
          time.threads === 1 ? 'the only one it has' : `${time.busyThreads} of its ${time.threads} threads are as busy`,
      },
      evidence: { ran: ['>=', 0], waited: null },
      remedies: [
        {
          action:
            time.threads > 1 && time.busyThreads === 1
              ? `One thread of ${reader.name} does the work of all: spread its sockets over threads (SO_REUSEPORT, SO_INCOMING_CPU), and see what it does.`
              : `Give ${reader.name} more threads or processes for this socket (SO_REUSEPORT), or less work for each datagram or connection; see what it does.`,
          command: `top -H -b -n 1 -p ${reader.pid} | head -n 20; perf top -p ${reader.pid}`,
          verify: `pktcost diagnose --window 10s`,
        },
      ],
    })),
});
