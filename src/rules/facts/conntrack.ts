import { clampMin, orZero, where } from '../../metrics/condition.ts';
import { either, ratio, subtract, type Expression } from '../../metrics/expression.ts';
import type { Signal } from '../rule.ts';

interface Counters {
  readonly usage: Signal | undefined;
  readonly lost: Signal;
  readonly evicted: Signal | undefined;
  readonly insertFailed: Signal | undefined;
  readonly chainTooLong: Signal | undefined;
}

interface Table {
  /** The table reached its limit in the window. */
  readonly full: boolean;
  /** Entries lost to a clash at confirmation: insert_failed without the chains that were too long. */
  readonly clashes: number;
  /** Packets dropped for want of an entry: drops that are no clashes. */
  readonly refused: number;
  /** Of the new flows that met a full table, the share refused; the others were let in by evicting another. */
  readonly refusedShare: number;
}

/**
 * What PKT0201, PKT0202 and PKT0203 share, so that each drop is told by one of them only. An unresolved clash counts
 * under both drop and insert_failed; a chain too long under insert_failed and chaintoolong, not under drop
 * (nf_conntrack_core.c:nf_ct_resolve_clash, __nf_conntrack_confirm). early_drop is only tried above the limit
 * (__nf_conntrack_alloc), so it proves a full table between two samples that show room.
 */
export function readTable({ usage, lost, evicted, insertFailed, chainTooLong }: Counters, fullFrom: number): Table {
  const clashes = Math.max(0, (insertFailed?.value ?? 0) - (chainTooLong?.value ?? 0));
  const refused = Math.max(0, lost.value - clashes);
  const madeRoom = evicted?.value ?? 0;
  return {
    full: (usage?.value ?? 0) >= fullFrom || madeRoom > 0,
    clashes,
    refused,
    refusedShare: refused === 0 ? 0 : refused / (refused + madeRoom),
  };
}

type Counted = { readonly [K in keyof Counters]: Expression };

/** The same for a server of metrics, which may lack all but the drops and the level. */
export function tableOf(
  { usage, lost, evicted, insertFailed, chainTooLong }: Counted,
  fullFrom: number,
  refusedShare: number,
): { readonly full: Expression; readonly refused: Expression; readonly refusing: Expression } {
  const clashes = clampMin(subtract(orZero(insertFailed, lost), orZero(chainTooLong, lost)), 0);
  const refused = clampMin(subtract(lost, clashes), 0);
  return {
    full: fullTable({ usage, evicted }, fullFrom),
    refused,
    // The share of the refusals turned round: so many were let in for each.
    refusing: where(ratio(orZero(evicted, lost), refused), '<=', (1 - refusedShare) / refusedShare),
  };
}

export function fullTable({ usage, evicted }: Pick<Counted, 'usage' | 'evicted'>, from: number): Expression {
  return either(where(usage, '>=', from), where(evicted, '>', 0));
}
