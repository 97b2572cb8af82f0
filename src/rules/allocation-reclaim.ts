import {
  costLimits,
  costly,
  costWords,
  judgeParts,
  needsProfile,
  notDear,
  partsArgument,
  pathSignals,
  VERIFY,
} from './path-parts.ts';
import { keepingBefore } from './remedies/setting.ts';
import { defineRule } from './rule.ts';

const RECLAIM = 'reclaim';
const MEMORY = new Set(['page-allocation', 'skb-allocation', 'freeing', RECLAIM]);

export const allocationReclaim = defineRule({
  code: 'PKT0112',
  id: 'allocation-reclaim',
  role: 'cause',
  title: 'Memory allocation slows every packet',
  scope: [],
  signals: pathSignals,
  thresholds: {
    ...costLimits(
      0.5,
      2000,
      'estimate from single runs, not a series: allocation and freeing take 10 to 35 % of a packet that does little else',
    ),
    reclaim: {
      value: 0.05,
      unit: 'ratio',
      help: 'Share of what packets cost that is reclaim of memory, from which it is a warning.',
      source: 'judgement: with memory to spare the path of a packet never reclaims',
    },
  },
  messages: {
    reclaim: `Reclaim of memory takes ${costWords}: packets are allocated while memory is short.`,
    dear: `Allocating and freeing take ${costWords}. Largest parts: {largest}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const reclaim = judgeParts(read, (part) => part === RECLAIM, { ...limits, share: limits.reclaim });
    const judged = reclaim ?? judgeParts(read, (part) => MEMORY.has(part), limits);
    if (judged === undefined) return notDear(read, (part) => MEMORY.has(part), limits);
    return costly(judged, {
      message: reclaim === undefined ? 'dear' : 'reclaim',
      args: { largest: partsArgument(judged.cost.parts.filter(([part]) => MEMORY.has(part))) },
      evidence: { samples: null, processed: null },
      remedies: [
        reclaim === undefined
          ? {
              action:
                'See what allocates: large packets without page pools, skbs that are cloned or copied for somebody (taps, mirrors), memory cgroups that are charged for each.',
              command: 'perf record -a -g -e cpu-clock -- sleep 5 && perf report --no-children',
              verify: VERIFY,
            }
          : {
              action:
                'Keep more memory free for what cannot wait, and see who fills it: reclaim then runs in kswapd, ahead of need.',
              ...keepingBefore(
                'min-free',
                'echo "sysctl -w vm.min_free_kbytes=$(sysctl -n vm.min_free_kbytes)"',
                'sysctl -w vm.min_free_kbytes=$((2 * $(sysctl -n vm.min_free_kbytes)))',
              ),
              verify: VERIFY,
            },
      ],
    });
  },
});
