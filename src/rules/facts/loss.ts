import { where } from '../../metrics/condition.ts';
import { add, andOn, ratio, type Expression } from '../../metrics/expression.ts';

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

/** The same for a server of metrics: the share, where it and the number are of that size. */
export function lossOf(lost: Expression, taken: Expression, least: number, share: number): Expression {
  return andOn(lost.labels, where(ratio(lost, add(lost, taken)), '>=', share), where(lost, '>=', least));
}
