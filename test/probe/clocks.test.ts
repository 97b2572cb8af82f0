import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail, ok } from '../../src/base/result.ts';
import type { LoadedObject } from '../../src/probe/libbpf.ts';
import { openClocks } from '../../src/probe/profile/clocks.ts';

const object = { program: () => ok(1) } as unknown as LoadedObject;

/** CPUs that have a free counter of cycles, and how many clocks are open. */
function machine(cycles: readonly number[], timers: readonly number[] = [0, 1, 2, 3]) {
  const open = new Set<number>();
  let last = 0;
  return {
    open,
    openClock: ({ kind }: { readonly kind: string }, cpu: number) => {
      if (!(kind === 'cycles' ? cycles : timers).includes(cpu)) return fail('device or resource busy (EBUSY)');
      open.add((last += 1));
      return ok(last);
    },
    runOnClock: () => ok(undefined),
    closeClock: (clock: number) => void open.delete(clock),
  };
}

describe('the clocks of a profile', () => {
  const asked = (make: ReturnType<typeof machine>) => openClocks(object, [0, 1, 2, 3], 999, make);

  it('count cycles where every CPU has a counter for it', () => {
    const opened = asked(machine([0, 1, 2, 3]));
    assert.deepEqual(opened.ok && [opened.value.clock, opened.value.clocks.length], ['cycles', 4]);
  });

  it('are timers on all CPUs where somebody else has the counter of some, and leave none of theirs behind', () => {
    const make = machine([0, 2]);
    const opened = asked(make);
    assert.deepEqual(opened.ok && [opened.value.clock, opened.value.clocks.length], ['cpu-clock', 4]);
    assert.equal(make.open.size, 4);
  });

  it('are the more of the two where neither is on all', () => {
    const opened = asked(machine([0, 1, 2], [0]));
    assert.deepEqual(opened.ok && [opened.value.clock, opened.value.clocks.length], ['cycles', 3]);
    assert.ok(!asked(machine([], [])).ok);
  });
});
