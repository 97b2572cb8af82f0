import { netstat, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { readerBusy } from '../../src/rules/reader-busy.ts';
import { ruleCases } from '../support/cases.ts';
import { losing, thread } from '../support/readers.ts';

ruleCases(readerBusy, [
  {
    name: 'one thread runs all the time',
    cells: [...losing(500), ...thread('601', 0.7, 0)],
    outcome: 'warning',
    certainty: 'measured',
    args: { ran: 0.7, others: 'the only one it has' },
    command: /perf top -p 600/,
  },
  {
    name: 'one hot thread of three',
    cells: [...losing(500), ...thread('601', 0.95, 0.02), ...thread('602', 0.1, 0), ...thread('603', 0, 0)],
    outcome: 'warning',
    args: { tid: '601', others: '1 of its 3 threads are as busy' },
  },
  { name: 'a little less', cells: [...losing(500), ...thread('601', 0.69, 0)], outcome: 'ok' },
  { name: 'nobody loses anything to speak of', cells: [...losing(9), ...thread('601', 1, 0)], outcome: 'ok' },
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
