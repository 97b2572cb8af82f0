/** Small files that would make much: what is made of them is bounded, and one line says so. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseCpuList } from '../../src/base/cpu-list.ts';
import { collectors } from '../../src/collectors/index.ts';
import { runCollector } from '../../src/collectors/collector.ts';
import { deviceMtu } from '../../src/metrics/catalogue/index.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { fakeReader, type FakeHost } from '../support/reader.ts';

const all = '0-32767\n';
const many = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

/** Each file as a copy would have it, what would be made of it, and what is said instead. */
const hostile: readonly { readonly name: string; readonly files: FakeHost['files'] & {}; readonly said: RegExp }[] = [
  {
    name: 'a thousand nodes that have every CPU',
    files: Object.fromEntries(
      Array.from({ length: 1000 }, (_, node) => [`/sys/devices/system/node/node${node}/cpulist`, all]),
    ),
    said: /names a CPU of another node/,
  },
  {
    name: 'rows of 100,000 CPUs in stat',
    files: { '/proc/stat': `cpu  1 2 3 4\n${many(100_000, (cpu) => `cpu${cpu % 99_999} 1 2 3 4 5 6 7 8 9 10\n`)}` },
    said: /more CPUs than any kernel has/,
  },
  {
    name: 'rows of 100,000 CPUs in softnet_stat',
    files: { '/proc/net/softnet_stat': `${'00000000 '.repeat(12)}00000000\n`.repeat(100_000) },
    said: /more CPUs than any kernel has/,
  },
  {
    name: 'a header of 40,000 CPUs',
    files: { '/proc/softirqs': `   ${many(40_000, (cpu) => `CPU${cpu} `)}\n NET_RX: ${'1 '.repeat(40_000)}\n` },
    said: /more CPUs than any kernel has/,
  },
  {
    name: 'interrupts of which each is raised on each of 16,000 CPUs',
    files: {
      '/proc/interrupts': `   ${many(16_000, (cpu) => `CPU${cpu} `)}\n${many(50, (irq) => `${irq}: ${'1 '.repeat(16_000)} PCI-MSI ${irq} eth0-${irq}\n`)}`,
    },
    said: /more than 400000 counts/,
  },
];

describe('much that is made of little', () => {
  for (const { name, files, said } of hostile) {
    it(`${name}: is a gap`, () => {
      const snapshot = new Snapshot('2026-01-01T00:00:00Z', 0);
      for (const collector of collectors) runCollector(collector, fakeReader({ files }), snapshot);
      const reasons = snapshot.collectors.flatMap(({ gaps }) => gaps.map(({ reason }) => reason));
      assert.ok(
        reasons.some((reason) => said.test(reason)),
        reasons.filter((reason) => !/ENOENT|not available/.test(reason)).join('\n'),
      );
      const series = snapshot.metrics().reduce((sum, metric) => sum + snapshot.series(metric).length, 0);
      assert.ok(series < 100_000, `${series} series`);
    });
  }

  it('a CPU list that goes round and round: is refused', () => {
    assert.equal(parseCpuList('0-32767,'.repeat(10_000).slice(0, -1)).ok, false);
  });

  it('more series than any host has: are not taken in, and the collector says so', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00Z', 0);
    let taken = 0;
    while (taken < 5_000_000 && snapshot.add(deviceMtu, { device: 'eth0', netns: 'x'.repeat(400) }, taken, 0))
      taken += 1;
    assert.ok(taken > 100_000 && taken < 5_000_000, `${taken}`);
  });
});
