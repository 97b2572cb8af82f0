import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { monotonicSeconds } from '../../src/sources/live-reader.ts';
import { sampleTwice } from '../../src/sources/window.ts';

/** A host on which a first sample took `seconds`. */
function slowHost(seconds: number): () => { readonly at: number } {
  let first = true;
  return () => {
    const at = monotonicSeconds() - (first ? seconds : 0);
    first = false;
    return { at };
  };
}

const stop = new AbortController().signal;

describe('the window between two samples', () => {
  it('is as long as asked from beginning to beginning', async () => {
    const { before, after } = await sampleTwice({ seconds: 0.5, stop, sample: slowHost(0.1) });
    assert.ok(after.at - before.at >= 0.5);
  });

  it('leaves the profile half of it where a starved first sample took it all', async () => {
    const { before, after } = await sampleTwice({ seconds: 0.5, stop, sample: slowHost(3) });
    assert.ok(after.at - before.at >= 3.25, 'the profile begins after the first sample');
  });

  it('ends at once when it is told to', async () => {
    const { cutShort } = await sampleTwice({ seconds: 3600, stop: AbortSignal.abort(), sample: slowHost(0) });
    assert.equal(cutShort, true);
  });
});
