import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { buildFleet, fleetEntry } from '../../../src/report/fleet/index.ts';
import { renderFleetMarkdown } from '../../../src/report/fleet/markdown.ts';
import { renderFleetText } from '../../../src/report/fleet/text.ts';
import { hostCosts, hostWhy } from '../../../src/report/fleet/words.ts';
import type { Fleet, FleetHost } from '../../../src/generated/fleet.ts';
import type { Finding } from '../../../src/rules/finding.ts';
import { finding, reportOf } from '../cases.ts';

function fleetWith(findings: readonly Finding[], state: FleetHost['state'] = 'up'): Fleet {
  return buildFleet({
    tool: { name: 'pktcost', version: '0.1.0' },
    server: {
      url: 'http://prometheus:9090/',
      match: null,
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:05:00.000Z',
      windowSeconds: 300,
    },
    entries: [
      fleetEntry({
        job: 'node',
        instance: 'web-1:9100',
        labels: {},
        state,
        reason: null,
        lastSample: 1,
        report: reportOf({ cells: [] }, findings),
      }),
    ],
    warnings: [],
    top: 10,
  });
}

function hostWith(...findings: readonly Finding[]): FleetHost {
  const [host] = fleetWith(findings).hosts;
  assert.ok(host !== undefined);
  return host;
}

const small = finding({
  code: 'PKT0405',
  rule: 'udp-buffer-errors',
  outcome: 'info',
  impact: { lostPerSecond: 0.9 },
});

describe('a host of a fleet on which no check fired', () => {
  it('has nothing found where nothing was lost', () => {
    const host = hostWith(finding({ code: 'PKT0201', rule: 'conntrack-table-full', outcome: 'ok' }));
    assert.equal(hostWhy(host), 'nothing found by 1 check');
    assert.equal(hostCosts(host), '');
  });

  it('has losses that are no warning, and how many', () => {
    const host = hostWith(small);
    assert.equal(host.verdict.outcome, 'ok');
    assert.equal(hostWhy(host), 'losses too small for a warning, nothing else found by 1 check');
    assert.equal(hostCosts(host), '0.9 datagrams/s lost');
  });

  it('costs what the largest of its findings does, as one holds the other; those of one rule are of different CPUs', () => {
    const takes = (code: string, rule: string, cpuShare: number, cpu: string): Finding =>
      finding({ code, rule, outcome: 'critical', at: { cpu }, impact: { cpuShare } });
    const tapped = hostWith(
      takes('PKT0101', 'af-packet-tap-cost', 0.72, '0'),
      takes('PKT0102', 'softirq-saturation', 0.95, '0'),
    );
    assert.equal(tapped.impact.cpuShare, 0.95);
    assert.equal(hostCosts(tapped), '95% of CPU');
    const four = hostWith(
      takes('PKT0101', 'af-packet-tap-cost', 0.3, '0'),
      takes('PKT0102', 'softirq-saturation', 0.25, '0'),
      takes('PKT0102', 'softirq-saturation', 0.25, '1'),
    );
    assert.equal(four.impact.cpuShare, 0.5);
  });

  it('has each kind of what is lost with its unit, most first, and no sum of unlike things', () => {
    const loses = (code: string, rule: string, lostPerSecond: number): Finding =>
      finding({ code, rule, outcome: 'warning', impact: { lostPerSecond } });
    const host = hostWith(
      loses('PKT0404', 'tcp-memory-pressure', 2),
      loses('PKT0405', 'udp-buffer-errors', 20),
      loses('PKT0401', 'listen-queue-overflow', 3),
      loses('PKT0402', 'syn-queue-full', 4),
    );
    assert.equal(hostCosts(host), '20 datagrams/s, 7 connection attempts/s, 2 connections/s lost');
  });
});

describe('a fleet', () => {
  const style = { colour: false, width: 80, unicode: true };

  it('names a few of the rules that could not be judged, and all with -v and in a ticket', () => {
    const lacking = Array.from({ length: 30 }, (_, index) =>
      finding({ code: `PKT09${10 + index}`, rule: `rule-${index}`, outcome: 'not-measured' }),
    );
    const fleet = fleetWith(lacking);
    const brief = renderFleetText(fleet, style);
    assert.match(brief, /PKT0910 rule-0/);
    assert.match(brief.replace(/\s+/g, ' '), /PKT0915 rule-5 and 24 more/);
    assert.doesNotMatch(brief, /rule-6/);
    for (const whole of [renderFleetText(fleet, { ...style, verbose: true }), renderFleetMarkdown(fleet)])
      assert.match(whole.replace(/\s+/g, ' '), /PKT0939 rule-29/);
  });

  it('says of a host that is down what its line says', () => {
    assert.match(fleetWith([], 'down').headline, /1 down, gone or without an answer/);
  });
});
