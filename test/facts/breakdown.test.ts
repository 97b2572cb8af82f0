import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { breakdownOf, netRxCost, netRxOf } from '../../src/facts/breakdown.ts';
import type { CostPart } from '../../src/generated/report.ts';
import {
  netRxDriverNanoseconds,
  netRxNanoseconds,
  netRxPackets,
  profileEntranceTracing,
  profileSamples,
} from '../../src/metrics/catalogue/index.ts';
import { windowOf, type Cell } from '../support/window.ts';

/** 100,000 packets of 10 us each on CPU 0, three quarters of it before they enter the stack. */
const netRx: Cell[] = [
  [netRxNanoseconds, { cpu: '0' }, 0, 1e9],
  [netRxPackets, { cpu: '0' }, 0, 100_000],
  [netRxDriverNanoseconds, { cpu: '0' }, 0, 0.75e9],
];
const samples = (part: string, count: number): Cell => [
  profileSamples,
  { direction: 'receive', cpu: '0', part },
  0,
  count,
];
const entrance = (count: number): Cell => [profileEntranceTracing, { cpu: '0' }, 0, count];

function partsOf(...cells: Cell[]): Partial<Record<CostPart['part'], number>> {
  const times = netRxOf(windowOf({ cells: [...netRx, ...cells] }));
  const parts = breakdownOf(null, netRxCost([...times.values()]), 500);
  return Object.fromEntries(parts.map(({ part, ns }) => [part, Math.round(ns)]));
}

describe('what NET_RX is made of', () => {
  it("is not the driver's where somebody traces the entrance of the stack", () => {
    const parts = partsOf(samples('tracing', 660), samples('udp', 340), entrance(660));
    assert.deepEqual(parts, { 'driver-gro': 900, tracing: 6600, taps: 500, 'net-rx-rest': 2000, unexplained: 0 });
  });

  it('has tracing within the stack taken out of the rest', () => {
    const parts = partsOf(samples('tracing', 200), samples('udp', 800), entrance(0));
    assert.deepEqual(parts, { 'driver-gro': 7500, tracing: 2000, taps: 500, 'net-rx-rest': 0, unexplained: 0 });
    const both = partsOf(samples('tracing', 300), samples('udp', 700), entrance(200));
    assert.deepEqual(both, { 'driver-gro': 5500, tracing: 3000, taps: 500, 'net-rx-rest': 1000, unexplained: 0 });
  });

  it('has no such part where nobody traces, and where too few samples could say', () => {
    const plain = { 'driver-gro': 7500, taps: 500, 'net-rx-rest': 2000, unexplained: 0 };
    assert.deepEqual(partsOf(samples('udp', 1000), entrance(0)), plain);
    assert.deepEqual(partsOf(samples('tracing', 50), samples('udp', 49), entrance(50)), plain);
    assert.deepEqual(partsOf(), plain);
  });
});
