import {
  deviceNumaNode,
  meminfoNuma,
  numaForeign,
  numaHit,
  numaMiss,
  numaStatEnabled,
} from '../metrics/catalogue/index.ts';
import { byValue, where } from '../metrics/condition.ts';
import { add, andOn, increase, rate, ratio, value } from '../metrics/expression.ts';
import { listed } from './finding.ts';
import { defineRule, info, notMeasured, ok, optional, optionalList, warning } from './rule.ts';

/**
 * numa_foreign of a node is what it could not serve; numa_miss is the same events seen from the nodes that helped out.
 * Neither is remote access: a driver that allocates on its device's node from a CPU of another counts as numa_hit
 * (mm/page_alloc.c:zone_statistics).
 */
export const numaNodeShortOfMemory = defineRule({
  code: 'PKT0302',
  id: 'numa-node-short-of-memory',
  role: 'cause',
  title: 'A NUMA node is short of memory: its pages come from other nodes',
  scope: ['node'],
  none: 'this kernel has no NUMA statistics',
  signals: {
    foreign: increase(numaForeign),
    hit: increase(numaHit),
    share: optional(ratio(increase(numaForeign), add(increase(numaForeign), increase(numaHit)))),
    perSecond: optional(rate(numaForeign)),
    miss: optional(increase(numaMiss)),
    enabled: optional(value(numaStatEnabled)),
    free: optional(value(meminfoNuma.member('MemFree'))),
    total: optional(value(meminfoNuma.member('MemTotal'))),
    reclaimable: optional(value(meminfoNuma.member('FilePages'))),
    hugePages: optional(value(meminfoNuma.member('HugePages_Total'))),
    devices: optionalList(value(deviceNumaNode)),
  },
  thresholds: {
    foreignShare: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of the page allocations that wanted a node and were served by another.',
      source: 'judgement; mm/page_alloc.c:zone_statistics counts them',
    },
    foreignPerSecond: {
      value: 500,
      unit: 'per second',
      help: 'Such allocations per second below which nothing is said.',
      source: 'judgement: 500 order-0 pages are 2 MB/s',
    },
  },
  messages: {
    short:
      'Node {node} could not serve {share:percent} of the page allocations that wanted it ({rate:rate}): they went to other nodes. ' +
      'It has {free:bytes} free of {total:bytes}. No network device is on it.',
    'short-with-nic':
      'Node {node}, the node of {devices}, could not serve {share:percent} of the page allocations that wanted it ({rate:rate}): ' +
      'they went to other nodes, receive buffers among them. It has {free:bytes} free of {total:bytes}.',
  },
  alert: {
    raise: ({ share, perSecond, devices }, limits) => {
      const large = where(share, '>=', limits.foreignShare);
      const often = where(perSecond, '>=', limits.foreignPerSecond);
      return {
        warning: {
          when: andOn(['node'], andOn(['node'], large, often), byValue('node', devices)),
          says: 'The node of a network device could not serve {value} of the page allocations that wanted it.',
        },
      };
    },
  },
  conclude({ foreign, hit, enabled, free, total, devices, ...read }, limits, at) {
    if (enabled?.value === 0) return notMeasured('vm.numa_stat is 0: the counters are switched off, not clean');
    if (enabled === undefined && foreign.value === 0 && hit.value === 0) {
      return notMeasured('no allocation was counted, and whether vm.numa_stat is on is not known');
    }
    const share = read.share?.value ?? 0;
    const rate = read.perSecond?.value ?? 0;
    if (share < limits.foreignShare || rate < limits.foreignPerSecond) return ok();
    const node = at.labels['node'] ?? '';
    const here = devices.filter(({ value: on }) => `${on}` === node).map(({ labels }) => labels['device'] ?? '');
    const directory = `/sys/devices/system/node/node${/^\d+$/.test(node) ? node : '*'}`;
    const said = {
      certainty: 'measured',
      args: {
        node,
        share,
        rate,
        free: free?.value ?? 0,
        total: total?.value ?? 0,
        devices: listed(here, here.slice(0, 4).join(', ')),
      },
      evidence: { foreign: null, hit: null, miss: null, free: null, reclaimable: null, hugePages: null },
      remedies: [
        {
          action:
            'See what fills the node: page cache (FilePages), a huge page pool larger than it needs, or processes bound to it.',
          command: `grep -E 'MemTotal|MemFree|FilePages|AnonPages|HugePages' ${directory}/meminfo; numastat -m`,
          verify: `grep -E 'numa_(hit|foreign)' ${directory}/numastat`,
        },
        {
          action: 'See which processes hold its memory, and bind or move the largest one to another node.',
          command: "numastat -c $(ps -eo pid --sort=-rss --no-headers | head -n 10 | tr '\\n' ' ')",
          verify: `grep -E 'numa_(hit|foreign)' ${directory}/numastat`,
        },
      ],
    } as const;
    return here.length > 0 ? warning({ ...said, message: 'short-with-nic' }) : info({ ...said, message: 'short' });
  },
});
