import { clampMin, largest, total, where } from '../../metrics/condition.ts';
import { andOn, ratio, type Expression } from '../../metrics/expression.ts';
import type { Signal } from '../rule.ts';

interface Counters {
  readonly refused: Signal | undefined;
  readonly pruned: Signal | undefined;
  readonly outOfOrder: Signal | undefined;
  readonly backlog: Signal | undefined;
  readonly segments: Signal | undefined;
}

export interface Loss {
  /** Segments for which a receive queue had no room. */
  readonly unqueued: number;
  readonly lost: number;
  /** Relative to the segments that came in. */
  readonly share: number;
}

/**
 * Segments that TCP dropped after they had arrived. One that was refused after a vain pruning counts under both
 * TCPRcvQDrop and RcvPruned (tcp_input.c:tcp_try_rmem_schedule, tcp_data_queue), so the larger is taken. OfoPruned counts
 * queues, each of at least one segment.
 */
export function segmentsLost({ refused, pruned, outOfOrder, backlog, segments }: Counters): Loss {
  const unqueued = Math.max(refused?.value ?? 0, pruned?.value ?? 0);
  const lost = unqueued + (outOfOrder?.value ?? 0) + (backlog?.value ?? 0);
  return { unqueued, lost, share: lost / Math.max(segments?.value ?? 0, lost, 1) };
}

type Counted = { readonly [K in keyof Counters]: Expression };

/** The same for a server of metrics: the share, where it and the number are of that size. */
export function segmentLossOf(
  { refused, pruned, outOfOrder, backlog, segments }: Counted,
  least: number,
  share: number,
): Expression {
  const lost = total(largest(refused, pruned), outOfOrder, backlog);
  return andOn(lost.labels, where(ratio(lost, clampMin(segments, 1)), '>=', share), where(lost, '>=', least));
}
