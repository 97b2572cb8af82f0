import { byText } from '../../base/order.ts';
import { ETH_P_ALL } from '../../metrics/packet-socket-labels.ts';
import { captureLosses } from '../../facts/capture-losses.ts';
import { captureBills, type CaptureCost } from '../../facts/capture-bills.ts';
import type { PriceLimits } from '../../facts/price.ts';
import { holdersBySocket } from '../../facts/sockets.ts';
import { sentTapPrices, tapPrices, unpricedTaps, type SocketPrice } from '../../facts/tap-prices.ts';
import { typedPrice, type TypedPrice } from '../../facts/typed-sockets.ts';
import type { Tap } from '../../generated/report.ts';
import { packetRingDrops, packetSocket, packetSocketDrops } from '../../metrics/catalogue/index.ts';
import { OWN_NETNS, type Series } from '../../metrics/snapshot.ts';
import type { Window } from '../../metrics/window.ts';

/** What it reads of other namespaces and other hosts, besides what rules read. */
export const packetSocketMetrics = [packetSocket, packetSocketDrops, packetRingDrops] as const;

/**
 * Every packet socket, those that each packet pays for first: taps, and sockets for the ethertype of most packets, which are
 * reached through the list of that protocol, after TC. One with protocol 0 receives nothing (net/core/dev.c:ptype_head).
 */
export function packetSockets(window: Window, limits: PriceLimits): Tap[] {
  const read = {
    owners: holdersBySocket(window),
    prices: tapPrices(window, limits),
    reasons: unpricedTaps(window, limits),
    sent: sentTapPrices(window, limits),
    typed: typedPrice(window, limits),
    bills: captureBills(window, limits),
    lost: captureLosses(window),
  };
  return window
    .value(packetSocket)
    .map((series) => tapOf(series, read))
    .sort(
      (a, b) =>
        Number(b.onHotPath) - Number(a.onHotPath) ||
        (b.nsPerPacket ?? 0) - (a.nsPerPacket ?? 0) ||
        Number(isTap(b)) - Number(isTap(a)) ||
        byText(a.netns, b.netns) ||
        byText(a.device, b.device) ||
        Number(a.inode) - Number(b.inode),
    );
}

/** Whether it asks for every protocol. */
function isTap({ protocol }: Pick<Tap, 'protocol'>): boolean {
  return protocol === ETH_P_ALL;
}

interface SocketFacts {
  readonly owners: ReturnType<typeof holdersBySocket>;
  readonly prices: ReadonlyMap<string, readonly SocketPrice[]>;
  /** Why a tap has none. */
  readonly reasons: ReadonlyMap<string, string>;
  readonly sent: ReadonlyMap<string, readonly SocketPrice[]>;
  readonly typed: TypedPrice;
  readonly bills: ReturnType<typeof captureBills>;
  readonly lost: ReturnType<typeof captureLosses>;
}

function tapOf({ labels }: Series, { owners, prices, reasons, sent, typed, bills, lost }: SocketFacts): Tap {
  const inode = labels['inode'] ?? '';
  const protocol = labels['protocol'] ?? '';
  const hook = labels['hook'] ?? 'none';
  const ring = unlessUnknown(labels['ring']);
  const found = lost(labels);
  const dearestFirst = (found: readonly SocketPrice[] = []): SocketPrice[] =>
    [...found].sort((a, b) => b.nsPerPacket - a.nsPerPacket);
  const passed = typed.inodes.includes(inode);
  const own =
    passed && typed.ns !== null && !prices.has(inode)
      ? [
          {
            device: labels['device'] ?? 'any',
            nsPerPacket: typed.ns,
            certainty: 'estimated',
            errorNs: typed.errorNs,
          },
        ]
      : dearestFirst(prices.get(inode));
  return {
    netns: labels['netns'] ?? OWN_NETNS,
    device: labels['device'] ?? 'any',
    protocol,
    type: unlessUnknown(labels['type']),
    hook,
    inode,
    owners: (owners.get(inode) ?? []).map(({ pid, comm = '' }) => ({ pid: Number(pid), comm })),
    filter: unlessUnknown(labels['filter']),
    ring,
    fanout: unlessUnknown(labels['fanout']),
    uid: wholeNumber(labels['uid']),
    promiscuous: flag(labels['promiscuous']),
    drops: found.lost,
    dropsSeconds: found.seconds,
    onHotPath: (isTap({ protocol }) && hook !== 'none' && hook !== '') || passed,
    nsPerPacket: own[0]?.nsPerPacket ?? null,
    priceCertainty: own[0]?.certainty ?? null,
    prices: own,
    notPriced: reasons.get(inode) ?? null,
    sentPrices: dearestFirst(sent.get(inode)),
    bill: billSection(bills(inode)),
  };
}

function billSection({ payers, ...bill }: CaptureCost): NonNullable<Tap['bill']> {
  return { ...bill, payers: payers.map(({ pid, comm, share }) => ({ pid: Number(pid), comm, share })) };
}

function unlessUnknown(text: string | undefined): string | null {
  return text === undefined || text === '' || text === 'unknown' ? null : text;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function flag(text: string | undefined): boolean | null {
  return text === '1' ? true : text === '0' ? false : null;
}
