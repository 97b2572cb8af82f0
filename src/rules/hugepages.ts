import {
  hugepagesFree,
  hugepagesOvercommit,
  hugepagesReserved,
  hugepagesSurplus,
  hugepagesTotal,
} from '../metrics/catalogue/index.ts';
import { value } from '../metrics/expression.ts';
import { informsOnly } from './alert.ts';
import { deciding, defineRule, info, ok, optional } from './rule.ts';

export const hugepages = defineRule({
  code: 'PKT0603',
  id: 'hugepages',
  role: 'context',
  title: 'Huge pages: a pool is configured, or used up',
  // By size: the HugePages_ lines of /proc/meminfo tell of the default size only, and DPDK often uses 1 GB pages.
  scope: ['size'],
  none: 'this kernel has no huge pages',
  watched: { seldom: 'a setting' },
  signals: {
    total: value(hugepagesTotal),
    free: value(hugepagesFree),
    reserved: deciding(value(hugepagesReserved)),
    surplus: deciding(value(hugepagesSurplus)),
    overcommit: optional(value(hugepagesOvercommit)),
  },
  thresholds: {},
  messages: {
    configured:
      'A pool of {total:count} huge pages of {size:bytes} is configured, {left:count} of them not yet promised.',
    extensible:
      'All {total:count} huge pages of {size:bytes} are in use or promised; the kernel may make {room:count} more of free memory ' +
      '(nr_overcommit_hugepages), as long as it finds enough in one piece.',
    exhausted:
      'All {total:count} huge pages of {size:bytes} are in use or promised: the next program that asks for one fails. Right ' +
      'where DPDK owns the pool, wrong where another is to start.',
  },
  alert: informsOnly,
  conclude({ total, free, reserved, surplus, overcommit }, _limits, at) {
    const size = Number(at.labels['size']);
    // Free contains the reserved ones (Documentation/admin-guide/mm/hugetlbpage.rst).
    const left = free.value - (reserved?.value ?? 0);
    const args = { size, total: total.value, left: Math.max(0, left), surplus: surplus?.value ?? 0 };
    const evidence = { total: ['>', 0], free: null, reserved: null, surplus: null, overcommit: null } as const;
    if (total.value === 0) return ok();
    if (left > 0) return ok({ message: 'configured', args, evidence });
    // The pool contains the surplus pages that were made already (mm/hugetlb.c:alloc_surplus_hugetlb_folio).
    const room = (overcommit?.value ?? 0) - (surplus?.value ?? 0);
    if (room > 0) return ok({ message: 'extensible', args: { ...args, room }, evidence });
    const kilobytes = size / 1024;
    return info({
      certainty: 'measured',
      message: 'exhausted',
      args,
      evidence,
      remedies: [
        {
          // No number to write: what the next program needs is not known, and a pool takes its memory from everybody.
          action: `If another program needs some, raise nr_hugepages by that many; pages of ${kilobytes} kB are best set aside at boot (hugepagesz=, hugepages=). First see what each node has, and its free memory.`,
          command: `grep -H . /sys/devices/system/node/node*/hugepages/hugepages-${kilobytes}kB/*_hugepages; grep MemFree /sys/devices/system/node/node*/meminfo`,
          verify: `grep -H . /sys/kernel/mm/hugepages/hugepages-${kilobytes}kB/*`,
        },
      ],
    });
  },
});
