import { hugepagesFree, hugepagesReserved, hugepagesSurplus, hugepagesTotal } from '../metrics/catalogue/index.ts';
import { value } from '../metrics/expression.ts';
import { defineRule, info, ok, optional } from './rule.ts';

export const hugepages = defineRule({
  code: 'PKT0603',
  id: 'hugepages',
  role: 'context',
  title: 'Huge pages: a pool is configured, or used up',
  seed: '§3.6',
  // By size: the HugePages_ lines of /proc/meminfo tell of the default size only, and DPDK often uses 1 GB pages.
  scope: ['size'],
  none: 'this kernel has no huge pages',
  signals: {
    total: value(hugepagesTotal),
    free: value(hugepagesFree),
    reserved: optional(value(hugepagesReserved)),
    surplus: optional(value(hugepagesSurplus)),
  },
  thresholds: {},
  messages: {
    configured:
      'A pool of {total:count} huge pages of {size:bytes} is configured, {left:count} of them not yet promised.',
    exhausted:
      'All {total:count} huge pages of {size:bytes} are in use or promised: the next program that asks for one fails. Right ' +
      'where DPDK owns the pool, wrong where another is to start.',
  },
  conclude({ total, free, reserved, surplus }, _limits, at) {
    const size = Number(at.labels['size']);
    // Free contains the reserved ones (Documentation/admin-guide/mm/hugetlbpage.rst).
    const left = free.value - (reserved?.value ?? 0);
    const args = { size, total: total.value, left: Math.max(0, left), surplus: surplus?.value ?? 0 };
    const evidence = { total: ['>', 0], free: null, reserved: null, surplus: null } as const;
    if (total.value === 0) return ok();
    if (left > 0) return ok({ message: 'configured', args, evidence });
    const kilobytes = size / 1024;
    const file = `/sys/kernel/mm/hugepages/hugepages-${kilobytes}kB/nr_hugepages`;
    return info({
      certainty: 'measured',
      message: 'exhausted',
      args,
      evidence,
      remedies: [
        {
          action: `Enlarge the pool if another program needs it; pages of ${kilobytes} kB are best set aside at boot (hugepagesz=, hugepages=).`,
          command: `echo ${total.value * 2} > ${file}`,
          verify: `grep -H . /sys/kernel/mm/hugepages/hugepages-${kilobytes}kB/*`,
        },
      ],
    });
  },
});
