import type { ProofComparator } from './finding.ts';

/** What a count is shown against: its limit when it reached it, else that it is not zero, for findings that only inform. */
export function againstLimit(count: number, limit: number): readonly [ProofComparator, number] {
  return count >= limit ? ['>=', limit] : ['>', 0];
}
