import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { judgedOfOthers, judgeWindow } from '../../../src/jobs/judge.ts';
import * as catalogue from '../../../src/metrics/catalogue/index.ts';
import type { Metric } from '../../../src/metrics/metric.ts';
import type { Keep } from '../../../src/metrics/snapshot.ts';
import { rules } from '../../../src/rules/index.ts';
import { windowOf, type Cell } from '../../support/window.ts';

const { netstat, sockstat } = catalogue;

/** Everything that is kept by namespace, in one that is not pktcost's own. */
const perNetns: readonly Metric[] = [
  ...new Set([
    ...Object.values(catalogue).flatMap((each) => ('name' in each && each.perNetns ? [each] : [])),
    ...rules.flatMap(({ signals }) =>
      Object.values(signals).flatMap((signal) =>
        ('of' in signal ? signal.of : signal).metrics.filter((metric) => metric.perNetns),
      ),
    ),
    netstat.member('TcpExt_TW'),
    ...['Ip', 'Ip6'].flatMap((ip) =>
      ['InDelivers', 'ForwDatagrams', 'OutForwDatagrams'].map((field) => netstat.member(`${ip}_${field}`)),
    ),
    sockstat.member('RAW_inuse'),
  ]),
];

function reportWith(keep: Keep): unknown {
  const cells = perNetns.flatMap((metric): Cell[] => {
    const labels = { ...Object.fromEntries(metric.labels.map((label) => [label, '1'])), netns: 'pod' };
    return keep(metric, labels) ? [[metric, labels, 1000, 500_000]] : [];
  });
  return judgeWindow({
    // Where the kernel's drops are counted the report has the books of each namespace.
    window: windowOf({
      cells: [...cells, [catalogue.skbDropsCounted, {}, 0, 10]],
      ran: perNetns.map(({ collector }) => collector),
    }),
    requestedSeconds: 10,
    cutShort: false,
    version: '0',
    overrides: {},
    self: () => ({ cpuSeconds: 0, peakMemoryBytes: 0 }),
  });
}

describe('what is left out of other namespaces', () => {
  it('changes nothing in the report', () => {
    assert.deepEqual(
      reportWith(judgedOfOthers),
      reportWith(() => true),
    );
  });

  it('is most of their counters, and nothing of our own', () => {
    const field = netstat.member('TcpExt_TW');
    assert.equal(judgedOfOthers(field, { netns: 'pod' }), false);
    assert.equal(judgedOfOthers(field, {}), true);
    assert.equal(judgedOfOthers(netstat.member('TcpExt_ListenDrops'), { netns: 'pod' }), true);
  });
});
