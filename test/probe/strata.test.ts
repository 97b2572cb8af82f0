import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Strata, type Moment } from '../../src/probe/strata.ts';
import type { CpuReading } from '../../src/readings/reading.ts';

const counts = (runs: number, timed: number, ns: number, skbs: number): CpuReading => ({
  ...{ cpu: 0, skbs, stamped: 0, uncollected: 0 },
  ...{ netRxRuns: runs, netRxSampledRuns: timed, netRxNs: ns, netRxSkbs: skbs },
});

const moment = (cpu: CpuReading, attachedNs: number, tracedNs: number, kernel?: number): Moment => ({
  ...{ cpus: [cpu], attachedNs, tracedNs },
  runs: kernel === undefined ? undefined : new Map([[0, kernel]]),
});

describe('all of the time from its slices', () => {
  it('takes each slice for itself and the rest before it, by the runs that the kernel counted', () => {
    const strata = new Strata();
    // Attached from the start, 1,000 runs of 2 us.
    strata.close(moment(counts(1000, 100, 200_000, 100), 1e9, 1e9, 5000));
    // A rest and a slice of 100 runs, each of 4 packets and 10 us; the kernel had 50,000 in both.
    strata.close(moment(counts(1100, 110, 300_000, 140), 5e9, 1.1e9, 55_000));
    const now = counts(1100, 110, 300_000, 140);
    assert.deepEqual(strata.whole(now, moment(now, 5e9, 1.1e9, 55_000)), {
      allRuns: 51_000,
      allNs: 1000 * 2000 + 50_000 * 10_000,
      allSkbs: 1000 + 200_000,
    });
  });

  it('goes by time where the kernel does not tell', () => {
    const strata = new Strata();
    strata.close(moment(counts(1000, 100, 200_000, 100), 1e9, 1e9));
    const now = counts(1100, 110, 220_000, 110);
    assert.deepEqual(strata.whole(now, moment(now, 5e9, 1.5e9)), {
      allRuns: 1000 + 100 * 8,
      allNs: 2000 * 1800,
      allSkbs: 1800,
    });
  });

  it('is right in the middle of a rest as well: what came since costs what the last cost', () => {
    const strata = new Strata();
    const last = counts(1000, 100, 200_000, 100);
    strata.close(moment(last, 1e9, 1e9, 5000));
    assert.equal(strata.whole(last, moment(last, 3e9, 1e9, 7000)).allNs, 3000 * 2000);
  });

  it('does not lose the runs that came before the first timed one', () => {
    const strata = new Strata();
    strata.close(moment(counts(10, 0, 0, 0), 1e9, 1e9, 100));
    const now = counts(20, 2, 6000, 4);
    assert.deepEqual(strata.whole(now, moment(now, 2e9, 2e9, 110)), { allRuns: 20, allNs: 20 * 3000, allSkbs: 40 });
  });

  it('knows that the kernel counts in 32 bits, and never takes less than it saw', () => {
    const strata = new Strata();
    const last = counts(10, 1, 100, 1);
    strata.close(moment(last, 1e9, 1e9, 2 ** 32 - 5));
    assert.equal(strata.whole(last, moment(last, 2e9, 1e9, 15)).allRuns, 30);
    const now = counts(60, 2, 200, 2);
    assert.equal(strata.whole(now, moment(now, 2e9, 2e9, 2 ** 32 - 5)).allRuns, 60);
  });
});
