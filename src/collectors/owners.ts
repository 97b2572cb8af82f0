import {
  acceptQueue,
  listenerDrops,
  packetSocket,
  rawSocketDrops,
  socketOwner,
  socketOwnerCpu,
  tcpSocketDrops,
  tcpSocketReceiveQueue,
  tcpSocketSendQueue,
  udpSocketDrops,
  udpSocketReceiveQueue,
} from '../metrics/catalogue/index.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import { defineCollector, type Collector, type CollectorFacts } from './collector.ts';
import { decodeSocketOwners } from './dumps.ts';
import { parseThreadStat } from './processes.ts';

/** What there is to know of it before there is a snapshot. */
export const owners: CollectorFacts = {
  id: 'owners',
  scope: 'host',
  reads: ['socket_owners', '/proc/*/stat'],
  fewPerNamespace: true,
};

/** Of those with nothing waiting: what their process does can only be told of a window that it was known for the whole of. */
const MOST_LISTENERS = 200;

/**
 * The collector for who holds the sockets that a snapshot makes one ask about; it runs after all others. Finding owners
 * means a look at every descriptor of the host, so of listeners with nothing waiting and nothing dropped some only are asked for.
 */
export function ownersOf(snapshot: Snapshot): Collector {
  const inodes = wantedInodes(snapshot);
  return defineCollector({
    ...owners,
    turn: Infinity,
    collect(host, emit) {
      if (inodes.length === 0) return;
      const answer = host.dump('socket_owners', decodeSocketOwners, inodes);
      if (answer === undefined) return;
      const owned = new Set<number>();
      for (const { inode, pid, comm } of answer.owners) {
        owned.add(inode);
        emit(socketOwner, { inode: `${inode}`, pid: `${pid}`, comm }, 1);
        // Of several threads the first one's CPU says nothing about the one that reads the socket.
        const stat = host.parseIfPresent(`/proc/${pid}/stat`, parseThreadStat);
        if (stat?.threads === 1) emit(socketOwnerCpu, { inode: `${inode}`, pid: `${pid}`, cpu: `${stat.lastCpu}` }, 1);
      }
      const orphans = inodes.filter((inode) => !owned.has(inode)).length;
      // Without a refusal an unowned socket is the kernel's own (NFS, WireGuard, a tunnel) and nothing is missing.
      if (orphans > 0 && answer.unreadable > 0) {
        host.gap(
          '/proc/*/fd',
          `owner of ${orphans} sockets not found: ${answer.unreadable} processes may not be looked into`,
        );
      }
    },
  });
}

function wantedInodes(snapshot: Snapshot): readonly number[] {
  const wanted = [
    ...snapshot.series(packetSocket),
    ...snapshot.series(udpSocketDrops),
    ...snapshot.series(rawSocketDrops),
    ...snapshot.series(udpSocketReceiveQueue),
    ...snapshot.series(tcpSocketReceiveQueue),
    ...snapshot.series(tcpSocketSendQueue),
    ...snapshot.series(tcpSocketDrops),
    ...snapshot.series(acceptQueue).slice(0, MOST_LISTENERS),
    ...snapshot.series(acceptQueue).filter(({ value }) => value > 0),
    ...snapshot.series(listenerDrops).filter(({ value }) => value > 0),
  ];
  const inodes = wanted.map(({ labels }) => Number(labels['inode'])).filter((inode) => inode > 0);
  return [...new Set(inodes)].sort((a, b) => a - b);
}
