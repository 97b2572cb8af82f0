import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  cgroupSocketMemoryRefused,
  cgroupSocketMemoryUsed,
  netstat,
  readerMemoryGroup,
  skbDrops,
  sockstat,
  socketOwner,
  socketOwnerCpu,
  sysctl,
  transmitDrop,
  udpMem,
  udpSocketDrops,
  udpSocketReceiveBuffer,
  unameInfo,
} from '../../src/metrics/catalogue/index.ts';
import { udpBufferErrors } from '../../src/rules/udp-buffer-errors.ts';
import { ruleCases } from '../support/cases.ts';
import { quota, thread } from '../support/readers.ts';
import { judge, type Cell } from '../support/window.ts';

const rose = (field: string, count: number): Cell => [netstat.member(field), {}, 1000, 1000 + count];
const udp = (delivered: number, full: number, errors = full + 7): Cell[] => [
  rose('Udp_InDatagrams', delivered),
  rose('Udp_RcvbufErrors', full),
  // Contains RcvbufErrors, and must not count again.
  rose('Udp_InErrors', errors),
  [sockstat.member('UDP_mem'), {}, 200, 300],
  [udpMem, { limit: 'max' }, 1151604, 1151604],
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
const filtered = (port: string, inode: string, drops: number): Cell => [
  udpSocketDrops,
  { family: 'inet', address: '0.0.0.0', port, inode },
  0,
  drops,
];
const unsent = (count: number): Cell[] => [
  ...udp(9900, 0),
  rose('Udp_SndbufErrors', count),
  rose('Udp_OutDatagrams', count),
];
const dropped = (reason: string, device: string, count: number, location = 'somewhere'): Cell => [
  skbDrops,
  { reason, location, device },
  7,
  7 + count,
];

const kernel = (release: string): Cell => [unameInfo, { release }, 1, 1];
/** As node_exporter has it: MemErrors, and the pages in use without their limit. */
const withoutLimit = (release: string, pages: number): Cell[] => [
  kernel(release),
  rose('Udp_InDatagrams', 1000),
  rose('Udp_RcvbufErrors', 0),
  rose('Udp_InErrors', 0),
  rose('Udp_MemErrors', 0),
  [sockstat.member('UDP_mem'), {}, pages, pages],
];
const limitUnread = { sysctl: { path: '/proc/sys/net/ipv4/udp_mem', reason: 'not exported' } };

ruleCases(udpBufferErrors, [
  {
    name: 'MemErrors counts what is refused, and the limit need not be seen',
    cells: withoutLimit('6.12.0', 4000),
    failed: limitUnread,
    outcome: 'ok',
  },
  {
    name: 'Linux 6.18 does not count all of it: without the limit nobody knows',
    cells: withoutLimit('6.18.5', 4000),
    failed: limitUnread,
    outcome: 'not-measured',
    missing: /udp_mem/,
  },
  {
    name: 'Linux 6.18, and the sockets hold less than any limit is',
    cells: withoutLimit('6.18.5', 20),
    failed: limitUnread,
    outcome: 'ok',
  },
  {
    name: 'pages at their limit are no loss where the kernel counts what it refuses',
    cells: [...withoutLimit('6.12.0', 90_000), [udpMem, { limit: 'max' }, 90_000, 90_000]],
    outcome: 'ok',
  },
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
    name: 'a flood is no buffer problem: no larger buffer is proposed',
    cells: [...udp(1000, 9000), ...socket(9000, 212992), ...limits],
    outcome: 'critical',
    message: 'flood-unknown',
    command: /^top [^\n]*-p 600[^\n]*$/,
  },
  {
    name: 'a flood at a reader that works all the time: it is too slow',
    cells: [...udp(1000, 9000), ...socket(9000, 212992), ...limits, ...thread('601', 0.9, 0.05)],
    outcome: 'critical',
    message: 'flood',
    command: /^for t in \/proc\/600\/task(?![^]*rmem_max)/,
  },
  {
    name: 'as great a loss at a reader with time to spare is one of bursts: a larger buffer',
    cells: [...udp(1000, 9000), ...socket(9000, 212992), ...limits, ...thread('601', 0.1, 0.15)],
    outcome: 'critical',
    message: 'flood-bursts',
    command: /^sysctl -w net\.core\.rmem_max/,
  },
  {
    name: 'a reader that its quota stops is mended, and no buffer enlarged',
    cells: [...udp(99500, 500), ...socket(500, 212992), ...limits, ...thread('601', 0.4, 0.1), ...quota(60)],
    outcome: 'warning',
    message: 'burst',
    command: /^for t in \/proc\/600\/task(?![^]*rmem_max)/,
  },
  {
    name: 'one that waits for its socket gets the buffer first',
    cells: [...udp(99500, 500), ...socket(500, 212992), ...limits, ...thread('601', 0.1, 0.05)],
    outcome: 'warning',
    command: /^sysctl -w net\.core\.rmem_max/,
  },
  {
    name: 'IPv6 counts as well, and the socket may be gone',
    cells: [...udp(9000, 0), rose('Udp6_RcvbufErrors', 50), rose('Udp6_InDatagrams', 950)],
    ran: ['sockets'],
    outcome: 'warning',
    message: 'burst-unknown',
    args: { lost: 50, share: 0.005 },
  },
  {
    name: 'one error in 30 s is mentioned',
    seconds: 30,
    cells: udp(20, 1),
    ran: ['sockets'],
    outcome: 'info',
    message: 'burst-unknown',
    args: { lost: 1 },
  },
  {
    name: 'nine of twenty-nine are mentioned, with the socket',
    cells: [...udp(20, 9), ...socket(9, 212992)],
    outcome: 'info',
    message: 'burst',
    args: { lost: 9, share: 9 / 29, process: 'rsyslogd (pid 600)' },
  },
  { name: 'nine in 10,000 are mentioned', cells: udp(99910, 90), outcome: 'info', args: { lost: 90 } },
  {
    name: '100 a second are a warning although they are 1 in 10,000',
    cells: udp(9_999_000, 1000),
    outcome: 'warning',
    args: { rate: 100, share: 0.0001 },
  },
  { name: 'just below 100 a second they are mentioned', cells: udp(9_999_000, 999), outcome: 'info' },
  {
    name: 'as many refused for memory',
    cells: [...udp(9_999_000, 0), rose('Udp_MemErrors', 1000)],
    outcome: 'warning',
    message: 'memory',
  },
  {
    name: 'few put off beside few lost: the loss is what is told',
    cells: [...udp(99_998, 2), rose('Udp_SndbufErrors', 9), rose('Udp_OutDatagrams', 9)],
    ran: ['sockets'],
    outcome: 'info',
    message: 'burst-unknown',
    args: { lost: 2 },
  },
  { name: 'none at all', cells: udp(99_998, 0), outcome: 'ok' },
  {
    name: 'checksum errors and closed ports are no buffer errors',
    cells: [...udp(1000, 0), rose('Udp_InCsumErrors', 500), rose('Udp_NoPorts', 900)],
    outcome: 'ok',
  },
  {
    name: 'before 5.14, and udp_mem is not shown: whether errors are refusals is not known',
    cells: udp(6000, 0, 2000).filter(([metric]) => metric !== udpMem),
    outcome: 'info',
    certainty: 'possible',
    message: 'unexplained',
    args: {
      rest: 2000,
      share: 0.25,
      ruledOut: 'a full buffer is not why',
      left: 'The filters of their sockets turned them away, a policy of IPsec did, udp_mem was reached, which this kernel does not count, or their checksum was wrong',
    },
  },
  {
    name: 'a few of them are not known to be refusals either',
    cells: udp(6000, 0, 9).filter(([metric]) => metric !== udpMem),
    outcome: 'not-measured',
    missing: /neither MemErrors nor udp_mem/,
  },
  {
    name: 'filters of sockets turned a third away: memory and checksums were counted, and are not why',
    cells: [...udp(4000, 3, 2003), rose('Udp_MemErrors', 0), rose('Udp_InCsumErrors', 0)],
    outcome: 'info',
    certainty: 'possible',
    message: 'unexplained',
    args: {
      rest: 2000,
      ruledOut: 'neither a full buffer nor want of memory nor a wrong checksum is why',
      left: 'The filters of their sockets turned them away, or a policy of IPsec did',
    },
  },
  {
    name: 'all that was refused was counted, for memory and checksums: nothing is left',
    cells: [...udp(4_000_000, 0, 30), rose('Udp_MemErrors', 20), rose('Udp_InCsumErrors', 10)],
    outcome: 'info',
    message: 'memory',
  },
  {
    name: 'the memory of all sockets is over its limit and nothing was refused in the window',
    cells: [
      ...udp(1000, 0, 0).slice(0, 3),
      [sockstat.member('UDP_mem'), {}, 100, 90_100],
      [udpMem, { limit: 'max' }, 90_000, 90_000],
    ],
    outcome: 'info',
    message: 'memory-full',
    args: { pages: 90_100, most: 90_000 },
  },
  {
    name: 'just below its limit is in order',
    cells: [
      ...udp(1000, 0, 0).slice(0, 3),
      [sockstat.member('UDP_mem'), {}, 100, 89_000],
      [udpMem, { limit: 'max' }, 90_000, 90_000],
    ],
    outcome: 'ok',
  },
  {
    name: 'before 5.14 refusals are what is left of the errors while the memory of all sockets is at its limit',
    cells: [
      ...udp(9900, 0, 107),
      rose('Udp_InCsumErrors', 7),
      [sockstat.member('UDP_mem'), {}, 1151604, 1150000],
      [udpMem, { limit: 'max' }, 1151604, 1151604],
    ],
    outcome: 'critical',
    certainty: 'correlated',
    message: 'memory-level',
    args: { memory: 100, share: 0.01, pages: 1151604 },
  },
  {
    name: 'udp_mem or a cgroup exhausted: not one socket',
    cells: [...udp(9900, 0), rose('Udp_MemErrors', 100)],
    outcome: 'critical',
    message: 'memory',
    command: /udp_mem/,
  },
  {
    name: 'the memory that a control group may have for its sockets: the group and its process are named',
    cells: [
      ...udp(9900, 0),
      rose('Udp_MemErrors', 100),
      ...socket(100, 212992),
      [readerMemoryGroup, { pid: '600', cgroup: '/system.slice/rsyslog.service' }, 1, 1],
      [cgroupSocketMemoryRefused, { cgroup: '/system.slice/rsyslog.service', version: 'v1' }, 5, 105],
      [cgroupSocketMemoryRefused, { cgroup: '/other', version: 'v1' }, 5, 900],
    ],
    outcome: 'critical',
    certainty: 'measured',
    message: 'memory-group',
    args: { unit: 'rsyslog.service', times: 100, holder: 'rsyslogd (pid 600)' },
    command: /memory\/system\.slice\/rsyslog\.service && grep -H \. memory\.kmem\.tcp/,
  },
  {
    name: 'any memory of a group of version 2: no more than likely',
    cells: [
      ...udp(9900, 0),
      rose('Udp_MemErrors', 100),
      ...socket(100, 212992),
      [readerMemoryGroup, { pid: '600', cgroup: '/pod' }, 1, 1],
      [cgroupSocketMemoryRefused, { cgroup: '/pod', version: 'v2' }, 5, 9],
    ],
    outcome: 'critical',
    certainty: 'correlated',
    message: 'memory-group',
  },
  {
    name: 'a group that refused nothing is not the reason',
    cells: [
      ...udp(9900, 0),
      rose('Udp_MemErrors', 100),
      ...socket(100, 212992),
      [readerMemoryGroup, { pid: '600', cgroup: '/pod' }, 1, 1],
      [cgroupSocketMemoryRefused, { cgroup: '/pod', version: 'v2' }, 5, 5],
    ],
    outcome: 'critical',
    message: 'memory',
  },
  {
    name: 'Linux 6.18 counts nothing that it refuses for memory: the reason of the drops tells',
    cells: [...udp(9900, 0), ...socket(100, 212992), dropped('PROTO_MEM', 'eth0', 100, '__udp_enqueue_schedule_skb')],
    outcome: 'critical',
    certainty: 'measured',
    message: 'memory',
    args: { memory: 100, share: 0.01 },
    alertDiffers: 'uncounted',
  },
  {
    name: 'and the group whose sockets have all that they may is named',
    cells: [
      ...udp(9000, 0),
      ...socket(1000, 212992),
      dropped('PROTO_MEM', 'eth0', 1000, '__udp_enqueue_schedule_skb'),
      [readerMemoryGroup, { pid: '600', cgroup: '/system.slice/rsyslog.service' }, 1, 1],
      [cgroupSocketMemoryRefused, { cgroup: '/system.slice/rsyslog.service', version: 'v1' }, 0, 0],
      [cgroupSocketMemoryUsed, { cgroup: '/system.slice/rsyslog.service' }, 0.4, 1],
    ],
    outcome: 'critical',
    certainty: 'measured',
    message: 'memory-group-full',
    args: { unit: 'rsyslog.service', holder: 'rsyslogd (pid 600)' },
    alertDiffers: 'uncounted',
  },
  {
    name: 'without reasons, what sockets dropped beyond all errors of UDP is not passed over',
    cells: [...udp(9000, 0, 0), rose('Udp6_InErrors', 0), ...socket(1000, 212992)],
    outcome: 'not-measured',
    missing: /whether 1,000 datagrams .*Linux 6\.18/,
  },
  {
    name: 'TCP refused memory: no datagram was lost',
    cells: [...udp(9000, 0, 0), rose('Udp6_InErrors', 0), dropped('PROTO_MEM', 'eth0', 1000, 'tcp_data_queue')],
    outcome: 'ok',
  },
  {
    name: 'send errors that the qdisc dropped for, relative to what was sent, are a warning at most',
    cells: [...unsent(500), dropped('QDISC_DROP', 'eth0', 500)],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'unsent-queue',
    args: { share: 0.5, behind: 500, device: ' on eth0' },
    command: /tc -s qdisc show dev eth0/,
  },
  {
    name: 'a sender that got EAGAIN has its datagram: mentioned',
    cells: [...unsent(500), dropped('NO_SOCKET', 'eth0', 900), dropped('QDISC_DROP', 'eth0', 249)],
    outcome: 'info',
    message: 'refused',
    args: { unsent: 500, share: 0.5, unseen: '' },
  },
  {
    name: 'half of them dropped behind the sender are a loss',
    cells: [...unsent(500), dropped('QDISC_DROP', 'eth0', 250)],
    outcome: 'warning',
  },
  {
    name: 'the same on a kernel whose drops nobody counted: it is said that they were not',
    cells: unsent(500),
    failed: { drops: { path: 'drops', reason: 'no tracepoint' } },
    outcome: 'info',
    args: { unseen: ': what the queues of the devices drop could not be counted' },
  },
  {
    name: 'a veth whose peer takes no such frames: the device is named',
    cells: [...unsent(500), [transmitDrop, { device: 'veth0' }, 3, 503], [transmitDrop, { device: 'lo' }, 0, 0]],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'unsent-device',
    args: { device: 'veth0', behind: 500 },
    command: /ip -s -d link show dev veth0/,
  },
  {
    name: 'more could not be sent than were lost on arrival: the worst of them is what is told',
    cells: [
      ...udp(9000, 1000),
      rose('Udp_SndbufErrors', 5000),
      rose('Udp_OutDatagrams', 500),
      dropped('QDISC_DROP', 'eth0', 5000),
    ],
    outcome: 'critical',
    message: 'unsent-queue',
  },
  {
    name: 'more were put off than were lost on arrival: the loss is what is told',
    cells: [...udp(9000, 1000), rose('Udp_SndbufErrors', 5000), rose('Udp_OutDatagrams', 500)],
    outcome: 'critical',
    message: 'flood-unknown',
  },
  {
    name: 'a socket that turns datagrams away by its filter is not the one that loses them',
    cells: [
      ...udp(99500, 500, 60_500),
      rose('Udp6_InErrors', 0),
      filtered('9100', '41', 60_000),
      ...socket(500, 212992),
      [socketOwner, { inode: '41', pid: '700', comm: 'filterer' }, 1, 1],
    ],
    outcome: 'warning',
    certainty: 'correlated',
    message: 'burst',
    args: { socket: '0.0.0.0:514', process: 'rsyslogd (pid 600)' },
  },
  {
    name: 'sockets that all dropped more than was lost: none is blamed',
    cells: [...udp(99500, 500, 61_200), filtered('9100', '41', 60_000), filtered('9200', '42', 700)],
    outcome: 'warning',
    message: 'burst-mixed',
    args: { sockets: 2, process: 'an unknown process' },
  },
  {
    name: 'one that dropped next to nothing is not blamed for what another may have lost',
    cells: [...udp(99500, 500, 60_500), filtered('9100', '41', 60_000), ...socket(3, 212992)],
    outcome: 'warning',
    message: 'burst-mixed',
    args: { sockets: 2, process: 'an unknown process' },
  },
  {
    name: 'one that dropped more than all filters together is sure to have lost some',
    cells: [...udp(99500, 500, 600), filtered('9100', '41', 100), ...socket(480, 212992)],
    outcome: 'warning',
    certainty: 'measured',
    args: { socket: '0.0.0.0:514' },
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
