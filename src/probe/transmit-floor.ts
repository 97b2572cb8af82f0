/**
 * What the spans of sent packets show without a tap: the clock, the tracepoints, the way from the device's queue to its driver.
 * Best first: a device with the same kind of queue and no tap, in the same window; packets over `lo` of a namespace of our own,
 * before the window; the development machine. All are medians: locks that are waited for make a mean of anything.
 */
import { closeSync } from 'node:fs';
import { netnsInode, privateNamespace } from '../ffi/namespaces.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Floor, TransmitFloor } from '../readings/answer.ts';
import { quantile, subtractSpans, summarise, type SpanHistogram } from '../readings/histogram.ts';
import type { TransmitReading, TransmitWay } from '../readings/reading.ts';
import { talkOnLoopback } from './floor.ts';
import type { ProbeSession } from './session.ts';
import type { TransmitSpans } from './transmit.ts';

const ENOUGH_SAMPLES = 200;

/**
 * On `lo` one packet follows the other from warm caches: 65 to 70 ns where datagrams at 30,000 a second on veth took 100 to 105, and
 * TCP 150. So the floor is taken to be in the middle, and may lie on either side by as much.
 */
const COLDER_THAN_LO = 1.5;
const LO_UNCERTAINTY = 0.5;

/** Medians on veth, 1 packet in 16 timed: without a queue, pfifo, pfifo_fast, tbf and htb differ by less than 15 ns. */
const SHIPPED: Readonly<Record<TransmitWay, number>> = { direct: 110, dequeued: 110, follows: 45 };

/** Hardly more than two readings of the clock: from one packet's departure to the taps of the next. */
const FOLLOWS_OF_DIRECT = SHIPPED.follows / SHIPPED.direct;

/** A device far above the calibrated floor has something in its span that is no floor. */
const MOST_OVER_CALIBRATED = 2.5;

type Tapped = (device: TransmitReading) => boolean;

/** The floor of each device and way that has samples. */
export function transmitFloors(
  window: readonly TransmitReading[],
  sampleEvery: number,
  tapped: Tapped,
  calibrated: Result<Floor>,
): TransmitFloor[] {
  const bare = window.filter((device) => !tapped(device));
  return window.flatMap(({ netns, ifindex, queue, ways }) =>
    ways
      .filter(({ count }) => count > 0)
      .map(({ way }) => {
        const otherwise = fallback(way, sampleEvery, calibrated);
        const alike = bare.filter((device) => device.queue === queue);
        return { netns, ifindex, way, floor: measured(alike, way, sampleEvery, otherwise) ?? otherwise };
      }),
  );
}

function measured(
  bare: readonly TransmitReading[],
  way: TransmitWay,
  sampleEvery: number,
  most: Floor,
): Floor | undefined {
  const limit = most.method === 'calibrated' ? MOST_OVER_CALIBRATED * most.p50Ns : Infinity;
  const [best] = bare
    .flatMap(({ device, ways }) => {
      const span = ways.find((each) => each.way === way);
      const enough = span !== undefined && span.count >= ENOUGH_SAMPLES && (quantile(span, 0.5) ?? 0) <= limit;
      return enough ? [{ device, span }] : [];
    })
    .sort((a, b) => b.span.count - a.span.count);
  if (best === undefined) return undefined;
  const shape = summarise(best.span);
  const uncertaintyNs = shape === undefined ? 0 : (shape.p90Ns - shape.p50Ns) / 2;
  return floorOf(`measured-on:${best.device}`, best.span, sampleEvery, uncertaintyNs);
}

function floorOf(method: Floor['method'], span: SpanHistogram, sampleEvery: number, uncertaintyNs: number): Floor {
  const p50Ns = quantile(span, 0.5) ?? 0;
  return { method, sampleEvery, samples: span.count, p50Ns, avgNs: p50Ns, uncertaintyNs };
}

function fallback(way: TransmitWay, sampleEvery: number, calibrated: Result<Floor>): Floor {
  const scale = way === 'follows' ? FOLLOWS_OF_DIRECT : 1;
  if (calibrated.ok) {
    const { p50Ns, uncertaintyNs } = calibrated.value;
    return { ...calibrated.value, p50Ns: p50Ns * scale, avgNs: p50Ns * scale, uncertaintyNs: uncertaintyNs * scale };
  }
  const p50Ns = SHIPPED[way];
  const { reason } = calibrated;
  return { method: 'shipped', sampleEvery, samples: 0, p50Ns, avgNs: p50Ns, uncertaintyNs: p50Ns / 2, reason };
}

/** Sends packets over `lo` of a namespace of our own; before the first reading, because they count among the host's. */
export async function calibrateTransmit(session: ProbeSession): Promise<Result<Floor>> {
  const { transmit, sampleEvery } = session;
  if (transmit === undefined) return fail('sent packets are not timed');
  const made = privateNamespace();
  if (!made.ok) return made;
  try {
    const path = `/proc/self/fd/${String(made.value)}`;
    const inode = netnsInode(path);
    if (!inode.ok) return inode;
    const netns = { id: String(inode.value), path };
    return await talkOnLoopback(netns, 16 * sampleEvery, (ifindex, send) =>
      Promise.resolve(calibrateOn(transmit, { ifindex, netns }, send, sampleEvery)),
    );
  } finally {
    closeSync(made.value);
  }
}

const CALIBRATION_SAMPLES = 100;
/** Each gives some 16 samples at once, so no time is waited for. */
const MOST_ROUNDS = 40;

function calibrateOn(
  transmit: TransmitSpans,
  lo: Parameters<TransmitSpans['watchForCalibration']>[0],
  send: () => void,
  sampleEvery: number,
): Result<Floor> {
  const watched = transmit.watchForCalibration(lo);
  if (!watched.ok) return watched;
  const span = (): Result<SpanHistogram> => {
    send();
    const ways = watched.value();
    const direct = ways.ok ? ways.value.find(({ way }) => way === 'direct') : undefined;
    return direct === undefined ? fail(ways.ok ? 'nothing was sent' : ways.reason) : ok(direct);
  };
  // The first samples fill the caches and are not counted.
  const warm = span();
  if (!warm.ok) return warm;
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds++) {
    const now = span();
    if (!now.ok) return now;
    const sampled = subtractSpans(now.value, warm.value);
    if (sampled.count < CALIBRATION_SAMPLES) continue;
    const lowest = quantile(sampled, 0.5) ?? 0;
    const p50Ns = lowest * COLDER_THAN_LO;
    return ok({ ...floorOf('calibrated', sampled, sampleEvery, lowest * LO_UNCERTAINTY), p50Ns, avgNs: p50Ns });
  }
  return fail('too few packets were sampled on lo');
}
