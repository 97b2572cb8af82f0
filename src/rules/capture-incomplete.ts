import { captureLost, isRing } from '../facts/capture-losses.ts';
import { ownerOf, holdersOfSockets } from '../facts/sockets.ts';
import { packetRingDrops, packetRingsSeen, packetSocket, packetSocketDrops } from '../metrics/catalogue/index.ts';
import { increase, value } from '../metrics/expression.ts';
import { inNetns } from './remedies/shell.ts';
import { deciding, defineRule, info, notMeasured, ok, optional, optionalList } from './rule.ts';

export const captureIncomplete = defineRule({
  code: 'PKT0709',
  id: 'capture-incomplete',
  role: 'context',
  title: 'A capture does not get all of its packets: it reads too slowly',
  scope: ['inode'],
  none: 'no packet socket',
  watched: { seldom: 'a loss of nobody but the capture' },
  signals: {
    socket: value(packetSocket),
    drops: deciding(increase(packetSocketDrops)),
    ring: optional(increase(packetRingDrops)),
    rings: optional(value(packetRingsSeen)),
    owners: optionalList(holdersOfSockets),
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
    unread === 'drops' && isRing(socket.labels) && (ring !== undefined || rings?.value === 1),
  conclude({ socket, drops, ring, rings, owners }, _limits, at) {
    const { inode = '', device = 'any' } = socket.labels;
    const hasRing = isRing(socket.labels);
    const lost = captureLost(socket.labels, { queue: drops?.value, ring: ring?.value, looked: rings?.value === 1 });
    if (lost === null && hasRing) {
      return notMeasured(
        'what a ring had no room for only its owner can ask for; the probe looks at it in the kernel (root, BTF, Linux 5.11, no more than 100,000 open files without fentry), and did not here',
      );
    }
    if (lost === null || lost === 0) return ok();
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
