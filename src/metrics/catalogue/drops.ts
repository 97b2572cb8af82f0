import { counter, gauge } from '../metric.ts';

const drops = { collector: 'drops', source: 'drops' } as const;

export const skbDrops = counter('pktcost_skb_drops_total', {
  ...drops,
  labels: ['reason', 'location', 'device'],
  perNetns: true,
  sparse: true,
  unit: 'packets',
  help: 'Packets that the kernel freed as dropped, by its reason (5.17), the function that dropped, device and namespace.',
});
export const skbDropsCounted = counter('pktcost_skb_drops_counted_total', {
  ...drops,
  labels: [],
  unit: 'packets',
  help: 'All packets that the kernel freed as dropped, in every namespace.',
});
export const skbDropsLookedAt = counter('pktcost_skb_drops_looked_at_total', {
  ...drops,
  labels: [],
  unit: 'packets',
  help: 'Of the packets dropped, those whose reason and place were looked at; each stands for those passed over before it.',
});
export const skbDropsEstimated = counter('pktcost_skb_drops_estimated_total', {
  ...drops,
  labels: [],
  unit: 'packets',
  help: 'Of the packets dropped, those that were dropped while the counter rested: estimated from what it counted before and after.',
});
export const skbDropsError = gauge('pktcost_skb_drops_error', {
  ...drops,
  labels: [],
  unit: 'packets',
  help: 'By so many packets the sum of all that were dropped may be wrong, nineteen times of twenty; 0 where none was estimated.',
});
export const skbDropsNoRoom = counter('pktcost_skb_drops_no_room_total', {
  ...drops,
  labels: [],
  unit: 'packets',
  help: 'Packets dropped that are counted, but under no reason: the table of places was full.',
});
export const skbDropsRarest = gauge('pktcost_skb_drops_sampling', {
  ...drops,
  labels: [],
  unit: 'number',
  help: 'In the worst flood so far one drop in so many was looked at; 1 means that each was.',
});
export const skbDropReasons = gauge('pktcost_skb_drop_reasons', {
  ...drops,
  labels: [],
  unit: 'none',
  help: '1 when this kernel gives reasons (5.17); 0 when the function that dropped has to stand for one.',
});
