import { basename } from 'node:path';

import type { Named } from '../report/compare/comparison.ts';
import { replay } from './replay.ts';

export interface Opened extends Named {
  readonly notes: readonly string[];
}

/**
 * A side of a comparison: a JSON report as it is; anything else is judged now, so that two bundles are held against the
 * same limits.
 * @throws UsageError when it is neither
 */
export async function openSide(path: string, version: string): Promise<Opened> {
  const { report, notes } = await replay(path, version);
  return { source: basename(path), report, notes };
}
