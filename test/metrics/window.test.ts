import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  conntrackDrop,
  cpuSeconds,
  interrupts,
  netstat,
  receivePackets,
  softnetProcessed,
  softirqFunctions,
} from '../../src/metrics/catalogue/index.ts';
import { Window } from '../../src/metrics/window.ts';
import { windowOf } from '../support/window.ts';

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
});
