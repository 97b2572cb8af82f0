import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseNetstatSocketsCommand, parseSsCommand } from '../../src/sources/sos/sockets.ts';
import { expectFinding, found, groups, host, judgeCopy, pairOf, type Copy } from '../support/copies.ts';
import { fixture } from '../support/fixture.ts';

const networking = 'sos_commands/networking';
/** Where sos 4.0 keeps what it ran in a namespace, and where later ones do. */
const layouts = (netns: string): readonly string[] => [
  `${networking}/ip_netns_exec_${netns}_`,
  `${networking}/namespaces/${netns}/ip_netns_exec_${netns}_`,
  `sos_commands/namespaces/${netns}/ip_netns_exec_${netns}_`,
];
const uptime: Copy = { 'proc/uptime': '86400.00 1.00\n' };
const netstat = Buffer.from(fixture('sos/netstat_-W_-neopa')).toString();

const statistics = (counters: Readonly<Record<string, number>>): string =>
  `NIC statistics:\n${Object.entries(counters)
    .map(([name, count]) => `     ${name}: ${count}\n`)
    .join('')}`;

describe('a network card in another namespace', () => {
  const card = (front: string, driver: string, told: string): Copy => ({
    ...uptime,
    [`${networking}/ip_netns`]: 'fw (id: 0)\n',
    [`${front}nstat_-zas`]: '#kernel\nIpInReceives 5 0.0\n',
    [`${front}ethtool_-i_ens1f0`]: `driver: ${driver}\nversion: 5.14.0\n`,
    [`${front}ethtool_-S_ens1f0`]: told,
  });
  const lossy = statistics({ rx_packets: 600_000, tx_packets: 1, rx_missed_errors: 400_000, rx_no_dma_resources: 0 });

  it('is judged by what ethtool said there, since boot, in every layout', () => {
    for (const front of layouts('fw')) {
      const judged = judgeCopy(card(front, 'ixgbe', lossy));
      const finding = found(judged, 'PKT0501', { netns: 'fw', device: 'ens1f0' });
      assert.deepEqual([finding.outcome, finding.certainty], ['warning', 'possible'], front);
      assert.match(finding.summary, /^ens1f0 .*lost 400,000 frames .* since boot \(1 day\), 40% of what arrived/);
      assert.equal(judged.status, 4);
      assert.doesNotMatch(judged.notes.join('\n'), /ethtool/);
    }
  });

  it('that lost nothing is in order, and of one whose counters were cut off nothing is known', () => {
    const [front = ''] = layouts('fw');
    const sound = statistics({ rx_packets: 600_000, rx_missed_errors: 0, rx_no_dma_resources: 0 });
    const at = { netns: 'fw' };
    const outcomeOf = (driver: string, told: string): string =>
      judgeCopy(card(front, driver, told)).report.findings.find(
        (each) => each.code === 'PKT0501' && Object.entries(at).every(([name, value]) => each.at[name] === value),
      )?.outcome ?? 'untold';
    assert.equal(outcomeOf('ixgbe', sound.replace('missed_errors: 0', 'missed_errors: 7')), 'info');
    assert.notEqual(outcomeOf('ixgbe', sound.slice(0, 30)), 'ok');
    assert.notEqual(outcomeOf('ixgbe', ''), 'ok');
    // Without any output of ethtool there nobody knows which cards there are.
    const unasked = judgeCopy({
      ...uptime,
      [`${networking}/ip_netns`]: 'fw\n',
      [`${front}nstat_-zas`]: '#kernel\nIpInReceives 5 0.0\n',
    });
    assert.equal(found(unasked, 'PKT0501').outcome, 'not-measured');
    // A veth is no card.
    assert.equal(outcomeOf('veth', lossy), 'untold');
  });

  it('without GRO is named with its namespace', () => {
    const features = { [`${layouts('fw')[1] ?? ''}ethtool_-k_ens1f0`]: 'generic-receive-offload: off\n' };
    const said = (driver: string): string =>
      judgeCopy({ ...card(layouts('fw')[0] ?? '', driver, lossy), ...features }).notes.join('\n');
    assert.match(said('ixgbe'), /^ens1f0 in fw does not merge frames: GRO is off \(ethtool -k\)$/m);
    assert.doesNotMatch(said('veth'), /GRO/);
  });
});

describe('who holds a socket', () => {
  const ss = (users: string): string =>
    'Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n' +
    `udp   UNCONN 212992 0      10.5.0.1:5140       0.0.0.0:*     ${users} ino:41001 sk:1 <->\n` +
    '\t skmem:(r212992,rb212992,t0,tb212992,f0,w0,o0,bl0,d9000)\n';
  const lost =
    '#kernel\nUdpInDatagrams 20000 0.0\nUdpInErrors 9000 0.0\nUdpRcvbufErrors 9000 0.0\nUdp6RcvbufErrors 0 0.0\n';

  it('of another namespace is told by what ss said there, and by the netstat of there', () => {
    for (const front of layouts('router'))
      for (const told of [
        { [`${front}ss_-peaonmi`]: ss('users:(("fluentd",pid=991,fd=5))') },
        {
          [`${front}ss_-peaonmi`]: ss(''),
          [`${front}netstat_-W_-neopa`]: 'udp 0 0 10.5.0.1:5140 0.0.0.0:* 0 41001 991/fluentd off (0.00/0/0)\n',
        },
      ]) {
        const judged = judgeCopy({
          ...uptime,
          [`${networking}/ip_netns`]: 'router (id: 0)\n',
          [`${front}nstat_-zas`]: lost,
          ...told,
          [`${networking}/ss_-peaonmi`]:
            'tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=700,fd=3)) ino:500 sk:2 <->\n',
        });
        const finding = found(judged, 'PKT0405', { netns: 'router' });
        assert.match(
          finding.summary,
          /^9,000 UDP datagrams \(31%\) .*since their namespace was made.*10\.5\.0\.1:5140 of fluentd \(pid 991\)/,
        );
      }
  });

  it('is told by netstat beside the files of the kernel where ss was not run', () => {
    const rows =
      '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n' +
      '  100: 00000000:2328 00000000:0000 07 00000000:00034000 00:00000000 00000000     0        0 31001 2 0 900000\n';
    const judged = judgeCopy({
      ...host('5.14.0-362.el9.x86_64'),
      ...uptime,
      'proc/net/udp': rows,
      'proc/net/snmp': groups({
        Udp: { InDatagrams: 200_000, NoPorts: 0, InErrors: 900_000, OutDatagrams: 5, RcvbufErrors: 900_000 },
      }),
      [`${networking}/netstat_-W_-neopa`]: netstat,
    });
    expectFinding(judged, 'PKT0405', ['warning', 'possible', /0\.0\.0\.0:9000 of collector \(pid 4711\)/]);
    assert.doesNotMatch(judged.notes.join('\n'), /not read/);
  });

  it('is told in the words of ss of before 2014', () => {
    const old = parseSsCommand(
      Buffer.from('tcp   LISTEN     129    128    :::8080    :::*   users:(("java",2211,45)) ino:10451 sk:ff\n'),
    );
    assert.deepEqual(old.ok && old.value.owners, [{ inode: 10_451, pid: 2211, comm: 'java' }]);
  });
});

describe('the own namespace of a host', () => {
  it('is not passed over where its file was not copied and another namespace tells of itself', () => {
    const judged = judgeCopy({
      ...host('6.1.0'),
      ...uptime,
      'proc/net/netstat': groups({ TcpExt: { PFMemallocDrop: 500 } }),
      [`${networking}/ip_netns`]: 'blue\n',
      [`${networking}/ip_netns_exec_blue_nstat_-zas`]: '#kernel\nIpInReceives 5 0.0\nTcpExtPFMemallocDrop 0 0.0\n',
    });
    assert.equal(found(judged, 'PKT0705', { netns: '' }).outcome, 'not-measured');
  });
});

describe('netstat -neopa', () => {
  it('tells queues, peers and owners, and neither limits nor drops', () => {
    const told = parseNetstatSocketsCommand(Buffer.from(netstat));
    assert.ok(told.ok);
    const { inet, owners } = told.value;
    assert.deepEqual(
      inet.listeners.map(({ address, port, queue, limit, drops }) => [address, port, queue, limit, drops]),
      [
        ['0.0.0.0', 22, 0, null, null],
        ['::', 8080, 129, null, null],
      ],
    );
    assert.deepEqual(
      inet.slowReaders.map(({ address, port, peer, unread }) => [address, port, peer, unread]),
      [['10.0.0.1', 5432, '10.0.0.9:41000', 400_000]],
    );
    assert.equal(inet.udpDropsUntold, true);
    assert.deepEqual(
      owners.map(({ inode, pid, comm }) => [inode, pid, comm]),
      [
        [27_344, 812, 'sshd'],
        [31_001, 4711, 'collector'],
        [31_005, 1200, 'postgres'],
        [31_003, 812, 'node'],
      ],
    );
  });
});

describe('connections of a report', () => {
  const closing = (windows: number, segments: number): Copy => ({
    'proc/net/netstat': groups({
      TcpExt: {
        ...{ TCPToZeroWindowAdv: windows, TCPFromZeroWindowAdv: windows, TCPWantZeroWindowAdv: 0, TCPRcvQDrop: 0 },
        ...{ PruneCalled: 0, RcvPruned: 0, OfoPruned: 0, TCPBacklogDrop: 0, TCPZeroWindowDrop: 0, TCPOFODrop: 0 },
      },
    }),
    'proc/net/snmp': groups({ Tcp: { InSegs: segments, OutSegs: segments, RetransSegs: 0 } }),
  });
  const judged = (sockets: Copy): ReturnType<typeof judgeCopy> =>
    judgeCopy(pairOf({ ...host('6.1.0'), ...sockets }, closing(100, 1_000_000), closing(1100, 1_100_000)));

  it('name the slow reader by netstat, and by the files of the kernel', () => {
    const file =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
      '   0: 0100000A:1538 0900000A:A028 01 00000000:00061A80 02:00000AE9 00000000    26        0 31005 2 0 20 4 30 10 -1\n';
    for (const sockets of [{ [`${networking}/netstat_-W_-neopa`]: netstat }, { 'proc/net/tcp': file }]) {
      const finding = found(judged(sockets), 'PKT0406');
      assert.equal(finding.outcome, 'warning');
      assert.match(finding.summary, /The most unread, 391 KiB, is on 10\.0\.0\.1:5432 from 10\.0\.0\.9:41000/);
    }
  });

  it('do not blame a proxy whose own client is slow', () => {
    const memory = '\t skmem:(r0,rb131072,t0,tb87040,f0,w0,o0,bl0,d0)\n';
    const ss =
      `tcp ESTAB 400000 0 10.0.0.1:8080 10.0.0.9:41000 users:(("haproxy",pid=50,fd=9)) ino:31005 sk:5 <->\n${memory}` +
      `tcp ESTAB 0 900000 10.0.0.1:443 192.0.2.7:51000 users:(("haproxy",pid=50,fd=10)) ino:31006 sk:6 <->\n${memory}`;
    const finding = found(judged({ [`${networking}/ss_-peaonmi`]: ss }), 'PKT0406');
    assert.equal(finding.outcome, 'info');
    assert.match(finding.summary, /haproxy \(pid 50\) has .* waits for its own client 192\.0\.2\.7:51000/);
  });

  it('that take all ports to one peer name it', () => {
    const ports = Array.from(
      { length: 28_000 },
      (_, at) => `tcp TIME-WAIT 0 0 10.0.0.1:${32_768 + at} 10.0.0.2:443 timer:(timewait,30sec,0) ino:0 sk:${at}\n`,
    );
    const one = judgeCopy({
      ...host('6.1.0'),
      ...uptime,
      'proc/net/netstat': groups({ TcpExt: { TCPTimeWaitOverflow: 0 } }),
      'proc/net/sockstat': 'sockets: used 200\nTCP: inuse 20 orphan 0 tw 28000 alloc 30 mem 5\nUDP: inuse 3 mem 1\n',
      'sos_commands/kernel/sysctl_-a': 'net.ipv4.ip_local_port_range = 32768\t60999\n',
      [`${networking}/ss_-peaonmi`]: ports.join(''),
    });
    expectFinding(one, 'PKT0408', [
      'warning',
      'possible',
      /^Connections from 10\.0\.0\.1 to 10\.0\.0\.2:443 take 28,000/,
    ]);
  });
});

describe('what one sample tells of requests, of packets left over and of refusals', () => {
  it('answered with SYN cookies', () => {
    const judged = judgeCopy({
      ...host('6.1.0'),
      ...uptime,
      'proc/net/netstat': groups({ TcpExt: { TCPReqQFullDrop: 0, TCPReqQFullDoCookies: 5000 } }),
      'sos_commands/kernel/sysctl_-a': 'net.ipv4.tcp_syncookies = 1\n',
    });
    expectFinding(judged, 'PKT0402', [
      'info',
      'possible',
      /^5,000 connection attempts were answered with a SYN cookie since boot \(1 day\) because a SYN queue was full/,
    ]);
  });

  it('left over at the end of softirq, whether or not it is known since when', () => {
    const softirqs = '                    CPU0\n          HI:          0\n      NET_RX:      20000\n';
    const softnet = `${['000dbba0', '00000000', '00002328', ...Array.from({ length: 10 }, () => '00000000')].join(' ')}\n`;
    for (const since of [uptime, {}]) {
      const judged = judgeCopy({
        ...host('6.1.0'),
        ...since,
        'proc/net/softnet_stat': softnet,
        'proc/softirqs': softirqs,
        'sys/devices/system/cpu/online': '0\n',
      });
      expectFinding(judged, 'PKT0502', [
        'info',
        'possible',
        /^On CPU 0 9,000 softirq runs, 45% of all, ended since boot.* with packets left to receive/,
      ]);
    }
  });
});
