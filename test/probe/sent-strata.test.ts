import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { SentStrata, type SentMoment } from '../../src/probe/sent-strata.ts';

const moment = (seconds: number, timed: number, samples: number, every = 16): SentMoment => ({
  counts: new Map([['eth0', samples]]),
  ...{ every, attachedNs: seconds * 1e9, timedNs: timed * 1e9 },
});

const perSecond = (strata: SentStrata, now: SentMoment): number => {
  const { packets, nanoseconds } = strata.whole(now);
  return Math.round(((packets.get('eth0') ?? 0) * 1e9) / nanoseconds);
};

describe('what was sent, from slices', () => {
  it('of a device that is busy half of the time is the mean, however short the busy slices are', () => {
    const strata = new SentStrata(moment(10, 0, 0));
    // Two busy rounds of 2 s at 160,000 a second, of which a slice of 0.1 s each; two idle ones at 1,600, a slice of 0.5 s each.
    strata.close(moment(12, 0.1, 1000));
    strata.close(moment(14, 0.6, 1050));
    strata.close(moment(16, 0.7, 2050));
    const end = moment(18, 1.2, 2100);
    assert.equal(perSecond(strata, end), 80_800);
    assert.equal(Math.round((2100 * 16) / 1.2), 28_000, 'by the seconds of all slices it would be a third of that');
  });

  it('counts what a sample stood for when it was taken', () => {
    const strata = new SentStrata(moment(0, 0, 0));
    strata.close(moment(1, 1, 1000, 16));
    assert.equal(perSecond(strata, moment(2, 2, 1250, 64)), 16_000);
  });

  it('says nothing of a rest in which nothing was timed', () => {
    const strata = new SentStrata(moment(0, 0, 0));
    strata.close(moment(1, 0.5, 500));
    assert.equal(perSecond(strata, moment(3, 0.5, 500)), 16_000);
    strata.close(moment(3, 0.5, 500));
    // The slice after it stands for it.
    assert.equal(perSecond(strata, moment(4, 1.5, 500)), 4000);
  });
});
