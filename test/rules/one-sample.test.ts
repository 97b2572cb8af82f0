import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { rules } from '../../src/rules/index.ts';
import { oneSample } from '../../src/rules/one-sample-words.ts';
import { ofAWindow, ofEachSecond } from '../support/one-sample.ts';

/** Rules about what is lost of which one sample tells nothing, and why. */
const untold: Readonly<Record<string, string>> = {
  PKT0102: 'how busy a CPU is now takes two samples',
  PKT0104: 'only the probe measures it, in a window',
  PKT0406: 'nothing is lost, and windows that closed over days say nothing of now',
  PKT0708: 'only the probe counts most of it, in a window',
};

describe('what is said of one sample', () => {
  it('is settled for every rule about a loss', () => {
    const silent = rules.filter(({ role, code }) => role === 'outcome' && oneSample[code] === undefined);
    assert.deepEqual(silent.map(({ code }) => code).sort(), Object.keys(untold).sort());
  });

  for (const [code, sample] of Object.entries(oneSample)) {
    it(`has words for every message of ${code}, and for no other`, () => {
      const rule = rules.find((each) => each.code === code);
      assert.ok(rule !== undefined, code);
      const { words, levels = [], never = [] } = sample;
      const known = [...Object.keys(words), ...levels, ...never];
      assert.deepEqual([...known].sort(), Object.keys(rule.messages).sort());
      assert.equal(new Set(known).size, known.length, 'a message is one of the three');
      // What is left out of one sample is known by its name.
      const perSecond = [
        ...Object.values(rule.messages)
          .join('')
          .matchAll(/\{(\w+):(?:rate|packets|frames)\}/g),
      ];
      assert.deepEqual(
        [...new Set(perSecond.map(([, name]) => name))].filter((name) => name !== 'rate'),
        [],
      );
    });

    it(`speaks of no window and of no second where ${code} is told`, () => {
      const rule = rules.find((each) => each.code === code);
      for (const message of sample.levels ?? []) {
        assert.doesNotMatch(rule?.messages[message] ?? '', ofAWindow, message);
        assert.doesNotMatch(rule?.messages[message] ?? '', ofEachSecond, message);
      }
      for (const [message, words] of Object.entries(sample.words)) {
        assert.doesNotMatch(words, ofAWindow, message);
        assert.doesNotMatch(words, ofEachSecond, message);
        assert.match(words, /\{since\}|since (?:they were|it was) made/, message);
      }
    });
  }
});
