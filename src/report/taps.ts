import type { Owner, Tap, TapPrice } from '../generated/report.ts';
import { packetSocket, packetSocketDrops, socketOwner, tapNanoseconds } from '../metrics/catalogue/index.ts';
import { OWN_NETNS, type Series } from '../metrics/snapshot.ts';
import type { Window } from '../metrics/window.ts';
import { splitBill, tapsOn } from '../rules/facts/taps.ts';
import { spansByDevice } from './spans.ts';

const ETH_P_ALL = 0x0003;

/** Fewer measured packets than this are no price. */
const SAMPLES_TO_PRICE = 50;

/**
 * Every packet socket, those that each packet pays for first. A socket bound to one ethertype is reached through the
 * protocol lists after TC, and one with protocol 0 receives nothing (net/core/dev.c:ptype_head): both are listed, neither
 * is on the hot path.
 */
export function tapsOf(window: Window): Tap[] {
  const owners = ownersByInode(window);
  const prices = pricesByInode(window);
  const drops = new Map(
    window.increase(packetSocketDrops).cells.map(({ labels, increase }) => [labels['inode'] ?? '', increase]),
  );
  return window
    .value(packetSocket)
    .map((series) => tapOf(series, owners, prices, drops))
    .sort(
      (a, b) =>
        Number(b.onHotPath) - Number(a.onHotPath) ||
        (b.nsPerPacket ?? 0) - (a.nsPerPacket ?? 0) ||
        compare(a.netns, b.netns) ||
        compare(a.device, b.device) ||
        Number(a.inode) - Number(b.inode),
    );
}

function tapOf(
  { labels }: Series,
  owners: ReadonlyMap<string, readonly Owner[]>,
  prices: ReadonlyMap<string, readonly TapPrice[]>,
  drops: ReadonlyMap<string, number>,
): Tap {
  const inode = labels['inode'] ?? '';
  const protocol = labels['protocol'] ?? '';
  const hook = labels['hook'] ?? 'none';
  const ring = known(labels['ring']);
  const own = [...(prices.get(inode) ?? [])].sort((a, b) => b.nsPerPacket - a.nsPerPacket);
  return {
    netns: labels['netns'] ?? OWN_NETNS,
    device: labels['device'] ?? 'any',
    protocol,
    type: known(labels['type']),
    hook,
    inode,
    owners: [...(owners.get(inode) ?? [])],
    filter: known(labels['filter']),
    ring,
    fanout: known(labels['fanout']),
    uid: wholeNumber(labels['uid']),
    promiscuous: flag(labels['promiscuous']),
    // A ring counts in po->tp_drops, which only its owner can read, and reading clears it (af_packet.c).
    drops: ring === null || ring !== 'none' ? null : (drops.get(inode) ?? null),
    onHotPath: Number.parseInt(protocol, 16) === ETH_P_ALL && hook !== 'none' && hook !== '',
    nsPerPacket: own[0]?.nsPerPacket ?? null,
    priceCertainty: own[0]?.certainty ?? null,
    prices: own,
  };
}

function ownersByInode(window: Window): Map<string, Owner[]> {
  const owners = new Map<string, Owner[]>();
  for (const { labels } of window.value(socketOwner)) {
    const owner = { pid: Number(labels['pid']), comm: labels['comm'] ?? '' };
    const inode = labels['inode'] ?? '';
    owners.set(inode, [...(owners.get(inode) ?? []), owner]);
  }
  for (const each of owners.values()) each.sort((a, b) => a.pid - b.pid);
  return owners;
}

/**
 * Per socket where the kernel let the probe measure each, else each tap's part of the span of its device: the whole of it
 * is `measured` where there is one tap, `estimated` where it is shared out.
 */
function pricesByInode(window: Window): Map<string, TapPrice[]> {
  const prices = new Map<string, TapPrice[]>();
  const note = (inode: string, price: TapPrice): void => {
    prices.set(inode, [...(prices.get(inode) ?? []), price]);
  };
  for (const { labels, value } of window.value(tapNanoseconds)) {
    const price = { device: labels['device'] ?? '', nsPerPacket: value, certainty: labels['certainty'] ?? 'estimated' };
    note(labels['inode'] ?? '', price);
  }
  const measured = new Set(prices.keys());
  for (const [key, { taps: span }] of spansByDevice(window)) {
    if (span === null || span.avgNs === null || span.floorNs === null || span.count < SAMPLES_TO_PRICE) continue;
    const [netns = '', device = ''] = key.split('\u0000');
    for (const { tap, nanoseconds, measured: whole } of billOf(window, netns, device, span.avgNs - span.floorNs)) {
      for (const inode of tap.inodes.filter((each) => !measured.has(each))) {
        note(inode, { device, nsPerPacket: nanoseconds, certainty: whole ? 'measured' : 'estimated' });
      }
    }
  }
  return prices;
}

function billOf(window: Window, netns: string, device: string, nanoseconds: number): ReturnType<typeof splitBill> {
  const here = window
    .value(packetSocket)
    .filter(({ labels }) => (labels['netns'] ?? OWN_NETNS) === netns && labels['protocol'] === '0003');
  const taps = tapsOn({
    bound: here.filter(({ labels }) => labels['device'] === device),
    unbound: here.filter(({ labels }) => labels['device'] === 'any'),
    everywhere: [],
    owners: [],
  });
  return splitBill(taps, Math.max(0, nanoseconds), window.value(tapNanoseconds));
}

function known(text: string | undefined): string | null {
  return text === undefined || text === '' || text === 'unknown' ? null : text;
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null;
}

function flag(text: string | undefined): boolean | null {
  return text === '1' ? true : text === '0' ? false : null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
