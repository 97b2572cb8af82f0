import type { Unsaid } from './rule.ts';

/** A context rule that only ever informs. */
export const informsOnly: Unsaid = { none: 'it never warns, it only informs' };
/** The spans and prices of a rule that exist for the length of a window. */
export const needsProbe: Unsaid = { none: 'its times are measured by the probe, during a diagnosis only' };
