import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ENOUGH_PACKETS,
  errorOfMean,
  missing,
  needed,
  PACKETS_AGAIN,
  pricesOf,
  secondsToGo,
  TARGET_ERROR,
  type Price,
  type CountedSoFar,
} from '../../src/probe/certainty.ts';
import { emptySpan } from '../../src/readings/histogram.ts';
import type { CpuReading } from '../../src/readings/reading.ts';

const price = (samples: number, inSlice: number, error = 0): Price => ({
  ...{ samples, inSlice, error },
  enough: ENOUGH_PACKETS,
  fewest: 50,
  again: PACKETS_AGAIN,
});

/** Of a window of 30 s in rounds of 3.75 s, of which the tracepoints may have a quarter. */
const slice = (left: number, tracedSeconds: number): Parameters<typeof missing>[1] => ({
  left,
  tracedSeconds,
  mostSeconds: tracedSeconds + (left - 1) * 3.75 * 0.25,
});

describe('how much is to be timed', () => {
  it('asks for some 2,000 packets, more where they scatter, and never without end', () => {
    assert.equal(needed(price(0, 0)), ENOUGH_PACKETS);
    assert.equal(needed(price(1000, 0, TARGET_ERROR / 10)), ENOUGH_PACKETS);
    assert.equal(Math.round(needed(price(2000, 0, TARGET_ERROR * 2))), 8000);
    assert.equal(needed(price(500, 0, 1)), 8 * ENOUGH_PACKETS);
  });

  it('spreads them over the slices of the window', () => {
    assert.equal(missing(price(0, 0), slice(8, 0.01)), ENOUGH_PACKETS / 8);
    assert.equal(missing(price(300, 300), slice(8, 0.1)), 0, 'a share is in: rest');
    assert.equal(missing(price(350, 50), slice(7, 0.1)), (ENOUGH_PACKETS - 300) / 7 - 50);
  });

  it('looks again although a price is certain: it may change', () => {
    assert.equal(missing(price(5000, 0), slice(3, 0.5)), PACKETS_AGAIN);
    assert.equal(missing(price(5000, PACKETS_AGAIN), slice(3, 0.5)), 0);
  });

  it('asks for all that is missing in the last slice', () => {
    assert.equal(missing(price(600, 100), slice(1, 2)), 1400, 'of 2,000, 500 were there before it');
  });

  it('does not stay for a device that will have no price whatever is done', () => {
    // 2 packets timed in 5 s: with a quarter of the window some 3 more.
    assert.equal(missing(price(2, 0), slice(4, 5)), 0);
    assert.ok(missing(price(0, 0), slice(8, 0.05)) > 0, 'nothing yet in 50 ms tells nothing');
    assert.equal(missing(price(0, 0), slice(2, 2)), 0, 'nothing in 2 s does');
    assert.ok(missing(price(20, 5), slice(6, 1)) > 0, 'slow, and priced by all that there is');
  });

  it('tells how long the dearest price takes at the pace so far', () => {
    const fast = price(400, 400);
    const slow = price(50, 50);
    assert.equal(secondsToGo([fast], slice(8, 0.1)), 0);
    assert.equal(secondsToGo([fast, slow], slice(8, 0.1)), ((250 - 50) * 0.1) / 50);
    assert.equal(secondsToGo([price(0, 0)], slice(8, 0.1)), Infinity);
    assert.equal(secondsToGo([], slice(8, 0.1)), 0);
  });

  it('takes the standard error from the moments', () => {
    assert.equal(errorOfMean(0, 0, 0), 0);
    assert.equal(errorOfMean(4, 400, 40_000), 0);
    // 50 and 150: mean 100, deviation 50, of two.
    assert.equal(errorOfMean(2, 200, 50 ** 2 + 150 ** 2).toFixed(6), (50 / Math.SQRT2 / 100).toFixed(6));
  });
});

const cpu = (number: number, runs: number, timed: number, skbs: number): CpuReading => ({
  ...{ cpu: number, skbs: runs, stamped: 0, uncollected: 0 },
  ...{ netRxRuns: runs, netRxSampledRuns: timed, netRxNs: 1000 * timed, netRxSkbs: skbs },
});

const device = (name: string, ifindex: number, count: number): CountedSoFar['devices'][number] => ({
  ...{ device: name, ifindex, netns: '1' },
  spans: [
    {
      ...emptySpan(),
      ...{ span: 'taps', mode: 'tracepoint', sampleEvery: 16, count, sumNs: 100 * count, sumSqNs: 10_000 * count },
    },
  ],
});

const sent = (count: number): CountedSoFar['transmit'][number] => ({
  ...{ device: 'tapped', ifindex: 2, netns: '1', queue: 'noqueue' },
  ways: [{ ...emptySpan(), way: 'direct', count }],
});

describe('the prices that are watched', () => {
  const empty: CountedSoFar = { cpus: [], devices: [], transmit: [] };
  const now: CountedSoFar = {
    cpus: [cpu(0, 9000, 1000, 1100), cpu(1, 1000, 100, 120), cpu(2, 20, 2, 2), cpu(3, 0, 0, 0)],
    devices: [device('idle', 1, 3), device('tapped', 2, 700), device('bare', 3, 900)],
    transmit: [sent(40)],
  };
  const since: CountedSoFar = {
    cpus: [cpu(0, 8000, 900, 1000)],
    devices: [device('tapped', 2, 600)],
    transmit: [sent(30)],
  };

  it('are those of the taps, of the best floor, and of NET_RX with the CPUs that take part', () => {
    const prices = pricesOf(empty, since, now, ({ device: name }) => name === 'tapped');
    assert.deepEqual(
      prices.map(({ samples, inSlice }) => [samples, inSlice]),
      [
        [700, 100],
        [900, 900],
        [40, 10],
        [1102, 202],
        [1222, 222],
        [1100, 100],
        [120, 120],
      ],
    );
  });

  it('count from when the taps came', () => {
    const prices = pricesOf(since, since, now, ({ device: name }) => name === 'tapped');
    assert.deepEqual(
      prices.slice(0, 3).map(({ samples }) => samples),
      [100, 900, 10],
    );
  });
});
