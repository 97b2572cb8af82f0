import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ok } from '../../src/metrics/result.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { JOINED_SLICES, roundMs, Shifts } from '../../src/probe/shifts.ts';

/** Tracepoints that only remember what they were told. */
function recorded(attached = true): { readonly session: ProbeSession; readonly log: string[] } {
  const log: string[] = [];
  const tracepoints = {
    attached,
    join: () => void log.push('join'),
    part: () => (log.push('part'), Promise.resolve(ok(undefined))),
    rest() {
      this.attached = false;
      return (log.push('rest'), Promise.resolve(ok(undefined)));
    },
    resume() {
      this.attached = true;
      return (log.push('resume'), Promise.resolve(ok(undefined)));
    },
  };
  return { session: { tracepoints } as unknown as ProbeSession, log };
}

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

  it('tells the driver apart in the first quarter of a short window', async () => {
    const { session, log } = recorded();
    const shifts = new Shifts(session, 0.2);
    shifts.start();
    assert.deepEqual(log, ['join']);
    await sleep(100);
    await shifts.stop();
    assert.deepEqual(log, ['join', 'part']);
  });

  it('tells the driver apart in one slice of some of a long one', async () => {
    const { session, log } = recorded();
    const shifts = new Shifts(session, 4, () => 0);
    shifts.start();
    for (let waited = 0; log.filter((each) => each === 'resume').length < JOINED_SLICES; waited += 20) {
      assert.ok(waited < 10_000, log.join(' '));
      await sleep(20);
    }
    await shifts.stop();
    const expected = Array.from({ length: JOINED_SLICES }, () => ['rest', 'resume']).flat();
    assert.deepEqual(log, ['join', ...expected, 'join']);
  });

  const work = (log: string[]) => (): Promise<void> => {
    log.push('work');
    return Promise.resolve();
  };

  it('has the tracepoints attached for what needs them, whatever their shift, and goes on with it', async (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    const { session, log } = recorded(false);
    const shifts = new Shifts(session, 8, () => 0.5);
    await shifts.inSlice(work(log));
    assert.deepEqual(log, ['resume', 'work']);
    test.mock.timers.tick(250);
    await shifts.stop();
    assert.deepEqual(log, ['resume', 'work', 'rest'], 'a slice of a quarter of a second follows');
  });

  it('begins no shift in a window without, nor after the end', async (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] });
    for (const seconds of [1, 8]) {
      const { session, log } = recorded();
      const shifts = new Shifts(session, seconds);
      if (seconds === 8) await shifts.stop();
      await shifts.inSlice(work(log));
      test.mock.timers.tick(60_000);
      assert.deepEqual(log, seconds === 8 ? ['resume', 'work'] : ['resume', 'work', 'part']);
    }
  });
});
