import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { Report } from '../../src/generated/report.ts';
import { validateReport } from '../../src/generated/validate.ts';
import { renderJson } from '../../src/report/json.ts';
import { columns } from '../../src/report/layout.ts';
import { renderText } from '../../src/report/text.ts';
import { goldenReports } from './cases.ts';
import { orderErrors } from './schema.ts';

const folder = new URL('../../../test/fixtures/golden/', import.meta.url);
const updating = process.env['UPDATE_GOLDEN'] === '1';

/** Everything a terminal acts on or does not show, the line end aside. */
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

const isCommand = (line: string): boolean => /^ *(then check: )?\$ |^ {2}PromQL: /.test(line);

for (const [name, make] of Object.entries(goldenReports)) {
  describe(`report of ${name}`, () => {
    for (const width of [80, 120]) {
      const text = renderText(make(), { colour: false, width, unicode: true });

      it(`reads as agreed at ${width} columns (UPDATE_GOLDEN=1 to accept a change)`, () => {
        const file = new URL(`${name}.${width}.txt`, folder);
        if (updating) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(file, text);
        }
        assert.ok(existsSync(file), `${file.pathname} is missing: UPDATE_GOLDEN=1 writes it`);
        assert.equal(text, readFileSync(file, 'utf8'));
      });

      it(`has no line beyond ${width} columns but commands`, () => {
        const long = text.split('\n').filter((line) => columns(line) > width && !isCommand(line));
        assert.deepEqual(long, []);
      });

      it(`tells the verdict on one screen at ${width} columns`, () => {
        const lines = text.split('\n');
        const top = lines.indexOf(
          '',
          lines.findIndex((line) => line.startsWith('Cost of asking: ')),
        );
        const rows = lines.slice(0, top).reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / width)), 0);
        assert.ok(top > 0 && rows <= 24, `${rows} rows`);
      });
    }

    it('shows nothing a terminal would act on, verbose or not, with or without UTF-8', () => {
      for (const unicode of [true, false]) {
        const text = renderText(make(), { colour: false, width: 80, unicode, verbose: true });
        assert.doesNotMatch(text, UNSAFE);
        if (!unicode) assert.match(text, /^[\x20-\x7e\n]*$/);
      }
      assert.doesNotMatch(renderJson(make()), UNSAFE);
    });

    it('adds colour and nothing else', () => {
      const options = { width: 80, unicode: true };
      const coloured = renderText(make(), { ...options, colour: true });

      const stripped = coloured.replace(/\u001b\[[0-9;]*m/g, '');
      assert.notEqual(coloured, stripped);
      assert.equal(stripped, renderText(make(), { ...options, colour: false }));
    });

    it('is JSON that the schema accepts, with every field, in the order of the schema', () => {
      const parsed: unknown = JSON.parse(renderJson(make()));
      assert.ok(validateReport(parsed), JSON.stringify(validateReport.errors?.slice(0, 3)));
      assert.deepEqual(orderErrors(parsed), []);
      assert.equal(renderJson(make()), renderJson(make()));
    });
  });
}

describe('the screen', () => {
  it('holds the verdict however much fired and however long the words are', () => {
    const report = goldenReports['tap']!();
    const [first] = report.findings;
    const long = 'word '.repeat(400);
    const remedies = [{ action: long, command: 'x'.repeat(80 * 3 - '  $ '.length), verify: null }];
    const findings = Array.from({ length: 40 }, () => ({ ...first!, summary: long, remedies }));
    const actions = [{ seconds: 1, action: long, reason: long, restored: true }];
    const sick: Report = {
      ...report,
      findings,
      verdict: { ...report.verdict, headline: long },
      probe: { ...report.probe, status: 'detached-early', reason: long },
      selfCost: { ...report.selfCost, actions },
    };
    for (const baseline of [undefined, { ...report, host: { ...report.host, hostname: long } }]) {
      const text = renderText(sick, { colour: false, width: 80, unicode: true, baseline });
      const lines = text.slice(0, text.indexOf('\n\nFINDINGS')).split('\n');
      const rows = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 80)), 0);
      assert.ok(rows > 18 && rows <= 24, `${rows} rows`);
    }
  });
});
