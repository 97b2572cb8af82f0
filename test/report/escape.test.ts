import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { visible } from '../../src/report/escape.ts';
import { columns, wrap } from '../../src/report/text/layout.ts';

const tricks: Readonly<Record<string, readonly [string, string]>> = {
  'CSI colour': ['\u001b[31mred', '\\x1b[31mred'],
  'OSC title': ['\u001b]0;x\u0007', '\\x1b]0;x\\x07'],
  'OSC without an end': ['\u001b]0;x', '\\x1b]0;x'],
  'C1 CSI': ['\u009b2J', '\\x9b2J'],
  'C1 OSC': ['\u009d0;x\u009c', '\\x9d0;x\\x9c'],
  DCS: ['\u001bPq\u001b\\', '\\x1bPq\\x1b\\'],
  'lone escape': ['\u001b', '\\x1b'],
  'carriage return': ['ok\rcritical', 'ok\\x0dcritical'],
  backspace: ['a\b', 'a\\x08'],
  NUL: ['a\u0000b', 'a\\x00b'],
  'line feed': ['a\nb', 'a\\x0ab'],
  'vertical tab, form feed, tab': ['\v\f\t', '\\x0b\\x0c\\x09'],
  DEL: ['\u007f', '\\x7f'],
  'bidi override': ['\u202eexe', '\\u{202e}exe'],
  'bidi isolate': ['\u2066x\u2069', '\\u{2066}x\\u{2069}'],
  'zero width': ['a\u200bb\u200d', 'a\\u{200b}b\\u{200d}'],
  'soft hyphen': ['a\u00adb', 'a\\xadb'],
  'byte order mark': ['\ufeffx', '\\u{feff}x'],
  'line separators': ['\u2028\u2029', '\\u{2028}\\u{2029}'],
  'tag characters': ['\u{e0041}', '\\u{e0041}'],
  'lone surrogate': ['\ud800', '\\u{d800}'],
  'private use': ['\ue000', '\\u{e000}'],
  'plain text, accents, CJK': ['eth0 é 漢字 <b>', 'eth0 é 漢字 <b>'],
};

describe('visible', () => {
  for (const [name, [text, shown]] of Object.entries(tricks)) {
    it(`shows ${name}`, () => {
      assert.equal(visible(text), shown);
    });
  }

  it('cuts long text at a character or an escape, and marks it', () => {
    assert.equal(visible('x'.repeat(300), 10), `${'x'.repeat(10)}…`);
    assert.equal(visible('xxxxxxx\u001b[31m', 10), 'xxxxxxx…');
    assert.equal(visible('𝒳'.repeat(10), 10), '𝒳'.repeat(10));
    assert.equal(visible('𝒳'.repeat(11), 10), `${'𝒳'.repeat(10)}…`);
  });
});

describe('layout', () => {
  it('counts wide characters as two columns and combining marks as none', () => {
    assert.equal(columns('漢字'), 4);
    assert.equal(columns('e\u0301'), 1);
  });

  it('breaks a word only where it is longer than the line', () => {
    assert.deepEqual(wrap('one two three', 8), ['one two', 'three']);
    assert.deepEqual(wrap('a abcdefghij b', 4), ['a', 'abcd', 'efgh', 'ij b']);
    assert.deepEqual(wrap('漢字漢字', 5), ['漢字', '漢字']);
    assert.deepEqual(wrap('', 5), ['']);
  });
});
