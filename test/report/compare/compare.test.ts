import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';

import type { Report, Span } from '../../../src/generated/report.ts';
import { compareReports } from '../../../src/report/compare/index.ts';
import type { Comparison } from '../../../src/report/compare/comparison.ts';
import { renderComparisonMarkdown } from '../../../src/report/markdown/comparison.ts';
import { renderComparisonText } from '../../../src/report/text/comparison.ts';
import { columns } from '../../../src/report/text/layout.ts';
import { prose } from '../../../src/report/markdown/syntax.ts';
import { change, counted, ofCpuTime, quantileOf } from '../../../src/report/compare/noise.ts';
import { shiftOf } from '../../../src/report/compare/shift.ts';
import { goldenReports } from '../cases.ts';
import { comparisonSchema, orderErrors, reportSchema } from '../schema.ts';

const make = (name: string): Report => {
  const report = goldenReports[name];
  assert.ok(report !== undefined, name);
  return report();
};
const compared = (before: Report, after: Report): Comparison =>
  compareReports({ source: 'calm', report: before }, { source: 'sick', report: after }, '0.1.0');
const text = (comparison: Comparison, verbose = false): string =>
  renderComparisonText(comparison, { colour: false, width: 100, unicode: true, verbose });

const markdown = (comparison: Comparison, verbose = false): string => renderComparisonMarkdown(comparison, { verbose });

/** The same report with the packets of its first timed span so many buckets to the right. */
function slowed(report: Report, buckets: number): Report {
  const slow = structuredClone(report);
  const span = slow.cost.devices.find(({ spans }) => spans?.taps != null)?.spans?.taps;
  assert.ok(span != null);
  const counts = span.histogram.map(({ count }) => count);
  for (const [index, bucket] of span.histogram.entries()) bucket.count = counts[index - buckets] ?? 0;
  return slow;
}

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
  it('has more noise where fewer runs of NET_RX were timed', () => {
    const noise = (timed: number | null): number => {
      const report = make('tap');
      for (const cpu of report.cost.cpus) cpu.netRxTimedRuns = cpu.netRxRuns === null ? null : timed;
      const { cost } = compared(report, report);
      return cost.find(({ quantity }) => quantity === 'netRxNsPerPacket')?.noise ?? NaN;
    };

    assert.ok(noise(25) > 1.9 * noise(100), `${noise(25)} and ${noise(100)}`);
    assert.equal(noise(null), noise(100), 'a report of an earlier version: one run in eight of 800');
  });

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

  it('puts the driver into the rest of NET_RX where only one side told it apart', () => {
    const sick = make('tap');
    const old = calmed(sick);
    const { breakdown } = old.cost.host;
    const [driver, rest] = [
      breakdown.find(({ part }) => part === 'driver-gro')!,
      breakdown.find(({ part }) => part === 'net-rx-rest')!,
    ];
    rest.ns += driver.ns;
    old.cost.host.breakdown = breakdown.filter((part) => part !== driver);
    for (const [from, to] of [
      [old, sick],
      [sick, old],
    ] as const) {
      const { parts } = compared(from, to);
      assert.deepEqual(
        parts.map(({ part }) => part),
        ['taps', 'net-rx-rest', 'unexplained'],
      );
      const unchanged = parts.find(({ part }) => part === 'net-rx-rest')!;
      assert.ok(Math.abs(unchanged.afterNs - unchanged.beforeNs) < 1e-9);
    }
  });

  it('of a calm with a sick one shows the price of the tap as the difference, and who came', () => {
    const sick = make('tap');
    const comparison = compared(calmed(sick), sick);
    assert.match(comparison.headline, /costs 700 ns more: NET_RX time .*mostly the taps \(\+700 ns\)/);
    assert.match(comparison.headline, /taps that came: tcpdump \(pid 4242\) on eth0/);
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
    // With the socket for IPv4, which most packets pass.
    assert.equal(taps.stayed.length, 2);
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

describe('the shift of a span in its histogram', () => {
  it('is told in text, JSON and Markdown, with both distributions on one scale', () => {
    const before = make('tap');
    const comparison = compared(before, slowed(before, 2));
    const { histogram } = comparison.spans[0]!;
    assert.ok(histogram !== null);
    assert.equal(histogram.share.verdict, 'more');
    const bound = histogram.share.figure.replace('took longer than ', '');
    for (const shares of [histogram.buckets.map((each) => each.before), histogram.buckets.map((each) => each.after)]) {
      assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9, String(shares));
    }
    for (const written of [text(comparison), markdown(comparison)]) {
      assert.match(written, new RegExp(`took longer than ${bound}`));
      const [was, is] = ['before', 'after '].map(
        (name) => new RegExp(`${name} +\\|([^|\n]*)\\|$`, 'm').exec(written)?.[1],
      );
      assert.ok(was !== undefined && is !== undefined);
      assert.equal(was.length, is.length);
      assert.notEqual(was, is);
    }
    assert.match(text(compared(slowed(before, 2), before)), new RegExp(`took longer than ${bound} .* -`));
  });

  it('is none where the two are alike, and none can be told without samples', () => {
    const report = make('tap');
    const span = report.cost.devices.find(({ spans }) => spans?.taps != null)!.spans!.taps!;
    assert.equal(shiftOf(span, span)?.share.verdict, 'within-noise');
    assert.equal(shiftOf(span, { ...span, histogram: [] }), null);
    const few = {
      ...span,
      histogram: [
        { leNs: 100, count: 3 },
        { leNs: 200, count: 1 },
      ],
    };
    const other = {
      ...span,
      histogram: [
        { leNs: 100, count: 1 },
        { leNs: 200, count: 3 },
      ],
    };
    assert.equal(shiftOf(few, other)?.share.verdict, 'within-noise', 'four packets are no proof');
  });

  it('of two windows of one distribution is taken for noise in about 95 of 100', () => {
    let seed = 7;
    const random = (): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed + 0.5) / 2 ** 32;
    };
    const spanOf = (samples: number): Span => {
      const histogram = Array.from({ length: 40 }, (_, index) => ({ leNs: (index + 1) * 25, count: 0 }));
      for (let each = 0; each < samples; each += 1) histogram[Math.floor(random() * 40)]!.count += 1;
      return { histogram } as unknown as Span;
    };
    const rounds = 400;
    let quiet = 0;
    for (let round = 0; round < rounds; round += 1) {
      if (shiftOf(spanOf(300), spanOf(200))?.share.verdict === 'within-noise') quiet += 1;
    }
    assert.ok(quiet >= 0.93 * rounds, `${quiet} of ${rounds}`);
  });

  it('is sound for any histograms', () => {
    const bucket = fc.record({ leNs: fc.option(fc.integer({ min: 1, max: 50 })), count: fc.nat(20) });
    const histograms = fc
      .array(bucket, { maxLength: 8 })
      .map((all) =>
        [...new Map(all.map((each) => [each.leNs, each])).values()].sort((a, b) => (a.leNs ?? 99) - (b.leNs ?? 99)),
      );
    fc.assert(
      fc.property(histograms, histograms, (a, b) => {
        const shift = shiftOf({ histogram: a } as unknown as Span, { histogram: b } as unknown as Span);
        if (shift === null) return;
        for (const { before, after } of shift.buckets)
          assert.ok(before >= 0 && after >= 0 && before <= 1 && after <= 1);
        assert.ok(Math.abs(shift.share.difference ?? NaN) <= 1);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a comparison', () => {
  const names = Object.keys(goldenReports);
  const pairs = names.flatMap((before) => names.map((after) => compared(make(before), make(after))));

  it('is as schema/comparison.v1.json says, field by field', () => {
    const validate = new Ajv2020({
      allErrors: true,
      strict: true,
      allowUnionTypes: true,
      schemas: [reportSchema],
    }).compile(comparisonSchema);
    for (const comparison of [...pairs, compared(make('tap'), slowed(make('tap'), 2))]) {
      assert.ok(validate(JSON.parse(JSON.stringify(comparison))), JSON.stringify(validate.errors));
      assert.deepEqual(orderErrors(comparison, comparisonSchema), []);
    }
  });

  it('in Markdown says what the text says, in a form that fits a ticket', () => {
    for (const comparison of pairs) {
      for (const verbose of [false, true]) {
        const written = markdown(comparison, verbose);
        assert.ok(written.length < 60_000);
        assert.ok(written.includes(prose(comparison.headline)));
        const { appeared, went, changed, stayed, unjudged } = comparison.findings;
        for (const { code } of [appeared, went, changed, stayed, unjudged].flat()) {
          assert.ok(written.includes(code), code);
        }
        assert.doesNotMatch(written, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
        assert.equal(
          written.match(/^<details>\n<summary>[^<\n]+<\/summary>\n\n/gm)?.length,
          written.match(/\n\n<\/details>$/gm)?.length,
        );
        const outside = written
          .replace(/^```text\n[^]*?\n```$/gm, '')
          .replace(/(?<!`|\\)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, '');
        assert.deepEqual(
          (outside.match(/<[^>]*>/g) ?? []).filter((tag) => !/^<\/?(?:details|summary)>$/.test(tag)),
          [],
        );
        for (const block of outside.match(/(?:^\|.*\n)+/gm) ?? []) {
          const cells = block
            .trim()
            .split('\n')
            .map((line) => line.match(/(?<!\\)\|/g)?.length);
          assert.equal(new Set(cells).size, 1, block);
        }
      }
    }
  });

  it('in Markdown of a thousand CPUs and findings is cut, and says so', () => {
    const report = make('hostile');
    const many = structuredClone(report);
    many.findings = Array.from({ length: 3000 }, (_, index) => ({
      ...report.findings[0]!,
      outcome: 'critical' as const,
      at: { netns: String(index) },
    }));
    const written = markdown(compared(report, many), true);
    assert.ok(written.length < 60_000, String(written.length));
    assert.match(written, /- and 2,9\d\d more in the JSON/);
  });
});

describe('noise', () => {
  it('of few events is large, of many small, and never below the least shift', () => {
    assert.equal(change('packets', 'x', 'rate', counted(10, 10), counted(14, 10)).verdict, 'within-noise');
    assert.equal(change('packets', 'x', 'rate', counted(1000, 10), counted(1400, 10)).verdict, 'more');
    assert.equal(
      change('packets', 'x', 'rate', counted(1_000_000, 10), counted(1_040_000, 10)).verdict,
      'within-noise',
    );
    assert.equal(change('packets', 'x', 'rate', counted(0, 10), counted(1, 10)).verdict, 'within-noise');
    assert.equal(change('packets', 'x', 'rate', counted(0, 10), counted(50, 10)).verdict, 'more');
    assert.equal(change('packets', 'x', 'rate', null, counted(50, 10)).verdict, 'unknown');
  });

  it('of CPU time counted in ticks follows from their number', () => {
    const [before, after] = [ofCpuTime(1000, 0.1, false), ofCpuTime(1500, 0.15, false)];
    assert.equal(change('packets', 'x', 'ns', before, after).verdict, 'within-noise', '10 and 15 ticks');
    assert.equal(change('packets', 'x', 'ns', ofCpuTime(1000, 0.1, true), ofCpuTime(1500, 0.15, true)).verdict, 'more');
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
