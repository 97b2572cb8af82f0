import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expectFinding, found, groups, host, judgeCopy, type Copy } from '../support/copies.ts';

const ss = (rows: string): Copy => ({
  'sos_commands/networking/ss_-peaonmi': `Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n${rows}`,
});
const skmem = (drops: number): string => `\t skmem:(r0,rb212992,t0,tb212992,f0,w0,o0,bl0,d${drops})\n`;

describe('the output of ss alone', () => {
  it('shows a listener whose accept queue is full', () => {
    const judged = judgeCopy(
      ss(
        `tcp   LISTEN 129    128    0.0.0.0:80    0.0.0.0:*    users:(("web",pid=77,fd=3)) ino:5 sk:1 <->\n${skmem(0)}` +
          `tcp   LISTEN 0      128    0.0.0.0:22    0.0.0.0:*    users:(("sshd",pid=7,fd=3)) ino:6 sk:2 <->\n${skmem(0)}`,
      ),
    );
    expectFinding(judged, 'PKT0401', [
      'warning',
      'possible',
      /accept queue of 0\.0\.0\.0:80, held by web \(pid 77\), is full: 129 /,
    ]);
    assert.equal(judged.status, 4);
  });

  it('with a queue at its limit, which holds one more, is no proof', () => {
    const judged = judgeCopy(ss(`tcp   LISTEN 128    128    0.0.0.0:80    0.0.0.0:*    ino:5 sk:1 <->\n${skmem(0)}`));
    assert.equal(found(judged, 'PKT0401').outcome, 'not-measured');
  });

  it('shows the sockets that dropped datagrams, and blames none', () => {
    const judged = judgeCopy(
      ss(
        `udp   UNCONN 0      0      0.0.0.0:514   0.0.0.0:*    users:(("rsyslogd",pid=600,fd=5)) ino:31 sk:3 <->\n${skmem(900)}` +
          `udp   UNCONN 0      0      0.0.0.0:53    0.0.0.0:*    users:(("named",pid=9,fd=5)) ino:32 sk:4 <->\n${skmem(12)}`,
      ),
    );
    expectFinding(judged, 'PKT0405', [
      'warning',
      'possible',
      /^Sockets dropped 912 UDP datagrams since they were made: 0\.0\.0\.0:514 of rsyslogd \(pid 600\) 900, 0\.0\.0\.0:53 of named \(pid 9\) 12\. Whether/,
    ]);
  });

  it('with a drop or two is a remark, and without any not measured', () => {
    const one = (drops: number): Copy =>
      ss(`udp   UNCONN 0      0      0.0.0.0:514   0.0.0.0:*    ino:31 sk:3 <->\n${skmem(drops)}`);
    assert.equal(found(judgeCopy(one(2)), 'PKT0405').outcome, 'info');
    assert.equal(found(judgeCopy(one(0)), 'PKT0405').outcome, 'not-measured');
  });

  it('that was cut is not read', () => {
    const judged = judgeCopy(
      ss('tcp   LISTEN 129    128    0.0.0.0:80    0.0.0.0:*    ino:5 sk:1 <->\n\t skmem:(r0,rb2'),
    );
    assert.equal(found(judged, 'PKT0401').outcome, 'not-measured');
  });
});

const udp = (fields: Readonly<Record<string, number>>, memory = 10): Copy => ({
  'proc/uptime': '86400.00 1.00\n',
  'proc/net/snmp': groups({
    Ip: { InReceives: 200_000 },
    Udp: {
      InDatagrams: 100_000,
      NoPorts: 0,
      InErrors: 0,
      OutDatagrams: 5,
      RcvbufErrors: 0,
      SndbufErrors: 0,
      InCsumErrors: 0,
      ...fields,
    },
  }),
  'proc/net/sockstat': `sockets: used 200\nTCP: inuse 2 orphan 0 tw 0 alloc 3 mem 1\nUDP: inuse 8 mem ${memory}\n`,
  'proc/sys/net/ipv4/udp_mem': '45000\t60000\t90000\n',
});

describe('UDP in one copy', () => {
  it('errors that no other counter explains are told, with what is left of reasons', () => {
    const judged = judgeCopy({ ...host('6.1.0-18-amd64'), ...udp({ InErrors: 30_000, MemErrors: 0 }) });
    expectFinding(judged, 'PKT0405', [
      'info',
      'possible',
      /^30,000 UDP datagrams \(23%\) were not delivered since boot \(1 day\); neither a full buffer nor want of memory nor a wrong checksum is why\. The filters of their sockets turned them away, or a policy of IPsec did\.$/,
    ]);
  });

  it('on kernels that do not count refusals for memory, udp_mem is among them', () => {
    const judged = judgeCopy({ ...host('5.4.0-97-generic'), ...udp({ InErrors: 30_000 }) });
    expectFinding(judged, 'PKT0405', [
      'info',
      'possible',
      /udp_mem was reached, which this kernel does not count; the sockets hold 10 of 90,000 pages now/,
    ]);
  });

  it('all its memory in use is told though nothing was refused so far', () => {
    const judged = judgeCopy({ ...host('6.1.0-18-amd64'), ...udp({ MemErrors: 0 }, 90_020) });
    expectFinding(judged, 'PKT0405', ['warning', 'possible', /hold 90,020 pages, and may hold 90,000 \(udp_mem\)/]);
  });

  it('is in order where none of it is', () => {
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      ...udp({ MemErrors: 0 }),
      'proc/net/snmp6': 'Ip6InReceives 0\n',
    });
    assert.ok(['ok', 'not-measured'].includes(found(judged, 'PKT0405').outcome));
  });
});

describe('a loss since boot that is most of what arrived', () => {
  const netstat = (filtered: number): Copy => ({
    ...host('6.1.0-18-amd64'),
    'proc/uptime': '86400.00 1.00\n',
    'proc/net/netstat': groups({ TcpExt: { IPReversePathFilter: filtered }, IpExt: { InNoRoutes: 0 } }),
    'proc/net/snmp': groups({ Ip: { InReceives: 100_000, InHdrErrors: 0, InAddrErrors: 0, OutNoRoutes: 0 } }),
  });

  it('is a warning: rp_filter dropped 95 % of it', () => {
    const judged = judgeCopy(netstat(95_000));
    expectFinding(judged, 'PKT0701', [
      'warning',
      'possible',
      /^95,000 packets were lost since boot \(1 day\), 95% of those received, 95,000 of them because rp_filter/,
    ]);
  });

  it('is a remark where it is a hundredth', () => {
    assert.equal(found(judgeCopy(netstat(1000)), 'PKT0701').outcome, 'info');
  });
});

it('what TCP did not count of timeouts is not said to be none', () => {
  const tcp = (fields: Readonly<Record<string, number>>): Copy => ({
    ...host('6.1.0-18-amd64'),
    'proc/uptime': '86400.00 1.00\n',
    'proc/net/netstat': groups({ TcpExt: { TCPSynRetrans: 3, ...fields } }),
    'proc/net/snmp': groups({ Tcp: { OutSegs: 10_000, RetransSegs: 903 } }),
  });
  expectFinding(judgeCopy(tcp({ TCPTimeouts: 7 })), 'PKT0407', [
    'warning',
    'possible',
    /9% of those sent \(7 timeouts\)\. They/,
  ]);
  expectFinding(judgeCopy(tcp({})), 'PKT0407', ['warning', 'possible', /9% of those sent\. They/]);
});
