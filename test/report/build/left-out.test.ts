/** A host with more than a report can list: the figures of the whole host stay, and what is left out is counted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as metrics from '../../../src/metrics/catalogue/index.ts';
import { maxBy, value } from '../../../src/metrics/expression.ts';
import { Snapshot } from '../../../src/metrics/snapshot.ts';
import { Window } from '../../../src/metrics/window.ts';
import type { Named } from '../../../src/report/compare/comparison.ts';
import { compareReports } from '../../../src/report/compare/index.ts';
import { renderHtml } from '../../../src/report/html/index.ts';
import { renderMarkdown } from '../../../src/report/markdown/index.ts';
import { lossesOf } from '../../../src/report/tables/losses.ts';
import { renderText } from '../../../src/report/text/index.ts';
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
    assert.match(renderMarkdown(report), new RegExp(`${COUNT} packet sockets, 1000 or more on the path`));
    assert.match(renderHtml(report), /1000 or more packet sockets are on the path/);
    const text = renderText(report, { colour: false, unicode: true, width: 80, verbose: true });
    assert.match(text, new RegExp(`${COUNT}, 1000 or more of them on the path`));
  });

  it('lists a thousand devices, those that lost packets however few they received', () => {
    const { cost } = reportOf({ cells: devices.flat() }, []);
    assert.equal(cost.devices.length, 1000);
    assert.equal(cost.devicesLeftOut, COUNT - 1000);
    assert.equal(cost.devices[0]?.device, 'veth0');
    assert.equal(cost.devices.at(-1)?.device, `veth${COUNT - 1}`);
    assert.equal(cost.host.wirePackets, (COUNT * (COUNT + 1)) / 2);
  });

  it('lists the worst losers, also one that received nothing, and adds up what the others lost', () => {
    const losers = Array.from({ length: COUNT }, (_, index): Cell[] => {
      const labels = { device: `veth${index}` };
      return [
        [metrics.receivePackets, labels, 0, COUNT - index],
        [metrics.receiveDrop, labels, 0, 1 + index],
      ];
    }).flat();
    const deaf: Cell[] = [
      [metrics.receivePackets, { device: 'eth9' }, 7, 7],
      [metrics.receiveMissed, { device: 'eth9' }, 0, 50_000],
    ];
    const report = reportOf({ cells: [...losers, ...deaf] }, []);
    const { cost } = report;
    assert.ok(cost.devices.some(({ device }) => device === 'eth9'));
    const least = Math.min(...cost.devices.flatMap(({ dropped }) => dropped ?? []));
    assert.equal(cost.devicesLeftOut, COUNT + 1 - 1000);
    const unlisted = COUNT + 1 - 1000;
    assert.equal(least, unlisted + 1);
    assert.deepEqual(cost.leftOutLost, { devices: unlisted, cardLost: 0, dropped: (unlisted * (unlisted + 1)) / 2 });
    const { rows } = lossesOf(report);
    assert.equal(rows[0]?.lost, (unlisted * (unlisted + 1)) / 2);
    assert.equal(rows[0]?.where, `${unlisted} other devices`);
    assert.equal(rows[1]?.where, 'eth9');
    const lost = rows.reduce((sum, each) => sum + (each.lost ?? 0), 0);
    assert.equal(lost, (COUNT * (COUNT + 1)) / 2 + 50_000);
    assert.deepEqual(orderErrors(report), []);
  });

  it('cuts the table of drops after a thousand rows, and says what the others lost', () => {
    const cards = Array.from({ length: COUNT }, (_, index): Cell[] => [
      [metrics.receivePackets, { device: `eth${index}` }, 0, 10],
      [metrics.receiveMissed, { device: `eth${index}` }, 0, index + 1],
    ]).flat();
    const report = reportOf({ cells: cards }, []);
    const { ledger } = report;
    assert.equal(ledger?.rows.length, 1000);
    assert.equal(ledger.rows[0]?.packets, COUNT);
    assert.equal(ledger.rowsLeftOut, 500);
    assert.equal(ledger.packetsLeftOut, (500 * 501) / 2);
    const { rows } = lossesOf(report);
    const lost = rows.reduce((sum, each) => sum + (each.lost ?? 0), 0);
    assert.equal(lost, (COUNT * (COUNT + 1)) / 2);
  });

  it('is compared by the sums of all devices, and none that is not listed is said to have received nothing', () => {
    const of = (factor: number): Cell[] =>
      Array.from({ length: COUNT }, (_, index): Cell[] => [
        [metrics.receivePackets, { device: `veth${index}` }, 0, 1000 + index],
        [metrics.receiveDrop, { device: `veth${index}` }, 0, factor * ((index * 7) % COUNT)],
      ]).flat();
    const [before, after] = [1, 2].map((factor) => ({
      source: `${factor}`,
      report: reportOf({ cells: of(factor) }, []),
    })) as [Named, Named];
    const { devices: places } = compareReports(before, after, '1');
    const all = places.find(({ place }) => place === 'all devices');
    const dropped = all?.figures.find(({ quantity }) => quantity === 'dropped');
    assert.equal(dropped?.before, (COUNT * (COUNT - 1)) / 2 / 10);
    assert.equal(dropped.after, (COUNT * (COUNT - 1)) / 10);
    assert.ok(places.every(({ reason }) => reason === null || reason.startsWith('not among')));
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
