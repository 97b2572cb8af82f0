import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { netstat, parseNetstat, parseSnmp6 } from '../../src/collectors/netstat.ts';
import { netstat as fields } from '../../src/metrics/catalogue/index.ts';
import { countsUp } from '../../src/metrics/metric.ts';
import { bytesOf, fixture } from '../support/fixture.ts';
import { collect, valueOf } from '../support/reader.ts';

/** In these fixtures a field's value is the sum of the letters of its name: a column off by one shows. */
const sumOfLetters = (name: string): number => bytesOf(name).reduce((sum, letter) => sum + letter, 0);

describe('netstat collector', () => {
  for (const [kernel, tcpExt] of [
    ['5.10', 123],
    ['6.1', 125],
    ['6.12', 131],
    ['7.3', 135],
  ] as const) {
    it(`maps the ${tcpExt} TcpExt fields of ${kernel} by name`, () => {
      const snapshot = collect(netstat, {
        files: {
          '/proc/net/netstat': fixture(`netstat/${kernel}/netstat`),
          '/proc/net/snmp': fixture(`netstat/${kernel}/snmp`),
          '/proc/sys/kernel/osrelease': `${kernel}.0-18-amd64\n`,
        },
      });
      const names = snapshot.metrics().map(({ name }) => name.slice('node_netstat_'.length));
      assert.equal(names.filter((name) => name.startsWith('TcpExt_')).length, tcpExt);
      for (const name of names.filter((each) => each.startsWith('TcpExt_') || each.startsWith('Udp_'))) {
        const field = name.slice(name.indexOf('_') + 1);
        assert.equal(valueOf(snapshot, fields.member(name)), sumOfLetters(field), name);
      }
      assert.equal(valueOf(snapshot, fields.member('Tcp_MaxConn')), -1);
      assert.equal(snapshot.collector('netstat')?.status, 'ok', 'no snmp6 without IPv6 is not a gap');
    });
  }

  it('leaves out what an older kernel does not count, instead of a zero', () => {
    const snapshot = collect(netstat, {
      files: {
        '/proc/net/netstat': fixture('netstat/5.10/netstat'),
        '/proc/net/snmp': fixture('netstat/5.10/snmp'),
      },
    });
    assert.equal(valueOf(snapshot, fields.member('Udp_MemErrors')), undefined);
    assert.equal(valueOf(snapshot, fields.member('TcpExt_BeyondWindow')), undefined);
  });

  it('splits the names of snmp6 after the 6', () => {
    for (const kernel of ['5.10', '7.3']) {
      const parsed = parseSnmp6(fixture(`netstat/${kernel}/snmp6`));
      assert.ok(parsed.ok);
      assert.equal(parsed.value.get('Udp6_RcvbufErrors'), sumOfLetters('Udp6RcvbufErrors'));
      assert.equal(parsed.value.get('Icmp6_OutType133'), sumOfLetters('Icmp6OutType133'));
      assert.equal(parsed.value.has('UdpLite6_InErrors'), kernel === '5.10');
    }
  });

  it('gives the other files, and a gap, when one has more values than names or fewer', () => {
    for (const broken of ['TcpExt: A B\nTcpExt: 1\n', 'TcpExt: A B\nTcpExt: 1 2 3\n', 'TcpExt: A\nIpExt: 1\n']) {
      const snapshot = collect(netstat, {
        files: { '/proc/net/netstat': broken, '/proc/net/snmp': 'Udp: InDatagrams\nUdp: 7\n' },
      });
      assert.equal(valueOf(snapshot, fields.member('Udp_InDatagrams')), 7);
      assert.equal(valueOf(snapshot, fields.member('TcpExt_A')), undefined);
      const report = snapshot.collector('netstat');
      assert.equal(report?.status, 'partial');
      assert.equal(report.gaps[0]?.path, '/proc/net/netstat');
    }
  });

  it('refuses names that no metric can have', () => {
    assert.ok(!parseNetstat(bytesOf('TcpExt: a-b\nTcpExt: 1\n')).ok);
    assert.ok(!parseSnmp6(bytesOf('Ip6"In 1\n')).ok);
  });

  it('treats the fields as counters under the type operators know, and levels as levels', () => {
    assert.equal(fields.member('TcpExt_ListenDrops').type, 'untyped');
    assert.ok(countsUp(fields.member('TcpExt_ListenDrops')));
    assert.ok(!countsUp(fields.member('Tcp_CurrEstab')));
    assert.ok(!countsUp(fields.member('MPTcpExt_MPCurrEstab')));
  });
});
