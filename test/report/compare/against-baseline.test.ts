import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report } from '../../../src/generated/report.ts';
import { renderHtml } from '../../../src/report/html/index.ts';
import { renderMarkdown } from '../../../src/report/markdown/index.ts';
import { renderText } from '../../../src/report/text/index.ts';
import { goldenReports } from '../cases.ts';

const calm = goldenReports['idle']!();
const sick: Report = { ...goldenReports['tap']!(), baseline: 'calm.json' };

const renderers: Readonly<Record<string, (report: Report, baseline?: Report | null) => string>> = {
  text: (report, baseline) => renderText(report, { colour: false, width: 100, unicode: true, baseline }),
  Markdown: (report, baseline) => renderMarkdown(report, { baseline }),
  HTML: (report, baseline) => renderHtml(report, { baseline }).replace(/<script type="application\/json"[^]*$/, ''),
};

describe('a report with a baseline', () => {
  for (const [name, render] of Object.entries(renderers)) {
    it(`${name} says what has changed since, and what makes that doubtful`, () => {
      const words = render(sick, calm).replace(/\s+/g, ' ');
      assert.match(words, /Against `?calm\.json`?:(<\/b>)? .*(packet costs|cost of a packet)/);
      const moved = { ...calm, host: { ...calm.host, kernel: '5.10.1' } };
      assert.match(render(sick, moved).replace(/\s+/g, ' '), /Hard to compare: .*another kernel: 5\\?\.10/);
    });

    it(`${name} does not take for new what a redacted baseline has no more`, () => {
      const words = render(sick, { ...calm, findings: [], taps: [] }).replace(/\s+/g, ' ');
      assert.doesNotMatch(words, /taps that came|appeared: /);
    });

    it(`${name} says nothing of one that was not given`, () => {
      for (const baseline of [undefined, null]) assert.doesNotMatch(render(sick, baseline), /Against/);
    });

    it(`${name} shows the name of its file as text`, () => {
      const text = render({ ...sick, baseline: 'a\u001b[31m<b>\n' }, calm);
      assert.doesNotMatch(text, /\u001b|<b>\n|a\[31m<b>/);
    });
  }
});
