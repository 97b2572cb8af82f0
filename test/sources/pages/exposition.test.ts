import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { expose } from '../../../src/metrics/exposition.ts';
import { gauge } from '../../../src/metrics/metric.ts';
import { Snapshot } from '../../../src/metrics/snapshot.ts';
import { parseExposition, type PageSample } from '../../../src/sources/pages/exposition.ts';
import { cutAnywhere, garbled } from '../../support/bytes.ts';
import { bytesOf, repository } from '../../support/fixture.ts';

function read(page: string): readonly PageSample[] {
  const parsed = parseExposition(bytesOf(page));
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.reason);
  return parsed.value;
}

describe('a page in the text format 0.0.4', () => {
  for (const [name, page, samples] of [
    ['nothing at all', '', []],
    [
      'empty lines, comments, HELP and TYPE',
      '\n  \n# EOF\n#HELP a\n# HELP a b \\\\ \\n c\n#  TYPE a gauge\na 1\n',
      [['a', {}, 1]],
    ],
    ['labels, in any order, with a comma at the end', 'a{b="1",c="2",} 3\n', [['a', { b: '1', c: '2' }, 3]]],
    [
      'no labels between braces',
      'a{} 1\na { } 2\n',
      [
        ['a', {}, 1],
        ['a', {}, 2],
      ],
    ],
    ['blanks and tabs wherever they may be', '\t a \t{ b\t=\t"x" , c ="y" }\t-1 \n', [['a', { b: 'x', c: 'y' }, -1]]],
    ['escapes in a value', 'a{b="\\\\n\\n\\"}{,"} 1\n', [['a', { b: '\\n\n"}{,' }, 1]]],
    ['what looks like markup, and any script', 'a{b="<b>é\u202e#"} 1\n', [['a', { b: '<b>é\u202e#' }, 1]]],
    [
      'a label that is called like a part of an object',
      'a{__proto__="x"} 1\n',
      [['a', Object.defineProperty({}, '__proto__', { value: 'x', enumerable: true }), 1]],
    ],
    [
      'numbers as Go writes them',
      'a 1.5e+06\nb -2e-07\nc .5\nd 5.\ne +7\nf 18446744073709551615\n',
      [
        ['a', {}, 1.5e6],
        ['b', {}, -2e-7],
        ['c', {}, 0.5],
        ['d', {}, 5],
        ['e', {}, 7],
        ['f', {}, 18446744073709551615],
      ],
    ],
    [
      'NaN and the infinities',
      'a NaN\nb +Inf\nc -Inf\nd Inf\n',
      [
        ['a', {}, NaN],
        ['b', {}, Infinity],
        ['c', {}, -Infinity],
        ['d', {}, Infinity],
      ],
    ],
    [
      'a time',
      'a 1 1395066363000\nb{c="d"} 2 -5\n',
      [
        ['a', {}, 1, 1395066363000],
        ['b', { c: 'd' }, 2, -5],
      ],
    ],
    ['a name with a colon', 'job:a:rate5m 1\n', [['job:a:rate5m', {}, 1]]],
  ] as const) {
    it(name, () => {
      assert.deepEqual(
        read(page).map(({ name: of, labels, value, timestamp }) => [
          of,
          labels,
          value,
          ...(timestamp === undefined ? [] : [timestamp]),
        ]),
        samples,
      );
    });
  }

  for (const [name, page, reason] of [
    ['cut off in a line', 'a 1\nb 2', /^line 2: the page ends in the middle of a line$/],
    ['a line without a value', 'a\n', /^line 1: a without a value/],
    ['labels without a value', 'a{b="c"}\n', /^line 1: a without a value/],
    ['a value that is none', 'a 1,5\n', /^line 1: the value of a is no number$/],
    ['a hexadecimal value', 'a 0x1p-2\n', /no number/],
    ['a value of another language', 'a null\n', /no number/],
    ['three numbers', 'a 1 2 3\n', /more than a value and a time/],
    ['a time with a fraction', 'a 1 2.5\n', /time of a is no whole number/],
    ['a name that begins with a digit', '\n1a 1\n', /^line 2: neither a comment nor the name/],
    ['a carriage return', 'a 1\r\n', /line 1/],
    ['a label without quotes', 'a{b=c} 1\n', /labels are not like/],
    ['a label that does not end', 'a{b="c 1\n', /labels are not like/],
    ['an escape that does not exist', 'a{b="\\t"} 1\n', /labels are not like/],
    ['two commas', 'a{b="c",,} 1\n', /labels are not like/],
    ['a comma alone', 'a{,} 1\n', /labels are not like/],
    ['no comma', 'a{b="c"d="e"} 1\n', /labels are not like/],
    ['a label twice', 'a{b="c",b="d"} 1\n', /the label b twice/],
    ['a name among the labels', 'a{__name__="b"} 1\n', /__name__/],
    ['a second HELP', '# HELP a x\n# HELP a y\n', /^line 2: a second HELP of a$/],
    ['a second TYPE', '# TYPE a gauge\n# TYPE a gauge\n', /a second TYPE of a/],
    ['a TYPE that comes late', 'a 1\n# TYPE a gauge\n', /TYPE of a after its samples/],
    ['a TYPE that does not exist', '# TYPE a stateset\n', /TYPE of a is none of counter, gauge/],
    ['a HELP of nothing', '# HELP\n', /HELP without the name/],
    ['OpenMetrics', '# TYPE a info\na_info{b="c"} 1\n# EOF\n', /TYPE of a is none of/],
    ['an HTML page', '<!DOCTYPE html>\n<html>\n', /^line 1: neither a comment nor the name/],
  ] as const) {
    it(`is refused: ${name}`, () => {
      const parsed = parseExposition(bytesOf(page));
      assert.ok(!parsed.ok);
      assert.match(parsed.reason, reason);
    });
  }

  it('is refused: bytes that are not UTF-8, and lines without end', () => {
    const wrong = parseExposition(new Uint8Array([...bytesOf('a 1\na{b="'), 0xff, ...bytesOf('"} 1\n')]));
    assert.ok(!wrong.ok && wrong.reason === 'line 2: not UTF-8' && wrong.offset === 4);
    const long = parseExposition(bytesOf(`a{b="${'x'.repeat(70_000)}"} 1\n`));
    assert.ok(!long.ok && /line 1: longer than 65536 bytes/.test(long.reason));
  });

  it('what is not wanted is checked all the same, and left out', () => {
    const only = (name: string): boolean => name === 'a';
    const parsed = parseExposition(bytesOf('a 1\nb 2\n'), only);
    assert.deepEqual(parsed.ok && parsed.value, [{ name: 'a', labels: {}, value: 1 }]);
    assert.ok(!parseExposition(bytesOf('a 1\nb x\n'), only).ok);
  });

  it('reads what this house writes', () => {
    const metric = gauge('pktcost_a', {
      unit: 'none',
      labels: ['x'],
      collector: 'test',
      source: '/',
      help: 'A\\B\nC.',
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.double({ noNaN: true, noDefaultInfinity: true }), (text, value) => {
        const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
        snapshot.add(metric, { x: text }, value, 0);
        assert.deepEqual(read(expose(snapshot)), [
          { name: 'pktcost_a', labels: { x: text }, value: value === 0 ? 0 : value },
        ]);
      }),
      { seed: 20260301, numRuns: 300 },
    );
  });
});

/** A value, or a reason of one line with an offset inside the input. */
function answers(input: Uint8Array): void {
  const parsed = parseExposition(input);
  if (parsed.ok) return;
  assert.match(parsed.reason, /^line \d+: [^\n]{1,300}$/);
  const { offset = -1 } = parsed;
  assert.ok(offset >= 0 && offset <= input.length);
}

describe('a page of any bytes is answered with a Result', () => {
  const page = bytesOf(
    '# HELP a Text \\n of it.\n# TYPE a counter\na{b="c\\"d",e="é"} 1.5e+06 1395066363000\na{b=""} NaN\n# EOF\nb{} -Inf\n',
  );

  it('cut anywhere, and garbled', () => {
    for (const input of [...cutAnywhere(page), ...garbled(page, 3000)]) answers(input);
  });

  it('arbitrary pieces of the format', () => {
    const pieces = fc.constantFrom(
      'a',
      '1',
      ' ',
      '\n',
      '{',
      '}',
      '"',
      '\\',
      ',',
      '=',
      '#',
      ' HELP ',
      ' TYPE ',
      'NaN',
      '\t',
      '\0',
      'é',
      '\r',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 80 }), (parts) => {
        answers(bytesOf(parts.join('')));
      }),
      { seed: 20260302, numRuns: 3000 },
    );
  });

  it('files that are something else', () => {
    const files = readdirSync(`${repository}/test/fixtures`, { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) answers(readFileSync(`${file.parentPath}/${file.name}`));
  });

  it('endless lines of one kind, in a time that grows with their length', () => {
    const line = 60_000;
    for (const unit of ['a', '{', 'a{', 'a="",', '\\', '"', ' ', 'a ', '1 ', '# ', '# TYPE ', 'a{b="c"', '\t']) {
      const began = performance.now();
      const text = `${unit.repeat(line / unit.length)}\n`;
      answers(bytesOf(text.repeat(8)));
      answers(bytesOf(`a{${text}`.repeat(8)));
      answers(bytesOf(`a 1${text}`.repeat(8)));
      assert.ok(performance.now() - began < 2000, JSON.stringify(unit));
    }
  });
});
