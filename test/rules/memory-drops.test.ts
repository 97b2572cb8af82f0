import { memoryDrops } from '../../src/rules/memory-drops.ts';
import { ruleCases } from '../support/cases.ts';
import { lossCases } from '../support/losses.ts';

ruleCases(memoryDrops, [
  ...lossCases({
    field: 'TcpExt_PFMemallocDrop',
    reason: 'PFMEMALLOC',
    location: 'sk_filter_trim_cap',
    byReason: true,
  }),
]);
