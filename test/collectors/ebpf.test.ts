import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { ebpf } from '../../src/collectors/ebpf.ts';
import {
  jitterAvg,
  jitterHistogram,
  jitterLoadError,
  jitterObjectPath,
  jitterPackets,
  jitterSpread,
  jitterUp,
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  netRxRuns,
  packetRingDrops,
  packetRingsSeen,
  sentFloor,
  sentMedian,
  sentPackets,
  sentSamples,
  sentSeconds,
  sentTapNanoseconds,
  spanBucket,
  spanFloor,
  spanLost,
  spanPackets,
  spanPacketsError,
  spanUnmarked,
  tappedSentPackets,
  tappedSentSeconds,
  spanQuantile,
  spanSamples,
  tapNanoseconds,
} from '../../src/metrics/catalogue/index.ts';
import type { ProbeAnswer } from '../../src/readings/answer.ts';
import { bucketOf, emptySpan } from '../../src/readings/histogram.ts';
import type {
  CpuReading,
  DeviceReading,
  ProbeReading,
  SpanReading,
  TransmitReading,
} from '../../src/readings/reading.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

function spanOf(span: SpanReading['span'], mode: SpanReading['mode'], times: readonly number[]): SpanReading {
  const buckets = new Map<number, number>();
  for (const ns of times) buckets.set(bucketOf(ns), (buckets.get(bucketOf(ns)) ?? 0) + 1);
  return {
    ...emptySpan(),
    span,
    mode,
    sampleEvery: 16,
    count: times.length,
    sumNs: times.reduce((sum, ns) => sum + ns, 0),
    sumSqNs: times.reduce((sum, ns) => sum + ns * ns, 0),
    minNs: Math.min(...times),
    maxNs: Math.max(...times),
    buckets: [...buckets].sort((a, b) => a[0] - b[0]),
  };
}

const cpu: CpuReading = {
  cpu: 1,
  skbs: 4000,
  stamped: 250,
  uncollected: 0,
  netRxRuns: 800,
  netRxSampledRuns: 100,
  netRxNs: 1_000_000,
  netRxSkbs: 500,
};
const device: DeviceReading = {
  device: 'eth0',
  ifindex: 2,
  netns: '100',
  present: true,
  packets: 16_000,
  packetsByCpu: [0, 16_000],
  spans: [spanOf('taps', 'tracepoint', [150, 160, 900])],
};
const reading: ProbeReading = {
  version: 1,
  monotonicNs: 9e9,
  tier: 'taps',
  sampleEvery: 16,
  stackEvery: 64,
  netRxEvery: 8,
  devices: [device],
  cpus: [cpu],
  programs: [],
  attach: [],
  gaps: [],
};
const answer = (more: Partial<ProbeAnswer> = {}, window: Partial<ProbeReading> = {}): ProbeAnswer => ({
  version: 1,
  reading: { ...reading, ...window },
  window: { ...reading, ...window },
  floor: { method: 'calibrated', sampleEvery: 16, samples: 150, p50Ns: 131, avgNs: 140, uncertaintyNs: 100 },
  tapsPerNetns: true,
  netnsNames: { 100: '', 200: 'blue' },
  loadError: null,
  ...more,
});
const sample = (probe: unknown) => collect(ebpf, { dumps: { probe } });
const eth0 = { device: 'eth0', span: 'taps', mode: 'tracepoint' };

describe('the probe as series', () => {
  it('gives packets, samples, quantiles, floor and losses of a device', () => {
    const unmatched = { ...device.spans[0]!, lost: { ...emptySpan().lost, unmatched: 7 } };
    const snapshot = sample(answer({}, { devices: [{ ...device, spans: [unmatched] }] }));
    assert.equal(valueOf(snapshot, spanPackets, { device: 'eth0' }), 16_000);
    assert.equal(valueOf(snapshot, spanSamples, eth0), 3);
    assert.equal(valueOf(snapshot, spanQuantile, { ...eth0, quantile: '1' }), 900);
    assert.equal(valueOf(snapshot, spanBucket, { ...eth0, le: '+Inf' }), 3);
    assert.equal(valueOf(snapshot, spanBucket, { ...eth0, le: '512' }), 2);
    assert.equal(valueOf(snapshot, spanFloor, { ...eth0, method: 'calibrated' }), 140);
    assert.equal(valueOf(snapshot, spanLost, { ...eth0, reason: 'unmatched' }), 7);
  });

  it('says what of it could not be read, and takes that for nothing', () => {
    const told = sample(answer({}, { gaps: ['per-CPU counts: out of memory (ENOMEM)'], cpus: [] }));
    const report = told.collector('ebpf', '');
    assert.equal(report?.status, 'partial');
    assert.deepEqual(
      report.gaps.map(({ path, reason }) => [path, reason]),
      [['probe', 'per-CPU counts: out of memory (ENOMEM)']],
    );
    assert.deepEqual(valuesOf(told, spanPackets), {});
    assert.equal(valueOf(told, spanSamples, eth0), 3);
  });

  it('has no packets of a device whose program could not be attached, rather than none', () => {
    const bare = sample(answer({}, { devices: [{ ...device, packets: 0, packetsByCpu: [0, 0], spans: [] }] }));
    assert.deepEqual(valuesOf(bare, spanPackets), {});
  });

  it('has no time of NET_RX where its tracepoints could not be attached, rather than none, and says why', () => {
    const refused = { target: 'host', span: 'net_rx', hook: 'softirq', attached: false, reason: 'EPERM' } as const;
    const untimed = sample(answer({}, { attach: [refused] }));
    assert.deepEqual(valuesOf(untimed, netRxNanoseconds), {});
    assert.deepEqual(valuesOf(untimed, netRxPackets), {});
    assert.deepEqual(untimed.lacking(netRxNanoseconds), [{ labels: {}, reason: 'EPERM' }]);
  });

  it('says by how many the packets of a device may be wrong, where its program rested', () => {
    const rested = { ...device, counted: 4000, packetsError: 160 };
    assert.equal(valueOf(sample(answer({}, { devices: [rested] })), spanPacketsError, { device: 'eth0' }), 160);
    assert.equal(valueOf(sample(answer({}, { devices: [rested] })), spanPackets, { device: 'eth0' }), 16_000);
    assert.deepEqual(valuesOf(sample(answer()), spanPacketsError), {});
    assert.equal(valueOf(sample(answer()), spanUnmarked, { device: 'eth0' }), 0);
    const apart = sample(answer({}, { devices: [{ ...rested, unmarked: 4000 }] }));
    assert.equal(valueOf(apart, spanUnmarked, { device: 'eth0' }), 0.25);
    const { gaps } = sample(answer({}, { devices: [{ ...rested, counted: 'all' as unknown as number }] }))
      .collectors[0]!;
    assert.match(gaps[0]?.reason ?? '', /counted/);
  });

  it('names the namespace of a device, and leaves its own unnamed', () => {
    const snapshot = sample(answer({}, { devices: [device, { ...device, netns: '200' }] }));
    assert.deepEqual(Object.keys(valuesOf(snapshot, spanPackets)).length, 2);
    assert.equal(valueOf(snapshot, spanPackets, { device: 'eth0', netns: 'blue' }), 16_000);
  });

  it('gives sent packets by the way they came to the taps, and those of the time in which there was a tap', () => {
    const way = { ...spanOf('taps', 'tracepoint', [500, 510, 520]), way: 'direct' } as const;
    const transmit: TransmitReading[] = [{ device: 'eth0', ifindex: 2, netns: '200', queue: 'fq', ways: [way] }];
    const floor = {
      method: 'shipped',
      sampleEvery: 16,
      samples: 0,
      p50Ns: 110,
      avgNs: 110,
      uncertaintyNs: 55,
    } as const;
    const sent = { transmit, transmitNs: 2e9, transmitCalls: 48 };
    const floors = { transmitFloors: [{ netns: '200', ifindex: 2, way: 'direct', floor }] } as const;
    const snapshot = sample(answer(floors, sent));
    const place = { device: 'eth0', way: 'direct', netns: 'blue' };
    assert.equal(valueOf(snapshot, sentSamples, place), 3);
    assert.ok(Math.abs((valueOf(snapshot, sentMedian, place) ?? 0) - 510) < 16, 'in a bucket of 16 ns');
    assert.equal(valueOf(snapshot, sentFloor, { ...place, method: 'shipped' }), 110);
    assert.equal(valueOf(snapshot, sentPackets, { device: 'eth0', netns: 'blue' }), 48);
    assert.equal(valueOf(snapshot, sentSeconds), 2);
    // Of ten seconds, in which 100,000 were sent by estimate, two were timed.
    const whole = { transmit: [{ ...transmit[0]!, packets: 100_000 }], transmitWholeNs: 10e9 };
    const varied = sample(answer(floors, { ...sent, ...whole }));
    assert.equal(valueOf(varied, sentPackets, { device: 'eth0', netns: 'blue' }), 20_000, 'at 10,000 a second');
    const later = { ...transmit[0]!, ways: [{ ...spanOf('taps', 'tracepoint', [900]), way: 'direct' } as const] };
    const tapped = { tappedSending: [{ taps: 1, seconds: 1, lasts: true, reading: later }] };
    const begun = sample(answer({ ...floors, ...tapped }, sent));
    assert.equal(valueOf(begun, sentSamples, place), 1);
    assert.equal(valueOf(begun, sentPackets, { device: 'eth0', netns: 'blue' }), 48);
    assert.equal(valueOf(begun, tappedSentPackets, { device: 'eth0', netns: 'blue' }), 16);
    assert.equal(valueOf(begun, tappedSentSeconds, { device: 'eth0', netns: 'blue' }), 1);
    assert.equal(valueOf(snapshot, tappedSentPackets, { device: 'eth0', netns: 'blue' }), undefined);
    const none = sample(answer());
    assert.deepEqual(valuesOf(none, sentSamples), {});
    assert.equal(valueOf(none, sentSeconds), undefined);
  });

  it('gives what each socket takes of a received packet and of a sent one, where each was timed', () => {
    const bill = { inode: '7', netns: '100', ifindex: 2, packets: 100, ns: 60_000, txPackets: 40, txNs: 16_000 };
    const snapshot = sample(answer({}, { sockets: [bill, { ...bill, inode: '8', txPackets: 19 }] }));
    const labels = { device: 'eth0', certainty: 'measured' };
    assert.equal(valueOf(snapshot, sentTapNanoseconds, { ...labels, inode: '7' }), 400);
    assert.equal(valueOf(snapshot, sentTapNanoseconds, { ...labels, inode: '8' }), undefined);
    // 44,000 ns of 60 received ones, not 60,000 of all.
    assert.equal(valueOf(snapshot, tapNanoseconds, { ...labels, inode: '7' }), 44_000 / 60);
    const onlySent = sample(answer({}, { sockets: [{ ...bill, txPackets: 90, txNs: 36_000 }] }));
    assert.deepEqual(valuesOf(onlySent, tapNanoseconds), {});
    assert.equal(valueOf(onlySent, sentTapNanoseconds, { ...labels, inode: '7' }), 400);
  });

  it('scales timed softirq runs to all of them', () => {
    const snapshot = sample(answer());
    assert.equal(valueOf(snapshot, netRxRuns, { cpu: '1' }), 800);
    assert.equal(valueOf(snapshot, netRxNanoseconds, { cpu: '1' }), 8_000_000);
    assert.equal(valueOf(snapshot, netRxPackets, { cpu: '1' }), 4000);
  });

  it('scales what was seen in shifts to the whole window, and leaves time per packet as it was measured', () => {
    const snapshot = sample(answer({}, { attachedNs: 30e9, tracedNs: 7.5e9 }));
    assert.equal(valueOf(snapshot, netRxRuns, { cpu: '1' }), 3200);
    assert.equal(valueOf(snapshot, netRxNanoseconds, { cpu: '1' }), 32_000_000);
    assert.equal(valueOf(snapshot, netRxPackets, { cpu: '1' }), 16_000);
    // The TC program counts all the time.
    assert.equal(valueOf(snapshot, spanPackets, { device: 'eth0' }), 16_000);
  });

  it('tells the part of NET_RX outside of the stack by the runs that were split', () => {
    const split = { splitNs: 1_000_000, splitStackNs: 600_000, splitSkbs: 300 };
    const cpus: CpuReading[] = [
      { ...cpu, ...split },
      { ...cpu, cpu: 2, ...split, splitStackNs: 900_000 },
      { ...cpu, cpu: 3, splitNs: 10, splitStackNs: 0, splitSkbs: 3 },
    ];
    const snapshot = sample(answer({}, { cpus }));
    const share = (name: string): number =>
      (valueOf(snapshot, netRxDriverNanoseconds, { cpu: name }) ?? NaN) /
      (valueOf(snapshot, netRxNanoseconds, { cpu: name }) ?? NaN);
    assert.ok(Math.abs(share('1') - 0.4) < 1e-9);
    assert.ok(Math.abs(share('2') - 0.1) < 1e-9);
    // Too few on a CPU of its own: the mean of all.
    assert.ok(Math.abs(share('3') - (2_000_010 - 1_500_000) / 2_000_010) < 1e-9);
  });

  it('has no such part where too little was split, and none in readings of before there was one', () => {
    const few = sample(answer({}, { cpus: [{ ...cpu, splitNs: 499_999, splitStackNs: 60_000, splitSkbs: 199 }] }));
    assert.equal(valueOf(few, netRxDriverNanoseconds, { cpu: '1' }), undefined);
    assert.equal(valueOf(sample(answer()), netRxDriverNanoseconds, { cpu: '1' }), undefined);
    // At the first sample nothing has been timed: what rises has to begin somewhere.
    const first = sample(answer({}, { cpus: [{ ...cpu, netRxNs: 0 }] }));
    assert.equal(valueOf(first, netRxDriverNanoseconds, { cpu: '1' }), 0);
  });

  it('prices a socket only with samples enough', () => {
    const bill = { inode: '77', netns: '100', ifindex: 2, packets: 100, ns: 60_000, txPackets: 0, txNs: 0 };
    const snapshot = sample(answer({}, { sockets: [bill, { ...bill, inode: '78', packets: 19 }] }));
    assert.deepEqual(Object.values(valuesOf(snapshot, tapNanoseconds)), [600]);
  });

  it('tells what rings had no room for, where any was looked at', () => {
    const bill = { inode: '77', netns: '100', ifindex: 2, packets: 3, ns: 900, txPackets: 0, txNs: 0 };
    const full = sample(answer({}, { sockets: [bill, { ...bill, inode: '78', lost: 7 }] }));
    assert.deepEqual(Object.values(valuesOf(full, packetRingDrops)), [7]);
    assert.equal(valueOf(full, packetRingsSeen), 1);
    assert.equal(valueOf(sample(answer({}, { sockets: [] })), packetRingsSeen), 1);
    const walked = sample(answer({}, { rings: [{ inode: '9', netns: '4026531840', lost: 4 }] }));
    assert.deepEqual(Object.values(valuesOf(walked, packetRingDrops)), [4]);
    assert.equal(valueOf(walked, packetRingsSeen), 1);
    // As in bundles of before it was looked at, and where packet sockets are not timed.
    assert.equal(valueOf(sample(answer({}, { sockets: [bill] })), packetRingsSeen), 0);
    assert.equal(valueOf(sample(answer()), packetRingsSeen), 0);
  });

  it("gives the seed's series only for XDP to TC times", () => {
    const without = sample(answer());
    assert.equal(valueOf(without, jitterUp), 0);
    assert.equal(valueOf(without, jitterPackets), undefined);
    const stack = spanOf('stack', 'native', [500, 1500, 20_000_000]);
    const snapshot = sample(answer({}, { devices: [{ ...device, spans: [...device.spans, stack] }] }));
    assert.equal(valueOf(snapshot, jitterUp), 1);
    assert.equal(valueOf(snapshot, jitterPackets), 3);
    assert.equal(valueOf(snapshot, jitterSpread, { interface: 'eth0' }), 19_999_500);
    assert.equal(Math.round(valueOf(snapshot, jitterAvg, { interface: 'eth0' }) ?? 0), 6_667_333);
    const histogram = valuesOf(snapshot, jitterHistogram);
    assert.equal(histogram['bucket=0-1us'], 1);
    assert.equal(histogram['bucket=1-2us'], 1);
    assert.equal(histogram['bucket=16ms+'], 1);
    assert.equal(Object.keys(histogram).length, 16);
  });

  it('says why the XDP span is missing', () => {
    const snapshot = sample(answer({ loadError: 'EBUSY' }));
    assert.equal(valueOf(snapshot, jitterLoadError, { error: 'EBUSY' }), 1);
  });

  it('says whether there is something to load, and why it could not be, where there is no reading', () => {
    const without = (load: unknown) => collect(ebpf, { dumps: { probe_load: load } });
    for (const objects of [true, false]) {
      const snapshot = without({ version: 1, objects, error: null });
      assert.equal(valueOf(snapshot, jitterUp), 0);
      assert.equal(valueOf(snapshot, jitterObjectPath), objects ? 1 : 0);
      assert.deepEqual(valuesOf(snapshot, jitterLoadError), {});
    }
    const refused = without({ version: 1, objects: true, error: 'refused '.repeat(100) });
    assert.equal(valueOf(refused, jitterLoadError, { error: 'refused '.repeat(25) }), 1);
    for (const garbage of [null, 7, {}, { version: 1 }, { version: 1, objects: 1, error: null }])
      assert.equal(valueOf(without(garbage), jitterObjectPath), undefined);
  });

  it('says no more than it did of a bundle from before that was recorded', () => {
    const snapshot = collect(ebpf, {});
    assert.equal(valueOf(snapshot, jitterObjectPath), undefined);
    assert.deepEqual(snapshot.collectors[0]?.gaps, [{ path: 'probe', reason: 'not available in this test' }]);
  });

  it('is down without a probe, and with an answer that is not its own', () => {
    assert.equal(valueOf(collect(ebpf, {}), jitterUp), 0);
    for (const garbage of [null, 7, 'x', {}, { version: 2 }, { version: 1, reading }])
      assert.equal(valueOf(sample(garbage), jitterUp), 0, JSON.stringify(garbage).slice(0, 20));
  });
});

describe('a reading that somebody edited', () => {
  const wrong: readonly unknown[] = [null, 'text', -1.5, [], {}, Number.MAX_VALUE, { length: 1e9 }];

  /** Every place in a value, and how to put something else there. */
  function* places(value: unknown, put: (other: unknown) => unknown): Generator<(other: unknown) => unknown> {
    yield put;
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      yield* places(inner, (other) =>
        put(Array.isArray(value) ? value.with(Number(key), other) : { ...value, [key]: other }),
      );
    }
  }

  it('is a gap wherever a value is of another kind, and never a bug of the collector', () => {
    let tried = 0;
    for (const put of places(answer(), (other) => other)) {
      for (const other of wrong) {
        const { gaps } = collect(ebpf, { dumps: { probe: put(other) } }).collectors[0]!;
        tried += 1;
        for (const { reason } of gaps) assert.doesNotMatch(reason, /bug/i, JSON.stringify(put(other)).slice(0, 2000));
      }
    }
    assert.ok(tried > 300, `${tried}`);
  });
});
