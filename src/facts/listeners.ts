import type { Signal } from './signal.ts';
import { endpoint, ofSocket, ownerOf, risen, type SocketHolder } from './sockets.ts';

interface ListenReadings {
  /** Rise of each listener's own drop counter. */
  readonly listenerDrops: readonly Signal[];
  readonly queues: readonly Signal[];
  readonly limitsOf: readonly Signal[];
  readonly owners: readonly Signal[];
}

export interface Listener {
  readonly name: string;
  readonly port: string;
  readonly owner: SocketHolder;
  readonly limit: number | undefined;
  readonly waiting: number | undefined;
  /** Its own drops; 0 when it was found by its full queue only. */
  readonly drops: number;
  /** Other listeners that dropped as well. */
  readonly others: number;
}

/**
 * The listener behind dropped connection attempts. Its own counter (sk_drops) rises for any reason, so of several the one
 * whose accept queue is full is taken first; one with a full queue and no drops of its own only when nothing better is
 * there. A queue is full when it exceeds its limit (sock.h:sk_acceptq_is_full), that is at limit + 1; one at its limit
 * when sampled is taken as well, since the process may have taken one out.
 */
export function culprit({ listenerDrops, queues, limitsOf, owners }: ListenReadings): Listener | undefined {
  const isKnown = (inode: string | undefined): boolean =>
    ofSocket(limitsOf, inode) !== undefined && ofSocket(queues, inode) !== undefined;
  const isFull = ({ labels }: Signal): boolean => {
    const limit = ofSocket(limitsOf, labels['inode']);
    const waiting = ofSocket(queues, labels['inode']);
    return limit !== undefined && waiting !== undefined && waiting >= Math.max(1, limit);
  };
  const dropped = risen(listenerDrops);
  // Of several that dropped nobody can say which was full while the queue of one is not known.
  const known = dropped.every(({ labels }) => isKnown(labels['inode']));
  const found =
    dropped.find(isFull) ??
    (known || dropped.length === 1 ? dropped[0] : undefined) ??
    (dropped.length > 0 ? undefined : queues.find(isFull));
  if (found === undefined) return undefined;
  const { labels } = found;
  return {
    name: endpoint(labels),
    port: labels['port'] ?? '',
    owner: ownerOf(labels['inode'], owners),
    limit: ofSocket(limitsOf, labels['inode']),
    waiting: ofSocket(queues, labels['inode']),
    drops: dropped.includes(found) ? found.value : 0,
    others: Math.max(0, dropped.length - 1),
  };
}
