import { filterKind, isFanoutGroup } from '../metrics/packet-socket-labels.ts';
import { processText } from '../base/process-text.ts';
import type { Signal } from './signal.ts';
import { byPid } from './sockets.ts';

/** One receive hook for ETH_P_ALL: a socket, or a fanout group however many sockets it has. */
export interface TapHook {
  readonly inodes: readonly string[];
  readonly device: string;
  readonly handler: string;
  readonly filter: string;
  readonly ring: string;
  readonly fanout: string;
  /** Unbound, in another namespace, on a kernel whose list of unbound taps is global: it rejects the packet early. */
  readonly elsewhere: boolean;
  readonly owners: readonly TapOwner[];
}

export interface TapOwner {
  readonly pid: string;
  readonly comm: string;
}

interface TapSockets {
  /** Sockets bound to the device. */
  readonly bound: readonly Signal[];
  /** Unbound sockets of the device's namespace. */
  readonly unbound: readonly Signal[];
  /** Unbound sockets of all namespaces, where each of them sees each packet of the host. */
  readonly everywhere: readonly Signal[];
  readonly owners: readonly Signal[];
}

/**
 * The taps that the packets of a device pass. A socket that is not running, or bound to one protocol, is none: it has no
 * hook, or one behind the taps (af_packet.c:register_prot_hook, net/core/dev.c:ptype_head). The sockets of a fanout group
 * share the group's hook, and each packet is delivered to one of them (af_packet.c:fanout_add).
 */
export function tapsOn({ bound, unbound, everywhere, owners }: TapSockets): readonly TapHook[] {
  const running = (points: readonly Signal[]): Signal[] => points.filter(({ labels }) => labels['hook'] !== 'none');
  const here = [...running(bound), ...running(unbound)];
  const known = new Set(here.map(({ labels }) => labels['inode']));
  const foreign = running(everywhere).filter(({ labels }) => !known.has(labels['inode']));
  if (here.length === 0 && foreign.length === 0) return [];
  const owned = holdersByInode(owners, new Set([...here, ...foreign].map(({ labels }) => labels['inode'] ?? '')));
  const groups = new Map<string, { first: Signal; inodes: string[]; elsewhere: boolean }>();
  for (const [signals, elsewhere] of [[here, false] as const, [foreign, true] as const]) {
    for (const signal of signals) {
      const { fanout = 'none', inode = '', device = 'any' } = signal.labels;
      // A group has one protocol and one device, so its number alone would do within a namespace.
      const key = isFanoutGroup(fanout) ? `${elsewhere ? 'elsewhere' : 'here'} ${device} ${fanout}` : inode;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { first: signal, inodes: [inode], elsewhere });
      else group.inodes.push(inode);
    }
  }
  return [...groups.values()].map(({ first: { labels }, inodes, elsewhere }) => ({
    inodes,
    device: labels['device'] ?? 'any',
    handler: labels['hook'] ?? 'unknown',
    filter: labels['filter'] ?? 'unknown',
    ring: labels['ring'] ?? 'unknown',
    fanout: labels['fanout'] ?? 'none',
    elsewhere,
    owners: ownersOnce(inodes.flatMap((inode) => owned.get(inode) ?? [])),
  }));
}

/** Lines `ALL` of /proc/net/ptype that no AF_PACKET socket explains: how many, by the function they call. */
export function hooksWithoutSocket(hooks: readonly Signal[], taps: readonly TapHook[]): Map<string, number> {
  const byFunction = new Map<string, number>();
  for (const { labels, value } of hooks) {
    const name = labels['function'] ?? 'unknown';
    byFunction.set(name, (byFunction.get(name) ?? 0) + value);
  }
  const explained = taps.filter(({ elsewhere }) => !elsewhere).length;
  const ofSockets = [...byFunction].filter(([name]) => isPacketSocket(name));
  const listed = ofSockets.reduce((sum, [, count]) => sum + count, 0);
  const rest = new Map([...byFunction].filter(([name]) => !isPacketSocket(name)));
  // No socket was seen, yet its hook is listed: /proc/net/packet could not be read, or the socket came in between.
  if (listed > explained) rest.set('AF_PACKET', listed - explained);
  return rest;
}

/** af_packet.c: the functions that an AF_PACKET hook can call. */
function isPacketSocket(name: string): boolean {
  return /^t?packet_rcv(_fanout|_spkt)?$/.test(name);
}

/** Whether the tap takes every packet: no filter, or one that accepts all. A filter that looks at packets may reject most. */
export function takesEverything({ filter, elsewhere }: TapHook): boolean {
  return !elsewhere && ['all', 'none'].includes(filterKind(filter));
}

/** `tcpdump (pid 42) and 2 more`; what is known of a socket nobody was found for. */
export function ownersText(taps: readonly TapHook[]): string {
  const named = ownersOnce(taps.flatMap(({ owners }) => owners));
  const orphans = taps.filter(({ owners }) => owners.length === 0).flatMap(({ inodes }) => inodes);
  const shown = named.slice(0, 4).map(processText);
  if (named.length > 4) shown.push(`${named.length - 4} more`);
  if (orphans.length > 0) shown.push(`no process found for socket ${orphans.slice(0, 3).join(', ')}`);
  return shown.length === 0 ? 'nobody found' : shown.join(', ');
}

/** The same as data. */
export function ownersData(taps: readonly TapHook[]): { pid: number; comm: string }[] {
  return ownersOnce(taps.flatMap(({ owners }) => owners)).map(({ pid, comm }) => ({ pid: Number(pid), comm }));
}

export const elsewhereText = 'from another namespace';

export function describeTap({ device, handler, filter, ring, fanout, inodes, elsewhere }: TapHook): string {
  const group = inodes.length > 1 ? [`fanout ${fanout}, ${inodes.length} sockets`] : [];
  const where = device === 'any' ? `every device${elsewhere ? ` (${elsewhereText})` : ''}` : device;
  return [where, handler, `filter ${filter}`, `ring ${ring}`, ...group].join(', ');
}

function holdersByInode(owners: readonly Signal[], inodes: ReadonlySet<string>): Map<string, TapOwner[]> {
  const byInode = new Map<string, TapOwner[]>();
  for (const { labels } of owners) {
    const { inode = '', pid = '', comm = '' } = labels;
    if (!inodes.has(inode)) continue;
    const holders = byInode.get(inode);
    if (holders === undefined) byInode.set(inode, [{ pid, comm }]);
    else holders.push({ pid, comm });
  }
  return byInode;
}

function ownersOnce(owners: readonly TapOwner[]): TapOwner[] {
  return [...new Map(owners.map((owner) => [owner.pid, owner])).values()].sort((a, b) => byPid(a.pid, b.pid));
}
