import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { conntrackTable, expectFinding, fired, found, groups, judgeCopy, type Copy } from '../support/copies.ts';

const uname = 'Linux net-7 3.10.0-1160.el7.x86_64 #1 SMP Tue Aug 18 14:50:17 EDT 2020 x86_64 x86_64 x86_64 GNU/Linux\n';
const conntrackS = (drop: number): string =>
  `cpu=0   \tfound=0 invalid=6914 ignore=283790 insert=0 insert_failed=0 drop=${drop} early_drop=40 error=0 search_restart=9916 \n`;

/** The same facts of a host with a full table, as releases of sos lay them out. */
const layouts: Readonly<Record<string, Copy>> = {
  // Red Hat Enterprise Linux 7: /proc/sys was not copied, date and host name are in the plugin `general`.
  'sos 3.2': {
    'sos_commands/kernel/uname_-a': uname,
    'sos_commands/kernel/sysctl_-a':
      'net.core.somaxconn = 128\nnet.netfilter.nf_conntrack_count = 65536\nnet.netfilter.nf_conntrack_max = 65536\n',
    'sos_commands/networking/conntrack_-S': conntrackS(9000),
    'sos_commands/general/date': 'Tue Mar  2 11:00:00 UTC 2021\n',
    'sos_commands/general/uptime': ' 11:00:01 up 3 days,  2:10,  1 user,  load average: 0.00, 0.01, 0.05\n',
    'sos_commands/networking/ip_netns': '',
  },
  // 3.9: the output of date, uptime, hostname and uname stands at the top as links.
  'sos 3.9': {
    'sos_commands/kernel/uname_-a': uname,
    'uname@': 'sos_commands/kernel/uname_-a',
    ...conntrackTable(65_536, 65_536),
    'sos_commands/conntrack/conntrack_-S': conntrackS(9000),
    'sos_commands/date/date': 'Tue Mar  2 11:00:00 UTC 2021\n',
    'date@': 'sos_commands/date/date',
    'sos_commands/host/uptime': ' 11:00:01 up 3 days,  2:10,  1 user,  load average: 0.00, 0.01, 0.05\n',
    'uptime@': 'sos_commands/host/uptime',
  },
  // 4.5: more in folders of namespaces, and dates in other words.
  'sos 4.5': {
    'sos_commands/kernel/uname_-a': uname,
    'sos_commands/kernel/sysctl_-a':
      'net.core.somaxconn = 128\nnet.netfilter.nf_conntrack_count = 65536\nnet.netfilter.nf_conntrack_max = 65536\n',
    'sos_commands/conntrack/conntrack_-S': conntrackS(9000),
    'sos_commands/date/date': 'Tue Mar  2 11:00:00 AM UTC 2021\n',
    'sos_commands/host/uptime': ' 11:00:01 up 3 days,  2:10,  0 users,  load average: 0.00, 0.01, 0.05\n',
    'sos_commands/networking/ip_netns': 'blue\n',
    'sos_commands/networking/namespaces/blue/ip_netns_exec_blue_nstat_-zas': '#kernel\nTcpExtListenOverflows 0 0.0\n',
    'sos_reports/manifest.json': '{}\n',
  },
};

describe('the layouts of sos', () => {
  for (const [name, copy] of Object.entries(layouts)) {
    it(`${name}: the host, the time and the full table are told`, () => {
      const judged = judgeCopy(copy);
      const { hostname, kernel } = judged.report.host;
      assert.deepEqual([hostname, kernel], ['net-7', '3.10.0-1160.el7.x86_64']);
      assert.equal(judged.report.window.startedAt, '2021-03-02T11:00:00.000Z');
      expectFinding(judged, 'PKT0201', [
        'warning',
        'possible',
        /65,536 of 65,536 entries \(100%\), and 9,000 packets were dropped since boot \(3\.1 days\) for want of an entry/,
      ]);
      assert.equal(judged.status, 4);
    });
  }

  it('without anything that was read is said to tell nothing', () => {
    const judged = judgeCopy({ 'sos_commands/dpkg/dpkg_-l': 'ii bash\n', hostname: 'db-9\n' });
    assert.match(judged.report.verdict.headline, /^Nothing could be judged/);
    assert.equal(judged.report.host.hostname, 'db-9');
    assert.equal(judged.status, 5);
    assert.ok(
      judged.notes.some((note) => /^not read: .*dpkg/.test(note)),
      judged.notes.join('\n'),
    );
  });

  it('with a healthy host says so, without a finding', () => {
    const zero = { ListenOverflows: 0, ListenDrops: 0, TCPReqQFullDrop: 0, TCPRcvQDrop: 0, TCPBacklogDrop: 0 };
    const judged = judgeCopy({
      'sos_commands/kernel/uname_-a': uname,
      'proc/net/netstat': groups({ TcpExt: { ...zero, RcvPruned: 0, OfoPruned: 0 } }),
      'sos_commands/host/uptime': ' 16:19:19 up 17:41,  2 users,  load average: 3.58, 3.27, 2.58\n',
    });
    assert.deepEqual(fired(judged), []);
    assert.match(judged.report.verdict.headline, /with no losses since boot \(18 hours\)/);
    assert.equal(found(judged, 'PKT0401').outcome, 'ok');
  });
});
