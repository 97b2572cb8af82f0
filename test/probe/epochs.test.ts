import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { TapEpochs, type HookCounts } from '../../src/probe/epochs.ts';
import { floorInWindow } from '../../src/probe/floor.ts';
import type { Floor } from '../../src/readings/answer.ts';
import { bucketOf, emptySpan } from '../../src/readings/histogram.ts';
import type { DeviceReading, ProbeReading, SpanReading } from '../../src/readings/reading.ts';

/** So many samples of so many nanoseconds each. */
function taps(...parts: readonly (readonly [count: number, ns: number])[]): SpanReading {
  const buckets = new Map<number, number>();
  for (const [count, ns] of parts) buckets.set(bucketOf(ns), (buckets.get(bucketOf(ns)) ?? 0) + count);
  return {
    ...emptySpan(),
    span: 'taps',
    mode: 'tracepoint',
    sampleEvery: 16,
    count: parts.reduce((sum, [count]) => sum + count, 0),
    sumNs: parts.reduce((sum, [count, ns]) => sum + count * ns, 0),
    minNs: Math.min(...parts.map(([, ns]) => ns)),
    maxNs: Math.max(...parts.map(([, ns]) => ns)),
    buckets: [...buckets].sort(([a], [b]) => a - b),
  };
}

function reading(seconds: number, span: SpanReading, more: Partial<DeviceReading> = {}): ProbeReading {
  const device: DeviceReading = {
    device: 'eth0',
    ifindex: 2,
    netns: '100',
    present: true,
    packets: span.count * 16,
    packetsByCpu: [span.count * 16],
    spans: [span],
    ...more,
  };
  return {
    version: 1,
    monotonicNs: seconds * 1e9,
    tier: 'taps',
    sampleEvery: 16,
    stackEvery: 64,
    netRxEvery: 8,
    devices: [device],
    cpus: [],
    programs: [],
    attach: [],
    gaps: [],
  };
}

/** Looks at the readings in turn, with the number of hooks that each finds. */
function looked(steps: readonly (readonly [ProbeReading, number | undefined])[]): TapEpochs {
  let found: HookCounts | undefined;
  const epochs = new TapEpochs(() => found);
  for (const [each, hooks] of steps) {
    found = hooks === undefined ? undefined : { any: 0, devices: new Map([['eth0', hooks]]) };
    epochs.look(each);
  }
  return epochs;
}

const meanOf = ({ spans }: DeviceReading): number => spans[0]!.sumNs / spans[0]!.count;

describe('taps that come and go in the window', () => {
  const before = taps([1000, 150]);
  const begun = taps([1000, 150], [100, 500]);
  const end = taps([1000, 150], [100, 500], [1000, 850]);

  it('are priced by the time in which they were there, without the look that found them', () => {
    const last = reading(3, end);
    const epochs = looked([
      [reading(0, taps()), 0],
      [reading(1, before), 0],
      [reading(1.1, begun), 1],
      [last, 1],
    ]);
    const [time] = epochs.changed(last.devices);
    assert.ok(time?.lasts);
    assert.equal(time.taps, 1);
    assert.ok(Math.abs(time.seconds - 1.9) < 1e-9);
    assert.equal(meanOf(time.reading), 850);
    assert.equal(time.reading.packets, 16_000);
    assert.ok(epochs.everTapped(last.devices[0]!));
  });

  it('are still priced when they ended', () => {
    const last = reading(3, taps([1000, 850], [50, 500], [4000, 150]));
    const epochs = looked([
      [reading(0, taps()), 2],
      [reading(1, taps([1000, 850])), 2],
      [reading(1.1, taps([1000, 850], [50, 500])), 0],
      [last, 0],
    ]);
    const [time] = epochs.changed(last.devices);
    assert.ok(time !== undefined && !time.lasts);
    assert.equal(time.taps, 2);
    assert.equal(meanOf(time.reading), 850);
  });

  it('are priced likewise where packets are sent', () => {
    const sent = (seconds: number, ...parts: readonly (readonly [number, number])[]): ProbeReading => ({
      ...reading(seconds, before),
      // It rested for a tenth of the time.
      transmitNs: seconds * 9e8,
      transmit: [
        { device: 'eth0', ifindex: 2, netns: '100', queue: 'noqueue', ways: [{ ...taps(...parts), way: 'direct' }] },
      ],
    });
    const last = sent(3, [1000, 150], [100, 500], [1000, 850]);
    // Sent packets are timed from the moment on in which a tap was found.
    const epochs = looked([
      [reading(0, taps()), 0],
      [sent(1, [1000, 150]), 0],
      [sent(1.1, [1000, 150], [100, 500]), 1],
      [last, 1],
    ]);
    assert.ok(epochs.anyTapped);
    const [time] = epochs.changedSending(last.transmit ?? []);
    assert.ok(time?.lasts);
    const [way] = time.reading.ways;
    assert.ok(Math.abs(time.seconds - 1.9 * 0.9) < 1e-9, `timed for ${time.seconds} s`);
    assert.deepEqual([way?.count, (way?.sumNs ?? 0) / (way?.count ?? 1)], [1000, 850]);
  });

  it('leave a device that had none in the whole window as it is', () => {
    const last = reading(3, before);
    const epochs = looked([
      [reading(0, taps()), 0],
      [last, 0],
    ]);
    assert.deepEqual(epochs.changed(last.devices), []);
    assert.ok(!epochs.everTapped(last.devices[0]!));
  });

  it('may have been there where nobody could look', () => {
    const last = reading(3, before);
    const epochs = looked([
      [reading(0, taps()), 0],
      [reading(1, taps()), undefined],
      [last, 0],
    ]);
    assert.ok(epochs.everTapped(last.devices[0]!));
    assert.deepEqual(epochs.changed(last.devices), []);
    assert.ok(new TapEpochs(() => undefined).everTapped(last.devices[0]!));
  });

  it('count where they listen on all devices', () => {
    const last = reading(3, before);
    const epochs = new TapEpochs(() => ({ any: 1, devices: new Map() }));
    epochs.look(last);
    assert.ok(epochs.everTapped(last.devices[0]!));
  });
});

describe('the floor in the window', () => {
  const calibrated: Floor = {
    method: 'calibrated',
    sampleEvery: 16,
    samples: 150,
    p50Ns: 130,
    avgNs: 140,
    uncertaintyNs: 100,
  };

  it('is that of a device without a tap', () => {
    const floor = floorInWindow(reading(3, taps([1000, 160])), () => false, calibrated);
    assert.equal(floor?.method, 'measured-on:eth0');
  });

  it('is not that of one whose span holds more than TCP bulk ever made of it', () => {
    assert.equal(
      floorInWindow(reading(3, taps([1000, 700])), () => false, calibrated),
      undefined,
    );
  });
});
