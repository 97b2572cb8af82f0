import { readerAlert, readerSignals, readerThresholds, tellLate } from './reader-signals.ts';
import { defineRule } from './rule.ts';
import type { LateReader } from '../facts/readers.ts';
import type { Advice } from './finding.ts';
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
    stopped:
      '{process} does not read: {trouble}, and when looked at all its threads were stopped ({sleeps}), by a signal or a debugger{stalled}. ' +
      'No buffer makes up for that.',
  },
  alert: readerAlert,
  conclude: (read, limits, at) =>
    tellLate(['stopped', 'blocked'], read, limits, at, ({ reader, time }) => ({
      message: time.fate === 'stopped' ? 'stopped' : 'late',
      args: {
        ran: time.thread?.ran ?? 0,
        sleeps: time.sleeps.length === 0 ? 'something else' : time.sleeps.join(', '),
        stalled:
          time.stall === undefined || time.stall.share < 0.01
            ? ''
            : `; their control group waited for ${time.stall.resource} ${asPercent(time.stall.share)} of the time`,
      },
      evidence: { doing: null, ran: ['<', limits.busy], waited: null, stalls: null },
      remedies: [time.fate === 'stopped' ? goOn(reader.pid) : lookAt(reader)],
    })),
});

function lookAt({ pid, name }: LateReader): Advice {
  return {
    action: `See what ${name} waits for instead of reading: a disk, a lock, another service; let a thread of its own read the socket.`,
    command: `for t in /proc/${pid}/task/*; do grep -H . $t/comm $t/wchan $t/syscall $t/stack; done; ls -l /proc/${pid}/fd`,
    verify: `pktcost diagnose --window 10s`,
  };
}

function goOn(pid: string): Advice {
  return {
    action: `See whether a debugger holds pid ${pid} (TracerPid is then not 0); a process that a signal stopped goes on with SIGCONT.`,
    command: `grep -E 'State|TracerPid' /proc/${pid}/status; kill -CONT ${pid}`,
    undo: `kill -STOP ${pid}`,
    verify: `pktcost diagnose --window 10s`,
  };
}
