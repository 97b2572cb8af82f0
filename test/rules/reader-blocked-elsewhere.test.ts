import { netstat, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { readerBlockedElsewhere } from '../../src/rules/reader-blocked-elsewhere.ts';
import { ruleCases } from '../support/cases.ts';
import { closing, losing, overflowing, stopped, thread } from '../support/readers.ts';

ruleCases(readerBlockedElsewhere, [
  {
    name: 'a program whose receive windows close while it sleeps elsewhere',
    cells: [...closing(200, 100_000, 0), ...thread('601', 0.02, 0.01, 'other')],
    outcome: 'warning',
    args: { trouble: 'the receive window of 10.0.0.1:80 closed' },
  },
  {
    name: 'a proxy that waits for its own client is not late',
    cells: [...closing(200, 100_000, 200_000), ...thread('601', 0.02, 0.01, 'other')],
    outcome: 'ok',
  },
  {
    name: 'windows that close 200 times in ten million segments: mentioned',
    cells: [...closing(200, 10_000_000, 0), ...thread('601', 0.02, 0.01, 'other')],
    outcome: 'info',
  },
  {
    name: 'nine windows a second: mentioned',
    cells: [...closing(90, 100_000, 0), ...thread('601', 0.02, 0.01, 'other')],
    outcome: 'info',
  },
  {
    name: 'it sleeps in a pipe while its socket overflows',
    cells: [...losing(500), ...thread('601', 0.02, 0.01, 'other')],
    outcome: 'warning',
    certainty: 'measured',
    args: { sleeps: 'pipe_read', lostThings: 'datagrams' },
    command: /proc\/600\/task/,
  },
  {
    name: 'it sleeps elsewhere while its accept queue is full: attempts are dropped, not refused, and counted as such',
    cells: [...overflowing(500), ...thread('601', 0.02, 0.01, 'other')],
    outcome: 'warning',
    args: {
      trouble: '500 connection attempts were dropped at 10.0.0.1:80',
      lostThings: 'connection attempts',
    },
  },
  {
    name: 'it was stopped by a signal, and its socket overflows',
    cells: [...losing(500), ...stopped('601')],
    outcome: 'warning',
    certainty: 'measured',
    message: 'stopped',
    command: /; kill -CONT 600$/m,
  },
  {
    name: 'one of its threads is stopped, and the one that reads is not',
    cells: [...losing(500), ...stopped('601'), ...thread('602', 0.02, 0.01)],
    outcome: 'ok',
  },
  {
    name: 'what it sleeps in could not be seen',
    cells: [...losing(500), ...thread('601', 0.02, 0.01, '')],
    outcome: 'not-measured',
    missing: /what the threads of rsyslogd/,
  },
  { name: 'it sleeps in its socket', cells: [...losing(500), ...thread('601', 0.02, 0.01)], outcome: 'ok' },
  { name: 'nobody loses anything to speak of', cells: [...losing(9), ...thread('601', 0, 0, 'other')], outcome: 'ok' },
  {
    name: 'whose socket it is cannot be told: not measured',
    cells: losing(500).filter(([metric]) => metric !== socketOwner),
    outcome: 'not-measured',
    missing: /whose it is/,
  },
  {
    name: 'no snmp: not measured',
    cells: thread('601', 0, 0),
    failed: { netstat: { path: '/proc/net/snmp', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /permission denied/,
  },
  {
    name: 'a counter reset inside the window is no loss',
    cells: [[netstat.member('Udp_RcvbufErrors'), {}, 70000, 100]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);
