/**
 * How much is tried. `npm run law` (PKTCOST_LAW=full) tries every mutation and many pairs; else it is a sample of some seconds.
 * PKTCOST_LAW_PART=3/8 tries the third of eight parts of it, so that they can run one after the other, and PKTCOST_LAW_SEED=7 other
 * pairs than without.
 */
export const full = process.env['PKTCOST_LAW'] === 'full';

const [part = 1, parts = 1] = (process.env['PKTCOST_LAW_PART'] ?? '1/1').split('/').map(Number);
if (!(Number.isInteger(part) && Number.isInteger(parts) && part >= 1 && part <= parts))
  throw new Error('PKTCOST_LAW_PART is one part of several: 3/8');

/** Those that are tried in this part. */
export function inPart<T>(all: readonly T[]): readonly T[] {
  return all.filter((_, at) => at % parts === part - 1);
}

/** Seed of the random choice among so many. */
export function seedOf(count: number): number {
  return count + Number(process.env['PKTCOST_LAW_SEED'] ?? 0) * 7919;
}
