import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { EvidenceLine } from '../../../src/generated/report.ts';
import { limitOf, pacedWords, withUnit } from '../../../src/report/words/units.ts';

describe('a count of evidence', () => {
  const line = {
    signal: '',
    metric: 'x',
    over: [],
    labels: {},
    unit: 'packets',
    threshold: null,
    comparison: null,
    source: '',
    promql: '',
  };
  it('says that it is of the whole window where it is not what lies between its readings', () => {
    assert.match(pacedWords([{ ...line, before: 100, after: 1100, value: 1014 }]) ?? '', /of the whole window/);
    for (const same of [
      { before: 100, after: 1100, value: 1000 },
      { before: null, after: null, value: 7 },
      { before: 4_294_967_000, after: 500, value: 796 },
      { before: 500, after: 500, value: 500 },
    ])
      assert.equal(pacedWords([{ ...line, ...same }]), undefined);
  });
});

describe('a figure of the evidence', () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [0.253, 'ratio', '25%'],
    [1530, 'nanoseconds', '1.53 µs'],
    [45_440, 'datagrams', '45,440 datagrams'],
    [94_481, 'packets/s', '94,481 packets/s'],
    [368_000_000, 'nanoseconds/s', '368 ms/s'],
    [12, 'none/s', '12/s'],
    [7, 'none', '7'],
  ];
  for (const [value, unit, text] of cases)
    it(`${String(value)} in ${unit}: ${text}`, () => {
      assert.equal(withUnit(value, unit), text);
    });

  it('has its limit in the same unit', () => {
    const line = (threshold: number, unit: string): EvidenceLine => ({
      signal: 's',
      metric: 'm',
      labels: {},
      before: null,
      after: null,
      value: 1,
      unit,
      threshold,
      comparison: '>=',
      source: '/proc/x',
      promql: 'm',
    });
    assert.equal(limitOf(line(0.95, 'ratio')), '>= 95%');
    assert.equal(limitOf(line(20_000, 'packets/s')), '>= 20,000');
    assert.equal(limitOf(line(250, 'nanoseconds')), '>= 250 ns');
  });
});
