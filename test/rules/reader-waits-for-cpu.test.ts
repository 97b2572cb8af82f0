import { netstat, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { readerWaitsForCpu } from '../../src/rules/reader-waits-for-cpu.ts';
import { ruleCases } from '../support/cases.ts';
import { losing, quota, thread } from '../support/readers.ts';

ruleCases(readerWaitsForCpu, [
  {
    name: 'ready and kept waiting: names the thread and the CPUs it may run on',
    cells: [...losing(500), ...thread('601', 0.1, 0.2)],
    outcome: 'warning',
    certainty: 'measured',
    args: { process: 'rsyslogd (pid 600)', waited: 0.2, tid: '601', allowed: '0-1' },
    command: /taskset -pc 600/,
  },
  { name: 'a little less', cells: [...losing(500), ...thread('601', 0.1, 0.19)], outcome: 'ok' },
  {
    name: 'stopped by its quota it waits as well, and that is PKT0412',
    cells: [...losing(500), ...thread('601', 0.1, 0.8), ...quota(60)],
    outcome: 'ok',
  },
  { name: 'nobody loses anything to speak of', cells: [...losing(9), ...thread('601', 0.1, 0.8)], outcome: 'ok' },
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
