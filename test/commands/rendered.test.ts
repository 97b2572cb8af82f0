/** What is rendered by the sources is what the bundle prints: widths, character sets and forms, end to end. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import { renderHtml } from '../../src/report/html/index.ts';
import { renderJson } from '../../src/report/json.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { goldenReports } from '../report/cases.ts';
import { pktcost } from '../support/command.ts';
import { repository } from '../support/fixture.ts';
import { onTerminal, withoutTerminal } from '../support/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-rendered-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the bundle', () => {
  it('is ASCII: it is read as Latin-1, in which a regular expression with µ or … would match something else', () => {
    const dist = join(repository, 'dist');
    const parts = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
    assert.ok(parts.length > 0);
    for (const part of parts) assert.match(readFileSync(join(dist, part), 'latin1'), /^[\x00-\x7f]*$/, part);
  });
});

for (const name of ['tap', 'hostile']) {
  const report = goldenReports[name]!();
  const path = join(folder, `${name}.json`);
  writeFileSync(path, renderJson(report));
  const args = ['replay', path, '--fail-on', 'never'];

  describe(`the built command of the report of ${name}`, () => {
    for (const width of [60, 80, 120, 200])
      for (const [set, unicode] of [
        ['C.UTF-8', true],
        ['C', false],
      ] as const)
        it(`prints in ${width} columns and LANG=${set} what the sources render`, async () => {
          const env = { COLUMNS: `${width}`, LANG: set, LC_ALL: set };
          const { stdout } = await pktcost([...args, '-v'], { env });
          assert.equal(stdout, renderText(report, { colour: false, width, unicode, verbose: true }));
        });

    it('shows on a terminal what the sources render for one', { skip: withoutTerminal }, async () => {
      const env = { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', NO_COLOR: '1' };
      const { screen } = await onTerminal(args, { steps: [], env });
      const shown = stripVTControlCharacters(screen).replaceAll('\r\n', '\n');
      assert.equal(shown, renderText(report, { colour: false, width: 80, unicode: true, rows: 24 }));
    });

    for (const [format, render] of [
      ['markdown', renderMarkdown],
      ['html', renderHtml],
    ] as const)
      it(`prints ${format} as the sources render it`, async () => {
        const { stdout } = await pktcost([...args, '--format', format]);
        assert.equal(stdout, render(report));
      });
  });
}
