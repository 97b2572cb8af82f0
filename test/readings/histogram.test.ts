import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bucketBounds,
  bucketOf,
  emptySpan,
  quantile,
  subtractSpans,
  summarise,
  type SpanHistogram,
} from '../../src/readings/histogram.ts';

function histogramOf(values: readonly number[]): SpanHistogram {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
  return {
    ...emptySpan(),
    count: values.length,
    sumNs: values.reduce((sum, value) => sum + value, 0),
    sumSqNs: values.reduce((sum, value) => sum + value * value, 0),
    minNs: values.length === 0 ? 0 : Math.min(...values),
    maxNs: values.length === 0 ? 0 : Math.max(...values),
    buckets: [...counts].sort((a, b) => a[0] - b[0]),
  };
}

/** A seeded generator, so that a failure can be seen again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function exact(values: readonly number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1] ?? NaN;
}

describe('histogram', () => {
  it('puts every value into the bucket whose bounds hold it', () => {
    const next = random(1);
    const values = [0, 1, 31, 32, 33, 63, 64, 1023, 1024, 1025, 2 ** 20 - 1, 2 ** 20, 2 ** 30 - 1];
    for (let index = 0; index < 5000; index++) values.push(Math.floor(2 ** (next() * 30)));
    for (const value of values) {
      const bucket = bucketOf(value);
      const [lower, upper] = bucketBounds(bucket);
      assert.ok(lower <= value && value < upper, `${String(value)} in [${String(lower)}, ${String(upper)})`);
      assert.ok(bucket < 432);
    }
  });

  it('leaves no gap between buckets', () => {
    for (let bucket = 1; bucket < 432; bucket++) assert.equal(bucketBounds(bucket)[0], bucketBounds(bucket - 1)[1]);
    assert.equal(bucketBounds(431)[1], 2 ** 30);
  });

  const next = random(7);
  const distributions: Record<string, () => number> = {
    uniform: () => Math.floor(100 + next() * 900),
    exponential: () => Math.floor(-Math.log(next()) * 2000),
    lognormal: () => Math.floor(Math.exp(6 + Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()))),
    bimodal: () => Math.floor(next() < 0.9 ? 150 + next() * 20 : 40_000 + next() * 5000),
    constant: () => 167,
  };
  for (const [name, draw] of Object.entries(distributions)) {
    it(`keeps every quantile of a ${name} distribution within 6 %`, () => {
      const values = Array.from({ length: 20_000 }, draw);
      const span = histogramOf(values);
      for (const q of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999]) {
        const truth = exact(values, q);
        const found = quantile(span, q) ?? NaN;
        assert.ok(
          Math.abs(found - truth) <= Math.max(0.5, truth * 0.06),
          `q${String(q)}: ${String(found)} for ${String(truth)}`,
        );
      }
    });
  }

  it('gives mean and standard deviation from exact sums', () => {
    const values = [100, 200, 300, 400];
    const summary = summarise(histogramOf(values));
    assert.ok(summary);
    assert.equal(summary.avgNs, 250);
    assert.ok(Math.abs(summary.stddevNs - 111.803) < 0.01);
    assert.equal(summary.jitterNs, 300);
  });

  it('has no summary and no quantile without samples', () => {
    assert.equal(summarise(emptySpan()), undefined);
    assert.equal(quantile(emptySpan(), 0.5), undefined);
  });

  it('subtracts readings: what remains are the samples in between', () => {
    const early = [500, 600, 90_000];
    const late = [150, 160, 170, 180];
    const delta = subtractSpans(histogramOf([...early, ...late]), histogramOf(early));
    assert.equal(delta.count, 4);
    assert.equal(delta.sumNs, 660);
    assert.equal(delta.minNs, 150, 'a new minimum is exact');
    const max = delta.maxNs;
    assert.ok(max >= 180 && max <= 180 * 1.07, 'an old maximum falls back on the window, to a bucket');
  });
});
