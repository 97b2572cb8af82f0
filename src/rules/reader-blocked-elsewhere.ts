import { readerAlert, readerSignals, readerThresholds, tellLate } from './reader-signals.ts';
import { defineRule } from './rule.ts';
import { asPercent } from './said.ts';

export const readerBlockedElsewhere = defineRule({
  code: 'PKT0414',
  id: 'reader-blocked-elsewhere',
  role: 'cause',
  title: 'A program does not read its socket in time: it waits for something else',
  scope: ['netns'],
  signals: readerSignals,
  thresholds: readerThresholds,
  messages: {
    late:
      '{process} does not come to read: {trouble} while its threads ran {ran:percent} of the time and slept in {sleeps}, which is not ' +
      'their socket{stalled}. No buffer makes up for that.',
  },
  alert: readerAlert,
  conclude: (read, limits, at) =>
    tellLate('blocked', read, limits, at, ({ reader, time }) => ({
      args: {
        ran: time.thread?.ran ?? 0,
        sleeps: time.sleeps.length === 0 ? 'something else' : time.sleeps.join(', '),
        stalled:
          time.stall === undefined || time.stall.share < 0.01
            ? ''
            : `; their control group waited for ${time.stall.resource} ${asPercent(time.stall.share)} of the time`,
      },
      evidence: { doing: null, ran: ['<', limits.busy], waited: null, stalls: null },
      remedies: [
        {
          action: `See what ${reader.name} waits for instead of reading: a disk, a lock, another service; let a thread of its own read the socket.`,
          command: `for t in /proc/${reader.pid}/task/*; do grep -H . $t/comm $t/wchan $t/syscall $t/stack; done; ls -l /proc/${reader.pid}/fd`,
          verify: `pktcost diagnose --window 10s`,
        },
      ],
    })),
});
