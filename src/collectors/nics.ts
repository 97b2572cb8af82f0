import { driverCounters, receiveCardLost, receiveRingLost } from '../metrics/catalogue/index.ts';
import { defineCollector } from './collector.ts';
import { decodeRingLosses } from './rings-dump.ts';

/** What the drivers of network cards count of lost frames by names of their own: in no file, and some count it nowhere else. */
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
      else emit(receiveCardLost, { device, counter, kind }, lost);
    }
    for (const { device, driver } of answer?.cards ?? []) {
      const [own, kinds] = [answer?.rows.filter((row) => row.device === device) ?? [], ['ring', 'card'] as const];
      for (const kind of kinds)
        emit(
          driverCounters,
          { device, driver, kind },
          own.filter((row) => (row.kind === 'ring') === (kind === 'ring')).length,
        );
    }
    for (const { device, reason } of answer?.untold ?? [])
      for (const metric of [receiveRingLost, receiveCardLost]) host.lack(metric, { device }, reason);
  },
});
