import { netstat, socketOwner, sysctl, udpSocketReceiveBuffer } from '../../src/metrics/catalogue/index.ts';
import { readerBursty } from '../../src/rules/reader-bursty.ts';
import { ruleCases } from '../support/cases.ts';
import { losing, thread } from '../support/readers.ts';

ruleCases(readerBursty, [
  {
    name: 'it waits for its socket and loses all the same: a larger buffer',
    cells: [...losing(500), ...thread('601', 0.1, 0.05)],
    outcome: 'warning',
    certainty: 'measured',
    args: { wanted: 0.15 },
    command: /rmem_max/,
  },
  {
    name: 'a buffer that the program asked for is sized by what it is and may be',
    cells: [
      ...losing(500),
      ...thread('601', 0.1, 0.05),
      [udpSocketReceiveBuffer, { family: 'v4', address: '0.0.0.0', port: '514', inode: '31' }, 8192, 8192],
      [sysctl, { name: 'net.core.rmem_max' }, 4194304, 4194304],
      [sysctl, { name: 'net.core.rmem_default' }, 212992, 212992],
    ],
    outcome: 'warning',
    command: /^ss -uanmp 'sport = :514'$/m,
  },
  {
    name: 'few of many: mentioned',
    cells: [...losing(100), [netstat.member('Udp_InDatagrams'), {}, 0, 1_000_000], ...thread('601', 0.1, 0.05)],
    outcome: 'info',
    certainty: 'measured',
  },
  {
    name: 'one in a thousand is more than few',
    cells: [...losing(100, 99_900), ...thread('601', 0.1, 0.05)],
    outcome: 'warning',
  },
  { name: 'one that sleeps elsewhere', cells: [...losing(500), ...thread('601', 0.02, 0.01, 'other')], outcome: 'ok' },
  { name: 'one that is busy', cells: [...losing(500), ...thread('601', 0.8, 0)], outcome: 'ok' },
  { name: 'nobody loses anything to speak of', cells: [...losing(9), ...thread('601', 0.1, 0)], outcome: 'ok' },
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
