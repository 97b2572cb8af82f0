import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { reflowed, ruleList } from '../../../src/report/text/rule-page.ts';

const style = { colour: false, unicode: true, width: 30 };

describe('a page of a rule on a terminal', () => {
  it('has its paragraphs and items laid out for the width', () => {
    const page =
      'One sentence that is long,\nand goes on in the next line.\n\n- an item that is as long as\n  that, too\n- another';
    assert.deepEqual(reflowed(page, style), [
      'One sentence that is long, and',
      'goes on in the next line.',
      '',
      '- an item that is as long as',
      '  that, too',
      '- another',
    ]);
  });

  it('keeps headings, tables and what is to be copied', () => {
    const page =
      '## A heading that is longer than any line is\n\n| a | table that is quite long, too |\n\n    sysctl -w net.core.netdev_max_backlog=2000\n\n```\ncode  that stays as it stands, blanks and all\n```';
    assert.equal(reflowed(page, style).join('\n'), page);
  });
});

describe('the list of rules', () => {
  const rules = [{ code: 'PKT0101', id: 'a-rule', title: 'Something is wrong somewhere' }];

  it('has one line for each in a pipe, and none beyond the width on a terminal', () => {
    assert.deepEqual(ruleList(rules, style), ['PKT0101  a-rule  Something is wrong somewhere']);
    assert.deepEqual(ruleList(rules, { ...style, rows: 24 }), [
      'PKT0101  a-rule  Something is',
      '                 wrong',
      '                 somewhere',
    ]);
  });
});
