/** What was dropped while its counter rested, held against what really came. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DropRests, SLICE_MS, type DropMoment, type WholeDrops } from '../../src/probe/drop-rests.ts';

interface Flood {
  /** Drops of each place per millisecond, so many milliseconds after the beginning. */
  readonly perMs: (at: number) => Readonly<Record<string, number>>;
  /** Packets through the stack per millisecond. */
  readonly passesPerMs?: (at: number) => number;
  readonly milliseconds: number;
}

interface Seen {
  readonly whole: WholeDrops;
  readonly really: ReadonlyMap<string, number>;
  /** Share of the drops that the counter met. */
  readonly met: number;
  /** In order of time. */
  readonly totals: readonly number[];
}

/** Plays a flood millisecond by millisecond, with the counter coming and going as it wants to. */
function played({ perMs, passesPerMs, milliseconds }: Flood): Seen {
  const rests = new DropRests();
  const really = new Map<string, number>();
  const counted = new Map<string, number>();
  const totals: number[] = [];
  let [passes, total, seed] = [0, 0, 1];
  const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const moment = (at: number): DropMoment => ({
    milliseconds: at,
    total,
    places: new Map(counted),
    passes: passesPerMs === undefined ? undefined : passes,
  });
  let [attached, next] = [true, SLICE_MS];
  rests.begins(moment(0));
  for (let at = 0; at < milliseconds; at += 1) {
    if (at === next) {
      const rest = attached ? rests.restAfter(moment(at), random()) : 0;
      if (!attached) rests.begins(moment(at));
      else if (rest === undefined) rests.stays(moment(at));
      else if (rest === 0) rests.goesOn(moment(at));
      else rests.leaves(moment(at));
      // As where a flood is noticed at the next look.
      if (!rests.inSlice && rest === undefined) rests.begins(moment(at));
      attached = rest === undefined || rest === 0;
      next = at + Math.round(attached ? SLICE_MS : (rest ?? 0));
    }
    for (const [place, packets] of Object.entries(perMs(at))) {
      really.set(place, (really.get(place) ?? 0) + packets);
      if (!attached) continue;
      counted.set(place, (counted.get(place) ?? 0) + packets);
      total += packets;
    }
    passes += passesPerMs?.(at) ?? 0;
    if (at % 97 === 0) totals.push(rests.whole(moment(at)).total);
  }
  const all = [...really.values()].reduce((sum, packets) => sum + packets, 0);
  return { whole: rests.whole(moment(milliseconds)), really, met: total / all, totals };
}

const all = ({ really }: Seen): number => [...really.values()].reduce((sum, packets) => sum + packets, 0);
const wrong = (seen: Seen): number => Math.abs(seen.whole.total - all(seen));

describe('drops while their counter rests', () => {
  it('it does not rest where drops are few', () => {
    const seen = played({ perMs: () => ({ a: 19 }), milliseconds: 5000 });
    assert.deepEqual([seen.met, seen.whole.total, seen.whole.estimated, seen.whole.error], [1, 95_000, 0, 0]);
  });

  it('meets a smaller share the faster they come, and tells all to one per cent', () => {
    const shares = [30, 100, 1000].map((a) => {
      const seen = played({ perMs: () => ({ a, b: a / 10 }), milliseconds: 10_000 });
      assert.ok(wrong(seen) <= 0.01 * all(seen), `${String(wrong(seen))} of ${String(all(seen))}`);
      assert.ok(wrong(seen) <= seen.whole.error);
      for (const [place, packets] of seen.really)
        assert.ok(Math.abs((seen.whole.places.get(place) ?? 0) - packets) <= 0.01 * packets, place);
      return seen.met;
    });
    assert.ok(shares[0]! > 0.25 && shares[0]! < 0.45 && shares[1]! < 0.13 && shares[2]! < 0.08, shares.join());
  });

  it('tells bursts by the packets that came with them', () => {
    const on = (at: number): number => (Math.floor(at / 200) % 2 === 0 ? 1 : 0);
    const seen = played({
      perMs: (at) => ({ a: 200 * on(at) }),
      passesPerMs: (at) => 250 * on(at),
      milliseconds: 10_000,
    });
    assert.ok(seen.met < 0.5 && wrong(seen) <= 0.01 * all(seen), `${String(wrong(seen))} of ${String(all(seen))}`);
  });

  it('says how far off it may be where nothing tells bursts', () => {
    const seen = played({ perMs: (at) => ({ a: Math.floor(at / 170) % 2 === 0 ? 200 : 30 }), milliseconds: 10_000 });
    assert.ok(wrong(seen) <= seen.whole.error, `${String(wrong(seen))}, said ${String(seen.whole.error)}`);
  });

  it('is back, and counts each, when the flood is over', () => {
    const seen = played({ perMs: (at) => ({ a: at < 2000 ? 500 : 0, rare: at > 3000 ? 1 : 0 }), milliseconds: 6000 });
    assert.equal(seen.whole.places.get('rare'), 2999);
  });

  it('never tells less than it has told', () => {
    const seen = played({ perMs: (at) => ({ a: at % 700 < 350 ? 300 : 40 }), milliseconds: 5000 });
    assert.deepEqual(
      seen.totals,
      seen.totals.toSorted((a, b) => a - b),
    );
  });

  it('is told once where the counter goes late and is back early', () => {
    const rests = new DropRests();
    const moment = (milliseconds: number, total: number): DropMoment => ({
      milliseconds,
      total,
      places: new Map([['a', total]]),
      passes: undefined,
    });
    // A hundred a millisecond, of which it counts another five milliseconds after it left, and five before it is back.
    rests.begins(moment(0, 0));
    rests.leaves(moment(50, 5000));
    rests.begins(moment(200, 6000));
    const { total, places, estimated } = rests.whole(moment(250, 11_000));
    assert.deepEqual([total, places.get('a'), estimated], [25_000, 25_000, 14_000]);
  });

  it('is met less where the budget leaves less, also one that scatters', () => {
    const rests = new DropRests();
    const moment = (slices: number, total: number): DropMoment => ({
      milliseconds: slices * SLICE_MS,
      total,
      places: new Map(),
      passes: undefined,
    });
    rests.begins(moment(0, 0));
    // 300,000 a second and as many as half, in turns.
    const totals = [15_000, 22_500, 37_500, 45_000];
    for (const [slice, total] of totals.entries()) rests.goesOn(moment(slice + 1, total));
    const now = moment(totals.length + 1, 60_000);
    const [usual, little] = [rests.restAfter(now, 0.5), rests.restAfter(now, 0.5, 10_000)];
    assert.ok(
      usual !== undefined && little !== undefined && usual > 0 && little > 3 * usual,
      `${usual} and ${little} ms`,
    );
  });
});
