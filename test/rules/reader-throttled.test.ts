import { netstat, socketOwner } from '../../src/metrics/catalogue/index.ts';
import { readerThrottled } from '../../src/rules/reader-throttled.ts';
import { ruleCases } from '../support/cases.ts';
import { losing, quota, thread } from '../support/readers.ts';

ruleCases(readerThrottled, [
  {
    name: 'stopped in six of ten periods: names the service and its quota',
    cells: [...losing(500), ...thread('601', 0.4, 0.5), ...quota(60)],
    outcome: 'warning',
    certainty: 'measured',
    args: { process: 'rsyslogd (pid 600)', share: 0.6, unit: 'rsyslog.service', quota: ' of 0.5 CPUs' },
    command: /^systemctl set-property --runtime rsyslog.service CPUQuota=100%/,
  },
  {
    name: 'a container in a pod',
    cells: [
      ...losing(500),
      ...thread('601', 0.4, 0.5),
      ...quota(
        10,
        `/kubepods.slice/kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-${'ab'.repeat(32)}.scope`,
      ),
    ],
    outcome: 'warning',
    args: { unit: 'container abababababab of pod 01234567-89ab-cdef-0123-456789abcdef' },
  },
  { name: 'stopped now and then', cells: [...losing(500), ...thread('601', 0.4, 0.1), ...quota(9)], outcome: 'ok' },
  {
    name: 'nobody loses anything to speak of',
    cells: [...losing(9), ...thread('601', 0.4, 0.5), ...quota(60)],
    outcome: 'ok',
  },
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
