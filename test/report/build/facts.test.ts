import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as metrics from '../../../src/metrics/catalogue/index.ts';
import { Snapshot } from '../../../src/metrics/snapshot.ts';
import { Window } from '../../../src/metrics/window.ts';
import { buildReport } from '../../../src/report/build/index.ts';
import type { Cell } from '../../support/window.ts';
import { attached, host, reportOf, sockets, spans } from '../cases.ts';
import { reportSchema, type Schema } from '../schema.ts';

describe('taps', () => {
  const { taps } = reportOf({ cells: [...host(), ...sockets] }, []);

  it('calls a running ETH_P_ALL hook a tap on the hot path, and one for the protocol of most packets; the dear one first', () => {
    assert.deepEqual(
      taps.map(({ inode, onHotPath }) => [inode, onHotPath]),
      [
        ['9003', true],
        ['9001', true],
        ['9002', false],
      ],
    );
  });

  it('names every owner, and the price with how it is known', () => {
    assert.deepEqual(taps[0]?.owners, [
      { pid: 4242, comm: 'tcpdump' },
      { pid: 4243, comm: 'tcpdump' },
    ]);
    assert.equal(taps[0].nsPerPacket, 900);
    assert.equal(taps[0].priceCertainty, 'estimated');
    assert.deepEqual(taps[1]?.owners, [{ pid: 412, comm: 'dhclient' }]);
    assert.deepEqual(taps[2]?.owners, []);
  });

  it('says null for what could not be read instead of none', () => {
    const unknown = { filter: 'unknown', ring: 'unknown', fanout: 'unknown', promiscuous: 'unknown' };
    const cells = sockets.map(([metric, labels, ...values]) => [metric, { ...labels, ...unknown }, ...values] as const);
    const [tap] = reportOf({ cells }, []).taps;
    assert.deepEqual([tap?.filter, tap?.ring, tap?.fanout, tap?.promiscuous, tap?.drops], Array(5).fill(null));
  });
});

describe('cost', () => {
  const busy = host({ packets: 200_000, frames: 500_000, softirq: 0.5 });

  it('prices a packet, across a counter that wrapped, and keeps wire frames apart from skbs', () => {
    const { cost } = reportOf({ cells: busy }, []);
    assert.equal(cost.host.packets, 200_010);
    // The bridge counts the frames of eth0 a second time.
    assert.equal(cost.host.wirePackets, 500_000);
    assert.ok(Math.abs(cost.host.nsPerPacket! - 0.51e9 / 200_010) < 1e-6);
    assert.ok(Math.abs(cost.host.softirqShare! - 0.51 / 20) < 1e-12);
    assert.equal(cost.cpus.find(({ cpu }) => cpu === '1')?.softirqShare, 0.05);
  });

  it('adds the time of NAPI threads, which is not softirq time', () => {
    const thread = { pid: '90', comm: 'napi/eth0-1', role: 'napi' };
    const other = { pid: '91', comm: 'ksoftirqd/0', role: 'ksoftirqd' };
    const { cost } = reportOf(
      { cells: [...busy, [metrics.processCpu, thread, 1, 3], [metrics.processCpu, other, 1, 9]] },
      [],
    );
    assert.equal(cost.host.napiSeconds, 2);
    assert.ok(Math.abs(cost.host.nsPerPacket! - 2.51e9 / 200_010) < 1e-6);
  });

  it('gives no price by a few ticks of softirq time, unless this kernel measures it', () => {
    const few = host({ packets: 200_000, softirq: 0.02 });
    const { cost } = reportOf({ cells: few }, []);
    assert.equal(cost.host.nsPerPacket, null);
    assert.match(cost.host.reason!, /30 ms of softirq time, which this kernel counts in ticks/);
    assert.ok(cost.cpus.every(({ nsPerPacket }) => nsPerPacket === null));
    const exact: Cell = [metrics.kernelFeature, { feature: 'irq_time_accounting' }, 1, 1];
    const measured = reportOf({ cells: [...few, exact] }, []).cost.host;
    assert.ok(Math.abs(measured.nsPerPacket! - 0.03e9 / 200_010) < 1e-6);
    assert.equal(measured.reason, null);
  });

  it('gives no price when too few packets came', () => {
    const { cost } = reportOf({ cells: host() }, []);
    assert.equal(cost.host.nsPerPacket, null);
    assert.equal(cost.host.groRatio, null);
    assert.match(cost.host.reason!, /only \d+ packets in the window, too few to price one/);
  });

  it('has no spans without the probe, and says why', () => {
    const { cost } = reportOf({ cells: busy }, []);
    assert.equal(cost.devices[0]?.spans, null);
    assert.equal(cost.devices[0].reason, 'probe not built in');
    assert.deepEqual(cost.host.breakdown, []);
  });

  it('splits the price into parts that add up to 1, the unexplained printed', () => {
    const { cost } = reportOf({ cells: [...busy, ...spans] }, [], { probe: attached });
    for (const { breakdown } of [cost.host, cost.devices.find(({ device }) => device === 'eth0')!]) {
      assert.deepEqual(
        breakdown.map(({ part }) => part),
        ['driver-gro', 'taps', 'net-rx-rest', 'unexplained'],
      );
      assert.ok(Math.abs(breakdown.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12);
      assert.equal(breakdown[0]?.ns, 500, 'what passed outside of the stack');
      assert.equal(breakdown[1]?.ns, 900, 'the mean of 1.1 µs above the floor of 200 ns');
      assert.equal(breakdown[2]?.ns, 600, 'the 2 µs of NET_RX less the two');
    }
  });

  it('leaves the driver in the rest of NET_RX where it was not told apart', () => {
    const cells = [...busy, ...spans].filter(([metric]) => metric !== metrics.netRxDriverNanoseconds);
    const { breakdown } = reportOf({ cells }, [], { probe: attached }).cost.host;
    assert.deepEqual(
      breakdown.map(({ part, ns }) => [part, Math.round(ns)]),
      [
        ['taps', 900],
        ['net-rx-rest', 1100],
        ['unexplained', 550],
      ],
    );
  });

  it('prices a device by the CPUs that received its packets, and each CPU by itself', () => {
    const other: Cell[] = [
      [metrics.netRxNanoseconds, { cpu: '0' }, 0, 900_000_000],
      [metrics.netRxDriverNanoseconds, { cpu: '0' }, 0, 300_000_000],
      [metrics.netRxPackets, { cpu: '0' }, 0, 100_000],
      [metrics.spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 200_000],
    ];
    const { cost } = reportOf({ cells: [...busy, ...spans, ...other] }, [], { probe: attached });
    const ns = (breakdown: readonly { readonly ns: number }[]): number[] =>
      breakdown.slice(0, 3).map((part) => Math.round(part.ns));
    assert.deepEqual(ns(cost.devices.find(({ device }) => device === 'eth0')!.breakdown), [500, 900, 600]);
    assert.deepEqual(ns(cost.cpus.find(({ cpu }) => cpu === '0')!.breakdown), [3000, 0, 6000]);
    assert.deepEqual(ns(cost.cpus.find(({ cpu }) => cpu === '1')!.breakdown), [500, 900, 600]);
    assert.equal(cost.host.netRxNsPerPacket, (400e6 + 900e6) / 300_000);
  });

  it('takes the measured NET_RX time for the whole where the ticks saw less of it', () => {
    const { cost } = reportOf({ cells: [...host({ packets: 200_000, softirq: 0.01 }), ...spans] }, [], {
      probe: attached,
    });
    assert.equal(cost.host.breakdown.at(-1)?.ns, 0);
    assert.ok(Math.abs(cost.host.breakdown.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-12);
  });

  it('counts both CPUs of a packet where RPS hands it over', () => {
    const card: Cell[] = [
      [metrics.netRxNanoseconds, { cpu: '0' }, 0, 600_000_000],
      [metrics.netRxDriverNanoseconds, { cpu: '0' }, 0, 600_000_000],
      [metrics.netRxPackets, { cpu: '0' }, 0, 0],
      [metrics.spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 200_000],
      [metrics.softnetReceivedRps, { cpu: '1' }, 0, 5000],
    ];
    const { cost } = reportOf({ cells: [...busy, ...spans, ...card] }, [], { probe: attached });
    const eth0 = cost.devices.find(({ device }) => device === 'eth0')!;
    assert.equal(cost.host.netRxNsPerPacket, 5000);
    for (const { breakdown } of [cost.host, eth0])
      assert.deepEqual(
        breakdown.slice(0, 3).map(({ ns }) => Math.round(ns)),
        [3500, 900, 600],
      );
    assert.deepEqual(cost.cpus.find(({ cpu }) => cpu === '0')?.breakdown, []);
  });

  it('says by what share the packets of a device may be wrong, where they were estimated', () => {
    const passed: Cell = [metrics.spanPackets, { device: 'eth0' }, 0, 100_000];
    const cells = [...busy, ...spans.filter(([metric]) => metric !== metrics.spanPackets), passed];
    const ofEth0 = (more: readonly Cell[]): number | null | undefined =>
      reportOf({ cells: [...cells, ...more] }, [], { probe: attached }).cost.devices.find(
        ({ device }) => device === 'eth0',
      )?.skbsError;
    assert.equal(ofEth0([[metrics.spanPacketsError, { device: 'eth0' }, 0, 2000]]), 0.02);
    assert.equal(ofEth0([]), null, 'all were counted');
  });

  it('goes by what was counted in the same time where the probe left before the end', () => {
    const cells: Cell[] = [
      ...busy,
      ...spans.filter(([metric]) => metric !== metrics.spanPackets),
      [metrics.spanPackets, { device: 'eth0' }, 0, 100_000],
      [metrics.spanCpuPackets, { device: 'eth0', cpu: '1' }, 0, 100_000],
    ];
    const { devices, cpus } = reportOf({ cells, readAfter: { ebpf: 5 } }, [], { probe: attached }).cost;
    assert.equal(
      devices.find(({ device }) => device === 'eth0')?.groRatio,
      2.5,
      '50,000 frames and 20,000 packets a second',
    );
    const paying = cpus.find(({ cpu }) => cpu === '1');
    assert.ok(Math.abs(paying!.tapSeconds! - 0.09) < 1e-12);
    assert.ok(Math.abs(paying!.tapShare! - 0.09 / 5) < 1e-12);
  });

  it('turns cumulative buckets into bars and keeps losses by reason', () => {
    const taps = reportOf({ cells: [...busy, ...spans] }, []).cost.devices.find(({ device }) => device === 'eth0')
      ?.spans?.taps;
    assert.deepEqual(
      taps?.histogram.map(({ count }) => count),
      [0, 10, 90, 600, 260, 35, 4, 1],
    );
    assert.equal(taps.histogram.at(-1)?.leNs, null);
    assert.deepEqual(taps.lostBy, { unmatched: 4, 'no-metadata': 1 });
    assert.equal(taps.spreadNs, 2100);
  });
});

describe('collectors and window', () => {
  it('gives the worse of the two samples', () => {
    const before = new Snapshot('2026-01-01T00:00:00.000Z', 1);
    const after = new Snapshot('2026-01-01T00:00:10.000Z', 11);
    const gap = { path: '/proc/net/dev', reason: 'read error (EIO)' };
    before.collectors.push({ id: 'netdev', netns: '', status: 'unavailable', gaps: [gap], milliseconds: 1 });
    after.collectors.push({ id: 'netdev', netns: '', status: 'ok', gaps: [], milliseconds: 2 });
    const self = { cpuSeconds: null, peakMemoryBytes: null };
    const input = { findings: [], version: '1', requestedSeconds: 10, cutShort: false, self };
    const [status] = buildReport({ window: new Window(before, after), ...input }).collectors;
    assert.deepEqual(status, {
      id: 'netdev',
      netns: '',
      status: 'unavailable',
      reason: gap.reason,
      path: gap.path,
      gaps: 1,
      milliseconds: 3,
    });
    const single = buildReport({ window: new Window(after, after), ...input });
    assert.equal(single.window.samples, 1);
    assert.equal(single.collectors[0]?.milliseconds, 2);
    assert.match(single.verdict.headline, /one sample/);
  });
});

/** A report of an earlier version has no fields that came later, and is still one. */
function sinceTheFirst(properties: Readonly<Record<string, Schema>>): string[] {
  return Object.entries(properties).flatMap(([name, { $comment }]) => ($comment === undefined ? [name] : []));
}

describe('report schema', () => {
  it('describes every field, and requires all that were there from the first version on', () => {
    const check = (schema: Schema, at: string): string[] => [
      ...(schema.$ref === undefined && schema.description === undefined && at !== '' && !/\/(items|anyOf)/.test(at)
        ? [`${at} has no description`]
        : []),
      ...(schema.properties !== undefined &&
      (schema.required ?? []).join(' ') !== sinceTheFirst(schema.properties).join(' ')
        ? [`${at} does not require just its fields, in order`]
        : []),
      ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => check(field, `${at}/${name}`)),
    ];
    const wrong = Object.entries(reportSchema.$defs ?? {}).flatMap(([name, schema]) => check(schema, `/$defs/${name}`));
    assert.deepEqual([...check(reportSchema, ''), ...wrong], []);
  });
});
