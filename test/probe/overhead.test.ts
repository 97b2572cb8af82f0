import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Overhead } from '../../src/probe/overhead.ts';

describe('the overhead of all parts', () => {
  it('leaves to each what the others do not take', () => {
    const overhead = new Overhead(0.01);
    assert.equal(overhead.left('spans'), 0.01);
    let drops = 0.002;
    overhead.takes('drops', () => drops);
    overhead.takes('profile', () => 0.003);
    overhead.takes('spans', () => 0.004);
    assert.equal(overhead.left('spans').toFixed(4), '0.0050');
    assert.equal(overhead.left('drops').toFixed(4), '0.0030');
    drops = 0.02;
    assert.equal(overhead.left('spans'), 0, 'never less than nothing');
  });

  it('says what is left where it is not all', () => {
    const overhead = new Overhead(0.01);
    assert.equal(overhead.said('spans'), 'the budget of 1.00%');
    overhead.takes('profile', () => 0.0001 / 4);
    assert.equal(overhead.said('spans'), 'the budget of 1.00%', 'what is not seen is not said');
    overhead.takes('profile', () => 0.003);
    assert.equal(overhead.said('spans'), 'what is left of the budget of 1.00%: 0.70%');
  });
});
