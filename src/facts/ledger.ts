import {
  netstat,
  packetRingDrops,
  packetSocket,
  packetSocketDrops,
  receiveCardLost,
  receiveMissed,
  receivePackets,
  receiveRingLost,
  skbDrops,
  skbDropsCounted,
  skbDropsError,
  skbDropsEstimated,
  skbDropsLookedAt,
  skbDropsNoRoom,
  skbDropsRarest,
  xdpDropped,
} from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import { netnsOf, OWN_NETNS } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { cardLosses, xdpDrops } from './card-losses.ts';
import { dropReasons, meaningOfDrop, stageOfDrop, type DropKind } from './drop-reasons.ts';
import type { LedgerBook, LedgerRow } from '../generated/report.ts';

/** The rules that tell what cards and captures lose. */
const CARDS = 'PKT0501';
const CAPTURES = 'PKT0709';
const POLICY = 'PKT0704';

export interface DropLedger {
  /** Whether the kernel's drops were counted; else the rows are what counters tell. */
  readonly counted: boolean;
  readonly reason: string | null;
  readonly total: number;
  readonly lookedAt: number;
  /** Of the total, by estimate: the counter rests for most of a flood. By so many the total may then be wrong. */
  readonly estimated: number;
  readonly error: number;
  readonly noRoom: number;
  /** In the worst flood one drop in so many was looked at. */
  readonly sampling: number;
  readonly rows: readonly LedgerRow[];
  readonly books: readonly LedgerBook[];
}

/** Every loss that was counted, by reason and place, and the books of each namespace. */
export function ledgerOf(window: Window): DropLedger {
  const counted = window.increase(skbDropsCounted).cells.length > 0;
  const drops = dropRows(window);
  const frames = framesOf(window);
  const estimated = inItsTime(window, skbDropsEstimated);
  const own = ownCounters(window);
  const rows = [...(counted ? withoutTold(drops, own) : counterRows(window)), ...own].map((row: Counted): LedgerRow => {
    const { reason, means, place, device, netns, packets, kind, rule } = row;
    // A capture loses of what was sent as well: no share of what came.
    const sent = (device === '' && row.stage === 'out') || rule === CAPTURES;
    // Not known of a device whose counters began anew, or that came or went.
    const received = device === '' ? frames.of(netns) : frames.on(netns, device);
    // What a card lost was never among those received; what the stack dropped was, and of copies there may be more.
    const came = received === undefined ? 0 : row.rule === CARDS ? received + packets : received;
    return {
      reason,
      means,
      place,
      device,
      netns,
      packets,
      share: came > 0 && packets <= came && !sent ? packets / came : null,
      kind,
      rule,
    };
  });
  return {
    counted,
    reason: counted ? null : (window.whyAbsent(skbDropsCounted)[0]?.reason ?? 'drops were not counted'),
    total: inItsTime(window, skbDropsCounted),
    lookedAt: inItsTime(window, skbDropsLookedAt),
    estimated,
    error: estimated > 0 ? (window.value(skbDropsError)[0]?.value ?? 0) : 0,
    noRoom: inItsTime(window, skbDropsNoRoom),
    // The rarest is of all the time since the probe came: its own measuring before the window was a flood, too.
    sampling:
      inItsTime(window, skbDropsLookedAt) === inItsTime(window, skbDropsCounted)
        ? 1
        : (window.value(skbDropsRarest)[0]?.value ?? 1),
    rows: rows.sort((a, b) => b.packets - a.packets || (a.reason < b.reason ? -1 : 1)),
    books: counted ? booksOf(window, frames, drops) : [],
  };
}

type Counted = Omit<LedgerRow, 'share'> & { readonly stage?: string };

function dropRows(window: Window): (Counted & { readonly stage: string })[] {
  return window.increase(skbDrops).cells.flatMap((cell) => {
    const { labels } = cell;
    const packets = window.inItsTime(cell);
    if (packets <= 0) return [];
    const { reason = '', location = '', device = '', netns = OWN_NETNS } = labels;
    const { kind, means, owner } = meaningOfDrop(reason, location);
    const rule = owner === '' ? null : owner;
    const named = stageOfDrop(reason, location);
    // What came from a device still has it where it is not delivered yet: the host itself was sending this one.
    const stage = named === 'before' && device === '' ? 'out' : named;
    return [
      {
        reason: reason === '' ? 'not named' : reason,
        means,
        place: location,
        device,
        netns,
        packets,
        kind,
        rule,
        stage,
      },
    ];
  });
}

/**
 * A full packet socket counts every copy that it had no room for. Where the socket was the packet's last holder, as of one that was
 * sent, the kernel tells of the freed copy as well: the same loss, and it is counted once.
 */
function withoutTold<Row extends Counted>(drops: readonly Row[], own: readonly Counted[]): Row[] {
  const full = own.filter(({ rule }) => rule === CAPTURES);
  return drops.filter(
    ({ rule, netns, device }) =>
      rule !== CAPTURES || !full.some((tap) => tap.netns === netns && ['', device].includes(tap.device)),
  );
}

/** What IPv6 counts for itself of the same loss (net/ipv6/proc.c); what is not here it has under the same name, or not at all. */
const ofIPv6: Readonly<Record<string, readonly string[]>> = {
  Udp_RcvbufErrors: ['Udp6_RcvbufErrors'],
  Udp_MemErrors: ['Udp6_MemErrors'],
  Udp_InCsumErrors: ['Udp6_InCsumErrors'],
  Icmp_InCsumErrors: ['Icmp6_InCsumErrors'],
  Ip_InHdrErrors: ['Ip6_InHdrErrors'],
  Ip_InAddrErrors: ['Ip6_InAddrErrors'],
  IpExt_InNoRoutes: ['Ip6_InNoRoutes'],
  Ip_OutNoRoutes: ['Ip6_OutNoRoutes'],
  Ip_FragFails: ['Ip6_FragFails', 'Ip6_InTooBigErrors'],
  Ip_ReasmFails: ['Ip6_ReasmFails'],
};

/** Each counter that should agree with a reason of a loss, with the first such reason. */
const lossCounters: ReadonlyMap<string, string> = new Map(
  [...dropReasons].reverse().flatMap((reason) => {
    const { counter, kind } = meaningOfDrop(reason, '');
    if (counter === undefined || kind !== 'loss') return [];
    return [counter, ...(ofIPv6[counter] ?? [])].map((each) => [each, reason] as const);
  }),
);

/** For kernels without reasons, and where the probe is off: the counters that should agree with each reason. */
function counterRows(window: Window): Counted[] {
  return [...lossCounters].flatMap(([counter, reason]) => {
    const { kind, means, owner } = meaningOfDrop(reason, '');
    const metric = netstat.member(counter);
    return window.increase(metric).cells.flatMap((cell) =>
      cell.increase <= 0
        ? []
        : [
            {
              reason: counter,
              means,
              place: metric.source,
              device: '',
              netns: netnsOf(cell.labels),
              packets: window.inItsTime(cell),
              kind,
              rule: owner,
              stage: stageOfDrop(reason, ''),
            },
          ],
    );
  });
}

/** What no packet of the kernel's was made of, or was freed without a word: rings of cards and of captures. */
function ownCounters(window: Window): Counted[] {
  const cards = cardLosses(window).map((row) => ({ ...row, kind: 'loss' as const, rule: CARDS }));
  const full = [packetSocketDrops, packetRingDrops].flatMap((metric) => window.increase(metric).cells);
  const bound = window.value(packetSocket).filter(({ labels }) => labels['device'] !== 'any');
  const devices = new Map(bound.map(({ labels }) => [labels['inode'], labels['device']]));
  const taps = full.map(({ labels, increase }) => ({
    reason: 'packet socket full',
    means: 'a packet socket was full: the capture is incomplete',
    place: `packet socket ${labels['inode'] ?? ''}`,
    device: devices.get(labels['inode']) ?? '',
    netns: netnsOf(labels),
    packets: increase,
    // The packet itself goes on.
    kind: 'noise' as const,
    rule: CAPTURES,
  }));
  const xdp = xdpDrops(window).map((row) => ({ ...row, kind: 'policy' as const, rule: POLICY }));
  return [...cards, ...xdp, ...taps].filter(({ packets }) => packets > 0);
}

interface Frames {
  readonly namespaces: readonly string[];
  of(netns: string): number;
  on(netns: string, device: string): number | undefined;
  devices(netns: string): string[];
}

function framesOf(window: Window): Frames {
  const received = new Map<string, Map<string, number>>();
  for (const cell of window.increase(receivePackets).cells) {
    const netns = netnsOf(cell.labels);
    const devices = received.get(netns) ?? new Map<string, number>();
    received.set(netns, devices.set(cell.labels['device'] ?? '', window.inItsTime(cell)));
  }
  return {
    namespaces: [...received.keys()],
    of: (netns) => [...(received.get(netns)?.values() ?? [])].reduce((total, each) => total + each, 0),
    on: (netns, device) => received.get(netns)?.get(device),
    devices: (netns) => [...(received.get(netns) ?? [])].filter(([, packets]) => packets > 0).map(([device]) => device),
  };
}

const DELIVERED = ['Ip_InDelivers', 'Ip6_InDelivers'].map((field) => netstat.member(field));
const FORWARDED = ['Ip_ForwDatagrams', 'Ip6_OutForwDatagrams'].map((field) => netstat.member(field));
/** What the host sent of its own, and all that went out through IP, forwarded or its own. The latter since Linux 6.7. */
const REQUESTED = ['Ip_OutRequests', 'Ip6_OutRequests'].map((field) => netstat.member(field));
const TRANSMITTED = ['Ip_OutTransmits', 'Ip6_OutTransmits'].map((field) => netstat.member(field));
const BOOKED = [...DELIVERED, ...FORWARDED, ...REQUESTED, ...TRANSMITTED];

/** What drops a packet behind ForwDatagrams and before OutTransmits (ip_forward, ip6_forward): the hook, and what is too big. */
const FORWARDED_FIRST = new Set(['NETFILTER_DROP', 'PKT_TOO_BIG']);

/** What the ledger is made of, besides the drops themselves: the same is read of every namespace. */
export const ledgerMetrics: readonly Metric[] = [
  ...[skbDrops, skbDropsCounted, skbDropsLookedAt, skbDropsEstimated, skbDropsError, skbDropsNoRoom, skbDropsRarest],
  ...[receivePackets, receiveMissed, receiveRingLost, receiveCardLost, xdpDropped, packetSocketDrops, packetRingDrops],
  ...BOOKED,
  ...[...lossCounters.keys()].map((counter) => netstat.member(counter)),
];

function booksOf(
  window: Window,
  frames: Frames,
  drops: readonly (Counted & { readonly stage: string })[],
): LedgerBook[] {
  const counters = new Map<string, Map<Metric, number>>();
  for (const metric of BOOKED) {
    for (const cell of window.increase(metric).cells) {
      const netns = netnsOf(cell.labels);
      counters.set(netns, (counters.get(netns) ?? new Map<Metric, number>()).set(metric, window.inItsTime(cell)));
    }
  }
  const byXdp = xdpDrops(window);
  return frames.namespaces.flatMap((netns) => {
    const framesIn = frames.of(netns);
    const counted = counters.get(netns);
    // Without the counters of IPv4 nothing of it would be accounted for, which would read as a loss. A kernel may lack IPv6.
    if (framesIn === 0 || !counted?.has(DELIVERED[0]!) || !counted.has(FORWARDED[0]!)) return [];
    const of = (metrics: readonly Metric[]): number =>
      metrics.reduce((total, metric) => total + (counted.get(metric) ?? 0), 0);
    const here = drops.filter((row) => row.netns === netns);
    const before = (kind: DropKind): number =>
      here.reduce((total, row) => total + (row.stage === 'before' && row.kind === kind ? row.packets : 0), 0);
    const parts = {
      delivered: of(DELIVERED),
      forwarded: of(FORWARDED) - (counted.has(TRANSMITTED[0]!) ? forwardedAndDropped(of, here) : 0),
      lost: before('loss'),
      policy: before('policy') + byXdp.reduce((total, row) => total + (row.netns === netns ? row.packets : 0), 0),
      noise: before('noise'),
      unclear: before('unclear'),
    };
    const told = Object.values(parts).reduce((total, each) => total + each, 0);
    const droppedAfter = here.reduce((total, row) => total + (row.stage === 'before' ? 0 : row.packets), 0);
    return [{ netns, devices: frames.devices(netns), framesIn, ...parts, notAccounted: framesIn - told, droppedAfter }];
  });
}

/** Since Linux 6.7 a packet counts as forwarded before the hook and the MTU have let it pass: such a drop would be in the books twice. */
function forwardedAndDropped(
  of: (metrics: readonly Metric[]) => number,
  here: readonly (Counted & { readonly stage: string })[],
): number {
  const dropped = (wanted: (row: Counted & { readonly stage: string }) => boolean): number =>
    here.reduce((total, row) => total + (FORWARDED_FIRST.has(row.reason) && wanted(row) ? row.packets : 0), 0);
  // What has no device was the host's own.
  const own = of(REQUESTED) - dropped(({ stage }) => stage === 'out');
  const went = Math.max(0, of(TRANSMITTED) - own);
  // No more than was dropped: tunnels that routes lead into have a way out of their own.
  return Math.max(
    0,
    Math.min(
      of(FORWARDED) - went,
      dropped(({ stage }) => stage === 'before'),
    ),
  );
}

function inItsTime(window: Window, metric: Metric): number {
  return window.increase(metric).cells.reduce((total, cell) => total + window.inItsTime(cell), 0);
}
