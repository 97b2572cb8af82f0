import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { expectFinding, found, groups, host, judgeCopy, pairOf, type Copy } from '../support/copies.ts';

const hex = (value: number): string => value.toString(16).padStart(8, '0');
const threshold = (value: number): Copy => ({
  'proc/sys/net/ipv4/neigh/default/gc_thresh3': `${value}\n`,
  'sys/devices/system/cpu/possible': '0\n',
});
const arp = (entries: number, full = 0): Copy => ({
  'proc/net/stat/arp_cache': `entries  allocs   res_failed unresolved_discards table_fulls\n${[entries, 9000, 3, 0, full].map(hex).join(' ')}\n`,
});

describe('a neighbour table at gc_thresh3', () => {
  it('is told from its level, of one sample and with nothing else', () => {
    const judged = judgeCopy({ ...arp(1024), ...threshold(1024) });
    expectFinding(judged, 'PKT0702', [
      'warning',
      'possible',
      /^The neighbour table arp of the host holds 1,024 entries, and gc_thresh3 is 1,024/,
    ]);
    assert.equal(judged.status, 4);
  });

  it('is told beside what was sent, and in two samples', () => {
    const sent = (requests: number): Copy => ({ 'proc/net/snmp': groups({ Ip: { OutRequests: requests } }) });
    const one = judgeCopy({ ...host('6.1.0-18-amd64'), ...arp(1030), ...threshold(1024), ...sent(100_000) });
    expectFinding(one, 'PKT0702', ['warning', 'possible', /holds 1,030 entries/]);
    const two = judgeCopy(
      pairOf(
        { ...host('6.1.0-18-amd64'), ...threshold(1024) },
        { ...arp(1000), ...sent(100_000) },
        { ...arp(1024), ...sent(200_000) },
      ),
    );
    expectFinding(two, 'PKT0702', ['warning', 'possible', /holds 1,024 entries/]);
  });

  it('is told by the counter where it refused some', () => {
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      ...arp(1024, 5000),
      ...threshold(1024),
      'proc/net/snmp': groups({ Ip: { OutRequests: 6000 } }),
    });
    expectFinding(judged, 'PKT0702', [
      'warning',
      'possible',
      /^5,000 packets were lost since boot.*neighbour table of the host is full/,
    ]);
  });

  it('with room left says nothing, and without its limit nothing either', () => {
    for (const copy of [{ ...arp(1000), ...threshold(1024) }, arp(1024)]) {
      const { outcome } = found(judgeCopy(copy), 'PKT0702');
      assert.equal(outcome, 'not-measured');
    }
  });
});

describe('a level in one sample', () => {
  it('of TCP memory at its hard limit is possible, and no more than a warning', () => {
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      'proc/uptime': '86400.00 1.00\n',
      'proc/net/sockstat': 'sockets: used 200\nTCP: inuse 2 orphan 0 tw 0 alloc 3 mem 190100\nUDP: inuse 8 mem 10\n',
      'proc/sys/net/ipv4/tcp_mem': '95000\t126000\t190000\n',
    });
    expectFinding(judged, 'PKT0404', ['warning', 'possible', /190,100 pages, 100\.1% of the hard limit/]);
  });

  it('of TCP memory under pressure is possible', () => {
    const judged = judgeCopy({
      ...host('6.1.0-18-amd64'),
      'proc/uptime': '86400.00 1.00\n',
      'proc/net/sockstat': 'sockets: used 200\nTCP: inuse 2 orphan 0 tw 0 alloc 3 mem 130000\nUDP: inuse 8 mem 10\n',
      'proc/sys/net/ipv4/tcp_mem': '95000\t126000\t190000\n',
    });
    expectFinding(judged, 'PKT0404', ['warning', 'possible', /130,000 pages, above the pressure limit/]);
  });
});
