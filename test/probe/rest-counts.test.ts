import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimate, partBetween, RestCounts, type PacketMoment } from '../../src/probe/rest-counts.ts';
import { isAlone, mayRest } from '../../src/probe/tc-rests.ts';

/** A host of two CPUs, whose one device is watched: what its program counts while it is there, and what all witnesses do. */
class Host {
  #at = 0;
  there = true;
  readonly came = [0, 0];
  readonly #counted = [0, 0];
  readonly #passes = [0, 0];
  frames: number | undefined = 0;

  /** @param share of the packets that CPU 0 takes, @param merged frames to a packet, @param others packets of others, per second */
  pass(seconds: number, perSecond: number, { share = 1, merged = 1, others = 0 } = {}): this {
    this.#at += seconds * 1e9;
    for (const [cpu, part] of [share, 1 - share].entries()) {
      const packets = Math.round((perSecond / merged) * seconds * part);
      this.came[cpu]! += packets;
      if (this.there) this.#counted[cpu]! += packets;
      this.#passes[cpu]! += packets + Math.round((others * seconds) / 2);
      if (this.frames !== undefined) this.frames += packets * merged;
    }
    return this;
  }

  get now(): PacketMoment {
    return { nanoseconds: this.#at, counted: [...this.#counted], frames: this.frames, passes: [...this.#passes] };
  }

  get total(): number {
    return this.came[0]! + this.came[1]!;
  }
}

const total = (byCpu: readonly number[]): number => byCpu.reduce((sum, count) => sum + count, 0);

type Rate = (round: number, rest: boolean) => [perSecond: number, how?: Parameters<Host['pass']>[2]];

/** Eight rounds of a slice of 0.2 s and a rest of 1.8 s; in the first rest the program stays. */
function shifts(rate: Rate): { host: Host; counts: RestCounts } {
  const [host, counts] = [new Host(), new RestCounts()];
  for (let round = 0; round < 8; round += 1) {
    host.there = true;
    counts.begins(host.now);
    host.pass(0.2, ...rate(round, false));
    counts.ends(host.now);
    if (counts.trusted) {
      counts.leaves();
      host.there = false;
    }
    host.pass(1.8, ...rate(round, true));
  }
  host.there = true;
  counts.begins(host.now);
  host.pass(0.2, ...rate(8, false));
  return { host, counts };
}

function check({ host, counts }: ReturnType<typeof shifts>): { wrong: number; error: number } {
  const whole = counts.whole(host.now);
  return { wrong: Math.abs(total(whole.byCpu) / host.total - 1), error: whole.error / host.total };
}

describe('packets of a device whose TC program rests', () => {
  it('are those of its own counter where each frame is a packet, at a steady rate', () => {
    const done = shifts(() => [20_000, { share: 0.7 }]);
    const { wrong, error } = check(done);
    assert.ok(wrong < 0.001 && error < 0.001, `${String(wrong)} ${String(error)}`);
    const whole = done.counts.whole(done.host.now);
    assert.ok(whole.counted < 0.35 * done.host.total, 'next to none of the rests met the program');
    assert.ok(Math.abs((whole.byCpu[0] ?? 0) / done.host.total - 0.7) < 0.01);
  });

  it('of bursts that no slice saw as well: time says nothing', () => {
    const { wrong, error } = check(shifts((_, rest) => [rest ? 60_000 : 4000]));
    assert.ok(wrong < 0.01 && error < 0.01, `${String(wrong)} ${String(error)}`);
  });

  it('of a rate that rises', () => {
    const { wrong, error } = check(shifts((round, rest) => [2000 * (1 + round + (rest ? 0.5 : 0))]));
    assert.ok(wrong < 0.01 && error < 0.01, `${String(wrong)} ${String(error)}`);
  });

  it('by what the CPUs took where GRO merges now more and now less', () => {
    const { wrong, error } = check(shifts((round) => [80_000, { merged: [4, 9, 6, 3][round % 4]!, others: 100 }]));
    assert.ok(wrong < 0.02, String(wrong));
    assert.ok(error >= wrong / 2, 'and says how far it may be off');
  });

  it('and are marked where the device is not what the CPUs took: others came in the rests only', () => {
    const { wrong, error } = check(shifts((round, rest) => [20_000, { others: rest && round > 1 ? 20_000 : 0 }]));
    assert.ok(error > 0.3 && error >= wrong, `${String(wrong)} wrong, ${String(error)} said`);
  });

  it('goes with its packets to another CPU', () => {
    const done = shifts((round, rest) => [20_000, { share: rest && round > 2 ? 0 : 1 }]);
    const { byCpu } = done.counts.whole(done.host.now);
    assert.ok(check(done).wrong < 0.01);
    assert.ok(Math.abs((byCpu[1] ?? 0) / done.host.came[1]! - 1) < 0.05, byCpu.join(' and '));
  });

  it('is not trusted where a counter moves once in a while only, and the others do not tell', () => {
    const [host, counts] = [new Host(), new RestCounts()];
    counts.begins({ ...host.now, passes: undefined });
    counts.ends({ ...host.pass(0.2, 20_000).now, frames: 0, passes: undefined });
    counts.begins({ ...host.pass(1.8, 40_000).now, frames: 36_000, passes: undefined });
    counts.ends({ ...host.pass(0.2, 20_000).now, frames: 36_000, passes: undefined });
    assert.equal(counts.trusted, false);
  });

  it('is told in a rest, too, and never less than was counted', () => {
    const [host, counts] = [new Host(), new RestCounts()];
    counts.begins(host.now);
    counts.ends(host.pass(0.2, 20_000).now);
    counts.leaves();
    // On its way out it still counts.
    host.pass(0.05, 20_000);
    host.there = false;
    host.pass(1, 20_000);
    assert.deepEqual(counts.whole(host.now), { byCpu: [25_000, 0], counted: 5000, error: 0, unmarked: 0 });
  });

  it('is of no device in the profile where nobody was marked meanwhile, in this rest and in those before', () => {
    const [host, counts] = [new Host(), new RestCounts()];
    for (const [rest, unmarked] of [20_000, 40_000].entries()) {
      host.there = true;
      counts.begins(host.now);
      counts.ends(host.pass(0.2, 20_000).now);
      counts.leaves(false);
      host.there = false;
      host.pass(1, 20_000);
      const whole = counts.whole(host.now);
      assert.deepEqual([whole.byCpu[0], whole.unmarked], [24_000 * (rest + 1), unmarked]);
    }
  });

  it('ends when the device goes, and says what may have come before that was seen', () => {
    const [host, counts] = [new Host(), new RestCounts()];
    counts.begins(host.now);
    counts.ends(host.pass(0.2, 20_000).now);
    counts.leaves();
    host.there = false;
    counts.whole(host.pass(1, 20_000).now);
    host.frames = undefined;
    for (const seconds of [0.5, 5]) {
      const { byCpu, error } = counts.whole(host.pass(seconds, 20_000).now);
      assert.deepEqual(byCpu, [24_000, 0]);
      assert.equal(error, 10_000, 'half a second passed before it was noticed');
    }
  });

  it('says by all of it that it may be wrong where the device counter began anew', () => {
    const slice = partBetween(new Host().now, new Host().pass(0.2, 20_000).now);
    const from = new Host().pass(1, 20_000);
    const to = { ...from.now, nanoseconds: from.now.nanoseconds + 1e9, frames: 5, passes: [30_000, 0] };
    const { packets, unexplained } = estimate(partBetween(from.now, to), [slice]);
    assert.equal(packets, 10_000);
    assert.equal(unexplained, 10_000);
  });
});

describe('whether a program may rest', () => {
  const slice = (host: Host): ReturnType<typeof partBetween> => partBetween(new Host().now, host.now);

  it('does on a busy device', () => {
    assert.ok(mayRest(slice(new Host().pass(0.2, 20_000))));
  });

  it('does not on a slow device, nor with few packets', () => {
    assert.equal(mayRest(slice(new Host().pass(0.9, 1000))), false);
    assert.equal(mayRest(slice(new Host().pass(0.01, 20_000))), false);
  });

  it('does not where a witness is missing', () => {
    const host = new Host().pass(0.2, 20_000);
    for (const without of [{ frames: undefined }, { passes: undefined }, { frames: 0 }])
      assert.equal(mayRest({ ...slice(host), ...without }), false);
  });

  it('is alone where next to all packets of the host are its', () => {
    assert.ok(isAlone(slice(new Host().pass(0.2, 20_000)), 10));
  });

  it('is not alone beside another busy device, watched or not: the profile would take its packets for this one’s', () => {
    assert.equal(isAlone(slice(new Host().pass(0.2, 20_000)), 100), false);
    assert.equal(isAlone(slice(new Host().pass(0.2, 20_000, { others: 5000 })), 0), false);
  });
});
