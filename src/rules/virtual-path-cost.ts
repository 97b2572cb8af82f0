import { linkInfo } from '../metrics/catalogue/index.ts';
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
import { defineRule, optionalList } from './rule.ts';
import type { Signal } from '../facts/signal.ts';

/** Parts of devices made of software, and the kinds of devices that they belong to. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  bridge: ['bridge'],
  openvswitch: ['openvswitch'],
  bonding: ['bond', 'team'],
  vlan: ['vlan'],
  macvlan: ['macvlan', 'macvtap', 'ipvlan', 'ipvtap'],
  tun: ['tun'],
  tunnel: ['vxlan', 'geneve', 'gre', 'gretap', 'ip6gre', 'ip6gretap', 'erspan', 'ipip', 'sit', 'ip6tnl', 'vti', 'gtp'],
  xfrm: ['xfrm'],
  wireguard: ['wireguard'],
  macsec: ['macsec'],
};

export const virtualPathCost = defineRule({
  code: 'PKT0109',
  id: 'virtual-path-cost',
  role: 'cause',
  title: 'Bridges, switches or tunnels slow every packet',
  scope: [],
  signals: { ...pathSignals, links: optionalList(everywhere(value(linkInfo))) },
  thresholds: costLimits(
    0.3,
    1000,
    'estimate from single runs, not a series: a bridge takes 0.3 to 0.6 µs a packet, a VXLAN tunnel 0.6 to 1.2 µs',
  ),
  messages: {
    dear: `Devices made of software take ${costWords}. Largest parts: {largest}. Owned by {owners}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const judged = judgeParts(read, (part) => part in KINDS, limits);
    if (judged === undefined) return notDear(read, (part) => part in KINDS, limits);
    const own = judged.cost.parts.filter(([part]) => part in KINDS);
    const [largest] = own;
    const devices = devicesOf(read.links, KINDS[largest?.[0] ?? ''] ?? []);
    return costly(judged, {
      message: 'dear',
      args: {
        largest: partsArgument(own),
        owners: devices.length === 0 ? worded([], 'devices that were not seen') : devices.map(deviceText).join(', '),
      },
      evidence: { samples: null, links: null, processed: null },
      remedies: [lighter(largest?.[0] ?? '', devices[0])],
      place: devices[0] === undefined ? {} : { device: devices[0].device, netns: devices[0].netns },
    });
  },
});

interface Device {
  readonly device: string;
  readonly kind: string;
  readonly netns: string;
  readonly ports: number;
}

/** The devices of these kinds, those with most ports first. */
function devicesOf(links: readonly Signal[], kinds: readonly string[]): readonly Device[] {
  return links
    .filter(({ labels }) => kinds.includes(labels['kind'] ?? ''))
    .map(({ labels }) => {
      const { device = '', kind = '', netns = '' } = labels;
      const ports = links.filter((port) => port.labels['master'] === device && (port.labels['netns'] ?? '') === netns);
      return { device, kind, netns, ports: ports.length };
    })
    .sort((a, b) => b.ports - a.ports)
    .slice(0, 3);
}

function deviceText({ device, kind, netns, ports }: Device): string {
  const many = ports === 0 ? '' : `, ${ports} ports`;
  return `${device} (${kind}${many}${netns === '' ? '' : `, namespace ${netns}`})`;
}

const advice: Readonly<Record<string, readonly [action: string, command: string]>> = {
  bridge: [
    'See whether netfilter runs for bridged packets though no rule needs it, and whether frames are flooded for want of an entry.',
    'sysctl net.bridge.bridge-nf-call-iptables; bridge -s link; bridge fdb show',
  ],
  openvswitch: [
    'See how many masks a packet is looked up in and how many are missed: fewer distinct matches in the flow table make fewer masks.',
    'ovs-appctl dpctl/show; ovs-appctl dpctl/dump-flows -m | head',
  ],
  tunnel: [
    'See whether the device under the tunnel computes checksums, segments and merges what is inside: without that the host does it packet by packet.',
    'for d in /sys/class/net/*; do ethtool -k ${d##*/} | grep -H --label=${d##*/} -E "udp_tnl|generic-receive"; done',
  ],
  tun: [
    'Give the program behind the device more queues and let it exchange large packets (IFF_VNET_HDR).',
    'ip -d tuntap',
  ],
};

function lighter(part: string, device: Device | undefined): { action: string; command: string; verify: string } {
  const [action, command] = advice[part] ?? [
    'See what the device is for, and whether packets could go past it: macvlan passthru, SR-IOV, or an address on the device below.',
    `ip -d link show${device === undefined ? '' : ` dev ${shellQuote(device.device)}`}`,
  ];
  return { action, command: inNetns(device?.netns ?? '', command), verify: VERIFY };
}
