import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { buildFleet, fleetEntry } from '../../../src/report/fleet/index.ts';
import { hostCosts, hostWhy } from '../../../src/report/fleet/words.ts';
import type { FleetHost } from '../../../src/generated/fleet.ts';
import type { Finding } from '../../../src/rules/finding.ts';
import { finding, reportOf } from '../cases.ts';

function hostWith(...findings: readonly Finding[]): FleetHost {
  const fleet = buildFleet({
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
        state: 'up',
        reason: null,
        lastSample: 1,
        report: reportOf({ cells: [] }, findings),
      }),
    ],
    warnings: [],
    top: 10,
  });
  const [host] = fleet.hosts;
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
    assert.equal(hostWhy(host), 'nothing found by 1 checks');
    assert.equal(hostCosts(host), '');
  });

  it('has losses that are no warning, and how many', () => {
    const host = hostWith(small);
    assert.equal(host.verdict.outcome, 'ok');
    assert.equal(hostWhy(host), 'losses too small for a warning, nothing else found by 1 checks');
    assert.equal(hostCosts(host), '0.9 packets/s lost');
  });
});
