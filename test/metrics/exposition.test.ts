import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';

import { collectors } from '../../src/collectors/index.ts';
import { expose, formatValue } from '../../src/metrics/exposition.ts';
import * as catalogue from '../../src/metrics/catalogue/index.ts';
import { spanBucket, spanNanoseconds, tapNanoseconds } from '../../src/metrics/catalogue/index.ts';
import { counter, exposedAs, gauge, type Metric } from '../../src/metrics/metric.ts';
import { describePage } from '../../src/metrics/page.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { takeSample } from '../../src/sources/take-sample.ts';
import { lacking } from '../support/needs.ts';

const spec = { unit: 'none', collector: 'test', source: '/proc/test' } as const;
const plain = gauge('pktcost_plain', { ...spec, labels: [], help: 'A\\B\nC.' });
const labelled = counter('node_labelled_total', { ...spec, labels: ['a', 'b'], help: 'Two labels.' });

function page(add: (snapshot: Snapshot) => void): string {
  const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
  add(snapshot);
  return expose(snapshot);
}

describe('exposition page', () => {
  it('has HELP and TYPE once, metrics and series in order, and no timestamp', () => {
    const text = page((snapshot) => {
      snapshot.add(plain, {}, 1.5, 7);
      snapshot.add(labelled, { b: 'y', a: '2' }, 2_000_000, 7);
      snapshot.add(labelled, { a: '1', b: 'z' }, [1, 2], 7);
    });
    assert.equal(
      text,
      `# HELP node_labelled_total Two labels.
# TYPE node_labelled_total counter
node_labelled_total{a="1",b="z"} 3
node_labelled_total{a="2",b="y"} 2e+06
# HELP pktcost_plain A\\\\B\\nC.
# TYPE pktcost_plain gauge
pktcost_plain 1.5
`,
    );
  });

  it('keeps what a device or a process calls itself inside its label', () => {
    const text = page((snapshot) => {
      snapshot.add(labelled, { a: 'e"vil\\\n', b: 'é' }, 1, 0);
    });
    assert.ok(text.endsWith('node_labelled_total{a="e\\"vil\\\\\\n",b="é"} 1\n'));
  });

  it('names the namespace of a series that is not of our own', () => {
    const text = page((snapshot) => {
      snapshot.add(plain, { netns: 'pod-1' }, 1, 0);
    });
    assert.ok(text.includes('pktcost_plain{netns="pod-1"} 1\n'));
  });

  it('of pktcost metrics says when it was made, and how each collector fared', () => {
    const text = page((snapshot) => {
      const report = { gaps: [], milliseconds: 0 };
      snapshot.collectors.push({ ...report, id: 'cpu', netns: '', status: 'ok' });
      snapshot.collectors.push({ ...report, id: 'cpu', netns: 'pod', status: 'unavailable' });
      describePage(snapshot);
    });
    assert.match(text, /^pktcost_page_time_seconds 1\.7672256e\+09$/m);
    assert.match(text, /^pktcost_page_collector_info\{collector="cpu",status="ok"\} 1$/m);
    assert.doesNotMatch(text, /unavailable"/);
  });

  it('writes numbers as every Go exporter does', () => {
    // The right-hand side is what node_exporter printed for its own fixtures.
    for (const [value, text] of [
      [0, '0'],
      [-0, '0'],
      [-1, '-1'],
      [329204, '329204'],
      [1418183276, '1.418183276e+09'],
      [0.10400000000000001, '0.10400000000000001'],
      [10870.69, '10870.69'],
      [1.305e-6, '1.305e-06'],
      [0.0001, '0.0001'],
      [0.00001, '1e-05'],
      [2045936.778163039, '2.045936778163039e+06'],
      [-922337203685477600, '-9.223372036854776e+17'],
      [1e21, '1e+21'],
      [5e-324, '5e-324'],
    ] as const) {
      assert.equal(formatValue(value), text);
      assert.equal(Number(text), value === 0 ? 0 : value);
    }
  });

  it('has times of our own in seconds, under a name that says so, and those that others named as they are', () => {
    const text = page((snapshot) => {
      snapshot.add(spanNanoseconds, { device: 'eth0', span: 'taps', mode: 'tcx' }, 2500, 0);
      snapshot.add(tapNanoseconds, { inode: '1', device: 'eth0', certainty: 'measured' }, 900, 0);
    });
    assert.match(text, /^pktcost_span_seconds_total\{[^}]*\} 2\.5e-06$/m);
    assert.match(text, /^pktcost_tap_seconds_per_packet\{[^}]*\} 9e-07$/m);
    assert.doesNotMatch(text, /nanoseconds\{/);
  });

  it('has bounds of times in seconds too, as histogram_quantile and a dashboard take them', () => {
    const text = page((snapshot) => {
      const place = { device: 'eth0', span: 'taps', mode: 'tcx' };
      for (const [le, count] of [
        ['512', 2],
        ['8192', 3],
        ['+Inf', 3],
      ] as const)
        snapshot.add(spanBucket, { ...place, le }, count, 0);
    });
    const told = text.split('\n').filter((line) => /^[^#].*/.test(line));
    assert.deepEqual(told, [
      'pktcost_span_seconds_bucket{device="eth0",le="+Inf",mode="tcx",span="taps"} 3',
      'pktcost_span_seconds_bucket{device="eth0",le="5.12e-07",mode="tcx",span="taps"} 2',
      'pktcost_span_seconds_bucket{device="eth0",le="8.192e-06",mode="tcx",span="taps"} 3',
    ]);
  });

  it('gives no two metrics one name', () => {
    const names = Object.values(catalogue).flatMap((each) => ('name' in each ? [exposedAs(each).name] : []));
    const own = Object.values(catalogue).flatMap((each) =>
      'name' in each && exposedAs(each).name !== each.name ? [each.name] : [],
    );
    assert.deepEqual([...new Set(names)], names);
    assert.ok(own.length >= 15);
    assert.deepEqual(
      own.filter((name) => names.includes(name)),
      [],
      'a name of earlier versions means something else now',
    );
  });

  it('is empty for an empty snapshot', () => {
    assert.equal(
      page(() => undefined),
      '',
    );
  });
});

/**
 * promtool ends with 3 for any lint, and node_exporter's own names (node_netstat_TcpExt_..., node_memory_MemFree_bytes)
 * draw one each: its own page ends with 3 too. The names are a promise; what pktcost named itself must be clean.
 */
const inherited = /^(?:node_netstat_|node_memory_|node_sockstat_)\S+ .*snake_case/;
/** The histogram of spans is told as the gauges that it is read from. */
const deliberate = /^pktcost_(?:baseline_)?span_\S+ non-/;

describe('promtool', { skip: lacking({ tools: ['promtool'] }) }, () => {
  const check = (text: string): { readonly status: number | null; readonly lints: readonly string[] } => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !inherited.test(line));
    return { status, lints: lines };
  };

  it('accepts a page of this host, and finds fault with no name but those of node_exporter', () => {
    const text = expose(takeSample({ reader: liveReader(HOST_ROOTS), collectors }));
    const { status, lints } = check(text);
    assert.deepEqual(lints, []);
    assert.ok(status === 0 || status === 3, `promtool ended with ${status}`);
  });

  it('accepts every metric of the catalogue', () => {
    const text = page((snapshot) => {
      for (const metric of Object.values(catalogue)) {
        if (!('labels' in metric)) continue;
        const declared: Metric = metric;
        snapshot.add(declared, Object.fromEntries(declared.labels.map((label) => [label, 'x'])), 1, 0);
      }
    });
    const { status, lints } = check(text);
    assert.ok(status === 0 || status === 3, `promtool ended with ${status}`);
    assert.deepEqual(
      lints.filter((line) => line.startsWith('pktcost_') && !deliberate.test(line)),
      [],
    );
  });
});
