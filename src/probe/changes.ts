/** Changes that only make sense together. */
import { fail, ok, type Result } from '../base/result.ts';

export interface JointChange {
  readonly from: number;
  readonly to: number;
  readonly set: (value: number) => Result<void>;
}

/** All of them, or none: where one is refused, those before it get back what they had, and what does not is told. */
export function changeAll(changes: readonly JointChange[]): Result<void> {
  for (const [index, change] of changes.entries()) {
    const changed = change.set(change.to);
    if (changed.ok) continue;
    const stuck = changes.slice(0, index).filter(({ from, set }) => !set(from).ok).length;
    return stuck === 0
      ? changed
      : fail(`${changed.reason}; ${String(stuck)} of ${String(index)} that had changed could not be put back`);
  }
  return ok(undefined);
}
