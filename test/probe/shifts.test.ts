import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roundMs } from '../../src/probe/shifts.ts';

describe('shifts of the tracepoints', () => {
  it('leaves a short window whole', () => {
    assert.equal(roundMs(1), undefined);
    assert.equal(roundMs(3.9), undefined);
  });

  it('cuts a longer one into eight, and a long one so that bursts of some seconds are met', () => {
    assert.equal(roundMs(4), 500);
    assert.equal(roundMs(30), 3750);
    assert.equal(roundMs(600), 5000);
  });
});
