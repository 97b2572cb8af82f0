import { where } from '../metrics/condition.ts';
import { add, andOn, ratio, type Expression } from '../metrics/expression.ts';
import type { Signal } from './signal.ts';

/** Limits on a loss: a number that is worth a word, and shares of all packets that are a warning and critical. */
export interface LossLimits {
  readonly lost: number;
  readonly share: number;
  readonly criticalShare: number;
}

/** What was lost of all that arrived: what was lost and what was not. Without a point where nothing arrived. */
export function lossShare<L extends string>(lost: Expression<L>, taken: Expression<L>): Expression<L> {
  return ratio(lost, add(lost, taken));
}

/** How bad it is that so many were lost, such a share of all. */
export function gradeOf(lost: number, share: number, limits: LossLimits): 'none' | 'warning' | 'critical' {
  if (lost < limits.lost || share < limits.share) return 'none';
  return share >= limits.criticalShare ? 'critical' : 'warning';
}

/** How bad a loss is, of which the share is `lossShare`. */
export function gradeLoss(
  lost: number,
  share: Pick<Signal, 'value'> | undefined,
  limits: LossLimits,
): 'none' | 'warning' | 'critical' {
  return share === undefined ? 'none' : gradeOf(lost, share.value, limits);
}

/** The same for a server of metrics: the share, where it and the number are of that size. */
export function lossOf(share: Expression, lost: Expression, least: number, from: number): Expression {
  return andOn(lost.labels, where(share, '>=', from), where(lost, '>=', least));
}
