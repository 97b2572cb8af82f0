import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report, ReportFinding } from '../../src/generated/report.ts';
import { judgePages } from '../support/pages.ts';

const found = (report: Report, code: string): ReportFinding => {
  const finding = report.findings.find((each) => each.code === code);
  assert.ok(finding !== undefined, code);
  return finding;
};

const host =
  'node_uname_info{sysname="Linux",release="5.15.0",version="1",machine="x",nodename="log-2",domainname=""} 1\n';
/** What a stock node_exporter shows of UDP. */
const udp = (delivered: number, lost: number): string =>
  `${host}node_netstat_Udp_InDatagrams ${delivered}\nnode_netstat_Udp_InErrors ${lost}\nnode_netstat_Udp_OutDatagrams 5\n` +
  `node_netstat_Udp_RcvbufErrors ${lost}\nnode_netstat_Udp_SndbufErrors 0\n`;

describe('pages of exporters', () => {
  it('with net.core.rmem_max on them make the remedy name both values', () => {
    // 500 of 10,500 datagrams in 10 s; --collector.sysctl.include=net.core.rmem_max.
    const known = 'node_sysctl_net_core_rmem_max 212992\n';
    const report = judgePages(udp(100, 0) + known, udp(10_100, 500) + known);
    const finding = found(report, 'PKT0405');
    assert.deepEqual([finding.outcome, finding.certainty], ['critical', 'measured']);
    assert.match(finding.summary, /^500 UDP datagrams \(4\.8%\)/);
    assert.match(finding.remedies.map(({ action }) => action).join('\n'), /rmem_max(?! allows)/);
    assert.doesNotMatch(JSON.stringify(report), /rmem_max allows it/);
  });

  it('tell of a larger limit that it allows more', () => {
    const known = 'node_sysctl_net_core_rmem_max 16777216\n';
    const report = judgePages(udp(100, 0) + known, udp(10_100, 500) + known);
    assert.match(
      found(report, 'PKT0405')
        .remedies.map(({ action }) => action)
        .join('\n'),
      /rmem_max allows/,
    );
  });

  it('without the datagrams delivered tell no share, and no health', () => {
    const page = (lost: number): string =>
      `${host}node_netstat_Udp_RcvbufErrors ${lost}\nnode_netstat_Udp_InErrors ${lost}\n`;
    assert.notEqual(found(judgePages(page(0), page(500)), 'PKT0405').outcome, 'ok');
  });

  it('with connections that came through say how many were refused beside them', () => {
    const page = (refused: number, opened: number): string =>
      `${host}node_netstat_TcpExt_ListenOverflows ${refused}\nnode_netstat_TcpExt_ListenDrops ${refused}\n` +
      `node_netstat_Tcp_PassiveOpens ${opened}\n`;
    const finding = found(judgePages(page(0, 0), page(90, 810)), 'PKT0401');
    assert.equal(finding.outcome, 'critical');
    assert.match(finding.summary, /^90 connection attempts were dropped \(9\/s; 810 connections came through\)/);
    assert.doesNotMatch(finding.summary, /open for the whole window|\b0 connections/);
  });
});
