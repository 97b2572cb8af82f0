import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report } from '../../src/generated/report.ts';
import * as metrics from '../../src/metrics/catalogue/index.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import { attached, host, reportOf } from '../report/cases.ts';
import { kernelHooks, ownerCell, socketCell } from '../support/taps.ts';
import { windowOf, type Cell } from '../support/window.ts';

const span = { device: 'eth0', span: 'taps', mode: 'tracepoint' };

/** 200,000 packets in ten seconds, and 900 ns above the floor in the span of their taps. */
const spanned: Cell[] = [
  ...host({ packets: 200_000, frames: 200_000, softirq: 0.6 }),
  [metrics.transmitPackets, { device: 'eth0' }, 0, 0],
  kernelHooks,
  [metrics.spanSamples, span, 0, 10_000],
  [metrics.spanNanoseconds, span, 0, 10_000 * 1100],
  [metrics.spanFloor, { ...span, method: 'empty' }, 200, 200],
  [metrics.spanPackets, { device: 'eth0' }, 0, 200_000],
  [metrics.spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 200_000],
  [metrics.netRxNanoseconds, { cpu: '1' }, 0, 200_000 * 3000],
  [metrics.netRxDriverNanoseconds, { cpu: '1' }, 0, 200_000 * 1000],
  [metrics.netRxPackets, { cpu: '1' }, 0, 200_000],
];

const alone = (inode: string, ns: number, labels: Record<string, string> = {}): Cell => [
  metrics.tapNanoseconds,
  { inode, device: 'eth0', certainty: 'measured', ...labels },
  null,
  ns,
];
const halfLost: Cell = [metrics.spanLost, { ...span, reason: 'unmatched' }, 0, 10_000];

function judged(cells: readonly Cell[], seconds = 10): Report {
  const findings = evaluateRules(windowOf({ cells, seconds }), rules);
  return reportOf({ cells, seconds }, findings, { probe: attached });
}

/** All that a report says of the price of the taps. */
function told(report: Report) {
  const { taps, cost, findings } = report;
  const rule = findings.find(({ code }) => code === 'PKT0101');
  assert.ok(rule !== undefined);
  const bill = rule.data?.['bill'];
  const part = (breakdown: Report['cost']['host']['breakdown']): number | undefined =>
    breakdown.find((each) => each.part === 'taps')?.ns;
  return {
    rule: rule.args['ns'],
    rulesCpu: rule.args['cpu'],
    why: rule.args['why'],
    host: part(cost.host.breakdown),
    device: part(cost.devices.find(({ device }) => device === 'eth0')?.breakdown ?? []),
    cpu: part(cost.cpus[1]?.breakdown ?? []),
    tapShare: cost.cpus[1]?.tapShare,
    list: taps.map(({ inode, nsPerPacket }) => [inode, nsPerPacket]).sort(),
    bill: Array.isArray(bill) ? bill.map((each) => (each as { nsPerPacket: number }).nsPerPacket) : undefined,
    text: rule.summary,
  };
}

function near(actual: unknown, expected: number): void {
  assert.ok(Math.abs(Number(actual) - expected) < 1e-6, `${String(actual)} is not ${expected}`);
}

/** One price in all places, and what its sockets are told to take. */
function agree(report: Report, ns: number, list: Readonly<Record<string, number | null>>): void {
  const { rule, rulesCpu, host: whole, device, cpu, tapShare, list: each } = told(report);
  for (const figure of [rule, whole, device, cpu]) near(figure, ns);
  near(rulesCpu, (ns * 20_000) / 1e9);
  near(tapShare, (ns * 20_000) / 1e9);
  assert.deepEqual(Object.fromEntries(each), list);
}

const tcpdump: Cell[] = [socketCell({}), ownerCell('1001', 'tcpdump', '4242')];
const second: Cell[] = [socketCell({ inode: '1002' }), ownerCell('1002', 'sniffer', '77')];

describe('the price of taps that the kernel lets us time one by one', () => {
  it('is the sum of theirs wherever it is shown, whatever is between them in the span', () => {
    agree(judged([...spanned, ...tcpdump, alone('1001', 700)]), 700, { '1001': 700 });
    const both = judged([...spanned, ...tcpdump, ...second, alone('1001', 500), alone('1002', 300)]);
    agree(both, 800, { '1001': 500, '1002': 300 });
    assert.deepEqual(told(both).bill, [500, 300]);
  });

  it('stands where half of the samples of the span were lost, in the breakdown as in the list', () => {
    agree(judged([...spanned, halfLost, ...tcpdump, alone('1001', 700)]), 700, { '1001': 700 });
  });

  it('of one of two leaves the other the rest of what the span says of both', () => {
    const one = judged([...spanned, ...tcpdump, ...second, alone('1001', 700)]);
    agree(one, 900, { '1001': 700, '1002': 200 });
    assert.deepEqual(told(one).bill, [700, 200]);
  });

  it('of one of two, half of the samples lost, is no price of both', () => {
    const {
      rule,
      host: whole,
      list,
      tapShare,
    } = told(judged([...spanned, halfLost, ...tcpdump, ...second, alone('1001', 700)]));
    assert.deepEqual([rule, whole, tapShare], [undefined, undefined, null]);
    assert.deepEqual(list, [
      ['1001', 700],
      ['1002', null],
    ]);
  });

  it('of one that takes as much as the span says of both leaves the other without one, and says so', () => {
    const report = judged([...spanned, ...tcpdump, ...second, alone('1001', 950)]);
    agree(report, 950, { '1001': 950, '1002': null });
    assert.match(told(report).text, /not priced: sniffer \(pid 77\)/);
  });

  it('is not believed where it is more than taps take', () => {
    agree(judged([...spanned, ...tcpdump, alone('1001', 30_000)]), 900, { '1001': 900 });
  });

  it('is that of an unbound socket on each of its devices', () => {
    const report = judged([
      ...spanned,
      socketCell({ device: 'any' }),
      ownerCell('1001', 'tcpdump', '4242'),
      alone('1001', 700, { device: 'any' }),
    ]);
    agree(report, 700, { '1001': 700 });
    near(report.taps[0]?.bill?.receiveCpu, 0.014);
  });
});

describe('an unbound tap of another namespace', () => {
  const old: Cell = [metrics.kernelFeature, { feature: 'per_netns_taps' }, 0, 0];
  const foreign = socketCell({ inode: '2002', device: 'any', netns: 'pod' });

  it('is in the breakdown and in the share of the CPU as it is in PKT0101', () => {
    const priced = alone('2002', 60, { device: 'any', netns: 'pod' });
    agree(judged([...spanned, old, ...tcpdump, foreign, priced]), 960, { '1001': 900, '2002': 60 });
  });

  it('without a price of its own, and nothing beside it, leaves all of them without one', () => {
    const { rule, why, host: whole, device, tapShare } = told(judged([...spanned, old, foreign]));
    assert.match(String(why), /no floor is without them/);
    assert.deepEqual([rule, whole, device, tapShare], [undefined, undefined, undefined, null]);
  });

  it('leaves them without one as well where the kernel was not asked whether packets pass it', () => {
    const asked = ([metric]: Cell): boolean => metric !== metrics.unameInfo && metric !== metrics.kernelFeature;
    const report = judged([...spanned.filter(asked), ...tcpdump, foreign]);
    const { rule, why, host: whole, tapShare, list } = told(report);
    assert.match(report.taps[0]?.notPriced ?? '', /whether packets pass unbound taps of other namespaces is not known/);
    assert.match(String(why), /whether packets pass unbound taps of other namespaces is not known/);
    assert.deepEqual([rule, whole, tapShare], [undefined, undefined, null]);
    assert.deepEqual(list, [
      ['1001', null],
      ['2002', null],
    ]);
  });
});

describe('the price of taps on sent packets', () => {
  const way = { device: 'eth0', way: 'direct' };
  const sending: Cell[] = [
    ...spanned,
    [metrics.transmitPackets, { device: 'eth0' }, 0, 1_000_000],
    [metrics.sentSamples, way, null, 1000],
    [metrics.sentMedian, way, null, 700],
    [metrics.sentFloor, { ...way, method: 'calibrated' }, null, 100],
    [metrics.sentPackets, { device: 'eth0' }, null, 250_000],
    [metrics.sentSeconds, {}, null, 2.5],
    ...tcpdump,
    ...second,
  ].filter(([metric, , before]) => metric !== metrics.transmitPackets || before !== null) as Cell[];
  const sent = (inode: string, ns: number): Cell => [
    metrics.sentTapNanoseconds,
    { inode, device: 'eth0', certainty: 'measured' },
    null,
    ns,
  ];
  const listed = (report: Report): unknown =>
    report.taps.map(({ inode, sentPrices }) => [inode, sentPrices?.[0]?.nsPerPacket]).sort();

  it('of one of two that was timed by itself leaves the other the rest, in the list as in the rule', () => {
    const report = judged([...sending, sent('1001', 500)]);
    assert.match(told(report).text, /Sent packets pay 600 ns each/);
    assert.deepEqual(listed(report), [
      ['1001', 500],
      ['1002', 100],
    ]);
  });

  it('of two that were is their sum', () => {
    const report = judged([...sending, sent('1001', 500), sent('1002', 300)]);
    assert.match(told(report).text, /Sent packets pay 800 ns each/);
    assert.deepEqual(listed(report), [
      ['1001', 500],
      ['1002', 300],
    ]);
  });
});

describe('a probe that came to a device after the first sample', () => {
  const late = ([metric, labels, before, after]: Cell): Cell =>
    metric.collector === 'ebpf' && labels['device'] === 'eth0'
      ? [metric, labels, null, after]
      : [metric, labels, before, after];

  it('has not measured its taps, in the rule, in the list, in the breakdown and of the CPU', () => {
    // Another device was watched from the beginning.
    const other: Cell[] = [
      [metrics.spanSamples, { ...span, device: 'br0' }, 0, 100],
      [metrics.spanNanoseconds, { ...span, device: 'br0' }, 0, 100 * 200],
      [metrics.spanPackets, { device: 'br0' }, 0, 100],
      [metrics.spanFloor, { ...span, device: 'br0', method: 'empty' }, 200, 200],
    ];
    const report = judged([...spanned, ...tcpdump].map(late).concat(other));
    const { rule, why, device, tapShare, list } = told(report);
    assert.equal(why, 'the probe did not measure this device');
    assert.deepEqual([rule, device, tapShare], [undefined, undefined, null]);
    assert.deepEqual(list, [['1001', null]]);
    const eth0 = report.cost.devices.find((each) => each.device === 'eth0');
    assert.equal(eth0?.spans, null);
    assert.match(eth0.reason ?? '', /came to this device after the first sample/);
  });
});

describe('fewer packets than price one', () => {
  const few = (packets: number): Cell[] => [
    ...host({ packets, frames: packets, softirq: 0.6 }),
    [metrics.transmitPackets, { device: 'eth0' }, 0, 0],
    kernelHooks,
    [metrics.spanSamples, span, 0, packets],
    [metrics.spanNanoseconds, span, 0, packets * 9200],
    [metrics.spanFloor, { ...span, method: 'empty' }, 200, 200],
    [metrics.spanPackets, { device: 'eth0' }, 0, packets],
    [metrics.spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, packets],
    [metrics.netRxNanoseconds, { cpu: '1' }, 0, packets * 20_000],
    [metrics.netRxDriverNanoseconds, { cpu: '1' }, 0, packets * 1000],
    [metrics.netRxPackets, { cpu: '1' }, 0, packets],
    ...tcpdump,
  ];

  it('leave no share of a packet in the rule as none in the report', () => {
    for (const [packets, known] of [
      [900, false],
      [1000, true],
    ] as const) {
      const report = judged(few(packets), 1);
      const finding = report.findings.find(({ code }) => code === 'PKT0101');
      assert.equal(finding?.args['ns'], 9000, `${packets}`);
      assert.equal(finding.args['share'] !== undefined, known, `${packets}: ${finding.summary}`);
      const eth0 = report.cost.devices.find(({ device }) => device === 'eth0');
      assert.equal(eth0?.breakdown.length !== 0, known, `${packets}`);
      assert.equal(report.cost.cpus[1]?.netRxNsPerPacket !== null, known, `${packets}`);
    }
  });
});
