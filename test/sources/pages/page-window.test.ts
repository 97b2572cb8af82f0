import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report, ReportFinding } from '../../../src/generated/report.ts';
import { judgeWindow, neededElsewhere } from '../../../src/jobs/judge.ts';
import * as metrics from '../../../src/metrics/catalogue/index.ts';
import { formatValue } from '../../../src/metrics/exposition.ts';
import { metricNamed } from '../../../src/metrics/lookup.ts';
import type { Metric } from '../../../src/metrics/metric.ts';
import type { Result } from '../../../src/base/result.ts';
import { labelKey } from '../../../src/metrics/snapshot.ts';
import type { Window } from '../../../src/metrics/window.ts';
import { parseExposition } from '../../../src/sources/pages/exposition.ts';
import { windowOfPages, type ExporterPage } from '../../../src/sources/pages/page-window.ts';
import { bytesOf } from '../../support/fixture.ts';

const WHERE = 'http://host:9100/metrics';
const SECONDS = 30;

function page(text: string, at: number): ExporterPage {
  const parsed = parseExposition(bytesOf(text));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason);
  return { samples: parsed.value, takenAt: new Date(at * 1000).toISOString(), at };
}

function pages(before: string, after: string): Result<Window> {
  return windowOfPages(page(before, 1000), page(after, 1000 + SECONDS), {
    shown: WHERE,
    absent: 'not exported',
    needed: neededElsewhere,
  });
}

function windowOf(before: string, after: string): Window {
  const window = pages(before, after);
  assert.ok(window.ok, window.ok ? '' : window.reason);
  return window.value;
}

function reportOf(before: string, after: string): Report {
  return judgeWindow({
    window: windowOf(before, after),
    requestedSeconds: SECONDS,
    cutShort: false,
    version: '0',
    overrides: {},
    self: () => ({ cpuSeconds: null, peakMemoryBytes: null }),
  });
}

function findingOf(report: Report, code: string): ReportFinding {
  return report.findings.find((each) => each.code === code)!;
}

const steps = (window: Window, metric: Metric): Record<string, number> =>
  Object.fromEntries(window.increase(metric).cells.map(({ labels, increase }) => [labelKey(labels), increase]));
const reasons = (window: Window, metric: Metric): readonly string[] =>
  window.increase(metric).missing.map(({ reason }) => reason);

/** What node_exporter shows of connection tracking. */
const conntrack = (entries: number, drop: number): string =>
  `node_nf_conntrack_entries ${entries}\nnode_nf_conntrack_entries_limit 1000\nnode_nf_conntrack_stat_drop ${drop}\n` +
  'node_nf_conntrack_stat_early_drop 0\nnode_nf_conntrack_stat_insert_failed 0\n';

describe('two pages of an exporter', () => {
  it('are judged as the host itself would be', () => {
    const found = findingOf(reportOf(conntrack(999, 10), conntrack(1000, 310)), 'PKT0201');
    assert.equal(found.outcome, 'critical');
    assert.equal(found.impact.lostPerSecond, 10);
  });

  it('have times in seconds, and those of earlier versions in nanoseconds: both say the same', () => {
    const labels = '{device="eth0",span="taps",mode="tcx"}';
    const now = (seconds: string): string => `pktcost_span_seconds_total${labels} ${seconds}\n`;
    const then = (ns: number): string => `pktcost_span_nanoseconds_total${labels} ${ns}\n`;
    for (const window of [windowOf(now('2.5e-06'), now('0.0010025')), windowOf(then(2500), then(1_002_500))]) {
      const [cell] = window.increase(metrics.spanNanoseconds).cells;
      assert.equal(Math.round(cell!.increase), 1_000_000);
      assert.equal(Math.round(cell!.before), 2500);
    }
  });

  it('have bounds of times in seconds, and those of earlier versions in nanoseconds: both say the same', () => {
    const line = (name: string, le: string): string => `${name}{device="eth0",span="taps",mode="tcx",le="${le}"} 7\n`;
    for (const ns of ['128', '1152', '67108864', '+Inf']) {
      const seconds = ns === '+Inf' ? ns : formatValue(Number(ns) / 1e9);
      for (const text of [line('pktcost_span_seconds_bucket', seconds), line('pktcost_span_bucket', ns)]) {
        const [cell] = windowOf(text, text).value(metrics.spanBucket);
        assert.equal(cell?.labels['le'], ns);
        assert.equal(cell.value, 7);
      }
    }
  });

  it('what is not on the page is not measured, and where it was looked for is said', () => {
    const report = reportOf(conntrack(1, 0), conntrack(1, 0));
    assert.equal(report.verdict.outcome, 'not-measured');
    for (const code of ['PKT0101', 'PKT0401', 'PKT0501']) {
      const { outcome, missing } = findingOf(report, code);
      assert.equal(outcome, 'not-measured', code);
      assert.ok(
        missing.every(({ reason }) => reason.startsWith('not exported')),
        code,
      );
    }
    assert.equal(report.collectors[0]?.path, WHERE);
  });

  it('a part of a collector is no reason to take the rest for zero', () => {
    // Of the devices node_exporter shows the names and not the kinds, which would be "no such device" for a rule.
    const text = 'node_network_up{device="eth0"} 1\nnode_network_receive_packets_total{device="eth0"} 5\n';
    const { outcome, missing } = findingOf(reportOf(text, text), 'PKT0501');
    assert.equal(outcome, 'not-measured');
    assert.match(missing[0]?.reason ?? '', /^not exported/);
  });

  it('a collector that failed there is a reason', () => {
    const text = `${conntrack(1, 0).split('\n').slice(0, 2).join('\n')}\nnode_scrape_collector_success{collector="conntrack"} 0\n`;
    const { missing } = findingOf(reportOf(text, text), 'PKT0201');
    assert.match(missing[0]?.reason ?? '', /^not exported: node_exporter's collector conntrack failed there/);
  });

  it('a sum over CPUs that fell was reset, since no wrap of one CPU can be undone', () => {
    const window = windowOf(conntrack(1, 4_000_000_000), conntrack(1, 100));
    assert.deepEqual(steps(window, metrics.conntrackDrop), {});
    assert.match(reasons(window, metrics.conntrackDrop).join(), /4000000000 back to 100: reset/);
    assert.equal(
      findingOf(reportOf(conntrack(1, 4_000_000_000), conntrack(1, 100)), 'PKT0201').outcome,
      'not-measured',
    );
  });

  it('a counter of one CPU wraps at 2^32 there as well', () => {
    const text = (value: number): string => `node_softnet_processed_total{cpu="0"} ${value}\n`;
    assert.deepEqual(steps(windowOf(text(4_294_967_290), text(10)), metrics.softnetProcessed), { 'cpu=0': 16 });
  });

  it('labels that pktcost does not know are left out, and what they alone tell apart is not added up', () => {
    const text = (value: number): string => `node_network_receive_packets_total{device="eth0",ifalias="up"} ${value}\n`;
    assert.deepEqual(steps(windowOf(text(5), text(8)), metrics.receivePackets), { 'device=eth0': 3 });
    const twice = (value: number): string =>
      text(value) + `node_network_receive_packets_total{device="eth0"} ${value}\n`;
    const window = windowOf(twice(5), twice(8));
    assert.deepEqual(steps(window, metrics.receivePackets), {});
    assert.match(
      reasons(window, metrics.receivePackets).join(),
      /several series that differ in labels unknown to pktcost/,
    );
  });

  it('a number without the label that says of what it is, is none of a cell', () => {
    const text = 'node_cpu_seconds_total{mode="softirq"} 12\n';
    assert.deepEqual(windowOf(text, text).value(metrics.cpuSeconds), []);
  });

  it('a label that clashed with one of the target is found where Prometheus put it', () => {
    const text = 'node_memory_numa_numa_hit_total{node="worker-3",exported_node="1"} 7\n';
    assert.deepEqual(
      windowOf(text, text)
        .value(metrics.numaHit)
        .map(({ labels }) => labels),
      [{ node: '1' }],
    );
  });

  it('NaN and the infinities are no figures', () => {
    for (const value of ['NaN', '+Inf']) {
      const { outcome, missing } = findingOf(
        reportOf(
          conntrack(1, 0).replace('_drop 0', `_drop ${value}`),
          conntrack(1, 0).replace('_drop 0', `_drop ${value}`),
        ),
        'PKT0201',
      );
      assert.equal(outcome, 'not-measured');
      assert.match(missing.map(({ reason }) => reason).join(), /stat_drop is not a finite number/);
    }
  });

  it('an unknown speed of a link is not a speed', () => {
    const text = 'node_network_speed_bytes{device="eth0"} -125000\nnode_network_speed_bytes{device="eth1"} 1.25e+08\n';
    assert.deepEqual(
      windowOf(text, text)
        .value(metrics.deviceSpeed)
        .map(({ value }) => value),
      [125_000_000],
    );
  });

  it('namespaces are kept apart by their label', () => {
    const text = (value: number): string =>
      `node_netstat_TcpExt_ListenOverflows 0\nnode_netstat_TcpExt_ListenOverflows{netns="pod"} ${value}\n`;
    const found = findingOf(reportOf(text(0), text(100)), 'PKT0401');
    assert.equal(found.outcome, 'critical');
    assert.equal(found.place.netns, 'pod');
  });

  it('a host that was restarted has no rates, whatever its counters reached since', () => {
    const booted = (time: number, drop: number): string => `node_boot_time_seconds ${time}\n${conntrack(1000, drop)}`;
    const { outcome, missing } = findingOf(reportOf(booted(500, 10), booted(1010, 5000)), 'PKT0201');
    assert.equal(outcome, 'not-measured');
    assert.match(
      missing[0]?.reason ?? '',
      /the host was restarted in the window, or its clock was set: its boot time went from 1970-01-01T00:08:20Z/,
    );
    assert.equal(findingOf(reportOf(booted(500, 10), booted(501, 5000)), 'PKT0201').outcome, 'critical');
  });

  it('an exporter that was restarted is said, and changes nothing', () => {
    const started = (time: number, drop: number): string =>
      `process_start_time_seconds ${time}\n${conntrack(1000, drop)}`;
    const report = reportOf(started(500, 10), started(1010, 5000));
    assert.equal(findingOf(report, 'PKT0201').outcome, 'critical');
    assert.match(report.collectors[0]?.reason ?? '', /exporter was restarted in the window, at 1970-01-01T00:16:50Z/);
  });

  it('a page of two hosts is none', () => {
    const of = (name: string): string =>
      `node_uname_info{sysname="Linux",release="6",version="1",machine="x",nodename="${name}",domainname=""} 1\n`;
    const window = pages(of('a'), of('b'));
    assert.ok(!window.ok && /is two hosts, a and then b/.test(window.reason));
  });

  it('a sample whose time stands still is one sample', () => {
    const text = (value: number): string => conntrack(1000, value).replace(/(\S+) (\d+)\n/g, '$1 $2 1395066363000\n');
    const { outcome, missing } = findingOf(reportOf(text(10), text(10)), 'PKT0201');
    assert.equal(outcome, 'not-measured');
    assert.match(missing[0]?.reason ?? '', /^one sample only in the window/);
  });
});

/** What `pktcost metrics` says of itself and of one collector. */
const own = (made: number, status: string, text: string): string =>
  `pktcost_page_time_seconds ${made}\npktcost_page_collector_info{collector="conntrack",status="${status}"} 1\n${text}`;

describe('two pages of pktcost metrics', () => {
  it('are as far apart as they were made, not as they were asked for', () => {
    const report = reportOf(own(1000, 'ok', conntrack(1000, 10)), own(1060, 'ok', conntrack(1000, 610)));
    assert.equal(report.window.seconds, 60);
    assert.equal(findingOf(report, 'PKT0201').impact.lostPerSecond, 10);
  });

  it('one page that was asked for twice says nothing about what happened', () => {
    const text = own(1000, 'ok', conntrack(1000, 10));
    const { outcome, missing } = findingOf(reportOf(text, text), 'PKT0201');
    assert.equal(outcome, 'not-measured');
    assert.match(missing[0]?.reason ?? '', /did not make its page anew in the window: it is from 1970-01-01T00:16:40Z/);
  });

  it('an old page is no picture of today: its gauges are not used either', () => {
    const text =
      'node_scrape_collector_success{collector="conntrack"} 1\npktcost_page_time_seconds 5\npktcost_hugepages_pool{size="2048"} 8\n' +
      'pktcost_hugepages_free{size="2048"} 8\npktcost_hugepages_reserved{size="2048"} 0\npktcost_hugepages_surplus{size="2048"} 0\npktcost_page_collector_info{collector="meminfo",status="ok"} 1\n';
    const old = findingOf(reportOf(text, text + conntrack(1, 0)), 'PKT0603');
    assert.equal(old.outcome, 'not-measured');
    assert.match(old.missing[0]?.reason ?? '', /did not make its page anew/);
    const anew = findingOf(reportOf(text, text.replace('seconds 5', 'seconds 35')), 'PKT0603');
    assert.notEqual(anew.outcome, 'not-measured');
  });

  it('what it found nothing of is not applicable, and what it could not read is not measured', () => {
    for (const [status, outcome] of [
      ['not-applicable', 'not-applicable'],
      ['unavailable', 'not-measured'],
      ['partial', 'not-measured'],
    ] as const) {
      const report = reportOf(own(1000, status, ''), own(1030, status, ''));
      assert.equal(findingOf(report, 'PKT0201').outcome, outcome, status);
    }
  });

  it('behind node_exporter, what that reads itself is as it says', () => {
    const both = (made: number): string =>
      own(made, 'not-applicable', 'node_scrape_collector_success{collector="conntrack"} 1\n');
    assert.equal(findingOf(reportOf(both(1000), both(1030)), 'PKT0201').outcome, 'not-measured');
  });
});

describe('pages that stand still', () => {
  const made = (time: string): string => `${conntrack(1000, 300)}${time}`;

  it('by the clock on them tell nothing: neither a rate nor a level', () => {
    const window = windowOf(made('node_time_seconds 1.7e+09\n'), made('node_time_seconds 1.7e+09\n'));
    assert.deepEqual(steps(window, metrics.conntrackDrop), {});
    const report = reportOf(made('node_time_seconds 1.7e+09\n'), made('node_time_seconds 1.7e+09\n'));
    const { outcome, missing } = findingOf(report, 'PKT0201');
    assert.equal(outcome, 'not-measured');
    assert.match(
      missing[0]?.reason ?? '',
      /was not made anew in the window: it is from 2023-11-14T22:13:20Z at both ends/,
    );
    assert.equal(report.verdict.outcome, 'not-measured');
  });

  it('are no such where the clock went on', () => {
    const report = reportOf(made('node_time_seconds 1.7e+09\n'), made('node_time_seconds 1.70000001e+09\n'));
    assert.equal(findingOf(report, 'PKT0201').outcome, 'ok');
  });

  it('without a clock are known by CPUs that took no time', () => {
    const cpu = 'node_cpu_seconds_total{cpu="0",mode="idle"} 90\nnode_cpu_seconds_total{cpu="0",mode="user"} 1\n';
    assert.equal(findingOf(reportOf(made(cpu), made(cpu)), 'PKT0201').outcome, 'not-measured');
    assert.equal(findingOf(reportOf(made(cpu), made(cpu.replace('90', '91'))), 'PKT0201').outcome, 'ok');
  });
});

describe('a metric by its name', () => {
  it('is the one that was declared', () => {
    for (const metric of [metrics.cpuSeconds, metrics.numaHit, metrics.conntrackDrop]) {
      assert.equal(metricNamed(metric.name), metric);
    }
    assert.equal(metricNamed('node_netstat_Tcp_InSegs'), metrics.netstat.member('Tcp_InSegs'));
    assert.equal(metricNamed('node_memory_numa_MemFree'), metrics.meminfoNuma.member('MemFree'));
    assert.equal(metricNamed('node_memory_MemFree_bytes'), metrics.meminfo.member('MemFree_bytes'));
    assert.equal(metricNamed('node_memory_'), undefined);
    assert.equal(metricNamed('go_goroutines'), undefined);
  });
});

describe('sockets on a page that lost a label', () => {
  const drops = (labels: string, value: number): string => `pktcost_udp_socket_drops_total{${labels}} ${value}\n`;
  for (const [lost, labels] of [
    ['family', 'address="0.0.0.0",port="514",inode="7"'],
    ['inode', 'family="ipv4",address="0.0.0.0",port="514"'],
    ['address', 'family="ipv4",port="514",inode="7"'],
    ['port', 'family="ipv4",address="0.0.0.0",inode="7"'],
  ] as const)
    it(`are nobody's without their ${lost}`, () => {
      const window = windowOf(drops(labels, 10), drops(labels, 900));
      assert.deepEqual(steps(window, metrics.udpSocketDrops), {});
      const whole = drops('family="ipv4",address="0.0.0.0",port="514",inode="7"', 900);
      const later = windowOf(drops(labels, 10), whole);
      assert.deepEqual(steps(later, metrics.udpSocketDrops), {}, 'what it had dropped before the window is not known');
      assert.match(reasons(later, metrics.udpSocketDrops).join(), /without the labels that tell whose it is/);
    });
});
describe('a first page without what sockets dropped', () => {
  const socket = 'family="v4",address="0.0.0.0",port="514",inode="7"';
  const made = (time: number): string =>
    `pktcost_page_time_seconds ${time}\npktcost_page_collector_info{collector="sockets",status="ok"} 1\n`;
  const drops = `pktcost_udp_socket_drops_total{${socket}} 900\n`;
  const buffer = `pktcost_udp_socket_receive_buffer_bytes{${socket}} 4096\n`;

  it('that has their buffers lost it: what they dropped in the window is not known', () => {
    const window = windowOf(made(1000) + buffer, made(1030) + buffer + drops);
    assert.deepEqual(steps(window, metrics.udpSocketDrops), {});
    assert.match(reasons(window, metrics.udpSocketDrops).join(), /had dropped before is not on the first page/);
  });

  it('and without their buffers is of sockets that had dropped none', () => {
    const window = windowOf(made(1000), made(1030) + buffer + drops);
    assert.deepEqual(Object.values(steps(window, metrics.udpSocketDrops)), [900]);
  });
});

describe('a page on which a label was lost', () => {
  const made = (time: number): string =>
    `pktcost_page_time_seconds ${time}\npktcost_page_collector_info{collector="packet",status="ok"} 1\n`;
  const socket =
    'inode="7",device="eth0",ifindex="2",protocol="0003",type="raw",hook="packet_rcv",filter="looks",ring="none",fanout="none",uid="0",promiscuous="no"';
  for (const label of ['protocol', 'filter', 'hook'])
    it(`that says what a packet socket takes (${label}) does not show that none takes all`, () => {
      const rest = socket.replace(new RegExp(`${label}="[^"]*",`), '');
      const info = (labels: string): string => `pktcost_packet_socket_info{${labels}} 1\n`;
      assert.equal(
        findingOf(reportOf(made(1000), made(1030)), 'PKT0105').outcome,
        'not-applicable',
        'without a socket',
      );
      const report = reportOf(made(1000) + info(rest), made(1030) + info(rest));
      const { outcome, missing } = findingOf(report, 'PKT0105');
      assert.equal(outcome, 'not-measured');
      assert.match(JSON.stringify(missing), /without the labels that tell whose it is/);
    });
});
