import { holdersOfSockets } from '../facts/sockets.ts';
import { processText } from '../base/process-text.ts';
import { filterKind } from '../metrics/packet-socket-labels.ts';
import { ETH_P_ALL } from '../metrics/packet-socket-labels.ts';
import { daemonOf } from '../facts/daemons.ts';
import { describeTap, takesEverything, tapsOn } from '../facts/taps.ts';
import { packetSocket, receivePackets, transmitPackets } from '../metrics/catalogue/index.ts';
import { rate, sumBy, value } from '../metrics/expression.ts';
import { listed } from './finding.ts';
import { narrowTaps } from './remedies/taps.ts';
import { defineRule, info, notMeasured, ok, optional, optionalList, warning } from './rule.ts';
import { shared } from './shared-limits.ts';

export const tapBroaderThanNeeded = defineRule({
  code: 'PKT0105',
  id: 'tap-broader-than-needed',
  role: 'cause',
  title: 'A daemon takes every packet although one protocol would do',
  scope: ['inode', 'device'],
  none: 'no packet socket asks for every protocol (ETH_P_ALL)',
  watched: { seldom: 'what a daemon captures is how it was set up' },
  signals: {
    socket: value(packetSocket, { protocol: ETH_P_ALL }),
    owners: optionalList(holdersOfSockets),
    received: optional(rate(receivePackets)),
    sent: optional(rate(transmitPackets)),
    // What an unbound socket sees: every device of its namespace.
    allReceived: optional(sumBy([], rate(receivePackets))),
    allSent: optional(sumBy([], rate(transmitPackets))),
  },
  thresholds: {
    busy: {
      value: shared.idleDevice,
      unit: 'per second',
      help: 'Packets per second passing the socket from which it is a warning instead of a remark.',
      source: 'the limit of PKT0101 below which a tap costs nothing worth naming',
    },
  },
  messages: {
    busy:
      '{holder} takes all {packets:packets} on {device} without a filter, though it needs only ethertype ' +
      '{ethertypes}.',
    quiet: '{holder} takes every packet of {device} without a filter, though it needs only ethertype {ethertypes}.',
  },
  alert: { none: 'who holds a socket, and what that program needs of the traffic, decides' },
  conclude({ socket, owners, received, sent, allReceived, allSent }, limits, { netns }) {
    const [tap] = tapsOn({ bound: [socket], unbound: [], everywhere: [], owners });
    if (tap === undefined) return ok();
    const [known] = tap.owners.flatMap((owner) => {
      const daemon = daemonOf(owner.comm);
      return daemon?.kind === 'protocol' ? [{ owner, ethertypes: daemon.ethertypes ?? [] }] : [];
    });
    const unseen = ['hidden', 'unknown'].includes(filterKind(tap.filter));
    if (tap.owners.length === 0 && (takesEverything(tap) || unseen)) {
      return notMeasured(
        'who holds a socket for every packet could not be seen: that takes root, and the PID namespace of the host',
      );
    }
    if (known !== undefined && unseen) {
      return notMeasured('whether a daemon has a filter could not be seen: that takes CAP_NET_ADMIN');
    }
    // A filter turns the others away for the price of running it, which PKT0101 puts a figure on.
    if (known === undefined || !takesEverything(tap)) return ok();
    const any = tap.device === 'any';
    const packets = ((any ? allReceived : received)?.value ?? 0) + ((any ? allSent : sent)?.value ?? 0);
    const said = {
      certainty: 'possible',
      args: {
        holder: processText(known.owner),
        daemon: known.owner.comm,
        pid: known.owner.pid,
        device: any ? 'every device' : tap.device,
        packets,
        ethertypes: listed(known.ethertypes.map((type) => `0x${type}`)),
        socket: describeTap(tap),
      },
      evidence: any ? { socket: null, allReceived: null, allSent: null } : { socket: null, received: null, sent: null },
      remedies: narrowTaps([tap], { netns, device: tap.device }),
    } as const;
    return packets >= limits.busy ? warning({ ...said, message: 'busy' }) : info({ ...said, message: 'quiet' });
  },
});
