import { gradeShare } from '../facts/lost.ts';
import type { Signal } from '../facts/signal.ts';
import { switchHits, switchLost, switchMissed } from '../metrics/catalogue/index.ts';
import { increase } from '../metrics/expression.ts';
import { lossLimits } from './losing.ts';
import { critical, defineRule, info, list, ok, optionalList, warning } from './rule.ts';

export const switchDrops = defineRule({
  code: 'PKT0505',
  id: 'switch-drops',
  role: 'outcome',
  title: 'Open vSwitch drops the first packets of flows: they do not get through to ovs-vswitchd',
  scope: [],
  none: 'Open vSwitch has no datapath on this host',
  watched: { seldom: 'the datapaths are asked over a socket of their own' },
  signals: {
    lost: list(increase(switchLost)),
    missed: optionalList(increase(switchMissed)),
    hit: optionalList(increase(switchHits)),
  },
  thresholds: lossLimits(10, 0.001, 0.1, 'the packets that no flow was there for'),
  messages: {
    upcalls:
      'The datapath {datapath} of Open vSwitch lost {lost:count} packets on their way to ovs-vswitchd ({rate:rate}), {share:percent} of ' +
      'those that no flow was there for: new flows fail while established ones go on.',
  },
  alert: { none: 'node_exporter does not read the statistics of Open vSwitch' },
  conclude({ lost, missed }, limits, at) {
    const datapaths = lost
      .map((each) => {
        const asked = missed.find(({ labels }) => labels['datapath'] === each.labels['datapath']);
        return { ...each, ...gradeShare(each.value, othersOf(each, asked), limits), known: asked !== undefined };
      })
      .sort((a, b) => b.value - a.value);
    const [worst] = datapaths;
    if (worst === undefined || worst.value === 0) return ok();
    const said = {
      certainty: worst.known ? 'measured' : 'possible',
      message: 'upcalls',
      args: {
        datapath: worst.labels['datapath'] ?? '',
        lost: worst.value,
        share: worst.share,
        rate: worst.value / at.seconds,
      },
      evidence: { lost: ['>=', limits.lost], missed: null, hit: null },
      remedies: [
        {
          action:
            'See what asks so often: many short flows or a scan, and flows that are taken out too early. Then give ovs-vswitchd more handler threads (other_config:n-handler-threads), and CPU time of its own.',
          command: 'ovs-appctl dpctl/show -s; ovs-appctl upcall/show; ovs-vsctl get Open_vSwitch . other_config',
          verify: 'ovs-appctl dpctl/show -s',
        },
      ],
      impact: { lostPerSecond: worst.value / at.seconds },
    } as const;
    if (worst.grade === 'none' || !worst.known) return info(said);
    return worst.grade === 'critical' ? critical(said) : warning(said);
  },
});

/**
 * Packets that no flow was there for either, and that got through. The kernel counts a lost one among those that missed as well
 * (net/openvswitch/datapath.c:ovs_dp_process_packet), the datapath of ovs-vswitchd itself does not (lib/dpif-netdev.c).
 */
function othersOf({ value, labels }: Signal, missed: Signal | undefined): number {
  const all = missed?.value ?? 0;
  return labels['datapath']?.startsWith('netdev@') === true ? all : Math.max(0, all - value);
}
