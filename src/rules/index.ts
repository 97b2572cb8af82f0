import { conntrackTableFull } from './conntrack-table-full.ts';
import type { Rule } from './rule.ts';

/** Every rule, in the order of its code. The cast forgets the types of each rule's own signals, which only it needs. */
export const rules = [conntrackTableFull] as unknown as readonly Rule[];
