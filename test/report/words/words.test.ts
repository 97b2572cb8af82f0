import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { lostRate, thingsLost } from '../../../src/report/words/findings.ts';
import { formats } from '../../../src/report/words/formats.ts';
import { argumentsOf, say } from '../../../src/report/words/say.ts';
import { rules } from '../../../src/rules/index.ts';
import { finding, reportOf } from '../cases.ts';

const written: readonly (readonly [keyof typeof formats, number, string])[] = [
  ['count', 0, '0'],
  ['count', 1234567, '1,234,567'],
  ['count', 0.5, '0.5'],
  ['count', -1234, '-1,234'],
  ['number', 0.01234, '0.0123'],
  ['number', 1e-7, '1.0e-7'],
  ['number', 12345.6, '12,346'],
  ['percent', 0, '0%'],
  ['percent', 1, '100%'],
  ['percent', 0.95, '95%'],
  ['percent', 0.9999, '99.9%'],
  ['percent', 0.00001, '<0.01%'],
  ['percent', 0.0042, '0.42%'],
  ['percent', 1.5, '150%'],
  ['rate', 20, '20/s'],
  ['rate', 0.333, '0.333/s'],
  ['rate', 81234.5, '81,235/s'],
  ['packets', 81234.5, '81,235 packets/s'],
  ['frames', 20, '20 frames/s'],
  ['ns', 0, '0 ns'],
  ['ns', 150.4, '150 ns'],
  ['ns', 999.7, '1 µs'],
  ['ns', 5600, '5.6 µs'],
  ['ns', 2.5e9, '2.5 s'],
  ['bytes', 512, '512 B'],
  ['bytes', 64 * 2 ** 20, '64 MiB'],
  ['seconds', 0.5, '500 ms'],
  ['seconds', 10, '10 s'],
  ['seconds', 0, '0 s'],
  ['seconds', 300, '5 min'],
];

describe('words', () => {
  for (const [format, value, text] of written) {
    it(`writes ${value} as ${format}: ${text}`, () => {
      assert.equal(formats[format](value), text);
    });
  }

  it('counts what is lost as what it is: packets, or what the finding itself names', () => {
    const impact = { cpuShare: null, lostPerSecond: 82.5 };
    assert.equal(lostRate({ code: 'PKT0502', args: {}, impact }), '82.5 packets/s');
    assert.equal(lostRate({ code: 'PKT0403', args: {}, impact }), '82.5 segments/s');
    assert.equal(lostRate({ code: 'PKT0405', args: {}, impact }), '82.5 datagrams/s');
    assert.equal(lostRate({ code: 'PKT0501', args: {}, impact }), '82.5 frames/s');
    assert.equal(lostRate({ code: 'PKT0404', args: {}, impact: { ...impact, lostPerSecond: 1 } }), '1 connection/s');
    assert.equal(lostRate({ code: 'PKT0401', args: {}, impact }), '82.5 connection attempts/s');
    const args = { lostThings: 'connection attempts' };
    assert.equal(lostRate({ code: 'PKT0414', args, impact }), '82.5 connection attempts/s');
  });

  it('fills in text as it is, without reading it for further arguments', () => {
    assert.equal(say('held by {owner}', { owner: '{rate:rate} $& $1', rate: 1 }), 'held by {rate:rate} $& $1');
  });

  it('refuses an unknown argument, an unknown format, and text where a number is wanted', () => {
    assert.throws(() => say('{lost:count}', {}), /lost:count.*no such argument/);
    assert.throws(() => say('{lost:furlongs}', { lost: 1 }), /no such format/);
    assert.throws(() => say('{lost:count}', { lost: 'many' }), /not a number/);
    assert.throws(() => say('{toString:constructor}', { toString: 1 }), /no such format/);
    assert.throws(() => argumentsOf('a stray } brace'), /brace/);
  });

  it('keeps a finding whose words are wrong, and says that they are', () => {
    const [wrong] = reportOf({ cells: [] }, [
      finding({
        code: 'PKT0405',
        rule: 'x',
        outcome: 'critical',
        title: 'Title',
        message: 'm',
        words: '{nothing:count}',
      }),
    ]).findings;
    assert.match(wrong!.summary, /^Title \(bug in the words of PKT0405: .*no such argument/);
  });

  for (const rule of rules) {
    it(`knows every format in the messages of ${rule.code}`, () => {
      for (const words of Object.values(rule.messages)) argumentsOf(words);
    });
  }
});

describe('what a rule loses', () => {
  /** `{lost:count} UDP datagrams ({share:percent}) were dropped`: what is counted, of what was lost; behind a socket it is packets. */
  const LOSS =
    /\{(?!behind)\w+:count\} (?:(?:UDP|TCP|in-order) )?(frames|packets|datagrams|segments|connections|connection \w+)\b[^.;,]*? (?:lost|dropped|killed)\b/g;
  for (const rule of rules)
    it(`has one word in ${rule.code}, wherever it is said`, () => {
      for (const words of Object.values(rule.messages))
        for (const [said, things] of words.matchAll(LOSS)) assert.equal(things, thingsLost(rule.code, {}), said);
    });
});
