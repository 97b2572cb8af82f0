import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { priceCollectors } from '../../src/jobs/taps.ts';
import type { Metric } from '../../src/metrics/metric.ts';
import { Window, type Increases } from '../../src/metrics/window.ts';
import type { Series } from '../../src/metrics/snapshot.ts';
import { packetSockets } from '../../src/report/build/packet-sockets.ts';
import { priceLimits } from '../../src/rules/tap-cost-limits.ts';
import { host, sockets, spans } from '../report/cases.ts';
import { windowOf } from '../support/window.ts';

/** Told in the list, and nothing that a price per packet rests on: the profile, what readers burn, and who holds a socket. */
const beside = new Set(['profile', 'readers', 'owners']);

/** Notes whose metrics are asked for. */
class Watched extends Window {
  readonly asked = new Set<string>();

  override value(metric: Metric): readonly Series[] {
    this.asked.add(metric.collector);
    return super.value(metric);
  }

  override increase(metric: Metric): Increases {
    this.asked.add(metric.collector);
    return super.increase(metric);
  }
}

describe('pktcost taps', () => {
  it('reads all that the price of a tap rests on, what the kernel has among it', () => {
    const { before, after } = windowOf({ cells: [...host(), ...sockets, ...spans] });
    const window = new Watched(before, after);
    packetSockets(window, priceLimits());
    const read = new Set(priceCollectors.map(({ id }) => id));
    assert.ok(window.asked.has('host'));
    assert.deepEqual(
      [...window.asked].filter((id) => !read.has(id) && !beside.has(id)),
      [],
    );
  });
});
