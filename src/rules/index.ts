import { conntrackInsertFailures } from './conntrack-insert-failures.ts';
import { conntrackTableFull } from './conntrack-table-full.ts';
import { conntrackTablePressure } from './conntrack-table-pressure.ts';
import { listenQueueOverflow } from './listen-queue-overflow.ts';
import { synQueueFull } from './syn-queue-full.ts';
import type { Rule } from './rule.ts';

/** Every rule, in the order of its code. The cast forgets the types of each rule's own signals, which only it needs. */
export const rules = [
  conntrackTableFull,
  conntrackTablePressure,
  conntrackInsertFailures,
  listenQueueOverflow,
  synQueueFull,
] as unknown as readonly Rule[];
