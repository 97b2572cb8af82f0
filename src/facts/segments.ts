import { netstat } from '../metrics/catalogue/index.ts';
import { clampMin, largest, total } from '../metrics/condition.ts';
import { increase, ratio } from '../metrics/expression.ts';

/** Segments that came in. */
export const segmentsReceived = increase(netstat.member('Tcp_InSegs'));

export const segmentsRefused = increase(netstat.member('TcpExt_TCPRcvQDrop'));
export const segmentsPruned = increase(netstat.member('TcpExt_RcvPruned'));
/** Counts queues, each of at least one segment. */
export const outOfOrderPruned = increase(netstat.member('TcpExt_OfoPruned'));
export const backlogDropped = increase(netstat.member('TcpExt_TCPBacklogDrop'));

/**
 * Segments for which a receive queue had no room. One that was refused after a vain pruning counts under both TCPRcvQDrop
 * and RcvPruned (tcp_input.c:tcp_try_rmem_schedule, tcp_data_queue), so the larger is taken.
 */
export const segmentsUnqueued = largest(segmentsRefused, segmentsPruned);

/** Segments that TCP dropped after they had arrived. */
export const segmentsLost = total(segmentsUnqueued, outOfOrderPruned, backlogDropped);

/** The same relative to the segments that came in; more than 1 where those that were thrown away had come in earlier. */
export const segmentLoss = ratio(segmentsLost, clampMin(segmentsReceived, 1));
