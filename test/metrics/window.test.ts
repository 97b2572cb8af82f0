import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackDrop,
  conntrackEntries,
  cpuSeconds,
  deviceLower,
  interrupts,
  netstat,
  receiveDrop,
  receivePackets,
  skbDrops,
  softnetProcessed,
  softirqFunctions,
  udpSocketDrops,
} from '../../src/metrics/catalogue/index.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { Window } from '../../src/metrics/window.ts';
import { windowOf, type Cell } from '../support/window.ts';

const overflows = netstat.member('TcpExt_ListenOverflows');

describe('Window', () => {
  it('subtracts a u32 cell that wrapped modulo 2^32', () => {
    const window = windowOf({ cells: [[softnetProcessed, { cpu: '0' }, 0xffffff00, 0x100]] });
    assert.equal(window.increase(softnetProcessed).cells[0]?.increase, 0x200);
  });

  it('subtracts u32 cells one by one before summing, so that a wrap of one CPU is not hidden by another', () => {
    const window = windowOf({ cells: [[conntrackDrop, {}, [0xffffffff, 1000], [0, 3000]]] });
    assert.equal(window.increase(conntrackDrop).cells[0]?.increase, 2001);
  });

  it('takes a u32 counter that fell by little for a reset, not for four billion packets', () => {
    const window = windowOf({ cells: [[softirqFunctions, { cpu: '0', type: 'NET_RX' }, 5000, 10]] });
    const { cells, missing } = window.increase(softirqFunctions);
    assert.equal(cells.length, 0);
    assert.match(missing[0]!.reason, /from 5000 back to 10: reset/);
  });

  it('reports a 64-bit counter that went down as a reset', () => {
    const window = windowOf({ cells: [[receivePackets, { device: 'eth0' }, 900, 20]] });
    assert.equal(window.increase(receivePackets).cells.length, 0);
    assert.match(window.increase(receivePackets).missing[0]!.reason, /device="eth0" went from 900 back to 20: reset/);
  });

  it('counts idle and iowait that step back as zero', () => {
    const window = windowOf({ cells: [[cpuSeconds, { cpu: '0', mode: 'idle' }, 100.02, 100.01]] });
    assert.equal(window.increase(cpuSeconds).cells[0]?.increase, 0);
  });

  it('names a CPU that came and one that went in between, and keeps the others', () => {
    const window = windowOf({
      cells: [
        [cpuSeconds, { cpu: '0', mode: 'softirq' }, 1, 2],
        [cpuSeconds, { cpu: '1', mode: 'softirq' }, 1, null],
        [cpuSeconds, { cpu: '2', mode: 'softirq' }, null, 5],
      ],
    });
    const { cells, missing } = window.increase(cpuSeconds);
    assert.deepEqual(
      cells.map(({ labels }) => labels['cpu']),
      ['0'],
    );
    assert.equal(missing.length, 2);
    assert.match(missing.map(({ reason }) => reason).join(), /cpu="2".* appeared.*cpu="1".* went away/);
  });

  it('reads a sparse cell that was not there before as zero, if its collector had run', () => {
    const irq = { cpu: '0', type: '24', info: 'PCI-MSI', devices: 'eth0' };
    const window = windowOf({ cells: [[interrupts, irq, null, 7]] });
    assert.equal(window.increase(interrupts).cells[0]?.increase, 7);
  });

  it('reads it as zero in another namespace as well, where it is read of all namespaces at once', () => {
    const drop = { reason: 'SOCKET_RCVBUFF', location: 'udp_queue_rcv_one_skb', device: '', netns: 'pod' };
    const window = windowOf({ cells: [[skbDrops, drop, null, 7]] });
    assert.equal(window.increase(skbDrops).cells[0]?.increase, 7);
  });

  it('does not take for zero what was not read in a namespace, or in one that came', () => {
    const socket = { family: 'inet', address: '0.0.0.0', port: '53', inode: '9', netns: 'pod' };
    const { before, after } = windowOf({ cells: [[udpSocketDrops, socket, null, 7]] });
    const came = new Snapshot(before.takenAt, before.at);
    came.collectors.push(...before.collectors.filter(({ netns }) => netns === ''));
    assert.deepEqual(new Window(came, after).increase(udpSocketDrops).cells, []);
    came.collectors.push({
      id: udpSocketDrops.collector,
      netns: 'pod',
      status: 'unavailable',
      gaps: [],
      milliseconds: 0,
    });
    assert.deepEqual(new Window(came, after).increase(udpSocketDrops).cells, []);
  });

  it('tells of what was counted once in a longer time than its own as one, not as nothing', () => {
    const window = windowOf({ cells: [[receiveDrop, { device: 'eth0' }, 0, 1]], readAfter: { netdev: 60 } });
    assert.deepEqual(
      window.increase(receiveDrop).cells.map((cell) => window.inItsTime(cell)),
      [1],
    );
    assert.equal(window.inItsTime({ increase: 0, seconds: 60 }), 0);
  });

  it('keeps absent apart from zero, with the reason its collector gave', () => {
    const gap = { path: '/proc/net/netstat', reason: 'permission denied (EACCES)' };
    const window = windowOf({ cells: [], failed: { netstat: gap } });
    const { cells, missing } = window.increase(overflows);
    assert.equal(cells.length, 0);
    assert.deepEqual(missing, [{ metric: overflows.name, source: gap.path, reason: gap.reason, netns: '' }]);
  });

  it('says of a field this kernel lacks that the kernel lacks it', () => {
    const window = windowOf({ cells: [], ran: ['netstat'] });
    assert.match(window.increase(overflows).missing[0]!.reason, /this kernel does not provide it/);
  });

  it('cannot tell a rate from one sample', () => {
    const { after } = windowOf({ cells: [[overflows, {}, 1, 1]] });
    assert.match(new Window(after, after).increase(overflows).missing[0]!.reason, /one sample only/);
  });

  it('does not read all series again for each of 2,000 devices that came or went', () => {
    const window = windowOf({
      cells: Array.from({ length: 4000 }, (_, index): Cell => {
        const came = index % 2 === 0;
        return [receivePackets, { device: `veth${index}` }, came ? null : 1, came ? 1 : null];
      }),
    });
    let read = 0;
    for (const end of [window.before, window.after]) {
      const series = end.series.bind(end);
      end.series = (metric) => {
        const all = series(metric);
        read += all.length;
        return all;
      };
    }
    const { missing } = window.increase(receivePackets);
    assert.equal(missing.filter(({ transient }) => transient === true).length, 4000);
    assert.ok(read <= 4 * 4000, `${read} series were read`);
  });

  it('keeps the larger reading of a gauge, of what came and what went too', () => {
    const window = windowOf({
      cells: [
        [conntrackEntries, { netns: 'went' }, 5, null],
        [conntrackEntries, { netns: 'fell' }, 9, 2],
        [conntrackEntries, { netns: 'rose' }, 2, 8],
        [conntrackEntries, { netns: 'came' }, null, 4],
      ],
    });
    assert.deepEqual(
      window.peak(conntrackEntries).map(({ labels, value }) => `${labels['netns']} ${value}`),
      ['went 5', 'fell 9', 'rose 8', 'came 4'],
    );
  });
});

describe('Snapshot', () => {
  it('keeps series in any order, one of each labels, the last of them', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
    const order = [7, 3, 9, 3, 1, 7, 5];
    for (const index of order) snapshot.add(receiveDrop, { device: `eth${index}` }, index, 0);
    for (const [time, index] of order.entries()) snapshot.add(receivePackets, { device: `eth${10 - index}` }, time, 0);
    for (const index of [5, 1, 3, 9, 7]) {
      assert.equal(snapshot.get(receiveDrop, { device: `eth${index}` })?.value, index);
      assert.equal(
        snapshot.get(receivePackets, { device: `eth${10 - index}` })?.value,
        order.lastIndexOf(index),
        `eth${10 - index}`,
      );
    }
    assert.equal(snapshot.get(receiveDrop, { device: 'eth2' }), undefined);
    assert.equal(snapshot.series(receivePackets).length, 5);
  });

  it('takes no device for one of another name, however it is written', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
    snapshot.add(receivePackets, { device: 'a,lower=b' }, 1, 0);
    snapshot.add(deviceLower, { device: 'a', lower: 'b' }, 2, 0);
    assert.deepEqual(snapshot.series(deviceLower)[0]?.labels, { device: 'a', lower: 'b' });
    assert.deepEqual(snapshot.series(receivePackets)[0]?.labels, { device: 'a,lower=b' });
  });
});
