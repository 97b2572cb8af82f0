import { skbDrops, transmitDrop } from '../metrics/catalogue/index.ts';
import { total } from '../metrics/condition.ts';
import { sumBy, within } from '../metrics/expression.ts';
import type { Signal } from './signal.ts';
import { risen } from './sockets.ts';

/** Reasons that a packet is dropped for behind the socket it is sent by, include/net/dropreason-core.h. */
export const BEHIND_THE_SENDER = [
  'QDISC_DROP',
  'QDISC_OVERLIMIT',
  'QDISC_CONGESTED',
  'CAKE_FLOOD',
  'FQ_BAND_LIMIT',
  'FQ_HORIZON_LIMIT',
  'FQ_FLOW_LIMIT',
  'TC_EGRESS',
  'NEIGH_FAILED',
  'NEIGH_QUEUEFULL',
  'NEIGH_DEAD',
];

/** A send that fails leaves the datagram with the program, unless the device or its queue took it and dropped it. */
export const droppedBehind = total(
  sumBy([], within(transmitDrop)),
  sumBy([], within(skbDrops, { reason: BEHIND_THE_SENDER })),
);

interface Behind {
  readonly message: 'unsent-device' | 'unsent-queue';
  /** Undefined where it is not known. */
  readonly device: string | undefined;
  readonly reason: string;
}

/** Where most of what was sent and dropped was dropped. */
export function placeBehind(refusing: readonly Signal[], queued: readonly Signal[]): Behind {
  const [device, queue] = [risen(refusing)[0], risen(queued)[0]];
  if (queue === undefined || (device?.value ?? 0) >= queue.value)
    return { message: 'unsent-device', device: nameOf(device), reason: '' };
  return { message: 'unsent-queue', device: nameOf(queue), reason: queue.labels['reason'] ?? '' };
}

function nameOf({ labels }: Pick<Signal, 'labels'> = { labels: {} }): string | undefined {
  return labels['device'] === '' ? undefined : labels['device'];
}
