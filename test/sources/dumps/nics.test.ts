import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { nics } from '../../../src/collectors/nics.ts';
import { decodeRingLosses } from '../../../src/collectors/rings-dump.ts';
import {
  deviceInfo,
  driverCounters,
  receiveMissed,
  receiveRingLost,
  xdpDropped,
} from '../../../src/metrics/catalogue/index.ts';
import { xdpDropsIn } from '../../../src/metrics/nic-counters.ts';
import { dumpMissed } from '../../../src/probe/rtnetlink.ts';
import { hasDriverXdp, isCard, lossesAmong, readRingLosses, readRings } from '../../../src/sources/dumps/nics.ts';
import { collect, valuesOf } from '../../support/reader.ts';

const EOTHER = 772;

describe('cards', () => {
  it('are what is up, has no kind of its own and carries frames of Ethernet or InfiniBand', () => {
    assert.ok(isCard({ type: 1, up: true }));
    assert.ok(isCard({ type: 32, up: true, kind: 'ipoib' }));
    assert.ok(!isCard({ type: 1, up: false }), 'asked, it would be woken up');
    for (const kind of ['veth', 'bridge', 'tun', 'bond', 'vlan']) assert.ok(!isCard({ type: 1, up: true, kind }), kind);
    assert.ok(!isCard({ type: EOTHER, up: true }), 'the loopback device');
  });

  it('and what else has a program in its driver are asked for what that dropped, of all queues together', () => {
    const native = { mode: 'native', programs: [{ id: 7, mode: 'native' }] } as const;
    assert.ok(hasDriverXdp({ up: true, xdp: native }));
    assert.ok(!hasDriverXdp({ up: false, xdp: native }));
    assert.ok(!hasDriverXdp({ up: true, xdp: { mode: 'generic', programs: [{ id: 7, mode: 'generic' }] } }));
    assert.ok(!hasDriverXdp({ up: true }));
    const counters = [
      ['rx_queue_0_xdp_drops', 3],
      ['rx_queue_1_xdp_drops', 4],
      ['rx_queue_0_drops', 50],
      ['tx_queue_0_xdp_xmit_errors', 9],
    ] as const;
    assert.deepEqual([...xdpDropsIn(counters)], [['rx_queue_N_xdp_drops', 7]]);
    const others = ['rx_xdp_drop', 'rx0_xdp_drop', 'queue_0_rx_xdp_drop', 'rx_xdp_drop[0]', 'rx_xdp_drops'];
    assert.equal(xdpDropsIn(others.map((name) => [name, 1])).size, others.length);
  });

  it('and what drivers with words of their own call it', () => {
    const counters = [
      ['     xdp drops', 1],
      ['[drv] xdp drop', 2],
      ['Rx ring  0 XDP drops', 3],
      ['Queue[0] XdpDrop', 4],
      // What came from another device and did not fit into the ring for sending is no program's will.
      ['Tx ring  0 XDP drops', 5],
      ['rx0_xdp_tx_drops', 6],
      ['Queue[0] XdpPass', 7],
    ] as const;
    assert.deepEqual([...xdpDropsIn(counters).values()], [1, 2, 3, 4]);
  });

  it('are asked for what they lost, of all queues together, and zeros are told', () => {
    const counters = [
      ['  pkts rx OOB', 3],
      ['  pkts rx OOB', 4],
      ['rx_drops', 9],
    ] as const;
    assert.deepEqual(lossesAmong('eth0', 'vmxnet3', counters), {
      rows: [{ device: 'eth0', kind: 'ring', counter: 'pkts rx OOB', lost: 7 }],
      untold: [],
    });
    assert.deepEqual(lossesAmong('eth0', 'mlx5_core', [['rx_out_of_buffer', 0]]).rows, [
      { device: 'eth0', kind: 'ring', counter: 'rx_out_of_buffer', lost: 0 },
    ]);
    assert.deepEqual(lossesAmong('eth0', 'e1000', []), { rows: [], untold: [] });
  });

  it('whose driver counts nonsense are told as not read', () => {
    const { rows, untold } = lossesAmong('eth0', 'ena', [['rx_drops', Number(2n ** 64n - 1n)]]);
    assert.deepEqual(rows, []);
    assert.match(untold[0]?.reason ?? '', /^ena counts 18446744073709552000 as rx_drops$/);
  });

  it('of this host are asked without a failure, and the answer goes into a bundle and back', () => {
    const [losses, rings] = [readRingLosses(dumpMissed), readRings()];
    assert.ok(losses.ok && rings.ok);
    // As the kernel has it in /sys, too.
    for (const { device, missed } of losses.value.cards ?? [])
      assert.equal(missed, Number(readFileSync(`/sys/class/net/${device}/statistics/rx_missed_errors`, 'utf8')));
    assert.deepEqual(decodeRingLosses(JSON.parse(JSON.stringify(losses.value))), losses);
  });
});

describe('the collector of their counters', () => {
  it('says which cards were asked, and what of them is not known', () => {
    const dropped = { device: 'eth0', kind: 'xdp', counter: 'queue_N_rx_xdp_drop', lost: 8 };
    const rows = [...lossesAmong('eth0', 'ena', [['rx_drops', 5]]).rows, dropped];
    const untold = [{ device: 'eth1', reason: 'operation not permitted (EPERM)' }];
    const card = { ifindex: 2, driver: 'ena', missed: null };
    const cards = [
      { ...card, device: 'eth0', counted: true },
      { ...card, device: 'eth1', counted: false },
    ];
    const snapshot = collect(nics, { dumps: { ring_losses: { rows, untold, cards } } });
    assert.deepEqual([valuesOf(snapshot, deviceInfo), valuesOf(snapshot, receiveMissed)], [{}, {}], '/sys tells them');
    assert.deepEqual(valuesOf(snapshot, receiveRingLost), { 'counter=rx_drops,device=eth0': 5 });
    assert.deepEqual(valuesOf(snapshot, xdpDropped), { 'counter=queue_N_rx_xdp_drop,device=eth0': 8 });
    assert.deepEqual(valuesOf(snapshot, driverCounters), {
      'device=eth0,driver=ena,kind=card': 0,
      'device=eth0,driver=ena,kind=ring': 1,
    });
    assert.deepEqual(snapshot.lacking(receiveRingLost), [
      { labels: { device: 'eth1' }, reason: 'operation not permitted (EPERM)' },
    ]);
  });

  it('says of a card in another namespace what /sys has of one in our own', () => {
    const cards = [{ device: 'eth0', ifindex: 7, driver: 'ixgbe', counted: true, missed: 41 }];
    const snapshot = collect(nics, { dumps: { ring_losses: { rows: [], untold: [], cards } } }, 'pod');
    assert.deepEqual(valuesOf(snapshot, receiveMissed), { 'device=eth0,netns=pod': 41 });
    assert.deepEqual(valuesOf(snapshot, deviceInfo), {
      'device=eth0,driver=ixgbe,ifindex=7,kind=physical,master=,netns=pod,pci=': 1,
    });
  });

  it('does not take a refusal for health', () => {
    const snapshot = collect(nics, {});
    assert.equal(snapshot.collector('nics')?.status, 'unavailable');
  });
});
