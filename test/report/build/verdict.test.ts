import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report } from '../../../src/generated/report.ts';
import type { Finding } from '../../../src/rules/finding.ts';
import { cpuSeconds, skbDrops, skbDropsCounted } from '../../../src/metrics/catalogue/index.ts';
import type { Cell, WindowSpec } from '../../support/window.ts';
import { finding, reportOf } from '../cases.ts';

/** CPU 1 has no time to spare, CPU 0 has. */
const window = windowWith(0);

function windowWith(idleOfCpu1: number): WindowSpec {
  const idle = (cpu: string, share: number): Cell => [cpuSeconds, { cpu, mode: 'idle' }, 0, 10 * share];
  return { cells: [idle('0', 0.9), idle('1', idleOfCpu1)] };
}

const tap = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0101',
    rule: 'af-packet-tap-cost',
    role: 'cause',
    outcome: 'warning',
    title: 'Packet captures slow every packet',
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
const ring = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0501',
    rule: 'nic-ring-drops',
    outcome: 'critical',
    place: { device: 'eth0', cpus: ['1'] },
    impact: { lostPerSecond: 300 },
    ...said,
  });
const numa = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0301',
    rule: 'packet-path-remote-numa',
    role: 'cause',
    outcome: 'warning',
    certainty: 'correlated',
    place: { device: 'eth0', cpus: ['1'] },
    ...said,
  });
const throttled = (said: Partial<Finding> = {}): Finding =>
  finding({
    code: 'PKT0412',
    rule: 'reader-throttled',
    role: 'cause',
    outcome: 'warning',
    place: { pids: ['600'] },
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
  readonly window?: WindowSpec;
}

const rows: readonly Row[] = [
  {
    name: 'everything judged and quiet is ok',
    findings: [calm('PKT0201'), calm('PKT0405')],
    outcome: 'ok',
    headline: /all 2 checks/,
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
    headline: /but 1 could not run: PKT0104 stack-latency/,
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
      /^Packet captures .* on eth0.*10% of all CPU time; owner: tcpdump \(pid 42\); .*PKT0405.*; to do: stop the capture\.$/,
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
    name: 'a tap and ring loss of the same device on an idle CPU are not linked',
    window: windowWith(0.8),
    findings: [ring(), tap()],
    outcome: 'critical',
    principal: 'PKT0501',
    links: { PKT0101: [] },
  },
  {
    name: 'nor are they by the device alone',
    findings: [ring({ place: { device: 'eth0' } }), tap({ place: { netns: '', device: 'eth0' } })],
    outcome: 'critical',
    principal: 'PKT0501',
    links: { PKT0101: [] },
  },
  {
    name: 'on a CPU short of time that both name they are',
    findings: [ring(), tap()],
    outcome: 'critical',
    principal: 'PKT0101',
    links: { PKT0101: ['PKT0501'] },
  },
  {
    name: 'a cause whose cost was not measured does not inherit how bad the loss is',
    findings: [ring(), numa()],
    outcome: 'critical',
    principal: 'PKT0501',
    links: { PKT0301: ['PKT0501'] },
  },
  {
    name: 'a CPU whose time was not counted links nothing',
    window: { cells: [] },
    findings: [ring(), tap()],
    outcome: 'critical',
    principal: 'PKT0501',
    links: { PKT0101: [] },
  },
  {
    name: 'a cause and an outcome of the same process are linked, wherever it runs',
    window: windowWith(0.8),
    findings: [drops({ place: { netns: '', cpus: ['1'], pids: ['600'] } }), throttled()],
    outcome: 'critical',
    principal: 'PKT0412',
    links: { PKT0412: ['PKT0405'] },
  },
  {
    name: 'those of different processes are not',
    findings: [drops({ place: { netns: '', pids: ['600'] } }), throttled({ place: { pids: ['601'] } })],
    outcome: 'critical',
    principal: 'PKT0405',
    links: { PKT0412: [] },
  },
  {
    name: 'what is being lost comes before what merely costs',
    findings: [tap({ impact: { cpuShare: 0.0062 } }), conntrack({ outcome: 'warning' })],
    outcome: 'warning',
    principal: 'PKT0201',
  },
  {
    name: 'context is never the principal one beside anything else',
    findings: [calm('PKT0605', { role: 'context', outcome: 'critical', certainty: 'measured' }), tap()],
    outcome: 'critical',
    principal: 'PKT0101',
  },
  {
    name: 'nor alone: it is said, and what was found otherwise',
    findings: [calm('PKT0605', { role: 'context', outcome: 'warning', certainty: 'measured' }), calm('PKT0201')],
    outcome: 'warning',
    headline: /^Nothing found.* Beside it: rule-PKT0605 \(PKT0605\)\.$/,
  },
  {
    name: 'a loss that is no warning is in the headline, with its rate',
    findings: [drops({ outcome: 'info', impact: { lostPerSecond: 0.9 } }), calm('PKT0201')],
    outcome: 'ok',
    headline:
      /^Losses too small for a warning in 10 s \(PKT0405 udp-buffer-errors: 0\.9 datagrams\/s\), and nothing else found: all 2 checks/,
  },
  {
    name: 'the same of several namespaces is one figure, and what was not measured is said as ever',
    findings: [
      drops({ outcome: 'info', at: { netns: '' }, impact: { lostPerSecond: 0.9 } }),
      drops({ outcome: 'info', at: { netns: 'pod' }, impact: { lostPerSecond: 1.1 } }),
      finding({ code: 'PKT0201', rule: 'conntrack-table-full', outcome: 'not-measured' }),
    ],
    outcome: 'not-measured',
    headline:
      /^Losses too small .*PKT0405 udp-buffer-errors: 2 datagrams\/s\), .* but 1 could not run: PKT0201 conntrack-table-full\.$/,
  },
  {
    name: 'totals of one sample are in it too',
    findings: [
      drops({ outcome: 'info', message: 'few-since-boot', args: { total: 12, since: 'since boot' }, impact: {} }),
    ],
    outcome: 'ok',
    headline: /^Losses too small for a warning in 10 s \(PKT0405 udp-buffer-errors: 12 since boot\)/,
  },
  {
    name: 'what is dropped on purpose is no loss',
    findings: [calm('PKT0704', { role: 'context', outcome: 'info', impact: {} }), calm('PKT0201')],
    outcome: 'ok',
    headline: /^Nothing found in 10 s: all 2 checks/,
  },
  {
    name: 'a loss that only the ledger has is not passed over',
    window: {
      cells: [
        [skbDropsCounted, {}, 0, 40],
        [skbDrops, { reason: 'SOCKET_RCVBUFF', location: 'f', device: 'eth0' }, 0, 7],
        [skbDrops, { reason: 'NO_SOCKET', location: 'f', device: 'eth0' }, 0, 33],
      ],
    },
    findings: [calm('PKT0405'), calm('PKT0704')],
    outcome: 'ok',
    headline: /^Losses too small for a warning in 10 s \(7 packets that only the table of losses tells of\)/,
  },
  {
    name: 'nor called small where its rule could not be judged',
    window: {
      cells: [
        [skbDropsCounted, {}, 0, 40],
        [skbDrops, { reason: 'SOCKET_RCVBUFF', location: 'f', device: 'eth0' }, 0, 7],
        [skbDrops, { reason: 'NEIGH_FAILED', location: 'f', device: 'eth0' }, 0, 300_000],
      ],
    },
    findings: [
      calm('PKT0405', { at: { netns: 'pod' } }),
      finding({ code: 'PKT0405', rule: 'udp-buffer-errors', at: { netns: '' }, outcome: 'not-measured' }),
      calm('PKT0702'),
    ],
    outcome: 'not-measured',
    headline:
      /^Losses too small for a warning in 10 s \(300,000 packets that only the table of losses tells of\) and losses that no check could judge \(7 packets that only the table of losses tells of\), and nothing else found by 1 check, but 1 could not run: PKT0405/,
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
    name: 'what is being lost comes before what merely costs, whatever that costs',
    findings: [
      tap({ outcome: 'critical', impact: { cpuShare: 0.6 } }),
      ring({ outcome: 'warning', place: { device: 'eth1' } }),
    ],
    outcome: 'critical',
    principal: 'PKT0501',
    headline: /cost: 300 frames\/s lost/,
  },
  {
    name: 'a critical cost that leads to a loss has it, and comes first',
    findings: [tap({ outcome: 'critical' }), drops({ outcome: 'warning' })],
    outcome: 'critical',
    principal: 'PKT0101',
    links: { PKT0101: ['PKT0405'] },
  },
  {
    name: 'a critical cost comes before a warning that loses nothing',
    findings: [tap({ outcome: 'critical' }), numa({ certainty: 'measured', impact: { cpuShare: 0.9 } })],
    outcome: 'critical',
    principal: 'PKT0101',
  },
  {
    name: 'what is critical without a cost, such as a CPU that has no time left, comes before a warning that loses',
    findings: [saturated({ outcome: 'critical', place: { cpus: ['0'] } }), drops({ outcome: 'warning' })],
    outcome: 'critical',
    principal: 'PKT0102',
  },
  {
    name: 'of two losses the larger one comes first',
    findings: [drops({ place: {} }), conntrack()],
    outcome: 'critical',
    principal: 'PKT0201',
  },
];

describe('verdict', () => {
  for (const { name, findings, outcome, principal, links, headline, window: at = window } of rows) {
    it(name, () => {
      for (const given of [findings, [...findings].reverse()]) {
        const { verdict, findings: ordered } = reportOf(at, given);
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

  it('gives what the headline says as fields, too', () => {
    const { verdict } = reportOf(window, [tap({ remedies: [{ action: 'Stop it.', command: 'kill 42' }] }), drops()]);
    assert.deepEqual(verdict.answer, {
      title: 'Packet captures slow every packet',
      lostPerSecond: null,
      cpuShare: 0.1,
      process: 'tcpdump (pid 42)',
      samePlace: ['PKT0405'],
      action: 'Stop it.',
      command: 'kill 42',
    });
    assert.equal(reportOf(window, []).verdict.answer, null);
  });

  it('never calls all well in words when it is not ok', () => {
    for (const { findings, outcome } of rows) {
      const { headline } = reportOf(window, findings).verdict;
      if (outcome === 'not-measured') assert.match(headline, /could not run|says nothing/);
    }
  });
});
