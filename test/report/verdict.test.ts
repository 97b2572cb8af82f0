import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report } from '../../src/generated/report.ts';
import type { Finding } from '../../src/rules/finding.ts';
import { finding, reportOf } from './cases.ts';

const window = { cells: [] };

const tap = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0101',
    rule: 'af-packet-tap-cost',
    role: 'cause',
    outcome: 'warning',
    title: 'AF_PACKET taps make every packet dearer',
    place: { netns: '', device: 'eth0', cpus: ['1'] },
    impact: { cpuShare: 0.1 },
    args: { owners: 'tcpdump (pid 42)' },
    remedies: [{ action: 'Stop the capture.' }],
    ...said,
  });
const drops = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0405',
    rule: 'udp-buffer-errors',
    outcome: 'critical',
    place: { netns: '', cpus: ['1'] },
    impact: { lostPerSecond: 20 },
    ...said,
  });
const conntrack = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0201',
    rule: 'conntrack-table-full',
    outcome: 'critical',
    place: { netns: '' },
    impact: { lostPerSecond: 500 },
    ...said,
  });
const saturated = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0102',
    rule: 'softirq-saturation',
    role: 'cause',
    outcome: 'warning',
    place: { cpus: ['1'] },
    ...said,
  });
const unmeasured = (said: Partial<Finding> = {}): Finding =>
  finding({ code: 'PKT0104', rule: 'stack-latency', role: 'cause', outcome: 'not-measured', ...said });
const calm = (code: string, said: Partial<Finding> = {}): Finding =>
  finding({ code, rule: `rule-${code}`, outcome: 'ok', ...said });

interface Row {
  readonly name: string;
  readonly findings: readonly Finding[];
  readonly outcome: Report['verdict']['outcome'];
  readonly principal?: string;
  /** code -> codes of the outcomes linked with it */
  readonly links?: Readonly<Record<string, readonly string[]>>;
  readonly headline?: RegExp;
}

const rows: readonly Row[] = [
  {
    name: 'everything judged and quiet is ok',
    findings: [calm('PKT0201'), calm('PKT0405')],
    outcome: 'ok',
    headline: /2 checks/,
  },
  {
    name: 'what does not apply to the host does not spoil an ok',
    findings: [calm('PKT0201', { outcome: 'not-applicable' }), calm('PKT0405')],
    outcome: 'ok',
  },
  {
    name: 'a cause that was not measured is never ok',
    findings: [calm('PKT0201'), unmeasured()],
    outcome: 'not-measured',
    headline: /no all-clear/,
  },
  {
    name: 'nor is one that was measured for some instances only',
    findings: [calm('PKT0104', { role: 'cause', rule: 'stack-latency' }), unmeasured(), calm('PKT0201')],
    outcome: 'not-measured',
    headline: /PKT0104 stack-latency/,
  },
  {
    name: 'context that was not measured spoils nothing',
    findings: [calm('PKT0201'), unmeasured({ code: 'PKT0602', role: 'context' })],
    outcome: 'ok',
  },
  {
    name: 'nothing judged at all says nothing',
    findings: [unmeasured()],
    outcome: 'not-measured',
    headline: /Nothing could be/,
  },
  { name: 'no findings at all say nothing', findings: [], outcome: 'not-measured' },
  {
    name: 'info alone is ok',
    findings: [calm('PKT0604', { outcome: 'info', role: 'context' }), calm('PKT0201')],
    outcome: 'ok',
  },
  {
    name: 'what fired stands, whatever could not be measured',
    findings: [unmeasured(), conntrack()],
    outcome: 'critical',
    principal: 'PKT0201',
  },
  {
    name: 'a tap and drops on the same CPU are linked, and the cause is the principal one',
    findings: [drops(), tap()],
    outcome: 'critical',
    principal: 'PKT0101',
    links: { PKT0101: ['PKT0405'] },
    headline:
      /^AF_PACKET taps .* on eth0.*10% of all CPU time; owner: tcpdump \(pid 42\); .*PKT0405.*; to do: stop the capture\.$/,
  },
  {
    name: 'drops on another CPU are not linked: the critical one is the principal one',
    findings: [tap(), drops({ place: { netns: '', cpus: ['0'] } })],
    outcome: 'critical',
    principal: 'PKT0405',
    links: { PKT0101: [] },
  },
  {
    name: 'drops in another namespace are not linked',
    findings: [tap(), drops({ place: { netns: 'blue', cpus: ['1'] } })],
    outcome: 'critical',
    principal: 'PKT0405',
    links: { PKT0101: [] },
  },
  {
    name: 'drops on another device are not linked even on the same CPU',
    findings: [tap(), drops({ place: { netns: '', device: 'eth1', cpus: ['1'] } })],
    outcome: 'critical',
    principal: 'PKT0405',
    links: { PKT0101: [] },
  },
  {
    name: 'the same namespace alone links nothing',
    findings: [tap(), conntrack()],
    outcome: 'critical',
    principal: 'PKT0201',
    links: { PKT0101: [] },
  },
  {
    name: 'a cause of the whole host links by CPU',
    findings: [saturated(), drops()],
    outcome: 'critical',
    principal: 'PKT0102',
    links: { PKT0102: ['PKT0405'] },
  },
  {
    name: 'of two linked causes the measured one comes first',
    findings: [saturated({ certainty: 'correlated', impact: { cpuShare: 0.5 } }), tap(), drops()],
    outcome: 'critical',
    principal: 'PKT0101',
    links: { PKT0101: ['PKT0405'], PKT0102: ['PKT0405'] },
  },
  {
    name: 'of two measured causes the costlier one comes first',
    findings: [tap(), saturated({ impact: { cpuShare: 0.4 } })],
    outcome: 'warning',
    principal: 'PKT0102',
  },
  {
    name: 'certainty before cost',
    findings: [tap({ impact: { cpuShare: 0.01 } }), saturated({ certainty: 'possible', impact: { cpuShare: 0.4 } })],
    outcome: 'warning',
    principal: 'PKT0101',
  },
  {
    name: 'a critical one before a warning of any certainty',
    findings: [tap(), conntrack({ certainty: 'possible' })],
    outcome: 'critical',
    principal: 'PKT0201',
  },
  {
    name: 'of two losses the larger one comes first',
    findings: [drops({ place: {} }), conntrack()],
    outcome: 'critical',
    principal: 'PKT0201',
  },
];

describe('verdict', () => {
  for (const { name, findings, outcome, principal, links, headline } of rows) {
    it(name, () => {
      for (const given of [findings, [...findings].reverse()]) {
        const { verdict, findings: ordered } = reportOf(window, given);
        assert.equal(verdict.outcome, outcome);
        assert.equal(verdict.principal, principal ?? null);
        if (principal !== undefined) assert.equal(ordered[0]?.code, principal);
        if (headline !== undefined) assert.match(verdict.headline, headline);
        for (const [code, expected] of Object.entries(links ?? {})) {
          const cause = verdict.causes.find((each) => each.code === code);
          assert.deepEqual(
            cause?.leadsTo.map((each) => each.code),
            expected,
          );
          assert.equal(ordered[cause.finding]?.code, code);
          for (const each of cause.leadsTo) assert.equal(ordered[each.finding]?.code, each.code);
        }
      }
    });
  }

  it('never calls all well in words when it is not ok', () => {
    for (const { findings, outcome } of rows) {
      const { headline } = reportOf(window, findings).verdict;
      if (outcome === 'not-measured') assert.match(headline, /no all-clear|says nothing/);
    }
  });
});
