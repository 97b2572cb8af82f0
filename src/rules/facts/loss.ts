/** Limits on a loss: a number that is worth a word, and shares of all packets that are a warning and critical. */
interface LossLimits {
  readonly lost: number;
  readonly share: number;
  readonly criticalShare: number;
}

/** How bad a loss is, relative to all that arrived: what was lost and what was not. */
export function gradeLoss(
  lost: number,
  taken: number,
  limits: LossLimits,
): { share: number; grade: 'none' | 'warning' | 'critical' } {
  const share = lost > 0 ? lost / (lost + taken) : 0;
  if (lost < limits.lost || share < limits.share) return { share, grade: 'none' };
  return { share, grade: share >= limits.criticalShare ? 'critical' : 'warning' };
}
