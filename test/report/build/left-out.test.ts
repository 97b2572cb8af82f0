/** A host with more than a report can list: the figures of the whole host stay, and what is left out is counted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as metrics from '../../../src/metrics/catalogue/index.ts';
import { maxBy, value } from '../../../src/metrics/expression.ts';
import { Snapshot } from '../../../src/metrics/snapshot.ts';
import { Window } from '../../../src/metrics/window.ts';
import { renderMarkdown } from '../../../src/report/markdown/index.ts';
import type { Cell } from '../../support/window.ts';
import { host, reportOf, sockets } from '../cases.ts';
import { orderErrors } from '../schema.ts';

const COUNT = 1500;

const tap = sockets.find(([, labels]) => labels['inode'] === '9001')!;
const many = Array.from({ length: COUNT }, (_, index): Cell => {
  const [metric, labels, ...values] = tap;
  return [metric, { ...labels, inode: String(20_000 + index) }, ...values];
});
const devices = Array.from({ length: COUNT }, (_, index): Cell[] => {
  const labels = { device: `veth${index}` };
  return [
    [metrics.receivePackets, labels, 0, COUNT - index],
    [metrics.receiveDrop, labels, 0, index === COUNT - 1 ? 1 : 0],
  ];
});

describe('a report of a host with many of a kind', () => {
  it('lists a thousand packet sockets and counts the others', () => {
    const report = reportOf({ cells: [...host(), ...many] }, []);
    assert.equal(report.taps.length, 1000);
    assert.equal(report.tapsLeftOut, COUNT - 1000);
    assert.deepEqual(orderErrors(report), []);
    assert.match(renderMarkdown(report), new RegExp(`${COUNT} packet sockets`));
  });

  it('lists a thousand devices, those that lost packets however few they received', () => {
    const { cost } = reportOf({ cells: devices.flat() }, []);
    assert.equal(cost.devices.length, 1000);
    assert.equal(cost.devicesLeftOut, COUNT - 1000);
    assert.equal(cost.devices[0]?.device, 'veth0');
    assert.equal(cost.devices.at(-1)?.device, `veth${COUNT - 1}`);
    assert.equal(cost.host.wirePackets, (COUNT * (COUNT + 1)) / 2);
  });

  it('says nothing of it where all are listed', () => {
    const report = reportOf({ cells: [...host(), ...sockets] }, []);
    assert.ok(!('tapsLeftOut' in report) && !('devicesLeftOut' in report.cost));
  });
});

describe('the largest of very many points', () => {
  it('is found, though a call takes no 300,000 arguments', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00Z', 0);
    for (let index = 0; index < 300_000; index += 1)
      snapshot.add(metrics.deviceMtu, { device: `veth${index}` }, index, 0);
    const { points } = maxBy([], value(metrics.deviceMtu)).evaluate(new Window(snapshot, snapshot));
    assert.equal(points[0]?.value, 299_999);
  });
});
