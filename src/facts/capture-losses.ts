/** What a packet socket had no room for: one count for PKT0709, the list of packet sockets and the table of losses. */
import { packetRingDrops, packetRingsSeen, packetSocketDrops } from '../metrics/catalogue/index.ts';
import type { Labels } from '../metrics/metric.ts';
import type { Window } from '../metrics/window.ts';

/** Without PACKET_DIAG the function that takes its packets tells. */
export function isRing({ ring = 'unknown', hook }: Labels): boolean {
  return ring === 'unknown' || ring === '' ? hook === 'tpacket_rcv' : ring !== 'none';
}

interface Counts {
  /** sk_drops; always 0 where it has a ring. */
  readonly queue: number | undefined;
  /**
   * po->tp_drops, which only its owner can read, and reading clears it (af_packet.c): the probe looks at it. Not there as well
   * where no packet came.
   */
  readonly ring: number | undefined;
  /** Whether the probe looked at rings. */
  readonly looked: boolean;
}

/** Packets in the window; null where what counts them was not read. */
export function captureLost(socket: Labels, { queue, ring, looked }: Counts): number | null {
  const counted = (queue ?? 0) + (ring ?? 0);
  if (counted > 0) return counted;
  const known = isRing(socket) ? ring !== undefined || looked : queue !== undefined;
  return known ? 0 : null;
}

interface CaptureLoss {
  readonly lost: number | null;
  /** Between the two readings of what counts it; null where nothing does. */
  readonly seconds: number | null;
}

/** The same of any packet socket of the window. */
export function captureLosses(window: Window): (socket: Labels) => CaptureLoss {
  const [queues, rings] = [packetSocketDrops, packetRingDrops].map(
    (metric) => new Map(window.increase(metric).cells.map((cell) => [cell.labels['inode'], cell])),
  );
  const looked = window.value(packetRingsSeen)[0]?.value === 1;
  return (socket) => {
    const [queue, ring] = [queues!.get(socket['inode']), rings!.get(socket['inode'])];
    return {
      lost: captureLost(socket, { queue: queue?.increase, ring: ring?.increase, looked }),
      // As PKT0709, which asks the socket's own counter first.
      seconds: (queue ?? ring)?.seconds ?? null,
    };
  };
}
