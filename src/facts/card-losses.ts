import { receiveCardLost, receiveMissed, receiveRingLost } from '../metrics/catalogue/index.ts';
import type { Metric } from '../metrics/metric.ts';
import { OWN_NETNS } from '../metrics/snapshot.ts';
import type { Increase, Window } from '../metrics/window.ts';

/** What cards lost of which the kernel never made a packet. */
interface CardLossRow {
  /** The counter. */
  readonly reason: string;
  readonly means: string;
  readonly place: string;
  readonly device: string;
  readonly netns: string;
  readonly packets: number;
}

/** By their rings, and by what their drivers count of frames that did not come so far. */
export function cardLosses(window: Window): readonly CardLossRow[] {
  const ring = ringLosses(window).map(({ reason, metric, labels, increase }) => ({
    reason,
    means: 'the ring of the card was full',
    place: metric.source,
    device: labels['device'] ?? '',
    netns: netnsOf(labels),
    packets: increase,
  }));
  const card = largestOf(window, receiveCardLost, ['device', 'kind']).map(({ labels, increase }) => ({
    reason: labels['counter'] ?? '',
    means: beforeTheRing[labels['kind'] ?? ''] ?? 'lost before the ring of the card',
    place: receiveCardLost.source,
    device: labels['device'] ?? '',
    netns: netnsOf(labels),
    packets: increase,
  }));
  return [...ring, ...card];
}

const beforeTheRing: Readonly<Record<string, string>> = {
  port: 'the card itself had no room, or its bus',
  memory: 'the driver got no memory for a buffer',
  bad: 'spoilt on the way to the card',
  policed: 'more than the host of this guest allows',
};

/** Of each card the counter that rose most: the statistics of the device and several names of its driver may be one loss. */
function ringLosses(window: Window): (Increase & { readonly metric: Metric; readonly reason: string })[] {
  const missed = window.increase(receiveMissed).cells.map((cell) => ({
    ...cell,
    metric: receiveMissed,
    reason: 'rx_missed_errors',
  }));
  const own = largestOf(window, receiveRingLost, ['device']).map((cell) => ({
    ...cell,
    metric: receiveRingLost,
    reason: cell.labels['counter'] ?? '',
  }));
  const deviceOf = ({ labels }: Increase): string => `${netnsOf(labels)} ${labels['device'] ?? ''}`;
  const most = new Map(
    missed.map((cell): [string, (typeof own)[number] | (typeof missed)[number]] => [deviceOf(cell), cell]),
  );
  for (const cell of own) if (cell.increase > (most.get(deviceOf(cell))?.increase ?? 0)) most.set(deviceOf(cell), cell);
  return [...most.values()];
}

/** Of the series that are alike in these labels the one that rose most. */
function largestOf(window: Window, metric: Metric, alike: readonly string[]): readonly Increase[] {
  const most = new Map<string, Increase>();
  for (const cell of window.increase(metric).cells) {
    const key = [netnsOf(cell.labels), ...alike.map((name) => cell.labels[name] ?? '')].join(' ');
    if (cell.increase > (most.get(key)?.increase ?? -1)) most.set(key, cell);
  }
  return [...most.values()];
}

function netnsOf({ netns = OWN_NETNS }: Increase['labels']): string {
  return netns;
}
