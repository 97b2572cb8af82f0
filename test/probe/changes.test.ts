import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { fail, ok, type Result } from '../../src/base/result.ts';
import { changeAll, type JointChange } from '../../src/probe/changes.ts';

const refusal = fail('no memory (ENOMEM)');

describe('changes that only make sense together', () => {
  /** Rates of sampling, of which one is not to be set to `never`. */
  function rates(never: (name: string, value: number) => boolean) {
    const now: Record<string, number> = { taps: 16, netRx: 8, stack: 64 };
    const change = (name: string): JointChange => ({
      from: now[name]!,
      to: now[name]! * 4,
      set: (value): Result<void> => {
        if (never(name, value)) return refusal;
        now[name] = value;
        return ok(undefined);
      },
    });
    return { now, changes: Object.keys(now).map(change) };
  }

  it('are made', () => {
    const { now, changes } = rates(() => false);
    assert.ok(changeAll(changes).ok);
    assert.deepEqual(now, { taps: 64, netRx: 32, stack: 256 });
  });

  it('are none where one is refused: what is sampled is what the readings say', () => {
    const { now, changes } = rates((name) => name === 'stack');
    assert.deepEqual(changeAll(changes), refusal);
    assert.deepEqual(now, { taps: 16, netRx: 8, stack: 64 });
  });

  it('say so where one cannot be undone either', () => {
    const { changes } = rates((name, value) => name === 'stack' || (name === 'taps' && value === 16));
    assert.match(JSON.stringify(changeAll(changes)), /ENOMEM.; 1 of 2 that had changed could not be put back/);
  });
});
