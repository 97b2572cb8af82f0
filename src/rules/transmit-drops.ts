import { gradeShare } from '../facts/lost.ts';
import { dropsOwnedBy, unnamedDropsOwnedBy } from '../facts/drop-reasons.ts';
import {
  deviceInfo,
  linkInfo,
  skbDrops,
  transmitDrop,
  transmitPackets,
  tunHolder,
} from '../metrics/catalogue/index.ts';
import { sumBy, value, within } from '../metrics/expression.ts';
import { processOf } from '../facts/processes.ts';
import { worded } from './finding.ts';
import { lossLimits, raiseLoss } from './losing.ts';
import { inNetns, shellQuote } from './remedies/shell.ts';
import { critical, deciding, defineRule, info, ok, optional, optionalList, warning } from './rule.ts';

const says = 'The device drops {value} of what it is to send.';

export const transmitDrops = defineRule({
  code: 'PKT0504',
  id: 'transmit-drops',
  role: 'outcome',
  title: 'A device drops packets to be sent: its other end does not take them',
  scope: ['device'],
  signals: {
    dropped: within(transmitDrop),
    sent: within(transmitPackets),
    device: optional(value(deviceInfo)),
    link: optional(value(linkInfo)),
    // The same packets by reason; where neither tells what kind of device it is, the only way to tell a tun from the rest.
    drops: deciding(sumBy(['device'], within(skbDrops, dropsOwnedBy('PKT0504')))),
    // By name alone: of two namespaces with a device of one name it is not known whose is whose.
    holders: optionalList(value(tunHolder)),
    unnamed: deciding(sumBy(['device'], within(skbDrops, unnamedDropsOwnedBy('PKT0504')))),
  },
  thresholds: lossLimits(10, 0.001, 0.1, 'the packets to be sent'),
  messages: {
    tun:
      '{device} dropped {lost:count} packets that were to be sent, {share:percent} of all ({rate:rate}): {reader}, ' +
      'which reads the tun or tap device, does not take them.',
    veth:
      '{device} dropped {lost:count} packets that were to be sent, {share:percent} of all ({rate:rate}): its peer is down, in XDP ' +
      'mode with a full ring, or the packets do not fit.',
    lost: '{device} dropped {lost:count} packets that were to be sent, {share:percent} of all ({rate:rate}).',
  },
  alert: {
    differs: { reasons: "losses that only the kernel's reasons tell are not on a server" },
    raise: ({ dropped, sent }, limits) => raiseLoss(dropped, sent, limits, says),
  },
  conclude({ dropped, sent, device, link, drops, unnamed, holders }, limits, at) {
    const lost = Math.max(dropped.value, (drops?.value ?? 0) + (unnamed?.value ?? 0));
    if (lost === 0) return ok();
    const name = at.labels['device'] ?? '';
    const { share, grade } = gradeShare(lost, sent.value, limits);
    const kind = device?.labels['kind'] ?? link?.labels['kind'] ?? '';
    const tun = kind === 'tun' || kind === 'tap' || (drops?.value ?? 0) > 0;
    const readers = tun ? holders.filter(({ labels }) => labels['tun'] === name) : [];
    const [reader] = readers.length === 1 ? readers : [];
    const said = {
      certainty: 'measured',
      message: tun ? 'tun' : kind === 'veth' || /^veth/.test(name) ? 'veth' : 'lost',
      args: {
        device: name,
        lost,
        share,
        rate: lost / at.seconds,
        reader: reader === undefined ? worded(null, 'the program or the virtual machine') : processOf(reader.labels),
      },
      evidence: { dropped: ['>=', limits.lost], sent: null, drops: null, unnamed: null },
      remedies: [
        {
          action:
            'Look at both ends: whether the peer is up, who reads a tun device and whether that process gets CPU time.',
          command: inNetns(at.netns, `ip -s -d link show dev ${shellQuote(name)}; fuser -v /dev/net/tun`),
          verify: inNetns(at.netns, `ip -s link show dev ${shellQuote(name)}`),
        },
      ],
      place: reader === undefined ? {} : { pids: [reader.labels['pid'] ?? ''] },
      impact: { lostPerSecond: lost / at.seconds },
    } as const;
    if (grade === 'none') return info(said);
    return grade === 'critical' ? critical(said) : warning(said);
  },
});
