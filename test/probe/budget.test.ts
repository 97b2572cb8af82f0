import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ok } from '../../src/base/result.ts';
import {
  costInWindow,
  probeCostOf,
  decide,
  expectedShare,
  keepBudget,
  type ProbeCost,
} from '../../src/probe/budget.ts';
import { shippedFloor } from '../../src/probe/floor.ts';
import { cpuLayout } from '../../src/generated/kernel-layout.ts';
import { BUCKETS, CPU_BYTES, readCpus, readSpan, SLOTS, SPAN_BYTES } from '../../src/probe/layout.ts';
import { findObjects } from '../../src/probe/objects.ts';
import { Overhead } from '../../src/probe/overhead.ts';
import type { ProbeReading } from '../../src/readings/reading.ts';
import type { ProbeSession } from '../../src/probe/session.ts';

/** A measurement: name -> runs and nanoseconds per run. */
function measured(packets: number, programs: Readonly<Record<string, readonly [number, number]>>): ProbeCost {
  return {
    measuredMs: 1000,
    packets,
    runs: 0,
    ns: 0,
    nsPerPacket: 0,
    cpuShare: 0,
    statsNsPerRun: 65,
    calibrated: true,
    programs: Object.entries(programs).map(([name, [runs, nsPerRun]]) => ({ name, runs, nsPerRun })),
  };
}

describe('budget', () => {
  it('thins twice at most and then detaches', () => {
    assert.equal(decide(0.009, 0.01, 0), 'keep');
    assert.equal(decide(0.011, 0.01, 0), 'thin');
    assert.equal(decide(0.011, 0.01, 1), 'thin');
    assert.equal(decide(0.011, 0.01, 2), 'detach');
  });

  it('takes what the statistics add off every run', () => {
    const program = { id: 1, name: 'pktcost_recv', missed: 0 };
    const cost = probeCostOf(
      [{ ...program, runs: 100, runNs: 10_000 }],
      [{ ...program, runs: 1100, runNs: 110_000 }],
      { runs: 1000, ns: 70_000 },
      1000,
      1e9,
      2,
    );
    assert.equal(cost.nsPerPacket, 30);
    assert.equal(cost.cpuShare, 30_000 / 1e9 / 2);
    assert.ok(cost.calibrated);
  });

  it('expects of a window what its shifts leave: the programs of the devices always, the tracepoints for a part of it', () => {
    const cost = { ...measured(1000, { pktcost_recv: [1000, 60], pktcost_in: [1000, 40] }), cpuShare: 0.01 };
    assert.equal(expectedShare(cost, 1).toFixed(6), '0.010000');
    assert.equal(expectedShare(cost, 0.25).toFixed(6), (0.004 + 0.006 / 4).toFixed(6));
    assert.equal(expectedShare({ ...measured(0, {}), cpuShare: 0.02 }, 0.25), 0.02, 'nothing is known of its programs');
  });

  it('tells what it took in the window: device programs always, tracepoints in their shifts', () => {
    const cost = measured(1000, {
      pktcost_recv: [1000, 20],
      pktcost_in: [1000, 30],
      pktcost_entry: [1000, 10],
      pktcost_exit: [1000, 10],
      pktcost_xdp: [500, 40],
      pktcost_gro: [9000, 300],
    });
    const window = {
      attachedNs: 1e9,
      tracedNs: 0.25e9,
      devices: [{ packets: 100_000 }],
      cpus: [{ skbs: 25_000, netRxRuns: 20_000, driverCalls: 7000 }],
    } as unknown as ProbeReading;
    // What tells the driver apart counts its runs itself: it is there for a part of the window, and here was there while measured.
    const ns = 100_000 * 30 + 25_000 * 20 + 20_000 * 20 + 50_000 * 40 + 7000 * 10;
    assert.deepEqual(costInWindow(cost, window, 2), {
      nsPerPacket: ns / 100_000,
      cpuShare: ns / 1e9 / 2,
      runs: 100_000 + 25_000 + 40_000 + 50_000 + 7000,
    });
    // Where the program of the device rested, it ran for those that it counted.
    const rested = { ...window, devices: [{ packets: 100_000, counted: 40_000 }] } as unknown as ProbeReading;
    assert.equal(costInWindow(cost, rested, 2).nsPerPacket, (ns - 60_000 * 30) / 100_000);
    assert.equal(costInWindow(cost, rested, 2).runs, 40_000 + 25_000 + 40_000 + 50_000 + 7000);
    const empty = { ...window, devices: [], cpus: [] };
    assert.deepEqual(costInWindow(cost, empty, 2), { nsPerPacket: null, cpuShare: 0, runs: 0 });
  });

  it('falls back on the shipped figure when too little came by to calibrate', () => {
    const cost = probeCostOf(
      [],
      [{ id: 1, name: 'p', runs: 10, runNs: 100, missed: 0 }],
      { runs: 3, ns: 900 },
      0,
      1e9,
      2,
    );
    assert.equal(cost.calibrated, false);
    assert.equal(cost.nsPerPacket, 0);
  });

  const fake = (): { session: ProbeSession; log: string[] } => {
    const log: string[] = [];
    const session = {
      sampleEvery: 16,
      thin(factor: number) {
        this.sampleEvery *= factor;
        log.push('thin');
        return ok(undefined);
      },
      close() {
        log.push('close');
        return Promise.resolve({ done: [], problems: [], verified: true });
      },
    };
    return { session: session as unknown as ProbeSession, log };
  };
  const costing = (cpuShare: number): ProbeCost => ({
    measuredMs: 1,
    packets: 1,
    runs: 1,
    ns: 1,
    nsPerPacket: 1,
    cpuShare,
    statsNsPerRun: 1,
    calibrated: true,
    programs: [],
  });

  it('leaves a cheap session alone', async () => {
    const { session, log } = fake();
    const report = await keepBudget(session, {
      overhead: new Overhead(0.01),
      onShare: 1,
      windowMs: 100,
      measure: () => Promise.resolve(ok(costing(0.001))),
    });
    assert.deepEqual(log, []);
    assert.deepEqual(report.actions, []);
  });

  it('records what it did to a dear one before it goes', async () => {
    const { session, log } = fake();
    const report = await keepBudget(session, {
      overhead: new Overhead(0.01),
      onShare: 1,
      windowMs: 100,
      measure: () => Promise.resolve(ok(costing(0.5))),
    });
    assert.deepEqual(log, ['thin', 'thin', 'close']);
    assert.deepEqual(
      report.actions.map(({ action, sampleEvery }) => [action, sampleEvery]),
      [
        ['thin', 64],
        ['thin', 256],
        ['detach', 256],
      ],
    );
  });

  it('stops thinning once it fits', async () => {
    const { session, log } = fake();
    const shares = [0.02, 0.005];
    await keepBudget(session, {
      overhead: new Overhead(0.01),
      onShare: 1,
      windowMs: 100,
      measure: () => Promise.resolve(ok(costing(shares.shift() ?? 0))),
    });
    assert.deepEqual(log, ['thin']);
  });
});

describe('floor', () => {
  it('interpolates the shipped table and never leaves it', () => {
    const at = (every: number): number => shippedFloor(every, 'test').p50Ns;
    assert.ok(at(1) <= at(4) && at(4) <= at(16) && at(16) <= at(64));
    assert.equal(at(1000), at(64));
    assert.equal(at(0), at(1));
  });
});

describe('objects', () => {
  it('are what bpf/objects.json says of sources and objects', () => {
    const folder = findObjects();
    assert.ok(folder.ok);
    const manifest = JSON.parse(readFileSync(join(folder.value, 'objects.json'), 'utf8')) as Record<
      'sources' | 'objects',
      Record<string, string>
    >;
    for (const [name, hash] of Object.entries({ ...manifest.sources, ...manifest.objects }))
      assert.equal(
        createHash('sha256')
          .update(readFileSync(join(folder.value, name)))
          .digest('hex'),
        hash,
        name,
      );
  });

  it('agree with the header on the numbers this side repeats', () => {
    const folder = findObjects();
    assert.ok(folder.ok);
    const header = readFileSync(join(folder.value, 'profile.h'), 'utf8');
    assert.match(header, new RegExp(`PKTCOST_SLOTS ${String(SLOTS)}\\b`));
    assert.equal(BUCKETS, 32 + (30 - 5) * 16);
  });

  it('reads a per-CPU span as the sum of its CPUs', () => {
    const bytes = Buffer.alloc(SPAN_BYTES * 3);
    const put = (cpu: number, count: bigint, sum: bigint, min: bigint, max: bigint, bucket: number): void => {
      const base = cpu * SPAN_BYTES;
      [count, sum, 0n, 2n, min, max].forEach((value, index) => bytes.writeBigUInt64LE(value, base + index * 8));
      bytes.writeBigUInt64LE(5n, base + 56 + 3 * 8);
      bytes.writeUInt32LE(Number(count), base + 104 + bucket * 4);
    };
    put(0, 2n, 300n, 140n, 160n, 70);
    put(2, 1n, 100n, 100n, 100n, 60);
    const span = readSpan(bytes, 3);
    assert.deepEqual(
      [span.count, span.sumNs, span.minNs, span.maxNs, span.sumSqNs, span.lost.unmatched],
      [3, 400, 100, 160, 2 * 2 * 65536, 10],
    );
    assert.deepEqual(span.buckets, [
      [60, 1],
      [70, 2],
    ]);
  });

  it('reads the packets of each device from each CPU', () => {
    const bytes = Buffer.alloc(CPU_BYTES * 2);
    bytes.writeBigUInt64LE(9n, CPU_BYTES + cpuLayout.packets + 8 * 3);
    assert.equal(readCpus(bytes, 2)[1]?.packets[3], 9);
  });
});
