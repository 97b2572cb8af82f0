/**
 * What the `taps` span shows when there is no tap: the way from the tracepoint to the TC program, and the reading of the clock.
 * It depends on the machine and, through the caches, on how rarely the sampling code runs, so it is measured at the session's
 * own rate and on the same kernel path.
 *
 * Three ways, best first:
 * - `measured-on:<device>`: a watched device with traffic and no ETH_P_ALL hook, in the same window.
 * - `calibrated`: packets over `lo` of a network namespace of our own, made for it and gone with it. Same tracepoint, same TC
 *   program, same clock, and no tap can be there. Nothing of the host's is changed.
 * - `shipped`: the table below, from the development machine.
 *
 * The caches are warmer on `lo` than under TCP bulk: bench/probe/README.md has p50 of both, and the difference is the stated
 * uncertainty.
 */
import { closeSync } from 'node:fs';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../base/clock.ts';
import { errnoReason, refusal } from '../base/errno.ts';
import { libc, type Libc } from '../ffi/libc.ts';
import { askInNamespace, privateNamespace } from '../ffi/namespaces.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { quantile, subtractSpans, summarise, type SpanHistogram } from '../readings/histogram.ts';
import { dumpLinks } from './rtnetlink.ts';
import type { DeviceFacts } from './facts.ts';
import type { PlanStep } from './plan.ts';
import type { DeviceReading, ProbeReading } from '../readings/reading.ts';
import type { Floor } from '../readings/answer.ts';
import type { ProbeSession } from './session.ts';

const ENOUGH_SAMPLES = 200;
/** A loaded machine lets few packets through in the time there is; the median of 50 is still within a few per cent. */
const FEWEST_CALIBRATION_SAMPLES = 50;

/** How much longer than asked a host is waited for that lets even those few not through: without a floor there is no price. */
const STARVED = 6;

/** Under TCP bulk the same span was up to 0.8 of itself longer than on lo: copying evicts the caches between two packets. */
const LO_UNCERTAINTY = 0.8;

/** p50 without a tap, veth, UDP of 64 bytes and TCP bulk, by sampling rate (bench/probe/floor.mjs). */
const SHIPPED: readonly (readonly [number, number, number])[] = [
  [1, 131, 211],
  [16, 131, 219],
  [64, 131, 251],
];

function trimmedMean(span: SpanHistogram): number {
  const limit = quantile(span, 0.99) ?? 0;
  let count = 0;
  let sum = 0;
  for (const [bucket, samples] of span.buckets) {
    const value = quantile({ count: 1, buckets: [[bucket, 1]], minNs: 0, maxNs: limit }, 0.5) ?? 0;
    if (value > limit) break;
    count += samples;
    sum += samples * value;
  }
  return count === 0 ? 0 : sum / count;
}

function floorOf(span: SpanHistogram, method: Floor['method'], sampleEvery: number, uncertaintyNs: number): Floor {
  return {
    method,
    sampleEvery,
    samples: span.count,
    p50Ns: quantile(span, 0.5) ?? 0,
    avgNs: trimmedMean(span),
    uncertaintyNs,
  };
}

/** Interpolated by the logarithm of N; half the value is its uncertainty, because machines differ by that much. */
export function shippedFloor(sampleEvery: number, reason: string): Floor {
  const n = Math.max(1, sampleEvery);
  const upper = SHIPPED.findIndex(([every]) => every >= n);
  const [from, to] = upper < 0 ? [SHIPPED.at(-1), SHIPPED.at(-1)] : [SHIPPED[Math.max(0, upper - 1)], SHIPPED[upper]];
  const [n0 = 1, udp0 = 0, tcp0 = 0] = from ?? [];
  const [n1 = 1, udp1 = 0, tcp1 = 0] = to ?? [];
  const share = n1 === n0 ? 0 : Math.log(n / n0) / Math.log(n1 / n0);
  const at = (a: number, b: number): number => a + (b - a) * share;
  const p50Ns = (at(udp0, udp1) + at(tcp0, tcp1)) / 2;
  return { method: 'shipped', sampleEvery, samples: 0, p50Ns, avgNs: p50Ns * 1.1, uncertaintyNs: p50Ns / 2, reason };
}

/**
 * TCP bulk makes the floor up to LO_UNCERTAINTY dearer than lo; a device far above that has something in its span that is no floor,
 * such as a tap that came and went between two looks, generic XDP, or another's program.
 */
const MOST_OVER_CALIBRATED = 2.5;

/**
 * The floor from the window itself. `tapped` says whether an ETH_P_ALL hook saw that device's packets; the caller knows the
 * packet sockets, this module does not.
 */
export function floorInWindow(
  delta: ProbeReading,
  tapped: (device: DeviceReading) => boolean,
  calibrated?: Floor,
): Floor | undefined {
  const most = calibrated?.method === 'calibrated' ? MOST_OVER_CALIBRATED * calibrated.p50Ns : Infinity;
  let best: { device: DeviceReading; span: SpanHistogram } | undefined;
  for (const device of delta.devices) {
    const span = device.spans.find((candidate) => candidate.span === 'taps');
    if (!span || span.count < ENOUGH_SAMPLES || tapped(device)) continue;
    if ((quantile(span, 0.5) ?? 0) > most) continue;
    if (!best || span.count > best.span.count) best = { device, span };
  }
  if (!best) return undefined;
  const shape = summarise(best.span);
  const spread = shape === undefined ? 0 : (shape.p90Ns - shape.p50Ns) / 2;
  return floorOf(best.span, `measured-on:${best.device.device}`, delta.sampleEvery, spread);
}

export interface CalibrationOptions {
  readonly samples?: number;
  readonly maxMs?: number;
}

/**
 * Attaches the session's kind of TC program to `lo` of a namespace of our own and sends it packets until enough were sampled.
 * The tracepoint is the session's own and sees them as it sees any packet, so this belongs before the first reading or after the
 * last: its packets would count among the host's.
 */
export async function calibrateFloor(session: ProbeSession, options: CalibrationOptions = {}): Promise<Result<Floor>> {
  const made = privateNamespace();
  if (!made.ok) return made;
  const netns = { id: 'private', path: `/proc/self/fd/${String(made.value)}` };
  try {
    return await talkOnLoopback(netns, 16 * session.sampleEvery, (ifindex, send) =>
      exchange(session, netns, ifindex, send, options),
    );
  } finally {
    closeSync(made.value);
  }
}

/** Brings `lo` of a namespace of our own up, and gives `work` its number and what sends so many packets over it. */
export async function talkOnLoopback<T>(
  { path }: DeviceFacts['netns'],
  packets: number,
  work: (ifindex: number, send: () => void) => Promise<Result<T>>,
): Promise<Result<T>> {
  const library = libc();
  if (!library.ok) return library;
  const ready = askInNamespace(path, () => prepareLoopback(library.value));
  if (!ready.ok) return ready;
  const { ifindex, socket } = ready.value;
  try {
    return await work(ifindex, () => {
      send(library.value, socket, packets);
    });
  } finally {
    library.value.close(socket);
  }
}

async function exchange(
  session: ProbeSession,
  netns: DeviceFacts['netns'],
  ifindex: number,
  send: () => void,
  { samples = 150, maxMs = 300 }: CalibrationOptions,
): Promise<Result<Floor>> {
  const facts: DeviceFacts = {
    name: 'lo',
    ifindex,
    netns,
    type: 772,
    up: true,
    operstate: 'unknown',
    mtu: 65536,
    upperHasXdp: false,
    clsact: false,
    filters: 0,
    gaps: [],
  };
  const watched = await session.watchForCalibration({ device: facts, steps: [tapsStep(session)] });
  if (!watched.ok) return watched;
  const device = watched.value;
  try {
    const begun = monotonicMs();
    // The first samples fill the caches and are not counted.
    send();
    const warm = device.readTaps();
    if (!warm.ok) return warm;
    for (let sampled = 0; ;) {
      send();
      const now = device.readTaps();
      if (!now.ok) return now;
      const span = subtractSpans(now.value, warm.value);
      const enough = span.count >= samples;
      const patience = span.count < FEWEST_CALIBRATION_SAMPLES ? STARVED * maxMs : maxMs;
      if (enough || monotonicMs() - begun > patience) {
        if (span.count < FEWEST_CALIBRATION_SAMPLES) return fail(`only ${String(span.count)} packets were sampled`);
        const p50 = quantile(span, 0.5) ?? 0;
        return ok(floorOf(span, 'calibrated', session.sampleEvery, p50 * LO_UNCERTAINTY));
      }
      // The spinner lives on the same thread. Where ksoftirqd has to take the packets in, it needs this CPU; else a saturated
      // host would give it back late.
      await (span.count > sampled ? setImmediate() : sleep(1));
      sampled = span.count;
    }
  } finally {
    await session.endCalibration(device);
  }
}

function tapsStep(session: ProbeSession): PlanStep {
  const hook = session.devices.some((device) => device.tc.some((attachment) => attachment.filter)) ? 'clsact' : 'tcx';
  return { span: 'taps', hook, mode: 'tracepoint', decision: 'attach', reason: 'calibration', price: 'none' };
}

/** Brings lo up and binds a UDP socket to it which talks to itself and is never read: what does not fit is dropped at the end. */
function prepareLoopback(c: Libc): Result<{ ifindex: number; socket: number }> {
  const socket = c.socket(2, 2 | 0o2000000, 0);
  if (socket < 0) return refusal(c.errno(), 'socket');
  const refuse = (what: string): Result<never> => {
    const reason = `${what}: ${errnoReason(c.errno())}`;
    c.close(socket);
    return fail(reason);
  };
  // struct ifreq: name, then ifr_flags = IFF_UP; SIOCSIFFLAGS.
  const request = Buffer.alloc(40);
  request.write('lo', 0);
  request.writeInt16LE(1, 16);
  if (c.ioctl(socket, 0x8914, request) < 0) return refuse('lo cannot be brought up');
  // sockaddr_in 127.0.0.1, port of the kernel's choice.
  const address = Buffer.alloc(16);
  address.writeUInt16LE(2, 0);
  address.writeUInt32BE(0x7f000001, 4);
  if (c.bind(socket, address, 16) < 0) return refuse('bind');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(16);
  if (c.getsockname(socket, address, length) < 0) return refuse('getsockname');
  if (c.connect(socket, address, 16) < 0) return refuse('connect');
  const links = dumpLinks();
  const lo = links.ok ? links.value.find((link) => link.type === 772) : undefined;
  if (!lo) {
    c.close(socket);
    return links.ok ? fail('the namespace has no lo') : links;
  }
  return ok({ ifindex: lo.ifindex, socket });
}

const MSG_DONTWAIT = 0x40;

function send(c: Libc, socket: number, packets: number): void {
  const payload = Buffer.alloc(18);
  for (let sent = 0; sent < packets; sent++) c.send(socket, payload, payload.length, MSG_DONTWAIT);
}
