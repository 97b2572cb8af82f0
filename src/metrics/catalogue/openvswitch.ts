import { counter } from '../metric.ts';

const datapath = {
  unit: 'packets',
  labels: ['datapath'],
  identifiedBy: ['datapath'],
  collector: 'openvswitch',
  source: 'openvswitch',
} as const;
export const switchHits = counter('pktcost_openvswitch_hit_total', {
  ...datapath,
  help: 'Packets that a flow of the datapath of Open vSwitch was there for.',
});
export const switchMissed = counter('pktcost_openvswitch_missed_total', {
  ...datapath,
  help: 'Packets that no flow was there for: ovs-vswitchd was asked. The kernel counts those that did not get through as well.',
});
export const switchLost = counter('pktcost_openvswitch_lost_total', {
  ...datapath,
  help: 'Packets that did not get through to ovs-vswitchd (upcalls): its queue was full, or it could not take them.',
});
