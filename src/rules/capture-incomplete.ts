import type { Signal } from '../facts/signal.ts';
import { ownerOf } from '../facts/sockets.ts';
import {
  packetRingDrops,
  packetRingsSeen,
  packetSocket,
  packetSocketDrops,
  socketOwner,
} from '../metrics/catalogue/index.ts';
import { increase, peak, value } from '../metrics/expression.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, defineRule, info, notMeasured, ok, optional, optionalList } from './rule.ts';

/** Without PACKET_DIAG the function that takes its packets tells. */
function isRing({ labels: { ring = 'unknown', hook } }: Signal): boolean {
  return ring === 'unknown' ? hook === 'tpacket_rcv' : ring !== 'none';
}

export const captureIncomplete = defineRule({
  code: 'PKT0709',
  id: 'capture-incomplete',
  role: 'context',
  title: 'A capture does not get all of its packets: it reads too slowly',
  scope: ['inode'],
  none: 'no packet socket',
  signals: {
    socket: value(packetSocket),
    drops: deciding(increase(packetSocketDrops)),
    ring: optional(increase(packetRingDrops)),
    rings: optional(value(packetRingsSeen)),
    owners: optionalList(peak(socketOwner)),
  },
  thresholds: {},
  messages: {
    ring:
      '{process} lost {lost:count} of the packets that it captures on {device} ({rate:rate}): its ring is full, for it does not read ' +
      'them in time. The capture is incomplete; the packets themselves went on.',
    queue:
      '{process} lost {lost:count} of the packets that it captures on {device} ({rate:rate}): the buffer of its socket is full, for it does ' +
      'not read them in time. The capture is incomplete; the packets themselves went on.',
  },
  alert: { none: 'whose socket it is decides what it means, and nothing of the host is lost' },
  // sk_drops of a ring is always 0.
  stands: (unread, { socket, ring, rings }) =>
    unread === 'drops' && isRing(socket) && (ring !== undefined || rings?.value === 1),
  conclude({ socket, drops, ring, rings, owners }, _limits, at) {
    const { inode = '', device = 'any' } = socket.labels;
    const hasRing = isRing(socket);
    const lost = (drops?.value ?? 0) + (ring?.value ?? 0);
    if (lost === 0) {
      if (!hasRing || ring !== undefined || rings?.value === 1) return ok();
      return notMeasured(
        'what a ring had no room for only its owner can ask for; the probe looks at it in the kernel (root, BTF, Linux 5.11), and did not here',
      );
    }
    const perSecond = lost / at.seconds;
    return info({
      certainty: 'measured' as const,
      message: hasRing ? ('ring' as const) : ('queue' as const),
      args: {
        process: ownerOf(inode, owners).name,
        device: device === 'any' ? 'every device' : device,
        lost,
        rate: perSecond,
      },
      evidence: { drops: null, ring: null, socket: null },
      remedies: [
        {
          action:
            'Let it take less: a narrower filter, fewer bytes of each packet (tcpdump -s), or a larger buffer (tcpdump -B); or end it if nobody reads it.',
          command: inNetns(at.netns, 'ss -0 -p -e'),
        },
      ],
    });
  },
});
