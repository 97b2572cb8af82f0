import { readerAlert, readerSignals, readerThresholds, tellLate } from './reader-signals.ts';
import { defineRule } from './rule.ts';

/** Twice, ten seconds apart: how long each thread was ready to run and did not. */
const waitedCommand = (pid: string): string =>
  `for i in 1 2; do for t in /proc/${pid}/task/*; do echo "$(cat $t/comm) waited $(cut -d' ' -f2 $t/schedstat) ns"; done; [ $i = 2 ] || sleep 10; done`;

export const readerWaitsForCpu = defineRule({
  code: 'PKT0411',
  id: 'reader-waits-for-cpu',
  role: 'cause',
  title: 'A program does not read its socket in time: it waits for a CPU',
  scope: ['netns'],
  signals: readerSignals,
  thresholds: readerThresholds,
  messages: {
    late:
      '{process} does not get to read: {trouble} while its thread {comm} ({tid}) was ready to run and waited for a CPU {waited:percent} of the ' +
      'time, and ran {ran:percent}. It may run on CPUs {allowed}. No buffer makes up for that.',
  },
  alert: readerAlert,
  conclude: (read, limits, at) =>
    tellLate(['waiting'], read, limits, at, ({ reader, time }) => ({
      message: 'late',
      args: {
        waited: time.thread?.waited ?? 0,
        ran: time.thread?.ran ?? 0,
        comm: time.thread?.comm ?? '',
        tid: time.thread?.tid ?? '',
        allowed: time.allowed === '' ? 'that are not known' : time.allowed,
      },
      evidence: { waited: ['>=', limits.waited], ran: null, allowed: null },
      remedies: [
        {
          action: `See who runs on the CPUs of ${reader.name} in its place, and move that away or let it run on others too.`,
          command: `taskset -pc ${reader.pid}; ps -eLo psr,pcpu,ni,pid,tid,comm --sort=-pcpu | head -n 20; mpstat -P ALL 1 3`,
          verify: waitedCommand(reader.pid),
        },
        {
          action: 'If it has to come first there, give it a higher priority; the column NI has the one before.',
          command: `ps -o pid,ni,comm -p ${reader.pid}; renice -n -5 -p ${reader.pid}`,
          // What a program began with unless it was given another.
          undo: `renice -n 0 -p ${reader.pid}`,
          verify: waitedCommand(reader.pid),
        },
      ],
    })),
});
