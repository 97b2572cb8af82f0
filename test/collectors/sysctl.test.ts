import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseTriple, sysctl } from '../../src/collectors/sysctl.ts';
import { sysctl as sysctlMetric, tcpMem, udpMem } from '../../src/metrics/catalogue/index.ts';
import { bytesOf } from '../support/fixture.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

// What a child network namespace of 5.10 shows.
const child = {
  '/proc/sys/net/core/somaxconn': '4096\n',
  '/proc/sys/net/ipv4/tcp_syncookies': '1\n',
  '/proc/sys/net/ipv4/tcp_max_syn_backlog': '512\n',
  '/proc/sys/net/ipv4/tcp_rmem': '4096\t131072\t6291456\n',
  '/proc/sys/net/ipv4/udp_rmem_min': '4096\n',
};
const initial = {
  ...child,
  '/proc/sys/net/core/netdev_max_backlog': '1000\n',
  '/proc/sys/net/core/netdev_budget': '300\n',
  '/proc/sys/net/core/rmem_max': '212992\n',
  '/proc/sys/net/ipv4/tcp_max_orphans': '131072\n',
  '/proc/sys/net/ipv4/tcp_mem': '287901\t383868\t575802\n',
  '/proc/sys/net/ipv4/udp_mem': '575802\t767736\t1151604\n',
};

describe('sysctl collector', () => {
  it('gives tunables by their dotted name, tcp_rmem in its three parts', () => {
    const snapshot = collect(sysctl, { files: initial });
    assert.equal(valueOf(snapshot, sysctlMetric, { name: 'net.core.netdev_max_backlog' }), 1000);
    assert.equal(valueOf(snapshot, sysctlMetric, { name: 'net.core.somaxconn' }), 4096);
    assert.equal(valueOf(snapshot, sysctlMetric, { name: 'net.ipv4.tcp_max_orphans' }), 131072);
    assert.equal(valueOf(snapshot, sysctlMetric, { name: 'net.ipv4.tcp_rmem.max' }), 6291456);
    assert.deepEqual(valuesOf(snapshot, tcpMem), {
      'limit=min': 287901,
      'limit=pressure': 383868,
      'limit=max': 575802,
    });
    assert.equal(valueOf(snapshot, udpMem, { limit: 'max' }), 1151604);
  });

  it('finds nothing wanting in a child namespace, which has no global tunables', () => {
    const snapshot = collect(sysctl, { files: child });
    assert.equal(snapshot.collector('sysctl')?.status, 'ok');
    assert.deepEqual(valuesOf(snapshot, tcpMem), {});
    assert.equal(valueOf(snapshot, sysctlMetric, { name: 'net.core.netdev_budget' }), undefined);
  });

  it('says so when /proc/sys/net is not there at all', () => {
    const snapshot = collect(sysctl, { files: {} });
    assert.equal(snapshot.collector('sysctl')?.status, 'unavailable');
    assert.equal(snapshot.collector('sysctl')?.gaps[0]?.path, '/proc/sys/net/core/somaxconn');
  });

  it('refuses a triple that is empty, short, long or garbage', () => {
    for (const content of ['', '\n', '1\t2\n', '1\t2\t3\t4\n', '1\tx\t3\n', '-1\t2\t3\n']) {
      assert.equal(parseTriple(bytesOf(content)).ok, false, JSON.stringify(content));
    }
  });
});
