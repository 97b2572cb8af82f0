import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Probe, Report } from '../../src/generated/report.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { attached, goldenReports } from './cases.ts';

const renderers: Readonly<Record<string, (report: Report) => string>> = {
  text: (report) => renderText(report, { colour: false, width: 120, unicode: true }),
  Markdown: (report) => renderMarkdown(report),
  HTML: (report) => renderHtml(report).replace(/<script type="application\/json"[^]*<\/script>/, ''),
};
const of = (said: Partial<Probe>): Report => ({ ...goldenReports['idle']!(), probe: { ...attached, ...said } });

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
