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
import { defineRule, info, notMeasured, ok, optional, optionalList, warning } from './rule.ts';
import { thresholds } from './thresholds.ts';

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
  seed: '§3.10, Example B',
  scope: ['node'],
  none: 'this kernel has no NUMA statistics',
  signals: {
    foreign: increase(numaForeign),
    hit: increase(numaHit),
    miss: optional(increase(numaMiss)),
    enabled: optional(value(numaStatEnabled)),
    free: optional(value(meminfoNuma.member('MemFree'))),
    total: optional(value(meminfoNuma.member('MemTotal'))),
    reclaimable: optional(value(meminfoNuma.member('FilePages'))),
    hugePages: optional(value(meminfoNuma.member('HugePages_Total'))),
    devices: optionalList(value(deviceNumaNode)),
  },
  thresholds: thresholds.PKT0302,
  messages: {
    short:
      'Node {node} could not serve {share:percent} of the page allocations that wanted it ({rate:rate}): they went to other nodes. ' +
      'It has {free:bytes} free of {total:bytes}. No network device is on it.',
    'short-with-nic':
      'Node {node}, the node of {devices}, could not serve {share:percent} of the page allocations that wanted it ({rate:rate}): ' +
      'they went to other nodes, receive buffers among them. It has {free:bytes} free of {total:bytes}.',
  },
  alert: {
    raise: ({ foreign, hit, devices }, limits) => {
      const share = where(ratio(foreign, add(foreign, hit)), '>=', limits.foreignShare);
      const often = where(rate(numaForeign), '>=', limits.foreignPerSecond);
      return {
        warning: {
          when: andOn(['node'], andOn(['node'], share, often), byValue('node', devices)),
          says: 'The node of a network device could not serve {value} of the page allocations that wanted it.',
        },
      };
    },
  },
  conclude({ foreign, hit, enabled, free, total, devices }, limits, at) {
    if (enabled?.value === 0) return notMeasured('vm.numa_stat is 0: the counters are switched off, not clean');
    if (enabled === undefined && foreign.value === 0 && hit.value === 0) {
      return notMeasured('no allocation was counted, and whether vm.numa_stat is on is not known');
    }
    const wanted = foreign.value + hit.value;
    const share = foreign.value / Math.max(1, wanted);
    const rate = foreign.value / at.seconds;
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
        devices: here.slice(0, 4).join(', '),
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
