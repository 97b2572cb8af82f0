import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import type { Report, Span } from '../../src/generated/report.ts';
import { compareReports, type Comparison } from '../../src/report/compare.ts';
import { renderComparisonText } from '../../src/report/compare-text.ts';
import { columns } from '../../src/report/layout.ts';
import { change, counted, ofCpuTime, quantileOf } from '../../src/report/noise.ts';
import { goldenReports } from './cases.ts';

const make = (name: string): Report => {
  const report = goldenReports[name];
  assert.ok(report !== undefined, name);
  return report();
};
const compared = (before: Report, after: Report): Comparison =>
  compareReports({ source: 'calm', report: before }, { source: 'sick', report: after }, '0.1.0');
const text = (comparison: Comparison, verbose = false): string =>
  renderComparisonText(comparison, { colour: false, width: 100, unicode: true, verbose });

/** The calm twin of a report: the span without the tap's price, and no tap. */
function calmed(report: Report): Report {
  const calm = structuredClone(report);
  calm.taps = [];
  calm.findings = calm.findings.map((finding) => ({ ...finding, outcome: 'ok', certainty: null }));
  calm.cost.host.netRxNsPerPacket = (calm.cost.host.netRxNsPerPacket ?? 0) - 700;
  for (const part of calm.cost.host.breakdown) if (part.part === 'taps') part.ns -= 700;
  return calm;
}

describe('comparison of two windows', () => {
  it('of a window with itself finds nothing, whatever is in it', () => {
    for (const name of Object.keys(goldenReports)) {
      const comparison = compared(make(name), make(name));
      const places = [...comparison.devices, ...comparison.spans, ...comparison.cpus];
      const verdicts = [...comparison.cost, ...places.flatMap(({ figures }) => figures)].map(({ verdict }) => verdict);
      assert.deepEqual(
        verdicts.filter((verdict) => verdict === 'more' || verdict === 'less'),
        [],
        name,
      );
      assert.deepEqual([comparison.taps.came, comparison.taps.went], [[], []], name);
      assert.deepEqual([comparison.findings.appeared, comparison.findings.went], [[], []], name);
    }
  });

  it('of a calm with a sick one shows the price of the tap as the difference, and who came', () => {
    const sick = make('tap');
    const comparison = compared(calmed(sick), sick);
    assert.match(comparison.headline, /costs 700 ns more: NET_RX time .*mostly the taps \(\+700 ns\)/);
    assert.match(comparison.headline, /taps that came: tcpdump \(4242\) on eth0/);
    assert.match(comparison.headline, /appeared: .*PKT0101/);
    assert.equal(comparison.parts.find(({ part }) => part === 'taps')?.shareOfDifference, 1);
    const back = compared(sick, calmed(sick));
    assert.match(back.headline, /costs 700 ns less/);
    assert.match(back.headline, /taps that went: tcpdump/);
    assert.deepEqual(
      back.findings.went.map(({ code }) => code),
      comparison.findings.appeared.map(({ code }) => code),
    );
  });

  it('takes a tap that was restarted for the same one', () => {
    const before = make('tap');
    const after = structuredClone(before);
    for (const tap of after.taps) {
      tap.inode = `${tap.inode}1`;
      for (const owner of tap.owners) owner.pid += 100;
    }
    const { taps } = compared(before, after);
    assert.deepEqual([taps.came, taps.went], [[], []]);
    assert.equal(taps.stayed.length, 1);
  });

  it('says nothing appeared that could not have been seen before', () => {
    const after = make('tap');
    const before = structuredClone(after);
    before.findings = before.findings.map((finding) => ({ ...finding, outcome: 'not-measured', certainty: null }));
    const { findings } = compared(before, after);
    assert.deepEqual(findings.appeared, []);
    assert.ok(findings.unjudged.length > 0);
  });

  it('names what makes two windows hard to compare', () => {
    const before = make('tap');
    const after = structuredClone(before);
    after.host.hostname = 'other';
    after.window.seconds = 100;
    after.window.samples = 1;
    const caveats = compared(before, after).caveats.join('\n');
    for (const pattern of [/another host/, /single sample/, /very different length/, /does not follow/]) {
      assert.match(caveats, pattern);
    }
  });

  it('does not compare spans of other modes', () => {
    const before = make('tap');
    const after = structuredClone(before);
    const device = after.cost.devices.find(({ spans }) => spans?.taps != null);
    assert.ok(device?.spans?.taps);
    device.spans.taps.mode = 'native';
    const span = compared(before, after).spans[0];
    assert.deepEqual(span?.figures, []);
    assert.match(span.reason ?? '', /timed in other ways: tracepoint and native/);
  });

  it('prints within the width, with nothing a terminal acts on', () => {
    const names = Object.keys(goldenReports);
    for (const before of names) {
      for (const after of names) {
        for (const verbose of [false, true]) {
          const printed = text(compared(make(before), make(after)), verbose);
          assert.doesNotMatch(printed, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
          for (const line of printed.split('\n')) assert.ok(columns(line) <= 100, line);
        }
      }
    }
  });
});

describe('noise', () => {
  it('of few events is large, of many small, and never below the least shift', () => {
    assert.equal(change('x', 'rate', counted(10, 10), counted(14, 10)).verdict, 'within-noise');
    assert.equal(change('x', 'rate', counted(1000, 10), counted(1400, 10)).verdict, 'more');
    assert.equal(change('x', 'rate', counted(1_000_000, 10), counted(1_040_000, 10)).verdict, 'within-noise');
    assert.equal(change('x', 'rate', counted(0, 10), counted(1, 10)).verdict, 'within-noise');
    assert.equal(change('x', 'rate', counted(0, 10), counted(50, 10)).verdict, 'more');
    assert.equal(change('x', 'rate', null, counted(50, 10)).verdict, 'unknown');
  });

  it('of CPU time counted in ticks follows from their number', () => {
    const [before, after] = [ofCpuTime(1000, 0.1, false), ofCpuTime(1500, 0.15, false)];
    assert.equal(change('x', 'ns', before, after).verdict, 'within-noise', '10 and 15 ticks');
    assert.equal(change('x', 'ns', ofCpuTime(1000, 0.1, true), ofCpuTime(1500, 0.15, true)).verdict, 'more');
  });

  it('of a quantile covers the true one in about 95 of 100 windows', () => {
    let seed = 42;
    const random = (): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed + 0.5) / 2 ** 32;
    };
    const bounds = Array.from({ length: 200 }, (_, index) => Math.ceil(100 * 1.03 ** index));
    const truth = -Math.log(0.1) * 1000;
    let covered = 0;
    const rounds = 400;
    for (let round = 0; round < rounds; round += 1) {
      const samples = Array.from({ length: 500 }, () => -Math.log(random()) * 1000).sort((a, b) => a - b);
      const counts = bounds.map((le, index) => {
        const from = index === 0 ? 0 : bounds[index - 1]!;
        return { leNs: le, count: samples.filter((ns) => ns <= le && ns > from).length };
      });
      const span = { count: samples.length, histogram: counts } as unknown as Span;
      const measured = quantileOf(span, 0.9, samples[449]!);
      if (measured !== null && Math.abs(measured.value - truth) <= measured.error) covered += 1;
    }
    assert.ok(covered >= 0.92 * rounds, `${covered} of ${rounds}`);
  });

  it('is a number or nothing, for any histogram', () => {
    const bucket = fc.record({ leNs: fc.option(fc.nat(1_000_000)), count: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(bucket, { maxLength: 12 }), fc.nat(5000), fc.nat(1_000_000), (histogram, count, value) => {
        const measured = quantileOf({ count, histogram } as unknown as Span, 0.99, value);
        assert.ok(measured === null || (Number.isFinite(measured.error) && measured.error >= 0));
      }),
      { numRuns: 300 },
    );
  });
});
