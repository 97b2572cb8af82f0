import type { Outcome, ReportFinding } from '../generated/report.ts';

/** What comes before what; smaller is first. These are the only orders of outcomes and certainties there are. */

/** As findings are listed: a remark is found, and so stands before what could not be. */
export const asListed: Readonly<Record<Outcome, number>> = {
  critical: 0,
  warning: 1,
  info: 2,
  'not-measured': 3,
  ok: 4,
  'not-applicable': 5,
};

/** Of what was found at several places, the worst: what could not be seen at one of them may be worse than a remark. */
export const worstFirst: Readonly<Record<Outcome, number>> = { ...asListed, 'not-measured': 2, info: 3 };

const certainties = { measured: 0, correlated: 1, possible: 2 } as const;

/** The surer first; what concludes nothing is last. */
export function doubt({ certainty }: Pick<ReportFinding, 'certainty'>): number {
  return certainty === null ? 3 : certainties[certainty];
}
