import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Report } from '../../src/generated/report.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { goldenReports } from './cases.ts';

const folder = new URL('../../../docs/examples/', import.meta.url);
const updating = process.env['UPDATE_GOLDEN'] === '1';

const examples: Readonly<Record<string, (report: Report) => string>> = {
  'report.txt': (report) => renderText(report, { colour: false, width: 80, unicode: true }),
  'report-verbose.txt': (report) => renderText(report, { colour: false, width: 100, unicode: true, verbose: true }),
  'report.md': (report) => renderMarkdown(report),
  'report.html': (report) => renderHtml(report),
  'report.json': renderJson,
};

describe('the examples in docs/examples', () => {
  for (const [name, render] of Object.entries(examples)) {
    it(`${name} is what pktcost prints (UPDATE_GOLDEN=1 rewrites it)`, () => {
      const file = new URL(name, folder);
      const text = render(goldenReports['tap']!());
      if (updating) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(file, text);
      }
      assert.ok(existsSync(file), `${file.pathname} is missing: UPDATE_GOLDEN=1 writes it`);
      assert.equal(readFileSync(file, 'utf8'), text);
    });
  }
});
