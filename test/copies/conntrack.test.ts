import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackStat,
  conntrackTable,
  expectFinding,
  fired,
  found,
  groups,
  host,
  judgeCopy,
  pairOf,
} from '../support/copies.ts';

const calm = { invalid: 0, insert: 0, insert_failed: 0, drop: 0, early_drop: 0, search_restart: 0 };
const netfilter = 'sos_commands/kernel/sysctl_-a';

describe('a full conntrack table in copies', () => {
  it('evictions are measured with what conntrack -S said where the kernel has no file of statistics', () => {
    // 6.8 has 262,144 entries and no /proc/net/stat/nf_conntrack; early_drop rises by 5,000 in 100 s, nothing is refused.
    const said = (early: number): string =>
      `cpu=0 found=0 invalid=3 insert=0 insert_failed=0 drop=0 early_drop=${early} error=0 search_restart=0 clash_resolve=0 chaintoolong=0 \n` +
      'cpu=1 found=0 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=7 error=0 search_restart=0 clash_resolve=0 chaintoolong=0 \n';
    const judged = judgeCopy(
      pairOf(
        {
          ...host('6.8.0-45-generic'),
          ...conntrackTable(262_144, 262_144),
          'proc/net/stat/rt_cache': 'x\n',
          'sys/devices/system/cpu/possible': '0-1\n',
        },
        { 'sos_commands/networking/conntrack_-S': said(1000) },
        { 'sos_commands/networking/conntrack_-S': said(6000) },
        100,
      ),
    );
    const finding = expectFinding(judged, 'PKT0202', [
      'warning',
      'measured',
      /limit of 262,144 entries: 5,000 unreplied flows were evicted so that new ones fit \(50\/s\)\. No packet was refused/,
    ]);
    assert.deepEqual(finding.at, { netns: '' });
    assert.equal(found(judged, 'PKT0201').outcome, 'ok');
    assert.equal(judged.status, 4);
  });

  it('that has room again: how many it refused since boot is told, and not called few', () => {
    const judged = judgeCopy({
      ...host('6.1.0'),
      ...conntrackTable(100, 65_536),
      'proc/uptime': '86400.00 1.00\n',
      'proc/stat': 'cpu  1 1 1 1 1 1 1 0 0 0\ncpu0 1 1 1 1 1 1 1 0 0 0\n',
      'proc/net/stat/nf_conntrack': conntrackStat({ entries: 100, ...calm, drop: 9000 }),
    });
    expectFinding(judged, 'PKT0201', [
      'info',
      'possible',
      /^9,000 packets dropped for want of a conntrack entry since boot \(1 day\); the table has room now\.$/,
    ]);
  });

  it('a table that fills is a remark where only sysctl -a tells of it', () => {
    // 28,500 of 32,768 is 87 %: below the 95 % from which the kernel evicts.
    const judged = judgeCopy({
      [netfilter]:
        'kernel.osrelease = 4.18.0-305.el8.x86_64\nnet.netfilter.nf_conntrack_buckets = 8192\n' +
        'net.netfilter.nf_conntrack_count = 28500\nnet.netfilter.nf_conntrack_max = 32768\nnet.core.somaxconn = 128\n',
      'sos_commands/kernel/uname_-a':
        'Linux db-1 4.18.0-305.el8.x86_64 #1 SMP Thu Apr 29 08:54:30 EDT 2021 x86_64 x86_64\n',
    });
    expectFinding(judged, 'PKT0202', ['info', null, /^The conntrack table holds 28,500 of 32,768 entries \(87%\)\.$/]);
    for (const code of ['PKT0201', 'PKT0203']) assert.equal(found(judged, code).outcome, 'not-measured', code);
    assert.equal(judged.status, 0);
  });

  it('refusals since boot are told from evictions, and from clashes', () => {
    // Of the flows that met the full table 50,000 were refused and 20,000 let in; 300 more drops were clashes.
    const judged = judgeCopy({
      ...host('5.14.0-70.el9.x86_64'),
      ...conntrackTable(998, 1000),
      'proc/uptime': '7200.00 14000.00\n',
      'sys/devices/system/cpu/possible': '0\n',
      'proc/net/stat/nf_conntrack': conntrackStat({
        entries: 998,
        ...calm,
        insert_failed: 300,
        drop: 50_300,
        early_drop: 20_000,
        clashres: 5,
      }),
    });
    expectFinding(judged, 'PKT0201', [
      'warning',
      'possible',
      /998 of 1,000 entries \(99\.8%\), and 50,000 packets were dropped since boot \(2 hours\) for want of an entry/,
    ]);
    expectFinding(judged, 'PKT0202', ['info', 'possible', /^20,000 flows evicted .* PKT0201 tells of those\.$/]);
    expectFinding(judged, 'PKT0203', [
      'info',
      'possible',
      /^300 conntrack entries were lost to clashes since boot \(2 hours\)/,
    ]);
    assert.equal(judged.report.verdict.principal, 'PKT0201');
  });

  it('a full table of a namespace is found beside an empty one of the host', () => {
    const judged = judgeCopy({
      ...host('5.15.0-91-generic', 'net-2'),
      ...conntrackTable(12, 262_144),
      'proc/net/stat/nf_conntrack': conntrackStat({ entries: 12, ...calm }),
      'sos_commands/networking/ip_netns': 'qrouter-5f (id: 0)\n',
      'sos_commands/networking/namespaces/qrouter-5f/ip_netns_exec_qrouter-5f_sysctl_-a':
        'net.netfilter.nf_conntrack_count = 262144\nnet.netfilter.nf_conntrack_max = 262144\n',
    });
    const finding = expectFinding(judged, 'PKT0202', ['warning', 'possible', /262,144 of 262,144 entries \(100%\)/]);
    assert.deepEqual(finding.at, { netns: 'qrouter-5f' });
    assert.equal(judged.status, 4);
  });

  it('drops that are no clashes are told where nothing shows how full it is, of the host and of a namespace', () => {
    const said = (drop: number, failed: number): string =>
      [0, 1]
        .map(
          (cpu) => `cpu=${cpu} found=9 invalid=3 insert=0 insert_failed=${failed} drop=${drop} early_drop=0 error=0\n`,
        )
        .join('');
    const uptime = {
      'sos_commands/host/uptime': ' 12:00:00 up 12 days, 21 min,  2 users,  load average: 1.0, 1.0, 1.0\n',
    };
    const own = judgeCopy({ ...uptime, 'sos_commands/conntrack/conntrack_-S': said(900_000, 9000) });
    expectFinding(own, 'PKT0201', [
      'warning',
      'possible',
      /^Connection tracking dropped 1,782,000 packets since boot \(12 days\) that are no clashes.*could not be read\.$/,
    ]);
    assert.equal(own.status, 4);
    const pod = judgeCopy({
      ...uptime,
      ...conntrackTable(100, 262_144),
      'sos_commands/networking/ip_netns': 'pod\n',
      'sos_commands/networking/conntrack_-S': said(0, 0),
      'sos_commands/networking/ip_netns_exec_pod_conntrack_-S': said(70, 10),
    });
    assert.match(found(pod, 'PKT0201', { netns: 'pod' }).summary, /dropped 120 packets since their namespace was made/);
    for (const few of [said(49, 0), said(900, 890)]) {
      const judged = judgeCopy({ ...uptime, 'sos_commands/conntrack/conntrack_-S': few });
      assert.equal(found(judged, 'PKT0201').outcome, 'not-measured');
    }
  });

  it('an eviction of long ago is a remark where the table has room now', () => {
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      ...conntrackTable(900, 65_536),
      'proc/uptime': '864000.00 14000.00\n',
      'proc/net/stat/nf_conntrack': conntrackStat({ entries: 900, ...calm, early_drop: 4000 }),
    });
    expectFinding(judged, 'PKT0202', ['info', 'possible', /4,000 flows were evicted since boot \(10 days\)/]);
    assert.equal(judged.status, 0);
  });
});

describe('what a copy does not hold', () => {
  const counters = groups({ TcpExt: { ListenOverflows: 0, ListenDrops: 0, TCPReqQFullDrop: 0 } });

  it('is not absent because a list of modules was not copied either', () => {
    // proc/net alone, of a host with nohz_full=2-3.
    const judged = judgeCopy({
      'proc/net/netstat': counters,
      'proc/cmdline': 'BOOT_IMAGE=/vmlinuz-6.6 nohz_full=2-3\n',
      'proc/uptime': '100.00 1.00\n',
    });
    for (const code of [
      'PKT0201',
      'PKT0202',
      'PKT0203',
      'PKT0301',
      'PKT0302',
      'PKT0601',
      'PKT0603',
      'PKT0604',
      'PKT0605',
    ])
      assert.equal(found(judged, code).outcome, 'not-measured', code);
    assert.ok(judged.report.findings.every(({ outcome }) => outcome !== 'not-applicable'));
  });

  it('is absent where its folder was copied without it and no list of modules names it', () => {
    const judged = judgeCopy({
      'proc/net/netstat': counters,
      'proc/modules': 'virtio_net 77824 0 - Live 0x0\n',
      'proc/sys/net/netfilter/nf_log_all_netns': '0\n',
      'proc/net/stat/rt_cache': 'entries\n00000000\n',
      'proc/uptime': '100.00 1.00\n',
    });
    for (const code of ['PKT0201', 'PKT0202', 'PKT0203'])
      assert.equal(found(judged, code).outcome, 'not-applicable', code);
  });

  it('is judged by the files that have something in them, where others are empty', () => {
    const judged = judgeCopy({ 'proc/net/netstat': counters, 'proc/net/snmp': '', 'proc/uptime': '4000.00 1.00\n' });
    expectFinding(judged, 'PKT0401', ['ok', null, /^No connection attempts on a full accept queue since boot/]);
    assert.equal(found(judged, 'PKT0405').outcome, 'not-measured');
    assert.equal(judged.status, 0);
    assert.ok(!judged.notes.some((note) => note.includes('tar and cp --sparse')));
  });

  it('is not nothing because the files are as long as a page of NULs', () => {
    const page = '\0'.repeat(4096);
    const judged = judgeCopy({
      'proc/net/netstat': page,
      'proc/net/snmp': page,
      'proc/stat': page,
      'sys/class/net/eth0/statistics/rx_missed_errors': page,
    });
    assert.match(judged.report.verdict.headline, /^Nothing could be judged/);
    assert.equal(judged.status, 5);
    assert.ok(judged.notes.some((note) => note.includes('tar and cp --sparse')));
    assert.deepEqual(fired(judged), []);
  });
});
