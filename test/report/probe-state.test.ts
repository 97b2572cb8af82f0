import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Probe, Report } from '../../src/generated/report.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderMarkdown, tapsPage } from '../../src/report/markdown/index.ts';
import { compareReports } from '../../src/report/compare/index.ts';
import { renderTaps } from '../../src/report/text/cost.ts';
import { renderText } from '../../src/report/text/index.ts';
import { overheadWords } from '../../src/report/words/brief.ts';
import { attached, goldenReports } from './cases.ts';

const renderers: Readonly<Record<string, (report: Report) => string>> = {
  text: (report) => renderText(report, { colour: false, width: 120, unicode: true }),
  Markdown: (report) => renderMarkdown(report),
  HTML: (report) => renderHtml(report).replace(/<script type="application\/json"[^]*<\/script>/, ''),
};
const of = (said: Partial<Probe>): Report => ({ ...goldenReports['idle']!(), probe: { ...attached, ...said } });

const company = 'another pktcost measured at the same time, and its programs are in these spans';

describe('another pktcost that measured in the same window', () => {
  it('is said beside the prices of packet sockets', () => {
    const { taps, collectors, probe } = { ...goldenReports['tap']!(), probe: { ...attached, reason: company } };
    const style = { colour: false, width: 200, unicode: true };
    assert.match(renderTaps({ taps, collectors, probe }, style), /another pktcost measured/);
    assert.match(tapsPage({ taps, collectors, probe }), /another pktcost measured/);
    assert.doesNotMatch(renderTaps({ taps, collectors, probe: attached }, style), /Probe:/);
    assert.doesNotMatch(tapsPage({ taps, collectors, probe: attached }), /Probe:/);
  });

  it('makes two windows hard to compare, whichever it was in', () => {
    const [alone, shared] = [of({ reason: null }), of({ reason: company })];
    const caveats = (before: Report, after: Report): readonly string[] =>
      compareReports({ source: 'a', report: before }, { source: 'b', report: after }, '0.1.0').caveats.filter((each) =>
        each.includes('probe'),
      );
    assert.deepEqual(caveats(alone, alone), []);
    assert.match(caveats(shared, alone).join(), /in the window before: .*another pktcost/);
    assert.match(caveats(alone, shared).join(), /in the window after: .*another pktcost/);
  });

  it('says of a probe that left a window early that its figures are not of all of it', () => {
    const early = of({ status: 'detached-early', reason: 'it took too much' });
    const { caveats } = compareReports(
      { source: 'a', report: of({ reason: null }) },
      { source: 'b', report: early },
      '0.1.0',
    );
    assert.ok(caveats.includes('the probe in the window after: detached early: it took too much'), caveats.join());
  });
});

describe('why there was no probe', () => {
  const lacking = (reason: string): Report['notMeasured'] => [
    { reason, sources: ['probe'], rules: ['PKT0104'], metrics: ['pktcost_span_samples_total'] },
  ];

  it('is not told again where it stands among what could not be seen, in whatever words', () => {
    const report = of({ status: 'not-measured', tier: 'none', reason: 'no BTF' });
    for (const reason of ['no BTF', 'no BTF: this kernel is built without it'])
      assert.match(overheadWords({ ...report, notMeasured: lacking(reason) }), /probe not attached(?!:)/);
    assert.match(overheadWords({ ...report, notMeasured: [] }), /probe not attached: no BTF/);
  });

  it('leaves the caveat of one that measured, whatever a rule says in the same words', () => {
    const report = { ...of({ reason: company }), notMeasured: lacking(company) };
    assert.match(overheadWords(report), /attached \(taps\); another pktcost measured/);
  });
});

for (const [format, render] of Object.entries(renderers)) {
  describe(`the probe in ${format}`, () => {
    it('is attached with the caveat that it has', () => {
      const report = of({ reason: 'another pktcost measured at the same time' });
      assert.match(render(report), /attached \(taps\); another pktcost measured at the same time/);
    });

    it('is attached, and no more, where there is none', () => {
      assert.match(render(of({ reason: null })), /attached \(taps\)(?!;)/);
    });

    it('is not attached for a reason', () => {
      const report = of({ status: 'not-measured', tier: 'none', reason: 'no BTF' });
      assert.match(render(report), /not attached: no BTF/);
    });
  });
}
