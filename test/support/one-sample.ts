import assert from 'node:assert/strict';

import { Window } from '../../src/metrics/window.ts';
import { say } from '../../src/report/words/say.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { oneSample } from '../../src/rules/one-sample-words.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { windowOf, type Case } from './window.ts';

/** Words about a time that one sample does not have. */
export const ofAWindow = /\bwindow\b|\bmeanwhile\b|\bat (?:both|its) ends\b/;
/** Arguments that are written with `/s` behind them. */
export const ofEachSecond = /\{\w+:(?:rate|packets|frames)\}|\/s\b|\bper second\b/;

/**
 * The last sample of a case judged by itself, of a host that has been up for a day, for as long as the window was, or for a time that is
 * not known: nothing in what is said is of a window or of a second, and everything that the rule found has words.
 */
export function assertOneSampleWords(rule: Rule, each: Case): void {
  const { after: last } = windowOf(each);
  for (const uptime of [100_000, each.seconds ?? 10, undefined]) {
    const messages = new Set<string>();
    const conclude: Rule['conclude'] = (signals, limits, at) => {
      const conclusion = rule.conclude(signals, limits, at);
      if ('message' in conclusion) messages.add(conclusion.message ?? '');
      return conclusion;
    };
    const findings = evaluateRules(new Window(last, last, uptime), [{ ...rule, conclude }]);
    const sample = oneSample[rule.code];
    if (sample !== undefined) {
      const worded = new Set([...Object.keys(sample.words), ...(sample.levels ?? [])]);
      const wordless = [...messages].filter((message) => message !== '' && !worded.has(message));
      assert.deepEqual(wordless, [], 'messages that one sample comes to, and that have no words for it');
    }
    for (const { words, args, evidence, impact, message } of findings) {
      if (words === '') continue;
      const said = say(words, args);
      assert.doesNotMatch(said, ofAWindow, `${message}, said of one sample`);
      assert.doesNotMatch(words, ofEachSecond, `${message}, said of one sample`);
      if (message === 'since-boot') assert.match(said, / since /, 'since when');
      assert.deepEqual(impact, {}, 'what is lost per second is not known');
      const perSecond = evidence.filter(({ unit }) => unit.endsWith('/s')).map(({ signal }) => signal);
      assert.deepEqual(perSecond, [], 'evidence that one sample does not have');
      assert.ok(!('rate' in args), 'a rate that one sample does not have');
    }
  }
}
