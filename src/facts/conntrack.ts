import {
  conntrackChainTooLong,
  conntrackDrop,
  conntrackEarlyDrop,
  conntrackEntries,
  conntrackInsertFailed,
  conntrackLimit,
} from '../metrics/catalogue/index.ts';
import { clampMin, orZero, where } from '../metrics/condition.ts';
import { either, increase, peak, ratio, subtract, type Expression } from '../metrics/expression.ts';
import type { Signal } from './signal.ts';

/**
 * What PKT0201, PKT0202 and PKT0203 share, so that each drop is told by one of them only. An unresolved clash counts
 * under both drop and insert_failed; a chain too long under insert_failed and chaintoolong, not under drop
 * (nf_conntrack_core.c:nf_ct_resolve_clash, __nf_conntrack_confirm). Kernels and exporters may lack all but the drops
 * and the level: what is not counted is then taken for zero.
 */
const lost = increase(conntrackDrop);
const insertFailed = increase(conntrackInsertFailed);

/** Share of nf_conntrack_max in use. Absent when the limit is 0, which means unlimited up to 6.12. */
export const tableUsage = ratio(peak(conntrackEntries), peak(conntrackLimit));

export const evictions = increase(conntrackEarlyDrop);

/** Entries lost to a clash at confirmation: insert_failed without the chains that were too long. */
export const clashes = clampMin(subtract(insertFailed, orZero(increase(conntrackChainTooLong), insertFailed)), 0);

/** Packets dropped for want of an entry: drops that are no clashes. */
export const refusals = clampMin(subtract(lost, orZero(clashes, lost)), 0);

/** Of the new flows that met a full table, how many were let in, by evicting another, for each that was refused. */
export const letInPerRefusal = ratio(orZero(evictions, lost), refusals, 'number');

/** The most that are let in for each where such a share of them is refused. */
function mostLetIn(refusedShare: number): number {
  return (1 - refusedShare) / refusedShare;
}

/** Whether such a share of the new flows that met a full table was refused. */
export function isRefusing(letIn: Signal | undefined, share: number): boolean {
  return letIn !== undefined && letIn.value <= mostLetIn(share);
}

/** The same for a server of metrics. */
export function refusing(letIn: Expression, share: number): Expression {
  return where(letIn, '<=', mostLetIn(share));
}

/**
 * Whether the table reached its limit in the window. early_drop is only tried above it (__nf_conntrack_alloc), so it
 * proves a full table between two samples that show room.
 */
export function isFull(usage: Signal | undefined, evicted: Signal | undefined, from: number): boolean {
  return (usage?.value ?? 0) >= from || (evicted?.value ?? 0) > 0;
}

/** The same for a server of metrics. */
export function fullTable(usage: Expression, evicted: Expression, from: number): Expression {
  return either(where(usage, '>=', from), where(evicted, '>', 0));
}
