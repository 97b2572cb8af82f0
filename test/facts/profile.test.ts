import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { directionOf, profileByCpu, profileByDevice, profileOf, type SampledProfile } from '../../src/facts/profile.ts';
import {
  netRxNanoseconds,
  netRxPackets,
  profileCpus,
  profileDeviceSamples,
  profilePeriod,
  profileSamples,
  profileSeconds,
  softnetProcessed,
  spanCpuPackets,
  spanUnmarked,
  transmitPackets,
} from '../../src/metrics/catalogue/index.ts';
import { windowOf, type Cell } from '../support/window.ts';

const clock: Cell[] = [
  [profilePeriod, { clock: 'cpu-clock' }, 0.001, 0.001],
  [profileSeconds, {}, 0, 10],
  [profileCpus, { state: 'sampled' }, 2, 2],
  [profileCpus, { state: 'online' }, 2, 2],
];
const part = (direction: string, name: string, samples: number, cpu = '0'): Cell => [
  profileSamples,
  { direction, cpu, part: name },
  null,
  samples,
];
const received: Cell = [softnetProcessed, { cpu: '0' }, 0, 1_000_000];
const near = (actual: number | null | undefined, expected: number, within: number): void => {
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) <= within, `${actual} is not ${expected}`);
};

describe('the profile of a window', () => {
  const window = windowOf({
    cells: [
      ...clock,
      received,
      part('receive', 'nftables', 600),
      part('receive', 'udp', 400),
      part('socket', 'copy', 20),
    ],
  });
  const receive = directionOf(window, 'receive')!;

  it('gives each part its share, its error and its nanoseconds', () => {
    assert.equal(receive.samples, 1000);
    assert.deepEqual(
      receive.parts.map(({ part: name, samples }) => [name, samples]),
      [
        ['nftables', 600],
        ['udp', 400],
      ],
    );
    near(receive.parts[0]!.share, 0.6, 1e-9);
    near(receive.parts[0]!.error, 0.0304, 0.0002);
    // 1,000 samples of 1 ms are a second for a million packets.
    near(receive.price?.ns, 1000, 1e-6);
    near(receive.parts[0]!.ns, 600, 1e-6);
    near(receive.parts[0]!.nsError, 48, 1);
    near(receive.cpuShare, 0.1, 1e-9);
    assert.equal(receive.notPriced, null);
  });

  it('prices nothing of few samples, and says so', () => {
    const socket = directionOf(window, 'socket')!;
    assert.equal(socket.price, null);
    assert.equal(socket.parts[0]!.ns, null);
    assert.match(socket.notPriced ?? '', /only 20 of the 100 samples/);
    assert.match(directionOf(window, 'transmit')?.notPriced ?? '', /only 0 of the 100 samples/);
  });

  it('prices nothing where no counter says how many packets there were', () => {
    const uncounted = windowOf({ cells: [...clock, part('transmit', 'qdisc', 500)] });
    assert.match(directionOf(uncounted, 'transmit')?.notPriced ?? '', /not counted/);
    const few = windowOf({
      cells: [...clock, part('transmit', 'qdisc', 500), [transmitPackets, { device: 'eth0' }, 0, 50]],
    });
    assert.match(directionOf(few, 'transmit')?.notPriced ?? '', /only \d+ packets in the window, too few to price one/);
  });

  it("prefers the probe's time of NET_RX, and tells when the two rulers differ", () => {
    const timed = (ns: number): ReturnType<typeof directionOf> =>
      directionOf(
        windowOf({
          cells: [
            ...clock,
            received,
            part('receive', 'nftables', 600),
            part('receive', 'udp', 400),
            [netRxNanoseconds, { cpu: '0' }, 0, ns * 1e6],
            [netRxPackets, { cpu: '0' }, 0, 1e6],
          ],
        }),
        'receive',
      );
    const close = timed(1050)!;
    assert.deepEqual([close.price?.ruler, close.price?.ns, close.rulersDiffer], ['net_rx', 1050, false]);
    near(close.parts[0]!.ns, 630, 1e-6);
    near(close.parts[0]!.nsError, 32, 1);
    assert.equal(timed(2000)?.rulersDiffer, true);
  });

  it('says why there is none', () => {
    const failed = windowOf({ cells: [received], failed: { profile: { path: 'profile', reason: 'no CAP_PERFMON' } } });
    assert.equal(profileOf(failed), 'no CAP_PERFMON');
    assert.equal(directionOf(failed, 'receive'), undefined);
    assert.deepEqual(profileByDevice(failed), []);
  });

  it('finds the dear device beside a busy cheap one', () => {
    const device = (name: string, samples: number): Cell => [
      profileDeviceSamples,
      { direction: 'receive', device: name, cpu: '0', part: name === 'dear' ? 'nftables' : 'udp' },
      null,
      samples,
    ];
    const both = (processed: number, ...more: Cell[]): ReturnType<typeof windowOf> =>
      windowOf({
        cells: [
          ...clock,
          ...more,
          device('dear', 9000),
          device('cheap', 1000),
          [spanCpuPackets, { device: 'dear', cpu: '0' }, 0, 30_000],
          [spanCpuPackets, { device: 'cheap', cpu: '0' }, 0, 1_500_000],
          [softnetProcessed, { cpu: '0' }, 0, processed],
        ],
      });
    const [dear, cheap] = profileByDevice(both(1_540_000));
    near(dear?.price?.ns, 300_000, 1);
    near(cheap?.price?.ns, 667, 1);
    assert.equal(dear?.parts[0]?.part, 'nftables');
    // Three quarters of the cheap one's came while nobody was marked: its samples are of the last quarter.
    const [, rested] = profileByDevice(both(1_540_000, [spanUnmarked, { device: 'cheap' }, 0, 0.75]));
    near(rested?.price?.ns, 2667, 1);
    near(rested?.packetsPerSecond, 150_000, 1);
    // Half of the packets are of devices that nobody watches: whose cost it was cannot be told.
    assert.deepEqual(profileByDevice(both(3_100_000)), []);
  });

  it('prices each CPU by its own packets', () => {
    const cpus = profileByCpu(
      windowOf({
        cells: [
          ...clock,
          received,
          [softnetProcessed, { cpu: '1' }, 0, 100_000],
          part('receive', 'udp', 500),
          part('receive', 'udp', 500, '1'),
        ],
      }),
    );
    assert.deepEqual(
      cpus.map(({ cpu, price }) => [cpu, Math.round(price?.ns ?? 0)]),
      [
        ['0', 500],
        ['1', 5000],
      ],
    );
  });

  it('is read once', () => {
    assert.equal(profileOf(window), profileOf(window) as SampledProfile);
  });
});
