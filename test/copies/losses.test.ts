import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openPair } from '../../src/bundle/copies.ts';
import { memoryTree } from '../../src/sources/copy/tree.ts';
import { bytesOf } from '../support/fixture.ts';
import {
  cpuTimes,
  expectFinding,
  fired,
  found,
  groups,
  host,
  judgeCopy,
  pairOf,
  softnet,
  type Copy,
} from '../support/copies.ts';

const tcp = (overflows: number, opened: number): Copy => ({
  'proc/net/netstat': groups({
    TcpExt: { ListenOverflows: overflows, ListenDrops: overflows, TCPReqQFullDrop: 0, TCPReqQFullDoCookies: 0 },
  }),
  'proc/net/snmp': groups({
    Ip: { InReceives: 9_000_000 },
    Tcp: { ActiveOpens: 1000, PassiveOpens: opened, InSegs: 8_000_000, OutSegs: 8_000_000, RetransSegs: 100 },
    Udp: {
      InDatagrams: 100_000,
      NoPorts: 0,
      InErrors: 0,
      OutDatagrams: 10,
      RcvbufErrors: 0,
      SndbufErrors: 0,
      MemErrors: 0,
    },
  }),
  'proc/net/snmp6': ['InDatagrams', 'OutDatagrams', 'RcvbufErrors', 'SndbufErrors', 'MemErrors']
    .map((name) => `Udp6${name} 0\n`)
    .join(''),
});

describe('losses since boot, in copies', () => {
  it('are a remark where they are few of many, over a time that the CPUs counted', () => {
    // 12 of 5,000,012 attempts in 40 days; no /proc/uptime.
    const judged = judgeCopy({
      ...host('5.10.0-28-amd64'),
      ...tcp(12, 5_000_000),
      'proc/stat': cpuTimes([0, 1], 40 * 86_400),
    });
    expectFinding(judged, 'PKT0401', [
      'info',
      'possible',
      /^12 connection attempts .* since boot \(40 days\), <0\.01% of all/,
    ]);
    assert.equal(judged.status, 0);
    assert.equal(judged.report.verdict.principal, null);
  });

  it('are said to be none where all counters are zero', () => {
    const judged = judgeCopy({
      ...host('6.6.10'),
      ...tcp(0, 5_000_000),
      'proc/uptime': '600000.00 1.00\n',
      'proc/stat': cpuTimes([0], 600_000),
      'proc/net/sockstat': 'sockets: used 200\nTCP: inuse 2 orphan 0 tw 0 alloc 3 mem 1\nUDP: inuse 8 mem 10\n',
      'proc/sys/net/ipv4/udp_mem': '45000\t60000\t90000\n',
      'proc/net/softnet_stat': softnet([{ counts: [9_000_000, 0, 2], cpu: 0 }], 15),
    });
    assert.deepEqual(fired(judged), []);
    assert.match(judged.report.verdict.headline, /with no losses since boot \(6\.9 days\)/);
    for (const code of ['PKT0401', 'PKT0405', 'PKT0502']) assert.equal(found(judged, code).outcome, 'ok', code);
    assert.equal(judged.status, 0);
  });

  it('of a namespace are since it was made, and come before a smaller share of the host', () => {
    const judged = judgeCopy({
      ...host('5.4.0-97-generic'),
      ...tcp(20_000, 80_000),
      'proc/uptime': '90000.00 1.00\n',
      'sos_commands/networking/ip_netns': 'qdhcp-1\n',
      'sos_commands/networking/ip_netns_exec_qdhcp-1_netstat_-s':
        'Udp:\n    1000 packets received\n    0 packets to unknown port received\n    9000 packet receive errors\n' +
        '    10 packets sent\n    9000 receive buffer errors\n    0 send buffer errors\n',
    });
    const udp = expectFinding(judged, 'PKT0405', [
      'warning',
      'possible',
      /^9,000 UDP datagrams \(90%\) were dropped since their namespace was made/,
    ]);
    assert.deepEqual(udp.at, { netns: 'qdhcp-1' });
    expectFinding(judged, 'PKT0401', [
      'warning',
      'possible',
      /20,000 connection attempts .* since boot \(1 day.*, 20% of all/,
    ]);
    assert.equal(judged.report.verdict.principal, 'PKT0405');
  });

  it('of a CPU have a share that 32-bit counters do not spoil', () => {
    // 8,000,000 dropped; the CPU processed 2^32 and more since, which its counter does not show.
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      'proc/uptime': '8640000.00 1.00\n',
      'proc/net/softnet_stat': softnet([{ counts: [1000, 8_000_000, 0], cpu: 0 }], 15),
      'proc/net/dev':
        'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n' +
        '  eth0: 9000000000000 40000000000 0 0 0 0 0 0 900 9 0 0 0 0 0 0\n',
    });
    expectFinding(judged, 'PKT0502', [
      'warning',
      'possible',
      /8,000,000 packets since boot \(100 days\), 0\.02% of those/,
    ]);
  });
});

describe('the window of two copies', () => {
  it('is what date said where nothing of the kernel was copied', () => {
    const at = (date: string): Copy => ({ 'sos_commands/date/date': date, 'proc/uptime': '' });
    const judged = judgeCopy(
      pairOf(
        host('4.18.0-305.el8.x86_64'),
        { ...at('Fri Mar  1 09:00:00 CET 2024\n'), ...tcp(100, 1000) },
        { ...at('Fri Mar  1 10:00:00 CET 2024\n'), ...tcp(1900, 9000) },
      ),
    );
    assert.equal(judged.report.window.seconds, 3600);
    const finding = expectFinding(judged, 'PKT0401', ['warning', 'measured', /1,800 connection attempts .*0\.5\/s/]);
    assert.equal(finding.impact.lostPerSecond, 0.5);
  });

  it('is none where the host was started anew in between, though counters rose', () => {
    const tree = (bootedAt: number, seconds: number, overflows: number): ReturnType<typeof memoryTree> =>
      memoryTree(
        new Map(
          Object.entries({ ...tcp(overflows, 1000), 'proc/stat': cpuTimes([0], seconds, bootedAt) }).map(
            ([path, content]) => [path, bytesOf(content)],
          ),
        ),
      );
    const pair = openPair('pair', [tree(1_700_000_000, 5000, 1), tree(1_700_009_000, 9000, 700)]);
    assert.ok(!pair.ok && /started anew/.test(pair.reason));
  });
});

describe('two copies of two hosts', () => {
  const of = (name: string, seconds: number): ReturnType<typeof memoryTree> =>
    memoryTree(
      new Map(
        Object.entries({ ...host('6.1.0', name), ...tcp(seconds, 1000), 'proc/uptime': `${seconds}.00 1.00\n` }).map(
          ([path, content]) => [path, bytesOf(content)],
        ),
      ),
    );

  it('are no window', () => {
    const pair = openPair('pair', [of('db-1', 100), of('web-7', 200)]);
    assert.ok(!pair.ok && /two hosts, db-1 and then web-7/.test(pair.reason));
  });

  it('are one where the name was said with its domain', () => {
    assert.ok(openPair('pair', [of('db-1', 100), of('DB-1.example.com', 200)]).ok);
  });
});

describe('UDP memory in copies', () => {
  const at = (fields: Readonly<Record<string, number>>): Copy => ({
    'proc/net/snmp': groups({
      Ip: { InReceives: 200_000 },
      Udp: {
        InDatagrams: 100_000,
        NoPorts: 0,
        InErrors: 0,
        OutDatagrams: 5,
        RcvbufErrors: 0,
        SndbufErrors: 0,
        ...fields,
      },
    }),
    'proc/net/sockstat': 'sockets: used 200\nTCP: inuse 2 orphan 0 tw 0 alloc 3 mem 1\nUDP: inuse 8 mem 90010\n',
  });
  const limits = { 'proc/sys/net/ipv4/udp_mem': '45000\t60000\t90000\n', 'proc/sys/net/core/somaxconn': '4096\n' };

  it('is what MemErrors counts where the kernel has it', () => {
    // 25,000 of 125,000, of which none is a full buffer.
    const judged = judgeCopy(
      pairOf(
        { ...host('5.14.0-362.el9.x86_64'), ...limits },
        at({ MemErrors: 10, InErrors: 10, InCsumErrors: 0 }),
        at({ InDatagrams: 200_000, MemErrors: 25_010, InErrors: 25_010, InCsumErrors: 0 }),
      ),
    );
    expectFinding(judged, 'PKT0405', [
      'critical',
      'measured',
      /^25,000 UDP datagrams \(20%\) were dropped because udp_mem or/,
    ]);
  });

  it('beside datagrams that could not be sent: one copy says how many', () => {
    const judged = judgeCopy({
      ...host('5.14.0-362.el9.x86_64'),
      ...limits,
      ...at({ MemErrors: 0, InErrors: 0, InCsumErrors: 0, SndbufErrors: 4000, OutDatagrams: 96_000 }),
      'proc/uptime': '86400.00 1.00\n',
    });
    const { outcome, summary } = found(judged, 'PKT0405');
    assert.equal(outcome, 'info');
    assert.match(
      summary,
      /^4,000 UDP datagrams \(4%\) could not be sent at once since boot \(1 day\): their programs were told/,
    );
  });

  it('is not taken for the reason where its limit is not known, nor is that taken for health', () => {
    // InErrors beyond RcvbufErrors: memory or a filter, and the limit of memory was not copied.
    const judged = judgeCopy(
      pairOf(
        host('5.4.0-97-generic'),
        at({ InCsumErrors: 0 }),
        at({ InDatagrams: 200_000, InErrors: 90_000, InCsumErrors: 0 }),
      ),
    );
    const finding = found(judged, 'PKT0405');
    assert.ok(finding.outcome !== 'ok' && finding.outcome !== 'not-applicable', finding.outcome);
    assert.doesNotMatch(finding.summary, /at its limit/);
  });

  it('is not the reason where it has room: checksums and filters are left', () => {
    const judged = judgeCopy(
      pairOf(
        { ...host('5.4.0-97-generic'), ...limits, 'proc/sys/net/ipv4/udp_mem': '45000\t60000\t900000\n' },
        at({ InCsumErrors: 0 }),
        at({ InDatagrams: 200_000, InErrors: 50_000, InCsumErrors: 50_000 }),
      ),
    );
    assert.notEqual(found(judged, 'PKT0405').outcome, 'critical');
    assert.equal(found(judged, 'PKT0409').outcome, 'critical');
  });
});

/** Of Linux 5.14 and later. */
const ARP =
  'entries allocs destroys hash_grows lookups hits res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs ' +
  'forced_gc_runs unresolved_discards table_fulls';

describe('a neighbour table that was full, in one sample', () => {
  const table = (fulls: number): Copy => ({
    ...host('5.14.0-362.el9.x86_64'),
    'proc/net/snmp': groups({ Ip: { InReceives: 60_000_000, OutRequests: 62_000_000, ForwDatagrams: 0 } }),
    'proc/net/stat/arp_cache': `${ARP}\n00000400 00000410 000003e8 00000000 000fde80 000fde77 00000000 00000000 00000000 00000000 00000000 00000000 ${fulls.toString(16).padStart(8, '0')}\n`,
  });

  it('is a warning where what it lost is much beside what was sent, and says that these are totals', () => {
    const finding = expectFinding(judgeCopy(table(30_000_000)), 'PKT0702', [
      'warning',
      'possible',
      /^30,000,000 packets were lost since boot.*neighbour table of the host is full/,
    ]);
    assert.doesNotMatch(finding.summary, /%/);
  });

  it('is mentioned where it is little', () => {
    expectFinding(judgeCopy(table(800_000)), 'PKT0702', ['info', 'possible', /^800,000 packets were lost since boot/]);
  });
});
