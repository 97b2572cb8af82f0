import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { atOnce, inTurns, type Steps } from '../../src/base/steps.ts';
import { collectors } from '../../src/collectors/index.ts';
import { judgeInSteps } from '../../src/jobs/judge.ts';
import { Window } from '../../src/metrics/window.ts';
import { ok } from '../../src/base/result.ts';
import { recordInSteps } from '../../src/sources/recording.ts';
import { sampleInSteps, takeSample, type NamespaceView } from '../../src/sources/take-sample.ts';
import { fakeReader } from '../support/reader.ts';

const reader = fakeReader({ files: {} });

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Sends this process a signal in the first step; answers after how many of them it was heard. */
async function stepsUntilHeard(count: number, run: (step: () => void) => Promise<unknown>): Promise<number> {
  let steps = 0;
  let heard = Infinity;
  const hear = (): void => void (heard = Math.min(heard, steps));
  process.on('SIGWINCH', hear);
  try {
    await run(() => {
      steps += 1;
      if (steps === 1) process.kill(process.pid, 'SIGWINCH');
      busy(60);
    });
  } finally {
    process.off('SIGWINCH', hear);
  }
  assert.equal(steps, count);
  return heard;
}

const namespaces = (count: number, step: () => void): readonly NamespaceView[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `pod${index}`,
    path: `/run/netns/pod${index}`,
    visit: (look) => {
      step();
      look(reader);
      return ok(undefined);
    },
  }));

describe('work in steps', () => {
  it('gives what it would give at once', async () => {
    const three = function* (): Steps<number> {
      yield;
      yield;
      return 3;
    };
    assert.equal(atOnce(three()), 3);
    assert.equal(await inTurns(three()), 3);
  });

  it('hears a signal within a pass over many namespaces, recorded or not', async () => {
    for (const inSteps of [sampleInSteps, recordInSteps]) {
      const heard = await stepsUntilHeard(10, (step) =>
        inTurns<unknown>(inSteps({ reader, collectors, namespaces: namespaces(10, step) })),
      );
      assert.ok(heard < 10, `heard after ${heard} of 10 namespaces`);
    }
  });

  it('hears a signal while a window is judged', async () => {
    const sample = takeSample({ reader, collectors });
    let steps = 0;
    const judging = judgeInSteps({
      window: new Window(sample, sample),
      requestedSeconds: 1,
      cutShort: false,
      overrides: {},
      version: '0.1.0',
      self: () => ({ cpuSeconds: null, peakMemoryBytes: null }),
    });
    const heard = await stepsUntilHeard(10, (step) => {
      const slowed = function* (): Steps<unknown> {
        for (;;) {
          if (steps < 10) step();
          steps += 1;
          const next = judging.next();
          if (next.done === true) return next.value;
          yield;
        }
      };
      return inTurns(slowed());
    });
    assert.ok(heard < 10, `heard after ${heard} of 10 rules`);
  });
});
