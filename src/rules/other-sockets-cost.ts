import { holdersOfSockets } from '../facts/sockets.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';
import type { PartOf } from '../facts/path-cost.ts';
import { processOf } from '../facts/processes.ts';
import { busyTypes, typedSockets } from '../facts/typed-sockets.ts';
import type { Signal } from '../facts/signal.ts';
import { ownersData, ownersText, tapsOn, type TapHook } from '../facts/taps.ts';
import { netstat, packetSocket, profileProcessSamples, rawSocketDrops } from '../metrics/catalogue/index.ts';
import { acrossNetns, increase, rate, sumBy, value } from '../metrics/expression.ts';
import { listed, worded } from './finding.ts';
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
import { decidingList, defineRule, optional, optionalList } from './rule.ts';

const PARTS = new Set(['multicast', 'icmp', 'socket-filter', 'raw']);
/** What a call does in packet or raw sockets it does for its caller, whom the tables name: nobody else waits for it. */
const CALLS = 'socket';
/** The functions of taps; where there is none, those of sockets for one ethertype. */
const TAPS = 'tap-receive';
const socketLabels = ['inode', 'device', 'protocol', 'hook', 'filter', 'ring', 'fanout'] as const;

export const otherSocketsCost = defineRule({
  code: 'PKT0116',
  id: 'other-sockets-cost',
  role: 'cause',
  title: 'Copies for other sockets, filters or answers slow every packet',
  scope: [],
  signals: {
    ...pathSignals,
    payers: optionalList(increase(profileProcessSamples)),
    sockets: decidingList(acrossNetns(sumBy(socketLabels, value(packetSocket)))),
    owners: optionalList(holdersOfSockets),
    raw: optionalList(value(rawSocketDrops)),
    v4: optional(sumBy([], acrossNetns(rate(netstat.member('Ip_InReceives'))))),
    v6: optional(sumBy([], acrossNetns(rate(netstat.member('Ip6_InReceives'))))),
  },
  thresholds: costLimits(
    0.25,
    500,
    'estimate from single runs, not a series: one socket of a multicast group takes 0.3 to 0.6 µs, an ICMP answer 1 to 2 µs',
  ),
  messages: {
    dear: `What is done for others than the receiver takes ${costWords}. Largest parts: {largest}{payers}.`,
  },
  alert: needsProfile,
  conclude(read, limits) {
    const typed = typedTaps(read.sockets, busyTypes(read.v4?.value, read.v6?.value), read.owners);
    const isPart: PartOf = (part, direction) =>
      direction !== CALLS && (PARTS.has(part) || (part === TAPS && typed.length > 0));
    const judged = judgeParts(read, isPart, limits);
    if (judged === undefined) return notDear(read, isPart, limits);
    const own = judged.cost.parts.filter(([part]) => isPart(part, judged.cost.direction));
    const part = own[0]?.[0] ?? '';
    const payers = payersOf(read, part);
    const [action, command] = advice[part] ?? advice['raw']!;
    return costly(judged, {
      message: 'dear',
      args: {
        largest: partsArgument(own),
        payers:
          part === TAPS
            ? worded(ownersData(typed), `; sockets for one ethertype, held by ${ownersText(typed)}`)
            : payers.length === 0
              ? ''
              : listed(payers, `; paid by ${payers.join(', ')}`),
      },
      evidence: { samples: null, payers: null, processed: null, ...(part === TAPS && { sockets: null }) },
      remedies: [{ action, command, verify: VERIFY }],
    });
  },
});

/** Who reads what the copies are made for: by what its calls take, and of a raw socket that nobody reads by its holder. */
function payersOf(
  read: { readonly payers: readonly Signal[]; readonly raw: readonly Signal[]; readonly owners: readonly Signal[] },
  part: string,
): readonly string[] {
  const readBy = part === 'multicast' ? 'udp' : part;
  const reading = read.payers
    .filter(({ labels }) => labels['part'] === readBy || PARTS.has(labels['part'] ?? ''))
    .sort((a, b) => b.value - a.value)
    .map(({ labels }) => processOf(labels));
  const full = part === 'raw' ? read.raw : [];
  const holding = full.flatMap(({ labels }) =>
    read.owners.filter((owner) => owner.labels['inode'] === labels['inode']).map((owner) => processOf(owner.labels)),
  );
  return [...new Set([...reading, ...holding])].slice(0, 2);
}

/** Sockets that most packets pay for; none where every packet passes a tap as well, since the profile cannot tell them apart. */
function typedTaps(
  sockets: readonly Signal[],
  busy: ReadonlySet<string>,
  owners: readonly Signal[],
): readonly TapHook[] {
  const tapped = sockets.some(({ labels }) => labels['protocol'] === ETH_P_ALL && labels['hook'] !== 'none');
  return tapped ? [] : tapsOn({ bound: typedSockets(sockets, busy), unbound: [], everywhere: [], owners });
}

const advice: Readonly<Record<string, readonly [action: string, command: string]>> = {
  multicast: [
    'Each packet of a group is copied for every socket bound to its port: bind to the group address and set IP_MULTICAST_ALL to 0, and see who joined.',
    'ss -lunp; cat /proc/net/igmp',
  ],
  icmp: [
    'Packets come for a port that nobody listens on, and each is answered: find who sends them, or drop them before the socket lookup.',
    'nstat -az UdpNoPorts IcmpOutDestUnreachs Icmp6OutDestUnreachs; sysctl net.ipv4.icmp_msgs_per_sec',
  ],
  'socket-filter': [
    'A filter of a socket runs for each packet: see which sockets have one and how long it is.',
    'ss -lunpe; bpftool prog show | grep -E "socket_filter|sk_reuseport|sk_lookup|sk_skb"',
  ],
  raw: [
    'Every raw socket gets a clone of each packet of its protocol: close those that nobody reads, or give them a filter.',
    'ss -wanp',
  ],
  'tap-receive': [
    'A packet socket for IP sees every IP packet: end it if nobody reads it, or give it a filter that rejects in the kernel what it does not need.',
    'ss -0 -p',
  ],
};
