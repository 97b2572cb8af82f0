import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { code, fenced, prose, table } from '../../../src/report/markdown/syntax.ts';
import { renderMarkdown } from '../../../src/report/markdown/index.ts';
import { goldenReports } from '../cases.ts';

const folder = new URL('../../../../test/fixtures/golden/', import.meta.url);

for (const [name, make] of Object.entries(goldenReports)) {
  describe(`Markdown report of ${name}`, () => {
    const text = renderMarkdown(make());

    it('reads as agreed (UPDATE_GOLDEN=1 to accept a change)', () => {
      const file = new URL(`${name}.md`, folder);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
      assert.ok(existsSync(file), `${file.pathname} is missing: UPDATE_GOLDEN=1 writes it`);
      assert.equal(text, readFileSync(file, 'utf8'));
    });

    it('holds no HTML but the folds, which are ended and set apart', () => {
      const outside = withoutCode(text);
      const tags = outside.match(/<[^>]*>/g) ?? [];
      assert.deepEqual(
        [...new Set(tags)].sort(),
        tags.length === 0 ? [] : ['</details>', '</summary>', '<details>', '<summary>'],
      );
      assert.equal(text.match(/^<details>\n<summary>[^<\n]+<\/summary>\n\n/gm)?.length ?? 0, tags.length / 4);
      assert.equal(text.match(/\n\n<\/details>$/gm)?.length ?? 0, tags.length / 4);
    });

    it('has tables whose rows have the cells of their head', () => {
      for (const block of withoutFences(text).match(/(?:^\|.*\n)+/gm) ?? []) {
        const cells = block
          .trim()
          .split('\n')
          .map((line) => line.match(/(?<!\\)\|/g)?.length);
        assert.equal(new Set(cells).size, 1, block);
      }
    });

    it('shows nothing that is invisible, and fits a ticket', () => {
      assert.doesNotMatch(text, /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
      assert.ok(text.length < 60_000);
    });
  });
}

describe('names in Markdown', () => {
  const outcomes: [string, string][] = [
    ['@torvalds', '@&#8203;torvalds'],
    ['a@b.example', 'a@&#8203;b.example'],
    ['#12 and o/r#12', '#&#8203;12 and o/r#&#8203;12'],
    ['GH-12', 'GH&#8203;-12'],
    ['https://evil.example/', 'https&#8203;://evil.example/'],
    ['www.evil.example', 'www&#8203;.evil.example'],
    ['mailto:x', 'mailto&#8203;:x'],
    ['[x](y) ![x](y)', '\\[x\\](y) !\\[x\\](y)'],
    ['[~user] {code}', '\\[\\~user\\] \\{code\\}'],
    ['<b>&amp;', '&lt;b&gt;&amp;amp;'],
    ['*a* _b_ ~c~ `d` $e$ f_g', '\\*a\\* \\_b\\_ \\~c\\~ \\`d\\` \\$e\\$ f_g'],
    ['a|b\\|c', 'a\\|b\\\\\\|c'],
    ['# head', '\\# head'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['1,234 lost at 10.0.0.1:53', '1,234 lost at 10.0.0.1:53'],
    ['\u202ea\n# b', '\\\\u\\{202e\\}a\\\\x0a# b'],
  ];
  for (const [given, wanted] of outcomes) {
    it(`are inert: ${JSON.stringify(given)}`, () => {
      assert.equal(prose(given), wanted);
    });
  }

  it('keep to their code span, and to their cell', () => {
    assert.equal(code('a`b'), '``a`b``');
    assert.equal(code('`'), '`` ` ``');
    assert.equal(code('a\nb'), '`a\\x0ab`');
    assert.equal(table([{ head: 'h' }], [[code('a|b\\|c')]])[2], '| `a\\|b\\|c` |');
  });

  it('cannot end the block of a command', () => {
    assert.deepEqual(fenced('echo ```` x', 'sh'), ['`````sh', 'echo ```` x', '`````']);
  });
});

describe('a Markdown report', () => {
  it('is cut to what a ticket takes, and says so', () => {
    const report = goldenReports['hostile']!();
    const [first] = report.findings;
    const findings = Array.from({ length: 80 }, () => ({
      ...first!,
      evidence: Array.from({ length: 300 }, () => first!.evidence[0]!),
    }));
    const text = renderMarkdown({ ...report, findings });
    assert.ok(text.length < 60_000, String(text.length));
    assert.match(text, /And [67]\d more in the JSON report/);
  });
});

function withoutFences(text: string): string {
  return text.replace(/^( *)(`{3,})sh\n[^]*?\n\1\2$/gm, '');
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/(?<!`|\\)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, '');
}
