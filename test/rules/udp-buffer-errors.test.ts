import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  netstat,
  socketOwner,
  socketOwnerCpu,
  sysctl,
  udpSocketDrops,
  udpSocketReceiveBuffer,
} from '../../src/metrics/catalogue/index.ts';
import { udpBufferErrors } from '../../src/rules/udp-buffer-errors.ts';
import { ruleCases } from '../support/cases.ts';
import { judge, type Cell } from '../support/window.ts';

const rose = (field: string, count: number): Cell => [netstat.member(field), {}, 1000, 1000 + count];
const udp = (delivered: number, full: number): Cell[] => [
  rose('Udp_InDatagrams', delivered),
  rose('Udp_RcvbufErrors', full),
  // Contains RcvbufErrors, and must not count again.
  rose('Udp_InErrors', full + 7),
];
const limits: Cell[] = [
  [sysctl, { name: 'net.core.rmem_max' }, 212992, 212992],
  [sysctl, { name: 'net.core.rmem_default' }, 212992, 212992],
];
const socket = (drops: number, buffer: number): Cell[] => {
  const labels = { family: 'inet', address: '0.0.0.0', port: '514', inode: '31' };
  return [
    [udpSocketDrops, labels, 2, 2 + drops],
    [udpSocketReceiveBuffer, labels, buffer, buffer],
    [socketOwner, { inode: '31', pid: '600', comm: 'rsyslogd' }, 1, 1],
  ];
};

ruleCases(udpBufferErrors, [
  {
    name: 'bursts: names the socket, its process, and a larger buffer in place of the default',
    cells: [...udp(99500, 500), ...socket(500, 212992), ...limits],
    outcome: 'warning',
    certainty: 'measured',
    message: 'burst',
    args: { lost: 500, share: 0.005, rate: 50, socket: '0.0.0.0:514', process: 'rsyslogd (pid 600)' },
    command: /rmem_max=524288\nsysctl -w net\.core\.rmem_default=1048576/,
  },
  {
    name: 'a heavy loss does not make every socket of the host as large',
    cells: [...udp(9_500_000, 500_000), ...socket(500_000, 212992), ...limits],
    outcome: 'critical',
    command: /rmem_max=67108864\nsysctl -w net\.core\.rmem_default=4194304$/m,
  },
  {
    name: 'a program that asked and was capped by rmem_max',
    cells: [...udp(99500, 500), ...socket(500, 425984), ...limits],
    outcome: 'warning',
    command: /^sysctl -w net\.core\.rmem_max=1048576$/m,
  },
  {
    name: 'a program that asked for little, with room under rmem_max',
    cells: [...udp(99500, 500), ...socket(500, 8192), ...limits],
    outcome: 'warning',
    command: /^ss -uanmp 'sport = :514'$/m,
  },
  {
    name: 'one in a hundred is critical',
    cells: [...udp(99000, 1000), ...socket(1000, 212992)],
    outcome: 'critical',
    message: 'burst',
  },
  {
    name: 'a flood is no buffer problem: the reader first, the buffer after',
    cells: [...udp(1000, 9000), ...socket(9000, 212992), ...limits],
    outcome: 'critical',
    message: 'flood',
    command: /^top [^]*-p 600[^]*rmem_max/,
  },
  {
    name: 'IPv6 counts as well, and the socket may be gone',
    cells: [...udp(9000, 0), rose('Udp6_RcvbufErrors', 50), rose('Udp6_InDatagrams', 950)],
    outcome: 'warning',
    message: 'burst-unknown',
    args: { lost: 50, share: 0.005 },
  },
  { name: 'one error in 30 s is noise', seconds: 30, cells: udp(20, 1), outcome: 'ok' },
  { name: 'nine are noise whatever the share', cells: udp(9, 9), outcome: 'ok' },
  { name: 'nine in 10,000 are below the share', cells: udp(99910, 90), outcome: 'ok' },
  {
    name: 'checksum errors and closed ports are no buffer errors',
    cells: [...udp(1000, 0), rose('Udp_InCsumErrors', 500), rose('Udp_NoPorts', 900)],
    outcome: 'ok',
  },
  {
    name: 'udp_mem or a cgroup exhausted: not one socket',
    cells: [...udp(9900, 0), rose('Udp_MemErrors', 100)],
    outcome: 'critical',
    message: 'memory',
    command: /udp_mem/,
  },
  {
    name: 'send errors, relative to what was sent, are a warning at most',
    cells: [...udp(9900, 0), rose('Udp_SndbufErrors', 500), rose('Udp_OutDatagrams', 500)],
    outcome: 'warning',
    message: 'unsent',
    args: { share: 0.5 },
    command: /tc -s qdisc/,
  },
  {
    name: 'more could not be sent than were lost on arrival: the worst of them is what is told',
    cells: [...udp(9000, 1000), rose('Udp_SndbufErrors', 5000), rose('Udp_OutDatagrams', 500)],
    alertDiffers: 'most',
    outcome: 'warning',
    message: 'unsent',
  },
  {
    name: 'no snmp: not measured',
    cells: limits,
    failed: { netstat: { path: '/proc/net/snmp', reason: 'permission denied (EACCES)' } },
    outcome: 'not-measured',
    missing: /Udp_RcvbufErrors: permission denied/,
  },
  {
    name: 'a counter reset inside the window is no loss',
    cells: [rose('Udp_InDatagrams', 100), [netstat.member('Udp_RcvbufErrors'), {}, 70000, 100]],
    outcome: 'not-measured',
    missing: /reset/,
  },
]);

describe('PKT0405 says on which CPU the socket is read', () => {
  const ran = (cpu: string, before: number | null, after: number | null): Cell => [
    socketOwnerCpu,
    { inode: '31', pid: '600', cpu },
    before,
    after,
  ];
  const cpusWith = (...cells: readonly Cell[]): readonly string[] | undefined =>
    judge(udpBufferErrors, { cells: [...udp(90000, 10000), ...socket(10000, 212992), ...cells] })[0]?.place.cpus;

  it('when its reader was there at both samples, or at the one that knew it', () => {
    assert.deepEqual(cpusWith(ran('3', 1, 1)), ['3']);
    assert.deepEqual(cpusWith(ran('3', null, 1)), ['3']);
  });

  it('not when it moved, nor when it is another socket, nor when nothing is known', () => {
    assert.equal(cpusWith(ran('3', 1, null), ran('2', null, 1)), undefined);
    assert.equal(cpusWith([socketOwnerCpu, { inode: '32', pid: '601', cpu: '1' }, 1, 1]), undefined);
    assert.equal(cpusWith(), undefined);
  });
});
