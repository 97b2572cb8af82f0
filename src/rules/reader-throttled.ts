import { worded } from './finding.ts';
import { unitOf } from '../facts/readers.ts';
import { readerAlert, readerSignals, readerThresholds, tellLate } from './reader-signals.ts';
import { raiseQuota } from './remedies/quota.ts';
import { defineRule } from './rule.ts';

export const readerThrottled = defineRule({
  code: 'PKT0412',
  id: 'reader-throttled',
  role: 'cause',
  title: 'A program does not read its socket in time: its CPU quota stops it',
  scope: ['netns'],
  signals: readerSignals,
  thresholds: readerThresholds,
  messages: {
    late:
      '{process} does not get to read: {trouble} while {unit} was stopped in {share:percent} of its periods because its quota{quota} was ' +
      'used up. No buffer makes up for that.',
  },
  alert: readerAlert,
  conclude: (read, limits, at) =>
    tellLate(['throttled'], read, limits, at, ({ time }) => ({
      message: 'late',
      args: {
        share: time.throttle?.share ?? 0,
        unit: unitOf(time.throttle?.cgroup ?? ''),
        quota:
          time.throttle?.quota === undefined
            ? ''
            : worded(time.throttle.quota, ` of ${Number(time.throttle.quota.toPrecision(3))} CPUs`),
      },
      evidence: { periods: null, throttled: ['>', 0], quotas: null },
      remedies: [...raiseQuota(time.throttle?.cgroup ?? '', time.throttle?.quota)],
    })),
});
