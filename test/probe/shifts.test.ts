import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fail, ok, type Result } from '../../src/base/result.ts';
import type { CountedSoFar } from '../../src/probe/certainty.ts';
import { ON_SHARE, roundsOf, Shifts } from '../../src/probe/shifts.ts';
import { emptySpan } from '../../src/readings/histogram.ts';

/** A clock that stands still but for `pass`, and a session that counts packets of one device at a rate. */
function staged(test: TestContext, packetsPerSecond: number, attached = true) {
  test.mock.timers.enable({ apis: ['setTimeout'] });
  const stage = { at: 0, traced: 0, log: [] as string[], attached, rate: packetsPerSecond, timed: 0, attachingMs: 0 };
  const refusal: { refused?: string } = {};
  test.mock.method(process.hrtime, 'bigint', () => BigInt(Math.round(stage.at * 1e6)));
  const tracepoints = {
    get attached() {
      return stage.attached;
    },
    clock: () => ({ attachedNs: stage.at * 1e6, tracedNs: stage.traced * 1e6 }),
    join: () => void stage.log.push('join'),
    part: () => (stage.log.push('part'), Promise.resolve(ok(undefined))),
  };
  const session = {
    tracepoints,
    beginSlice: (): Promise<Result<void>> => {
      if (refusal.refused !== undefined) return Promise.resolve(fail(refusal.refused));
      if (!stage.attached) stage.log.push('resume');
      stage.at += stage.attachingMs;
      stage.attached = true;
      return Promise.resolve(ok(undefined));
    },
    endSlice: () => {
      stage.log.push('rest');
      stage.attached = false;
      return Promise.resolve(ok(undefined));
    },
    progress: (): CountedSoFar => {
      const count = Math.floor(stage.timed);
      const span = { span: 'taps', mode: 'tracepoint', sampleEvery: 16 } as const;
      const times = { count, sumNs: 700 * count, sumSqNs: 490_000 * count };
      const device = { device: 'eth0', netns: '1', ifindex: 2 };
      const runs = { netRxRuns: 16 * count, netRxSampledRuns: 2 * count, netRxNs: 1, netRxSkbs: 2 * count };
      const cpus = [{ cpu: 0, skbs: 16 * count, stamped: count, uncollected: 0, ...runs }];
      return { cpus, transmit: [], devices: [{ ...device, spans: [{ ...emptySpan(), ...span, ...times }] }] };
    },
  };
  const pass = async (ms: number): Promise<void> => {
    for (const until = stage.at + ms; stage.at < until;) {
      stage.at += 5;
      if (stage.attached) {
        stage.traced += 5;
        stage.timed += (stage.rate / 16) * 0.005;
      }
      test.mock.timers.tick(5);
      // The changes are promises.
      for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
    }
  };
  return { session, stage, refusal, pass };
}

describe('shifts of the tracepoints', () => {
  it('cuts a window into eight, a long one so that bursts of some seconds are met, a short one into half seconds', () => {
    assert.deepEqual(roundsOf(30), { roundMs: 3750, onShare: ON_SHARE });
    assert.deepEqual(roundsOf(4), { roundMs: 500, onShare: ON_SHARE });
    assert.deepEqual(roundsOf(600), { roundMs: 5000, onShare: ON_SHARE });
    assert.deepEqual(roundsOf(3), { roundMs: 500, onShare: 1 });
    assert.deepEqual(roundsOf(0.2), { roundMs: 200, onShare: 1 });
  });

  const shareOf = async (test: TestContext, packetsPerSecond: number, seconds: number): Promise<[number, number]> => {
    const { session, stage, pass } = staged(test, packetsPerSecond);
    const shifts = new Shifts(session, seconds, { random: () => 0.5 });
    shifts.start();
    await pass(seconds * 1000);
    await shifts.stop();
    assert.ok(stage.attached, 'the end of the window is looked at');
    return [stage.traced / (seconds * 1000), stage.timed];
  };

  for (const seconds of [3, 10, 30]) {
    it(`is there for the less of ${String(seconds)} s, the more packets come, and times enough of them`, async (test) => {
      const shares: number[] = [];
      for (const rate of [100_000, 300_000, 1_000_000]) {
        const [share, timed] = await shareOf(test, rate, seconds);
        test.mock.reset();
        shares.push(share);
        assert.ok(timed >= 1900, `${String(timed)} timed of ${String(rate)}/s`);
      }
      const [slow = 0, middle = 0, fast = 0] = shares;
      assert.ok(middle < slow && fast < middle, shares.join(' '));
      assert.ok(fast * seconds < 0.4, 'of any window some tenths of a second');
    });
  }

  it('begins its last slice so much earlier as it takes to attach everything', async (test) => {
    const times: number[] = [];
    for (const attachingMs of [0, 100]) {
      const { session, stage, pass } = staged(test, 300_000);
      stage.attachingMs = attachingMs;
      const shifts = new Shifts(session, 10, { random: () => 0.5 });
      shifts.start();
      await pass(9900);
      const before = stage.timed;
      await pass(10_000 - stage.at);
      await shifts.stop();
      times.push(stage.timed - before);
      test.mock.reset();
    }
    const [quick = 0, slow = 0] = times;
    assert.ok(quick > 0 && slow >= 0.8 * quick, times.join(' and '));
  });

  it('keeps a slow device as long as ever: a quarter of the time', async (test) => {
    const [share, timed] = await shareOf(test, 1000, 30);
    assert.ok(share > 0.23 && share < 0.32, String(share));
    assert.ok(timed > 400, String(timed));
  });

  it('does not stay for a device that no time would price', async (test) => {
    const [share] = await shareOf(test, 5, 30);
    assert.ok(share < 0.1, String(share));
  });

  it('begins at once where taps come or go, and counts anew for them', async (test) => {
    const { session, stage, pass } = staged(test, 300_000);
    const shifts = new Shifts(session, 30, { random: () => 0.5 });
    shifts.start();
    await pass(2000);
    assert.equal(stage.attached, false, 'rests by then');
    const before = stage.timed;
    const changed = shifts.pricesChanged();
    await pass(5);
    await changed;
    assert.ok(stage.attached);
    await pass(27_900);
    await shifts.stop();
    assert.ok(stage.timed - before > 1900, 'as many as any price needs, since they changed');
    assert.ok(stage.traced < 5000, String(stage.traced));
  });

  it('is not kept busy by a capture that is started over and over', async (test) => {
    const { session, stage, pass } = staged(test, 2000);
    const shifts = new Shifts(session, 60, { random: () => 0.5 });
    shifts.start();
    for (let again = 0; again < 100; again += 1) {
      const changed = shifts.pricesChanged();
      await pass(500);
      await changed;
    }
    await shifts.stop();
    assert.ok(stage.traced < 25_000, String(stage.traced));
  });

  it('tells the driver apart in the first slice and then in one of four', async (test) => {
    const { session, stage, pass } = staged(test, 1_000_000);
    const shifts = new Shifts(session, 30, { random: () => 0.5 });
    shifts.start();
    await pass(29_000);
    await shifts.stop();
    const slices = stage.log.filter((each) => each !== 'rest');
    assert.deepEqual(slices.slice(0, 8), ['join', ...Array<string>(4).fill('resume'), 'join', 'resume', 'resume']);
  });

  it('tells the driver apart in the first quarter of a short window', async (test) => {
    const { session, stage, pass } = staged(test, 1000);
    const shifts = new Shifts(session, 0.4);
    shifts.start();
    await pass(50);
    assert.deepEqual(stage.log, ['join']);
    await pass(100);
    await shifts.stop();
    assert.equal(stage.log[1], 'part');
  });

  const work = (log: string[]) => (): Promise<Result<void>> => {
    log.push('work');
    return Promise.resolve(ok(undefined));
  };

  it('has the tracepoints attached for what needs them, whatever their shift, and goes on with it', async (test) => {
    const { session, stage, pass } = staged(test, 100_000, false);
    const shifts = new Shifts(session, 8, { random: () => 0.5 });
    await shifts.inSlice(work(stage.log));
    assert.deepEqual(stage.log, ['resume', 'work', 'join']);
    await pass(400);
    await shifts.stop();
    assert.deepEqual(stage.log, ['resume', 'work', 'join', 'rest']);
  });

  it('does not look at what needs the tracepoints where they cannot be attached, and tries again in the next round', async (test) => {
    const { session, stage, refusal, pass } = staged(test, 100_000, false);
    const shifts = new Shifts(session, 8, { random: () => 0.5 });
    refusal.refused = 'too many open files (EMFILE)';
    assert.deepEqual(await shifts.inSlice(work(stage.log)), fail('too many open files (EMFILE)'));
    await pass(1500);
    assert.deepEqual(stage.log, []);
    delete refusal.refused;
    await pass(1500);
    await shifts.stop();
    assert.deepEqual(stage.log.slice(0, 2), ['resume', 'join']);
  });

  it('begins no shift after the end', async (test) => {
    const { session, stage, pass } = staged(test, 100_000);
    const shifts = new Shifts(session, 8);
    await shifts.stop();
    await shifts.inSlice(work(stage.log));
    await pass(10_000);
    assert.deepEqual(stage.log, ['work']);
  });
});
