/** A comparison tells of each loss once, with the rates and the places that the reports themselves give. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Report } from '../../../src/generated/report.ts';
import * as metrics from '../../../src/metrics/catalogue/index.ts';
import { compareReports } from '../../../src/report/compare/index.ts';
import type { Comparison } from '../../../src/report/compare/comparison.ts';
import { lossesOf } from '../../../src/report/tables/losses.ts';
import { interruptTime } from '../../../src/report/words/phrases.ts';
import { ownerCell, socketCell } from '../../support/taps.ts';
import type { Cell, WindowSpec } from '../../support/window.ts';
import { host, reportOf } from '../cases.ts';

const card = (device: string, missed: number, frames = 1000): Cell[] => [
  [
    metrics.deviceInfo,
    { device, ifindex: '7', driver: 'ixgbe', kind: 'physical', pci: '0000:00:04.0', master: '' },
    1,
    1,
  ],
  [metrics.receivePackets, { device }, 0, frames],
  [metrics.receiveDrop, { device }, 0, missed],
  [metrics.receiveMissed, { device }, 0, missed],
];
const report = (cells: readonly Cell[], spec: Partial<WindowSpec> = {}): Report => reportOf({ ...spec, cells }, []);
const compared = (before: Report, after: Report): Comparison =>
  compareReports({ source: 'before', report: before }, { source: 'after', report: after }, '0.1.0');
const figure = ({ devices }: Comparison, place: string, quantity: string): number | null | undefined =>
  devices.find((each) => each.place === place)?.figures.find((each) => each.quantity === quantity)?.after;

describe('losses in a comparison', () => {
  it('are told once of frames that a card counts as missed and as dropped', () => {
    const comparison = compared(report(card('eth5', 0)), report(card('eth5', 40_000)));
    assert.match(comparison.headline, /drops: 4,000\/s more on eth5[;.]/);
    assert.equal(figure(comparison, 'eth5', 'dropped'), 0);
    assert.equal(figure(comparison, 'eth5', 'cardLost'), 4000);
  });

  it('of all devices are of the same kind for those that are listed and those that are not', () => {
    const cards = report(Array.from({ length: 1100 }, (_, index) => card(`eth${index}`, 10)).flat());
    const comparison = compared(cards, cards);
    assert.equal(figure(comparison, 'all devices', 'dropped'), 0);
    assert.equal(figure(comparison, 'all devices', 'cardLost'), 1100);
  });

  it('and frames are rates of the time between the two readings of their counters', () => {
    const late = report(card('eth5', 40_000, 500_000), { readAfter: { netdev: 20 } });
    assert.equal(late.cost.devices[0]?.packetsPerSecond, 25_000);
    const comparison = compared(late, late);
    assert.equal(figure(comparison, 'eth5', 'frames'), 25_000);
    assert.equal(figure(comparison, 'eth5', 'cardLost'), 2000);
  });

  it('of its own time where another namespace is read in another', () => {
    const told = report(card('eth5', 40_000));
    const own = told.cost.devices.find(({ device }) => device === 'eth5')!;
    // 8 seconds, of a busier device that stands first; one that received nothing is of its namespace's time.
    const inPod = { ...own, netns: 'pod', packets: 80_000, packetsPerSecond: 10_000, dropped: 400, missed: 0 };
    const silent = { ...inPod, device: 'eth6', packets: 0, packetsPerSecond: 0, dropped: 80 };
    const devices = [inPod, silent].map((each) => ({ ...each, cardLost: 0, cardLostBy: 'rx_missed_errors' }));
    const both = { ...told, cost: { ...told.cost, devices: [...devices, ...told.cost.devices] } };
    const comparison = compared(both, both);
    assert.equal(figure(comparison, 'eth5', 'frames'), own.packetsPerSecond);
    assert.equal(figure(comparison, 'eth5', 'cardLost'), 4000);
    assert.equal(figure(comparison, 'eth5 in pod', 'dropped'), 50);
    assert.equal(figure(comparison, 'eth6 in pod', 'dropped'), 10);
    const rates = Object.fromEntries(lossesOf(both).rows.map(({ where, perSecond }) => [where, perSecond]));
    assert.deepEqual(rates, { eth5: 4000, 'eth5 in pod': 50, 'eth6 in pod': 10 });
  });
});

describe('what a comparison says of the host', () => {
  const busy = (softirq: number, irq: number): Cell[] => [
    [metrics.cpuSeconds, { cpu: '0', mode: 'softirq' }, 0, softirq],
    [metrics.cpuSeconds, { cpu: '0', mode: 'irq' }, 0, irq],
    [metrics.cpuSeconds, { cpu: '0', mode: 'idle' }, 0, 10 - softirq - irq],
    [metrics.softnetProcessed, { cpu: '0' }, 0, 400_000],
  ];

  it('is the share that the reports tell, with interrupts in it', () => {
    const [calm, loud] = [report(busy(2, 0)), report(busy(2, 3))];
    const { cost, cpus } = compared(calm, loud);
    const share = [...cost, ...cpus.flatMap(({ figures }) => figures)].filter(({ unit }) => unit === 'percent');
    assert.deepEqual(
      share.map(({ quantity, before, after, verdict }) => [quantity, before, after, verdict]),
      Array.from({ length: 2 }, () => ['interruptShare', 0.2, 0.5, 'more']),
    );
    assert.equal(interruptTime(loud.cost.host), 0.5);
  });

  it('is softirq alone where a report of an earlier version knows no more', () => {
    const loud = report(busy(2, 3));
    const { interruptShare: _, ...older } = loud.cost.host;
    const { cost } = compared({ ...loud, cost: { ...loud.cost, host: older } }, loud);
    assert.deepEqual(
      cost.filter(({ unit }) => unit === 'percent').map(({ quantity, after }) => [quantity, after]),
      [['softirqShare', 0.2]],
    );
  });

  it('has the rates that the reports tell', () => {
    const late = report(busy(2, 0), { readAfter: { softnet: 8 } });
    const { cost, cpus } = compared(late, late);
    const packets = [cost, ...cpus.map(({ figures }) => figures)].map(
      (figures) => figures.find(({ quantity }) => quantity === 'packets')?.after,
    );
    assert.deepEqual(packets, [50_000, 50_000]);
    assert.equal(late.cost.host.packetsPerSecond, 50_000);
  });
});

describe('taps in a comparison', () => {
  it('are told with their namespace', () => {
    const tap = (netns: string, inode: string): Cell[] => [
      socketCell({ inode, netns }),
      ownerCell(inode, 'tcpdump', inode),
    ];
    const { headline } = compared(report(host()), report([...host(), ...tap('red', '11'), ...tap('blue', '12')]));
    assert.match(headline, /tcpdump \(pid 11\) on eth0 in red/);
    assert.match(headline, /tcpdump \(pid 12\) on eth0 in blue/);
  });
});
