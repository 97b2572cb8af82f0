import { otherWays } from './losing.ts';
import { worded } from './finding.ts';
import { unnamedDropsOwnedBy, dropsOwnedBy } from '../facts/drop-reasons.ts';
import { beyondFreed, XDP_DROPPED, XDP_FREED } from '../facts/card-losses.ts';
import { lostBy } from '../facts/lost.ts';
import { totalOf, type Signal } from '../facts/signal.ts';
import { deviceProgram, netstat, skbDrops, xdpDropped } from '../metrics/catalogue/index.ts';
import { rate, value, within } from '../metrics/expression.ts';
import { informsOnly } from './alert.ts';
import { inNetns } from './remedies/shell.ts';
import { decidingList, defineRule, info, ok, optionalList } from './rule.ts';

export const policyDrops = defineRule({
  code: 'PKT0704',
  id: 'policy-drops',
  role: 'context',
  title: 'Packets are dropped on purpose: by filters, or because nobody here wants them',
  scope: ['netns'],
  watched: { seldom: 'nothing that anybody wanted is lost' },
  signals: {
    // A sample takes its time: drops and packets are read a while apart, and only rates of both can be held against each other.
    received: rate(netstat.member('Ip_InReceives')),
    drops: decidingList(within(skbDrops, dropsOwnedBy('PKT0704'))),
    unnamed: optionalList(within(skbDrops, unnamedDropsOwnedBy('PKT0704'))),
    // No packet was made of what a program in a driver drops: only its driver counts it, by names of its own.
    xdp: decidingList(within(xdpDropped)),
    inDriver: optionalList(value(deviceProgram, { kind: 'xdp', mode: ['native', 'several'] })),
    dropRates: optionalList(rate(skbDrops, dropsOwnedBy('PKT0704'))),
    unnamedRates: optionalList(rate(skbDrops, unnamedDropsOwnedBy('PKT0704'))),
  },
  thresholds: {
    dropped: {
      value: 10,
      unit: 'packets',
      help: 'Packets dropped on purpose in the window from which they are mentioned; the table of losses shows fewer too.',
      source: 'judgement: stray frames and closed ports are met on any network',
    },
    perSecond: {
      value: 1,
      unit: 'per second',
      help: 'Packets dropped on purpose per second from which they are mentioned.',
      source: 'judgement: as dropped',
    },
  },
  messages: {
    policy:
      '{dropped:count} packets were dropped on purpose ({rate:rate}, while IPv4 received {received:rate}): {most:count} ' +
      'because {why}{where}{others}.',
  },
  alert: informsOnly,
  stands: (unread, { inDriver }, _limits, at) =>
    unread === 'xdp' && inDriver.length === 0 && !at.unread.has('inDriver'),
  conclude({ received, drops, unnamed, xdp, dropRates, unnamedRates }, limits, at) {
    const inDrivers = largestByDevice(xdp).map((each) => ({
      ...each,
      value: beyondFreed(each.value, freedOn(each, unnamed)),
    }));
    const { lost, ways } = lostBy(
      inDrivers.map((each) => ({
        means: XDP_DROPPED,
        counters: [each],
        dropReasons: [],
        device: each.labels['device'] ?? '',
        type: 'bpftool net; ethtool -S DEVICE',
      })),
      [...drops, ...unnamed],
    );
    const [first, ...others] = ways;
    const perSecond =
      [...dropRates, ...unnamedRates].reduce((sum, each) => sum + each.value, 0) + totalOf(inDrivers) / at.seconds;
    if (first === undefined || lost < limits.dropped || perSecond < limits.perSecond) return ok();
    return info({
      certainty: 'measured',
      message: 'policy',
      args: {
        dropped: lost,
        rate: perSecond,
        received: received.value,
        most: first.lost,
        why: first.means,
        where: first.device === '' ? '' : worded(first.device, `, on ${first.device}`),
        others: otherWays(others.slice(0, 4)),
      },
      evidence: { drops: ['>=', limits.dropped], unnamed: null, xdp: null, received: null },
      remedies: [
        {
          action: 'If that is intended, do nothing. Otherwise see what drops them.',
          ...(first.type === undefined
            ? {}
            : { command: inNetns(at.netns, first.type.replaceAll('DEVICE', first.device || 'DEVICE')) }),
        },
      ],
      place: first.device === '' ? {} : { device: first.device },
    });
  },
});

/** Of several counters of one device the largest: drivers count for each queue and for all together. */
function largestByDevice(points: readonly Signal[]): readonly Signal[] {
  const largest = new Map<string, Signal>();
  for (const point of points) {
    const device = point.labels['device'] ?? '';
    if (point.value > (largest.get(device)?.value ?? 0)) largest.set(device, point);
  }
  return [...largest.values()];
}

/** What the kernel's drops have of the same device. */
function freedOn({ labels }: Signal, unnamed: readonly Signal[]): number {
  return totalOf(
    unnamed.filter((each) => each.labels['location'] === XDP_FREED && each.labels['device'] === labels['device']),
  );
}
