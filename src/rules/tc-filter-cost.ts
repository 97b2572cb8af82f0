import { tcFilters } from '../metrics/catalogue/index.ts';
import { everywhere, value } from '../metrics/expression.ts';
import { worded } from './finding.ts';
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
import { inNetns, shellQuote } from './remedies/shell.ts';
import { showFilters } from './remedies/tc.ts';
import { defineRule, optionalList } from './rule.ts';

const PARTS = new Set(['tc-filter', 'qdisc']);
/** Share of what the queues take from which filters are named as the owner beside them. */
const OF_QUEUES = 0.5;

export const tcFilterCost = defineRule({
  code: 'PKT0118',
  id: 'tc-filter-cost',
  role: 'cause',
  title: 'Filters and queues of tc slow every packet',
  scope: [],
  signals: { ...pathSignals, filters: optionalList(everywhere(value(tcFilters))) },
  thresholds: costLimits(
    0.3,
    700,
    'estimate from single runs, not a series: fq and fq_codel take 0.1 to 0.3 µs a packet, 200 u32 filters 3 to 6 µs',
  ),
  messages: {
    dear: `Filters and queues of tc take ${costWords}. Largest parts: {largest}. Owned by {owners}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => PARTS.has(part), limits);
    if (judged === undefined) return notDear(read, (part) => PARTS.has(part), limits);
    const own = judged.cost.parts.filter(([part]) => PARTS.has(part));
    const filters = read.filters
      .filter(({ labels }) => judged.cost.direction === 'receive' || labels['side'] !== 'ingress')
      .sort((a, b) => b.value - a.value);
    // Senders that wait for a queue's lock wait for the filters that run below it, and count as the queue.
    const shares = new Map(own);
    const [most] = (shares.get('tc-filter') ?? 0) >= OF_QUEUES * (shares.get('qdisc') ?? 0) ? filters : [];
    const { device = '', hook = '', kind = '', netns = '', side = '', parent = '' } = most?.labels ?? {};
    const dev = device === '' ? 'DEVICE' : shellQuote(device);
    return costly(judged, {
      message: 'dear',
      args: {
        largest: partsArgument(own),
        owners:
          most === undefined
            ? worded([], filters.length > 0 ? 'queues' : 'queues, or filters that were not seen')
            : `${most.value.toLocaleString('en-US')} ${kind} filters at the ${hook} of ${device}${netns === '' ? '' : ` in namespace ${netns}`}`,
      },
      evidence: { samples: null, filters: null, processed: null },
      remedies:
        most === undefined
          ? [
              {
                action:
                  'See which queueing disciplines there are: one for all senders of a device makes them wait for each other.',
                command: 'tc -s qdisc show',
                verify: VERIFY,
              },
            ]
          : [
              {
                action: `Make the ${most.value} filters one lookup: a hash table of u32, flower with many keys of one mask, or a BPF program with a map; put the one that matches most first.`,
                command: inNetns(netns, showFilters(dev, { side, parent })),
                verify: VERIFY,
              },
            ],
      place: device === '' ? {} : { device, netns },
    });
  },
});
