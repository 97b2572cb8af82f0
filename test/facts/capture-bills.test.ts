import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { captureBills } from '../../src/facts/capture-bills.ts';
import {
  captureCpuSeconds,
  packetSocketRing,
  profileProcessSamples,
  sentFloor,
  sentMedian,
  sentPackets,
  sentSamples,
  sentSeconds,
  spanFloor,
  spanNanoseconds,
  spanPackets,
  spanSamples,
  tapNanoseconds,
} from '../../src/metrics/catalogue/index.ts';
import type { Labels } from '../../src/metrics/metric.ts';
import { ownerCell, socketCell } from '../support/taps.ts';
import { windowOf, type Cell } from '../support/window.ts';

const limits = { samples: 50, lost: 0.5, dearest: 25_000 };
const taps = { device: 'eth0', span: 'taps', mode: 'tracepoint' };
const sent = { device: 'eth0', way: 'direct' };
/** 100,000 packets a second received at 700 ns, 50,000 sent at 400 ns. */
const traffic: Cell[] = [
  [spanSamples, taps, 0, 10_000],
  [spanNanoseconds, taps, 0, 10_000 * 850],
  [spanFloor, { ...taps, method: 'calibrated' }, 150, 150],
  [spanPackets, { device: 'eth0' }, 0, 1_000_000],
  [sentSamples, sent, null, 1000],
  [sentMedian, sent, null, 500],
  [sentFloor, { ...sent, method: 'calibrated' }, null, 100],
  [sentPackets, { device: 'eth0' }, null, 125_000],
  [sentSeconds, {}, null, 2.5],
];

describe('the bill of a capture', () => {
  it('has both directions, its process, its ring, and who pays for sending', () => {
    const cells: Cell[] = [
      ...traffic,
      socketCell({}),
      ownerCell('1001', 'tcpdump', '4242'),
      [captureCpuSeconds, { pid: '4242', comm: 'tcpdump', mode: 'user' }, 1, 1.5],
      [captureCpuSeconds, { pid: '4242', comm: 'tcpdump', mode: 'system' }, 1, 3],
      [captureCpuSeconds, { pid: '9', comm: 'other', mode: 'user' }, 1, 9],
      [packetSocketRing, { inode: '1001' }, 2 << 20, 2 << 20],
      [profileProcessSamples, { direction: 'transmit', pid: '7', comm: 'iperf3', part: 'tap-transmit' }, 0, 40],
    ];
    const bill = captureBills(windowOf({ cells }), limits)('1001');
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(bill).map(([name, value]) => [
          name,
          typeof value === 'number' ? Number(value.toFixed(4)) : value,
        ]),
      ),
      {
        receiveCpu: 0.07,
        transmitCpu: 0.02,
        readerUserCpu: 0.05,
        readerSystemCpu: 0.2,
        ringBytes: 2 << 20,
        payers: [{ pid: '7', comm: 'iperf3', share: 1 }],
      },
    );
  });

  it('of a fanout group is shared by its sockets: a process that holds them is billed for the group once', () => {
    const group = ['1', '2', '3', '4'].map((inode) =>
      socketCell({ inode, hook: 'packet_rcv_fanout', fanout: 'id 7 type hash' }),
    );
    const timed = (inode: string, ns: number): Cell => [
      tapNanoseconds,
      { inode, device: 'eth0', certainty: 'measured' },
      null,
      ns,
    ];
    for (const prices of [[], [timed('1', 600), timed('2', 800)]]) {
      const bills = captureBills(windowOf({ cells: [...traffic, ...group, ...prices] }), limits);
      const all = ['1', '2', '3', '4'].map((inode) => bills(inode));
      const sum = (of: (bill: (typeof all)[number]) => number | null): number =>
        all.reduce((total, bill) => total + (of(bill) ?? 0), 0);
      // 100,000 packets a second at 700 ns, 50,000 at 400.
      assert.equal(sum(({ receiveCpu }) => receiveCpu).toFixed(6), '0.070000');
      assert.equal(sum(({ transmitCpu }) => transmitCpu).toFixed(6), '0.020000');
    }
  });

  it('says what was not measured', () => {
    const bill = captureBills(windowOf({ cells: [socketCell({})] }), limits)('1001');
    assert.deepEqual(bill, {
      receiveCpu: null,
      transmitCpu: null,
      readerUserCpu: null,
      readerSystemCpu: null,
      ringBytes: null,
      payers: [],
    });
  });
});

describe('the CPU time of the processes that hold sockets', () => {
  it('is added up once, however many sockets there are', () => {
    let looks = 0;
    const spent = (pid: string): Cell => {
      const labels: Labels = { pid, comm: 'many', mode: 'user' };
      const get = (of: Labels, name: string): string | undefined => {
        looks += 1;
        return of[name];
      };
      return [captureCpuSeconds, new Proxy(labels, { get }), 0, 1];
    };
    const inodes = Array.from({ length: 300 }, (_, index) => `${2000 + index}`);
    const cells = inodes.flatMap((inode) => [socketCell({ inode }), ownerCell(inode, 'many', inode), spent(inode)]);
    const window = windowOf({ cells });
    window.increase(captureCpuSeconds);
    looks = 0;
    const bills = captureBills(window, limits);
    assert.ok(inodes.every((inode) => bills(inode).readerUserCpu === 0.1));
    assert.ok(looks <= 10 * inodes.length, `${looks} looks at ${inodes.length} processes`);
  });
});
