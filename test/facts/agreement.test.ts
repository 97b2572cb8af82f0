import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { dropReasons } from '../../src/facts/drop-reasons.ts';
import { once } from '../../src/facts/once.ts';
import { enoughTicks, mostlyLost } from '../../src/facts/price.ts';
import { shortCpus } from '../../src/facts/short-cpus.ts';
import { spansByDevice } from '../../src/facts/spans.ts';
import type { Report } from '../../src/generated/report.ts';
import * as metrics from '../../src/metrics/catalogue/index.ts';
import { shortLimits } from '../../src/rules/short-limits.ts';
import { compareReports } from '../../src/report/compare/index.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { lossesOf } from '../../src/report/tables/losses.ts';
import { priceLimits } from '../../src/rules/tap-cost-limits.ts';
import { evaluateRules, type Overrides } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import { attached, host, reportOf, sockets, spans } from '../report/cases.ts';
import { windowOf, type Cell, type WindowSpec } from '../support/window.ts';

const busy = host({ packets: 200_000, frames: 500_000, softirq: 0.6 });
/** One tap whose price is that of the span. */
const tapped: Cell[] = [
  ...busy,
  ...sockets.slice(0, -1),
  [metrics.packetHooks, { device: 'eth0', protocol: 'ALL', function: 'tpacket_rcv' }, 1, 1],
];

function judged(cells: readonly Cell[], overrides: Overrides = {}): Report {
  const findings = evaluateRules(windowOf({ cells }), rules, overrides);
  return reportOf({ cells }, findings, { probe: attached, overrides });
}

function tapPart({ cost }: Report): number | undefined {
  return cost.host.breakdown.find(({ part }) => part === 'taps')?.ns;
}

function ofRule(report: Report, code: string): Report['findings'][number] {
  const found = report.findings.find((finding) => finding.code === code);
  assert.ok(found !== undefined);
  return found;
}

/** As many samples lost as counted: which packets lose theirs is not by chance. */
const halfLost: Cell[] = spans.map((cell) =>
  cell[0] === metrics.spanLost && cell[1]['reason'] === 'unmatched' ? [cell[0], cell[1], 0, 1000] : cell,
);

/** The taps were there for four seconds of the ten. */
const theirTime: Cell[] = [
  [metrics.tappedSeconds, { device: 'eth0', lasts: '0' }, null, 4],
  [metrics.tappedPackets, { device: 'eth0' }, null, 80_000],
  [metrics.tappedSamples, { device: 'eth0' }, null, 400],
  [metrics.tappedNanoseconds, { device: 'eth0' }, null, 400 * 2500],
  [metrics.tappedMedian, { device: 'eth0' }, null, 2400],
];

describe('the price of the taps', () => {
  it('is the same in the rule, in the list of taps and in the breakdown', () => {
    const report = judged([...tapped, ...spans]);
    assert.equal(report.taps[0]?.nsPerPacket, 900);
    assert.equal(tapPart(report), 900);
    assert.equal(ofRule(report, 'PKT0101').args['ns'], 900);
  });

  it('is nowhere when half of the samples of its span were lost', () => {
    const report = judged([...tapped, ...halfLost]);
    assert.equal(ofRule(report, 'PKT0101').args['ns'], undefined);
    assert.match(ofRule(report, 'PKT0101').summary, /1001 of 2001 samples were lost/);
    assert.deepEqual(report.taps[0]?.prices, []);
    assert.equal(tapPart(report), undefined);
    assert.deepEqual(report.cost.devices[0]?.breakdown, []);
    assert.equal(report.cost.cpus[1]?.tapShare, null);
  });

  it('is nowhere either when the taps came or went in the window meanwhile', () => {
    const report = judged([...tapped, ...halfLost, ...theirTime]);
    assert.equal(ofRule(report, 'PKT0101').args['ns'], undefined);
    assert.match(ofRule(report, 'PKT0101').summary, /1001 of 1401 samples were lost/);
    assert.deepEqual(report.taps[0]?.prices, []);
    const whole = judged([...tapped, ...spans, ...theirTime]);
    assert.equal(whole.taps[0]?.nsPerPacket, ofRule(whole, 'PKT0101').args['ns']);
  });

  it('follows the limits of --config, in the report as in the rule', () => {
    const trusting = judged([...tapped, ...halfLost], { PKT0101: { lost: 0.9 } });
    assert.equal(ofRule(trusting, 'PKT0101').args['ns'], 900);
    assert.equal(trusting.taps[0]?.nsPerPacket, 900);
    assert.equal(tapPart(trusting), 900);
    const strict = judged([...tapped, ...spans], { PKT0101: { samples: 2000 } });
    assert.equal(ofRule(strict, 'PKT0101').args['ns'], undefined);
    assert.equal(strict.taps[0]?.nsPerPacket, null);
    assert.equal(tapPart(strict), undefined);
  });

  it('is nowhere when it is more than taps take, by the limit of --config', () => {
    const long = spans.map((cell): Cell =>
      cell[0] === metrics.spanNanoseconds ? [cell[0], cell[1], 0, 30.2e6] : cell,
    );
    const passed: Cell = [metrics.spanPackets, { device: 'eth0' }, 0, 200_000];
    const cases: readonly [Cell[], Overrides][] = [
      [long, {}],
      [spans, { PKT0101: { dearest: 800 } }],
    ];
    for (const [measured, overrides] of cases) {
      const report = judged([...tapped, passed, ...measured], overrides);
      assert.match(ofRule(report, 'PKT0101').summary, /which is more than taps take/);
      assert.deepEqual(report.taps[0]?.prices, []);
      assert.equal(report.taps[0].bill?.receiveCpu ?? null, null);
      assert.equal(tapPart(report), undefined);
      assert.equal(report.cost.cpus[1]?.tapShare, null);
    }
    assert.equal(judged([...tapped, ...long], { PKT0101: { dearest: 40_000 } }).taps[0]?.nsPerPacket, 30_000);
  });

  it('does not suffer from packets that were to be stamped and never came to the end of the span', () => {
    const stamped: Cell = [metrics.spanStamped, { device: 'eth0', span: 'taps', mode: 'tracepoint' }, 0, 5000];
    assert.equal(judged([...tapped, ...spans, stamped]).taps[0]?.nsPerPacket, 900);
  });
});

describe('what taps take of a CPU that came or went in the window', () => {
  const passed: Cell[] = [
    [metrics.spanPackets, { device: 'eth0' }, 0, 200_000],
    ...theirTime.map((cell): Cell => (cell[0] === metrics.tappedPackets ? [cell[0], cell[1], null, 180_000] : cell)),
  ];
  const close = (actual: unknown, expected: number): void => {
    assert.ok(Math.abs(Number(actual) - expected) < 1e-9, `${String(actual)} is not ${expected}`);
  };

  it('is of the time in which they were there: in PKT0101, in the bill and by CPU', () => {
    const report = judged([...tapped, ...spans, ...passed]);
    const { args } = ofRule(report, 'PKT0101');
    assert.equal(args['ns'], 2300);
    // 180,000 packets of 2300 ns in four seconds.
    close(args['cpu'], 0.1035);
    close(report.taps[0]?.bill?.receiveCpu, 0.1035);
    close(report.cost.cpus[1]?.tapShare, 0.1035);
    const { data } = ofRule(judged([...tapped, ...spans, ...passed], { PKT0101: { criticalCpu: 0.1 } }), 'PKT0101');
    assert.deepEqual(data?.['cpus'], [{ cpu: '1', share: report.cost.cpus[1]?.tapShare }]);
    close(report.cost.cpus[1]?.tapSeconds, 0.414);
  });

  it('is spread over all packets of the window where the price of one is split', () => {
    const report = judged([...tapped, ...spans, ...passed]);
    // The other 600 samples took less than the floor: nothing was there.
    close(tapPart(report), 2070);
    close(report.cost.devices[0]?.breakdown.find(({ part }) => part === 'taps')?.ns, 2070);
    // With 1000 ns in the mean of the other tenth, 200 of them the floor.
    const others = spans.map((cell): Cell =>
      cell[0] === metrics.spanNanoseconds ? [cell[0], cell[1], 0, 1.6e6] : cell,
    );
    close(tapPart(judged([...tapped, ...others, ...passed])), 2070 + 80);
  });

  it('is of the same time where packets are sent', () => {
    const place = { device: 'eth0', way: 'direct' };
    const sent: Cell[] = [
      [metrics.sentSamples, place, null, 1000],
      [metrics.sentMedian, place, null, 500],
      [metrics.sentFloor, { ...place, method: 'calibrated' }, null, 100],
      [metrics.sentPackets, { device: 'eth0' }, null, 200_000],
      [metrics.sentSeconds, {}, null, 10],
      [metrics.tappedSentPackets, { device: 'eth0' }, null, 180_000],
      [metrics.tappedSentSeconds, { device: 'eth0' }, null, 4],
    ];
    const report = judged([...tapped, ...spans, ...passed, ...sent]);
    assert.match(ofRule(report, 'PKT0101').summary, /Sent packets pay 400 ns each, 1.8% of a CPU at 45,000 packets/);
    close(report.taps[0]?.bill?.transmitCpu, 0.018);
  });
});

describe('a tapped device that few of the packets come from', () => {
  // 50,000 packets of eth0 and its tap of 3000 ns, among a million of 1900 ns in NET_RX.
  const labels = { device: 'eth0', span: 'taps', mode: 'tracepoint' };
  const few: Cell[] = [
    [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1],
    [metrics.kernelFeature, { feature: 'per_netns_taps' }, 1, 1],
    [metrics.cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 2],
    [metrics.softnetProcessed, { cpu: '0' }, 0, 1_000_000],
    [metrics.receivePackets, { device: 'eth0' }, 0, 50_000],
    [metrics.receivePackets, { device: 'eth1' }, 0, 950_000],
    [metrics.netRxNanoseconds, { cpu: '0' }, 0, 1.9e9],
    [metrics.netRxPackets, { cpu: '0' }, 0, 1_000_000],
    [metrics.spanPackets, { device: 'eth0' }, 0, 50_000],
    [metrics.spanCpuPackets, { device: 'eth0', cpu: '0' }, 0, 50_000],
    [metrics.spanSamples, labels, 0, 3000],
    [metrics.spanNanoseconds, labels, 0, 3000 * 3200],
    [metrics.spanFloor, { ...labels, method: 'calibrated' }, null, 200],
    ...tapped.slice(busy.length),
  ];
  const report = judged(few);
  const { host: whole, cpus, devices } = report.cost;
  const close = (actual: number | undefined, expected: number): void => {
    assert.ok(Math.abs((actual ?? NaN) - expected) < 1e-6, `${String(actual)} is not ${expected}`);
  };

  it('has them in the mean of the host as in that of its CPU, and all parts are the price of a packet', () => {
    close(tapPart(report), 150);
    close(cpus[0]?.breakdown.find(({ part }) => part === 'taps')?.ns, 150);
    close(
      whole.breakdown.reduce((sum, { ns }) => sum + ns, 0),
      whole.nsPerPacket ?? 0,
    );
  });

  it('costs what PKT0101 says: its own taps, and what else a packet of the CPU costs', () => {
    const { args } = ofRule(report, 'PKT0101');
    const parts = devices.find(({ device }) => device === 'eth0')?.breakdown ?? [];
    const of = (name: string): number => parts.find(({ part }) => part === name)?.ns ?? 0;
    close(of('taps') + of('net-rx-rest'), Number(args['perPacket']));
    close(of('taps') / (of('taps') + of('net-rx-rest')), Number(args['share']));
    assert.equal(of('taps'), 3000);
  });
});

describe('a price of which one counter was read late', () => {
  it('is the same, for the host, for a CPU and for the rules', () => {
    const late = tapped.map((cell): Cell => {
      const [metric, labels, from, to] = cell;
      return metric === metrics.softnetProcessed && typeof from === 'number' && typeof to === 'number'
        ? [metric, labels, 0, 2 * ((to - from + 2 ** 32) % 2 ** 32)]
        : cell;
    });
    const cells = [...late, ...spans];
    const spec = { cells, readAfter: { [metrics.softnetProcessed.collector]: 20 } };
    const report = reportOf(spec, evaluateRules(windowOf(spec), rules), { probe: attached });
    const usual = judged([...tapped, ...spans]).cost;
    const { host: whole, cpus } = report.cost;
    for (const [actual, expected] of [
      [whole.nsPerPacket, usual.host.nsPerPacket],
      [whole.nsPerWirePacket, usual.host.nsPerWirePacket],
      [whole.groRatio, usual.host.groRatio],
      [cpus[1]?.nsPerPacket, usual.cpus[1]?.nsPerPacket],
    ])
      assert.ok(Math.abs((actual ?? NaN) - (expected ?? NaN)) < 1e-6, `${String(actual)} is not ${String(expected)}`);
  });
});

describe('a CPU that went offline in the window', () => {
  const cells: Cell[] = [
    [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1],
    [metrics.cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 5],
    [metrics.cpuSeconds, { cpu: '1', mode: 'softirq' }, 0, null],
    [metrics.softnetProcessed, { cpu: '0' }, 0, 500_000],
    [metrics.softnetProcessed, { cpu: '1' }, 0, null],
    [metrics.receivePackets, { device: 'eth0' }, 0, 900_000],
  ];

  it('leaves the price of a packet, and none of a frame: what it took of them is not known', () => {
    const { host: whole } = judged(cells).cost;
    assert.deepEqual([whole.nsPerPacket, whole.nsPerWirePacket, whole.groRatio], [10_000, null, null]);
  });

  it('has no part in the price where only its packets are known, or only its time', () => {
    for (const lost of [metrics.cpuSeconds, metrics.softnetProcessed]) {
      const one = cells.map((cell): Cell => {
        const [metric, labels, from, to] = cell;
        return to === null && metric !== lost ? [metric, labels, from, 400_000] : cell;
      });
      assert.equal(judged(one).cost.host.nsPerPacket, 10_000);
    }
  });

  it('does no more softirq in a short window than there was time', () => {
    const ticks: Cell[] = [[metrics.cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, 10.2]];
    assert.equal(judged(ticks).cost.cpus[0]?.softirqShare, 1);
  });
});

describe('two devices of which one lost most of its samples', () => {
  const other = (cell: Cell): Cell => [cell[0], { ...cell[1], device: 'eth1' }, cell[2], cell[3]];
  const second: Cell[] = [
    ...halfLost.filter(([metric, { device }]) => device === 'eth0' && metric !== metrics.spanCpuPackets).map(other),
    [metrics.receivePackets, { device: 'eth1' }, 0, 3_000_000],
    [metrics.spanCpuPackets, { device: 'eth1', cpu: '2' }, 0, 3_000_000],
    [metrics.softnetProcessed, { cpu: '2' }, 0, 3_000_000],
    [metrics.cpuSeconds, { cpu: '2', mode: 'softirq' }, 0, 9],
    [metrics.netRxNanoseconds, { cpu: '2' }, 0, 9e9],
    [metrics.netRxPackets, { cpu: '2' }, 0, 3_000_000],
  ];

  it('leave its CPU and the mean of the host without a price of the taps', () => {
    const { host: whole, cpus, devices } = judged([...tapped, ...spans, ...second]).cost;
    assert.deepEqual(
      cpus.map(({ cpu, tapShare }) => [cpu, tapShare === null]),
      [
        ['0', false],
        ['1', false],
        ['2', true],
      ],
    );
    assert.equal(cpus[2]?.tapSeconds, null);
    assert.deepEqual(whole.breakdown, []);
    assert.equal(devices.find(({ device }) => device === 'eth0')?.breakdown.length, 4);
  });
});

describe('softirq time that is counted in ticks', () => {
  const little = host({ packets: 5000, frames: 5000, softirq: 0.2 });

  it('is too little below half a second, for the report as for the rules', () => {
    const { host: whole, cpus } = judged(little).cost;
    assert.equal(whole.nsPerPacket, null);
    assert.match(whole.reason ?? '', /210 ms of softirq time, which this kernel counts in ticks, is too little/);
    assert.equal(cpus[1]?.nsPerPacket, null);
  });

  it('is enough at exactly fifty ticks, whatever the length of the window', () => {
    for (const seconds of [10, 49]) assert.ok(enoughTicks((0.5 / seconds) * seconds, undefined), `${seconds} s`);
    assert.ok(!enoughTicks(0.49, undefined));
  });

  it('is enough from half a second on, and at any length where the kernel accounts for it', () => {
    const enough = judged(host({ packets: 5000, frames: 5000, softirq: 0.5 })).cost;
    assert.ok((enough.host.nsPerPacket ?? 0) > 100_000);
    const exact: Cell = [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1];
    assert.ok((judged([...little, exact]).cost.host.nsPerPacket ?? 0) > 40_000);
  });
});

describe('what threads take of received packets', () => {
  it('is in the price of a packet in the report as in PKT0101, whichever threads they are', () => {
    const passed: Cell = [metrics.spanPackets, { device: 'eth0' }, 0, 200_010];
    const timed = [...tapped, passed, ...spans.filter(([{ name }]) => !name.startsWith('pktcost_net_rx'))];
    for (const role of ['napi', 'backlog']) {
      const report = judged([...timed, [metrics.processCpu, { pid: '77', comm: `${role}/1`, role }, 1, 2]]);
      assert.equal(report.cost.host.napiSeconds, 1, role);
      const { ns, share } = ofRule(report, 'PKT0101').args;
      const whole = Number(ns) / Number(share);
      assert.ok(Math.abs((report.cost.host.nsPerPacket ?? 0) - whole) < 1, `${role}: ${whole} ns by the rule`);
    }
  });
});

describe('packets that threads receive', () => {
  const strays = (packets: number): Cell[] =>
    spans.map((cell): Cell => {
      if (cell[0] === metrics.spanCpuPackets) return [cell[0], cell[1], 0, 2_000_000];
      if (cell[0] === metrics.netRxPackets) return [cell[0], cell[1], 0, packets];
      if (cell[0] === metrics.netRxNanoseconds) return [cell[0], cell[1], 0, packets * 3000];
      return cell[0] === metrics.netRxDriverNanoseconds ? [cell[0], cell[1], 0, packets * 1000] : cell;
    });
  const threaded: Cell[] = [
    ...host({ packets: 2_000_000, frames: 2_000_000, softirq: 0.05 }),
    [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1],
    ...tapped.slice(busy.length),
    [metrics.spanPackets, { device: 'eth0' }, 0, 2_000_000],
    [metrics.processCpu, { pid: '77', comm: 'napi/eth0-1', role: 'napi' }, 1, 5],
    [metrics.processLastCpu, { pid: '77' }, 1, 1],
  ];

  it('have no price by the few that came to NET_RX meanwhile', () => {
    for (const packets of [300, 1500]) {
      const report = judged([...threaded, ...strays(packets)]);
      const { outcome, args } = ofRule(report, 'PKT0101');
      assert.equal(outcome, 'warning', `${packets} strays`);
      assert.ok(Number(args['share']) > 0.4 && Number(args['share']) < 0.5, `${packets} strays`);
      const { host: whole, cpus, devices } = report.cost;
      assert.equal(whole.netRxNsPerPacket, null);
      for (const { breakdown } of [whole, ...cpus, ...devices]) assert.deepEqual(breakdown, []);
    }
  });
});

describe('what a card lost by a counter of its driver', () => {
  it('is one figure in the ledger and in the table of drops, and not none', () => {
    const own: Cell = [metrics.receiveRingLost, { device: 'eth0', counter: 'rx_out_of_buffer' }, 0, 3000];
    const report = judged([...busy, own]);
    const { rows, none } = lossesOf(report);
    const row = rows.find(({ counts }) => counts.includes('rx_out_of_buffer'));
    assert.equal(row?.lost, 3000);
    assert.equal(report.ledger?.rows.find(({ rule }) => rule === 'PKT0501')?.packets, 3000);
    assert.ok(none.every((kind) => !kind.includes('NIC')));
    assert.ok(lossesOf(judged(driven('igb', []))).none.some((kind) => kind.includes('NIC')));
  });

  const driven = (driver: string, lost: readonly Cell[]): Cell[] => [
    ...busy.map((cell): Cell =>
      cell[0] === metrics.deviceInfo && cell[1]['device'] === 'eth0'
        ? [cell[0], { ...cell[1], driver }, cell[2], cell[3]]
        : cell,
    ),
    ...lost,
  ];
  const counted: readonly Cell[] = [[metrics.skbDropsCounted, {}, 0, 0]];
  const noneOfItsOwn: readonly Cell[] = ['ring', 'card'].map((kind): Cell => [
    metrics.driverCounters,
    { device: 'eth0', kind },
    0,
    0,
  ]);
  const ways: Readonly<Record<string, readonly [driver: string, lost: readonly Cell[], counter: string]>> = {
    'a counter of its driver': [
      'mlx5_core',
      [[metrics.receiveRingLost, { device: 'eth0', counter: 'rx_out_of_buffer' }, 0, 3000]],
      'rx_out_of_buffer',
    ],
    'what the card itself had no room for': [
      'mlx5_core',
      [[metrics.receiveCardLost, { device: 'eth0', counter: 'rx_discards_phy', kind: 'port' }, 0, 3000]],
      'rx_discards_phy',
    ],
    rx_fifo_errors: ['tg3', [[metrics.receiveFifo, { device: 'eth0' }, 0, 3000]], 'rx_fifo_errors'],
    rx_dropped: [
      'alx',
      [...counted, [metrics.receiveDrop, { device: 'eth0' }, 0, 3000], ...noneOfItsOwn],
      'rx_dropped',
    ],
  };
  for (const [name, [driver, lost, counter]] of Object.entries(ways)) {
    it(`is what the finding, the device, the table of drops and the ledger say: ${name}`, () => {
      const cells = driven(driver, lost).filter(
        (cell) => !(cell[0] === metrics.receiveDrop && cell[1]['device'] === 'eth0' && cell[3] === 0),
      );
      const report = judged(cells);
      const found = ofRule(report, 'PKT0501');
      assert.ok(found.outcome === 'warning' || found.outcome === 'critical', found.summary);
      assert.equal(found.args['lost'], 3000);
      const device = report.cost.devices.find((each) => each.device === 'eth0');
      assert.deepEqual([device?.cardLost, device?.cardLostBy], [3000, counter]);
      assert.equal(report.ledger?.rows.find(({ rule }) => rule === 'PKT0501')?.packets, 3000);

      const rows = lossesOf(report).rows.filter(({ where }) => where === 'eth0');
      assert.deepEqual(
        rows.map(({ lost, finding }) => ({ lost, finding })),
        [{ lost: 3000, finding: 'PKT0501' }],
      );
      for (const text of [
        renderText(report, { colour: false, unicode: true, width: 120, verbose: true }),
        renderMarkdown(report),
      ]) {
        assert.match(text, /NIC lost/);
        assert.doesNotMatch(text, /NIC missed/);
      }
      const comparison = compareReports(
        { source: 'a', report: judged(busy) },
        { source: 'b', report },
        '0.1.0',
      ).devices.find(({ place }) => place === 'eth0');
      assert.equal(comparison?.figures.find(({ quantity }) => quantity === 'cardLost')?.after, 300);
    });
  }

  it('is not known, rather than none, where the driver counts it nowhere that was read', () => {
    const report = judged(busy);
    assert.equal(ofRule(report, 'PKT0501').outcome, 'not-measured');
    assert.equal(report.cost.devices.find((each) => each.device === 'eth0')?.cardLost, null);
    assert.ok(lossesOf(report).unknown.some((kind) => kind.includes('NIC')));
  });

  it('is not taken for what nobody wanted, where drops were not counted by reason', () => {
    const report = judged(driven('alx', [[metrics.receiveDrop, { device: 'eth0' }, 0, 3000], ...noneOfItsOwn]));
    assert.equal(report.cost.devices.find((each) => each.device === 'eth0')?.cardLost, null);
    assert.ok(report.ledger?.rows.every(({ rule }) => rule !== 'PKT0501'));
  });
});

describe('a share of all CPU time', () => {
  const close = (actual: unknown, expected: number): void => {
    assert.ok(Math.abs(Number(actual) - expected) < 1e-9, `${String(actual)} is not ${expected}`);
  };
  const mode = (cpu: string, name: string, seconds: number): Cell => [
    metrics.cpuSeconds,
    { cpu, mode: name },
    0,
    seconds,
  ];
  const exact: Cell = [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1];
  const taken: Cell = [metrics.softnetProcessed, { cpu: '0' }, 0, 8_000_000];

  it('is of the time there was, also of CPUs whose modes add up to less, in the headline as for the host', () => {
    const idle = ['1', '2', '3'].flatMap((cpu) => [mode(cpu, 'softirq', 0), mode(cpu, 'idle', 1)]);
    const cells = [mode('0', 'softirq', 8), mode('0', 'irq', 1), mode('0', 'idle', 1), ...idle, taken, exact];
    const report = judged(cells);
    const { impact } = ofRule(report, 'PKT0102');
    close(impact.cpuShare, 9 / 40);
    assert.equal(report.cost.host.interruptShare, impact.cpuShare);
    close(report.cost.host.softirqShare, 8 / 40);
    assert.match(report.verdict.headline, /23% of all CPU time/);
    for (const text of [
      renderText(report, { colour: false, unicode: true, width: 300, verbose: true }),
      renderMarkdown(report),
    ])
      assert.doesNotMatch(text, /20% of all CPU time/);
  });

  it('is no more of one of two CPUs than it has, whatever a thread took that also ran on the other', () => {
    const report = judged([
      ...[mode('0', 'softirq', 7), mode('0', 'irq', 0.5), mode('0', 'system', 2.5), mode('0', 'idle', 0)],
      ...[mode('1', 'softirq', 0), mode('1', 'system', 5.5), mode('1', 'idle', 4.5)],
      [metrics.processCpu, { pid: '77', comm: 'napi/eth0-1', role: 'napi' }, 0, 8],
      [metrics.processLastCpu, { pid: '77' }, 0, 0],
      taken,
      exact,
    ]);
    const { args, impact, summary } = ofRule(report, 'PKT0102');
    assert.equal(args['share'], 1);
    assert.equal(impact.cpuShare, 0.5);
    assert.match(
      summary,
      /CPU 0 spends 100% of its time in softirq, interrupts and NAPI threads, 25% in the threads alone\./,
    );
    assert.equal(report.cost.cpus.find(({ cpu }) => cpu === '0')?.interruptShare, 1);
  });

  it('is never more than all of it', () => {
    const { host: whole } = judged([
      ...[mode('0', 'softirq', 9), mode('0', 'irq', 1.1), taken, exact],
      [metrics.processCpu, { pid: '77', comm: 'napi/eth0-1', role: 'napi' }, 0, 8],
    ]).cost;
    assert.deepEqual([whole.softirqShare, whole.interruptShare], [1, 1]);
  });
});

describe('what was lost of the window by a probe that left in the middle of it', () => {
  it('is one figure in the ledger, in the findings and in their rates', () => {
    const lost = (reason: string, location: string, packets: number): Cell => [
      metrics.skbDrops,
      { reason, location, device: 'eth0' },
      0,
      packets,
    ];
    const spec: WindowSpec = {
      cells: [
        ...busy,
        [metrics.skbDropsCounted, {}, 0, 5500],
        [metrics.skbDropsLookedAt, {}, 0, 5500],
        [metrics.skbDropsNoRoom, {}, 0, 0],
        [metrics.skbDropsRarest, {}, 1, 1],
        [metrics.netstat.member('Ip_InReceives'), {}, 0, 200_000],
        lost('IP_INADDRERRORS', 'ip_error', 2500),
        lost('NETFILTER_DROP', 'nft_do_chain', 3000),
      ],
      readAfter: { [metrics.skbDrops.collector]: 5 },
    };
    const report = reportOf(spec, evaluateRules(windowOf(spec), rules, {}), { probe: attached });
    const row = (reason: string) => report.ledger?.rows.find((each) => each.reason === reason)?.packets;
    const routing = ofRule(report, 'PKT0701');
    assert.deepEqual([row('IP_INADDRERRORS'), routing.args['lost'], routing.args['rate']], [5000, 5000, 500]);
    assert.equal(routing.evidence.find(({ metric }) => metric === metrics.skbDrops.name)?.value, 5000);
    assert.deepEqual([row('NETFILTER_DROP'), ofRule(report, 'PKT0704').args['dropped']], [6000, 6000]);
    assert.deepEqual([report.ledger?.total, report.ledger?.lookedAt], [11_000, 11_000]);
  });

  it('is of the time of the window in each rule that goes by the drops of the kernel', () => {
    const window = windowOf({
      cells: dropReasons.map((reason): Cell => [metrics.skbDrops, { reason, location: 'f', device: 'eth0' }, 0, 10]),
      readAfter: { [metrics.skbDrops.collector]: 5 },
    });
    const going = rules.flatMap(({ code, signals }) =>
      Object.values(signals)
        .map((signal) => ('of' in signal ? signal.of : signal))
        .filter(({ metrics: [first], unit }) => first === metrics.skbDrops && unit === 'packets')
        .flatMap((of) => of.evaluate(window).points.map(({ value }) => ({ code, value }))),
    );
    assert.ok(new Set(going.map(({ code }) => code)).size > 8);
    assert.deepEqual(
      going.filter(({ value }) => value % 20 !== 0),
      [],
    );
  });
});

describe('what a finding and a table say of one CPU or one path', () => {
  const rendered = (report: Report): string =>
    renderText(report, { colour: false, unicode: true, width: 300, verbose: true });

  it('is one share of softirq, interrupts and NAPI threads', () => {
    const cells: Cell[] = [
      ...host({ packets: 200_000, frames: 500_000, softirq: 5 }),
      [metrics.cpuSeconds, { cpu: '1', mode: 'irq' }, 0, 2],
      [metrics.cpuSeconds, { cpu: '1', mode: 'idle' }, 0, 1],
      [metrics.processCpu, { pid: '77', comm: 'napi/eth0-1', role: 'napi' }, 0, 1],
      [metrics.processLastCpu, { pid: '77' }, 1, 1],
      [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1],
    ];
    const report = judged(cells);
    const found = ofRule(report, 'PKT0102');
    assert.equal(Number(found.args['share']).toFixed(6), '0.800000');
    assert.match(found.summary, /80% of its time in softirq, interrupts and NAPI threads/);
    const cpu = report.cost.cpus.find((each) => each.cpu === '1');
    assert.equal(cpu?.interruptShare, found.args['share']);
    assert.match(rendered(report), /\n {2}CPU  Node  Softirq, irq, NAPI .*\n.*\n.*\n {2}1 +0 +80% /);
    assert.ok(renderHtml(report).includes('softirq, interrupts, NAPI threads 80%'));
  });

  it("is named where they differ: a finding's share leaves pktcost's own work out, the parts have it", () => {
    const sampled = (part: string, samples: number): Cell => [
      metrics.profileSamples,
      { direction: 'receive', cpu: '1', part },
      0,
      samples,
    ];
    const report = judged([
      ...host({ packets: 200_000, frames: 500_000, softirq: 5 }),
      [metrics.profilePeriod, { clock: 'cycles' }, 0.001, 0.001],
      [metrics.profileSeconds, {}, 0, 10],
      ...[sampled('nftables', 4500), sampled('udp', 4500), sampled('self', 1000)],
    ]);
    const { summary } = ofRule(report, 'PKT0106');
    assert.match(summary, /50% \(± 1%\) of what received packets cost without pktcost itself \(10% of all\)/);
    const text = rendered(report);
    assert.match(text, /\n +nftables .* 45% /);
    assert.match(text, /10% is pktcost itself, which the shares in findings leave out\./);
  });
});

describe('a CPU that is short of time', () => {
  const loaded: Cell[] = [
    [metrics.cpuSeconds, { cpu: '3', mode: 'softirq' }, 0, 6],
    [metrics.cpuSeconds, { cpu: '3', mode: 'idle' }, 0, 3],
  ];

  it('is so by the limits of --config', () => {
    const short = (overrides: Overrides): readonly string[] => [
      ...shortCpus(windowOf({ cells: loaded }), shortLimits(overrides)),
    ];
    assert.deepEqual(short({}), []);
    assert.deepEqual(short({ PKT0102: { warningShare: 0.5 } }), ['3']);
    assert.deepEqual(short({ PKT0101: { hot: 0.5 } }), ['3']);
    assert.deepEqual(short({ PKT0102: { spare: 0.4 } }), ['3']);
  });
});

describe('a fact', () => {
  it('is worked out once for a window, and once for each limit', () => {
    let times = 0;
    const fact = once((_, limit: number) => {
      times += 1;
      return limit;
    });
    const [one, other] = [windowOf({ cells: [] }), windowOf({ cells: [] })];
    assert.deepEqual([fact(one, 1), fact(one, 1), fact(one, 2), fact(other, 1)], [1, 1, 2, 1]);
    assert.equal(times, 3);
    assert.equal(spansByDevice(one), spansByDevice(one));
  });

  it('of samples takes what was lost relative to all that were begun', () => {
    const { lost } = priceLimits();
    assert.equal(mostlyLost(51, 49, lost), undefined);
    assert.match(mostlyLost(50, 50, lost) ?? '', /^50 of 100 samples/);
    assert.equal(mostlyLost(0, 0, lost), undefined);
  });
});
