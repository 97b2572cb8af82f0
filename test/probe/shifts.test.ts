import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProbeSession } from '../../src/probe/session.ts';
import { roundMs, Shifts } from '../../src/probe/shifts.ts';

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

  /** Tracepoints that note what is done with them. */
  const session = (attached: boolean): { session: ProbeSession; log: string[] } => {
    const log: string[] = [];
    const change = (to: boolean) => () => {
      log.push(to ? 'resume' : 'rest');
      tracepoints.attached = to;
      return Promise.resolve({ ok: true, value: undefined });
    };
    const tracepoints = { attached, resume: change(true), rest: change(false) };
    return { session: { tracepoints } as unknown as ProbeSession, log };
  };
  const work = (log: string[]) => (): Promise<void> => {
    log.push('work');
    return Promise.resolve();
  };

  it('has the tracepoints attached for what needs them, whatever their shift, and goes on with it', async (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    const { session: resting, log } = session(false);
    const shifts = new Shifts(resting, 8, () => 0.5);
    await shifts.inSlice(work(log));
    assert.deepEqual(log, ['resume', 'work']);
    test.mock.timers.tick(250);
    await shifts.stop();
    assert.deepEqual(log, ['resume', 'work', 'rest'], 'a slice of a quarter of a second follows');
  });

  it('begins no shift in a window without, nor after the end', async (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    for (const seconds of [1, 8]) {
      const { session: whole, log } = session(true);
      const shifts = new Shifts(whole, seconds);
      if (seconds === 8) await shifts.stop();
      await shifts.inSlice(work(log));
      test.mock.timers.tick(60_000);
      assert.deepEqual(log, ['resume', 'work']);
    }
  });
});
