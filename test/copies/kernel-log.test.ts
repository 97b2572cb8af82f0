import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackStat,
  conntrackTable,
  expectFinding,
  found,
  groups,
  host,
  judgeCopy,
  pairOf,
  type Copy,
} from '../support/copies.ts';

const log = (...lines: readonly string[]): Copy => ({ 'sos_commands/kernel/dmesg': `${lines.join('\n')}\n` });
const full = '[ 8123.1] nf_conntrack: nf_conntrack: table full, dropping packet';
const overflow = '[ 8123.1] neighbour: arp_cache: neighbor table overflow!';
const stat = (drop: number): Copy => ({
  'proc/net/stat/nf_conntrack': conntrackStat({
    entries: 65_536,
    invalid: 0,
    insert: 0,
    insert_failed: 0,
    drop,
    early_drop: 0,
    search_restart: 0,
    clashres: 0,
    chainlength: 0,
  }),
  'sys/devices/system/cpu/possible': '0\n',
});

describe('a line of the kernel log about a full conntrack table', () => {
  it('is evidence beside the drops that were counted', () => {
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      'proc/uptime': '86400.00 1.00\n',
      ...conntrackTable(65_536, 65_536),
      ...stat(9000),
      ...log(full, full),
    });
    const { evidence } = expectFinding(judged, 'PKT0201', [
      'warning',
      'possible',
      /9,000 packets were dropped since boot/,
    ]);
    const line = evidence.find(({ metric }) => metric === 'pktcost_kernel_log_lines');
    assert.deepEqual([line?.value, line?.source, line?.labels], [2, 'dmesg', { about: 'conntrack' }]);
  });

  it('is evidence of the level where the statistics were not copied, and possible by itself', () => {
    const judged = judgeCopy({ ...host('6.1.0-18-amd64'), ...conntrackTable(65_536, 65_536), ...log(full) });
    expectFinding(judged, 'PKT0201', ['warning', 'possible', /log says once that the conntrack table was full/]);
    assert.equal(found(judged, 'PKT0202').outcome, 'warning');
  });

  it('is possible where nothing else was copied', () => {
    const judged = judgeCopy(log(full, full, full));
    expectFinding(judged, 'PKT0201', [
      'warning',
      'possible',
      /^The kernel's log says 3 times that the conntrack table was full/,
    ]);
    assert.equal(judged.status, 4);
  });

  it('is a remark beside statistics that have none, and nothing against a window that has none', () => {
    const calm: Copy = { ...host('6.1.0-18-amd64'), ...conntrackTable(100, 65_536), ...stat(0), ...log(full) };
    expectFinding(judgeCopy({ ...calm, 'proc/uptime': '86400.00 1.00\n' }), 'PKT0201', [
      'info',
      'possible',
      /no counter that was read here has any/,
    ]);
    assert.equal(found(judgeCopy(pairOf(calm, {}, {})), 'PKT0201').outcome, 'ok');
  });
});

describe('a line of the kernel log about neighbours', () => {
  it('is evidence of a full table, and possible by itself', () => {
    const hex = (value: number): string => value.toString(16).padStart(8, '0');
    const level: Copy = {
      'proc/net/stat/arp_cache': `entries  allocs res_failed unresolved_discards table_fulls\n${[1024, 9000, 3, 0, 0].map(hex).join(' ')}\n`,
      'proc/sys/net/ipv4/neigh/default/gc_thresh3': '1024\n',
    };
    const { evidence } = found(judgeCopy({ ...level, ...log(overflow) }), 'PKT0702');
    assert.ok(evidence.some(({ source, value }) => source === 'dmesg' && value === 1));
    expectFinding(judgeCopy(log(overflow)), 'PKT0702', ['warning', 'possible', /neighbour table overflowed/]);
  });
});

describe('a line of the kernel log about TCP', () => {
  it('out of memory is possible by itself, and SYN flooding raises nothing', () => {
    const tcp = judgeCopy(log('[   17.1] TCP: out of memory -- consider tuning tcp_mem'));
    expectFinding(tcp, 'PKT0404', ['warning', 'possible', /TCP was out of memory/]);
    const syn = '[   18.1] TCP: request_sock_TCP: Possible SYN flooding on port 80. Sending cookies.';
    assert.equal(found(judgeCopy(log(syn)), 'PKT0402').outcome, 'not-measured');
    const dropped = judgeCopy({
      ...host('6.1.0-18-amd64'),
      'proc/uptime': '86400.00 1.00\n',
      'proc/net/netstat': groups({ TcpExt: { TCPReqQFullDrop: 5000, TCPReqQFullDoCookies: 0 } }),
      'proc/net/snmp': groups({ Tcp: { PassiveOpens: 1000 } }),
      ...log(syn),
    });
    assert.ok(found(dropped, 'PKT0402').evidence.some(({ source }) => source === 'dmesg'));
  });
});
