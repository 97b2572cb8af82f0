import {
  deviceInfo,
  driverCounters,
  receiveCardLost,
  receiveMissed,
  receivePackets,
  receiveRingLost,
  xdpDropped,
} from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { decodeRingLosses } from './rings-dump.ts';

const UNTOLD = 'neither rtnetlink nor its driver told';

/** Unknown where only ethtool said that it is there. */
const numberOf = (ifindex: number): string => (ifindex === 0 ? '' : `${ifindex}`);

/**
 * What the drivers of network cards count of lost frames by names of their own: in no file, and some count it nowhere else. Of a card
 * that was moved into another namespace it tells besides what `device` reads in /sys of our own.
 */
export const nics = defineCollector({
  id: 'nics',
  turn: 72,
  scope: 'netns',
  reads: ['ring_losses'],
  perDevice: true,
  manyNamespaces: { most: 256, unread: 'ring_losses' },
  collect(host, emit) {
    const answer = host.dump('ring_losses', decodeRingLosses);
    for (const { device, kind, counter, lost } of answer?.rows ?? []) {
      if (kind === 'ring') emit(receiveRingLost, { device, counter }, lost);
      else if (kind === 'xdp') emit(xdpDropped, { device, counter }, lost);
      else emit(receiveCardLost, { device, counter, kind }, lost);
    }
    for (const { device, ifindex, driver, counted, missed, packets } of answer?.cards ?? []) {
      // Of our own namespace's /sys tells both.
      if (!host.own)
        emit(deviceInfo, { device, ifindex: numberOf(ifindex), driver, kind: 'physical', pci: '', master: '' }, 1);
      if (!host.own && missed !== null) emit(receiveMissed, { device }, missed);
      if (!host.own && missed === null) host.lack(receiveMissed, { device }, UNTOLD);
      if (!host.own && packets !== null) emit(receivePackets, { device }, packets);
      if (!counted) continue;
      const [own, kinds] = [answer?.rows.filter((row) => row.device === device) ?? [], ['ring', 'card'] as const];
      for (const kind of kinds)
        emit(
          driverCounters,
          { device, driver, kind },
          own.filter((row) => row.kind !== 'xdp' && (row.kind === 'ring') === (kind === 'ring')).length,
        );
    }
    for (const { device, reason } of answer?.untold ?? [])
      for (const metric of [receiveRingLost, receiveCardLost]) host.lack(metric, { device }, reason);
  },
});
