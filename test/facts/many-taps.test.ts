import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { tapsOf } from '../../src/facts/device-taps.ts';
import type { Signal } from '../../src/facts/signal.ts';
import { pricesOfTaps } from '../../src/facts/tap-price.ts';
import { packetHooks, packetSocket } from '../../src/metrics/catalogue/index.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { Snapshot, type Series } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';

/** A host of so many pods, each with a tap on its eth0. */
function sample(pods: number, at: number): Snapshot {
  const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', at);
  for (let pod = 0; pod < pods; pod += 1) {
    const place = { netns: `pod${pod}`, device: 'eth0' };
    const tap = { protocol: '0003', type: 'raw', hook: 'packet_rcv', filter: 'none', ring: 'none', fanout: 'none' };
    snapshot.add(packetHooks, { ...place, protocol: 'ALL', function: 'packet_rcv' }, 1, at);
    snapshot.add(packetSocket, { ...place, ...tap, inode: `${1000 + pod}`, uid: '0', promiscuous: '0' }, 1, at);
  }
  return snapshot;
}

/** How often a reading is looked at. */
let looks = 0;
function counted<T extends Signal>(point: T): T {
  return Object.defineProperty({ ...point }, 'labels', { get: () => ((looks += 1), point.labels) });
}

class CountedWindow extends Window {
  override value(metric: Metric): readonly Series[] {
    return super.value(metric).map(counted);
  }
}

/** Looks at readings while the taps of each pod are found and priced. */
function looksFor(pods: number): number {
  const window = new CountedWindow(sample(pods, 0), sample(pods, 10));
  const prices = Array.from({ length: pods }, (_, pod) =>
    counted({ labels: { inode: `${1000 + pod}`, certainty: 'measured' }, value: 100 + pod }),
  );
  looks = 0;
  for (let pod = 0; pod < pods; pod += 1) {
    const { taps, loose } = tapsOf(window, `pod${pod}`, 'eth0');
    assert.deepEqual(taps.map(({ inodes }) => inodes).flat(), [`${1000 + pod}`]);
    const seen = { hooks: [], inodes: [] };
    const asked = { taps, loose: loose.size, prices, together: 'no span', foreignPaid: false, seen };
    assert.equal(pricesOfTaps(asked, { samples: 50, lost: 0.5, dearest: 25_000 }).ns, 100 + pod);
  }
  return looks;
}

describe('the taps of many namespaces', () => {
  it('are found and priced by looks that grow with their number, not with its square', () => {
    const [some, twice] = [looksFor(100), looksFor(200)];
    assert.ok(twice < 2.3 * some, `${some} looks at 100, ${twice} at 200`);
  });
});
