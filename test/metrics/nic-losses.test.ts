import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { cardLossesIn, spokenNames } from '../../src/metrics/nic-counters.ts';
import { namesIn, nicDrivers, nicLossesOf, ringLossIn } from '../../src/metrics/nic-losses.ts';

/** Lines of `ethtool -S` as these drivers print them, and what they are counters of. */
const lines: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  mlx5_core: {
    rx_out_of_buffer: 'ring',
    rx_discards_phy: 'port',
    rx_prio0_buf_discard: 'port',
    rx_crc_errors_phy: 'bad',
    rx_packets: undefined,
    rx_steer_missed_packets: undefined,
  },
  ena: {
    rx_drops: 'ring',
    queue_0_rx_page_alloc_fail: 'memory',
    bw_in_allowance_exceeded: 'policed',
    queue_0_rx_cnt: undefined,
    queue_0_tx_missed_tx: undefined,
  },
  sfc: { port_rx_nodesc_drops: 'ring', rx_noskb_drops: 'memory', port_rx_pm_discard_vfifo_full: 'port' },
  ixgbe: { rx_no_dma_resources: 'ring', rx_no_buffer_count: 'waited', rx_dropped: undefined },
  be2net: { 'rxq0: rx_drops_no_frags': 'ring', 'rxq0: rx_drops_no_skbs': 'memory', 'rxq0: rx_pkts': undefined },
  i40e: {
    'port.rx_discards': 'ring',
    'port.rx_dropped': 'ring',
    rx_dropped: undefined,
    rx_alloc_fail: 'memory',
    'veb.rx_discards': undefined,
  },
  virtio_net: { rx0_hw_drop_overruns: 'ring', rx0_drops: 'memory', rx0_xdp_drops: undefined },
  vmxnet3: { '  pkts rx OOB': 'ring', '  drv dropped rx total': 'memory', '  drv dropped tx total': undefined },
  cxgb4: { rx_bg0_frames_dropped: 'ring', tx_frames_dropped: undefined },
};
const kinds = ['ring', 'waited', 'port', 'memory', 'bad', 'policed'] as const;

describe('where drivers count what they lose', () => {
  for (const [driver, names] of Object.entries(lines)) {
    it(`tells the counters of ${driver} apart`, () => {
      const known = nicLossesOf(driver);
      assert.ok(known !== undefined);
      for (const [name, wanted] of Object.entries(names)) {
        const found: readonly string[] = kinds.filter((kind) =>
          new RegExp(`^(${namesIn(known, [kind]) ?? '$.'})$`).test(name),
        );
        assert.deepEqual(found, wanted === undefined ? [] : [wanted], name);
      }
    });
  }

  it('gives each a source, and patterns that are regular expressions without overlap', () => {
    for (const driver of nicDrivers) {
      const known = nicLossesOf(driver);
      assert.ok(known !== undefined && known.source.length > 10, driver);
      for (const [name] of known.ethtool) assert.doesNotThrow(() => new RegExp(`^(${name})$`), `${driver}: ${name}`);
    }
  });

  it('adds up the queues of one name, and says it for all of them', () => {
    const known = nicLossesOf('be2net');
    assert.ok(known !== undefined);
    const lost = cardLossesIn(known, 'ring', [
      ['rxq0: rx_pkts', 9],
      ['rxq0: rx_drops_no_frags', 3],
      ['rxq11: rx_drops_no_frags', 4],
      ['rx_drops_no_pbuf', 5],
      ['rxq0: rx_drops_no_skbs', 6],
    ]);
    assert.deepEqual(
      [...lost],
      [
        ['rxqN: rx_drops_no_frags', 7],
        ['rx_drops_no_pbuf', 5],
      ],
    );
  });

  it('says names as people write them', () => {
    const said = (driver: string): readonly string[] => {
      const known = nicLossesOf(driver);
      assert.ok(known !== undefined);
      return spokenNames(known, ['ring']);
    };
    assert.deepEqual(said('virtio_net'), ['rxN_hw_drop_overruns']);
    assert.deepEqual(said('gve'), ['rx_queue_drop_cnt[N]', 'rx_no_buffers_posted[N]']);
    assert.deepEqual(said('vmxnet3'), ['pkts rx OOB']);
    assert.deepEqual(said('i40e'), ['rx_missed_errors', 'port.rx_discards', 'port.rx_dropped']);
    assert.deepEqual(said('nicvf'), ['rx_drops', 'rx_drop_red', 'rx_drop_overrun']);
    assert.deepEqual(said('sfc'), ['rx_nodesc_drops', 'rx_nodesc_trunc']);
    for (const driver of nicDrivers) {
      const known = nicLossesOf(driver);
      assert.ok(known !== undefined);
      for (const name of spokenNames(known, kinds)) assert.match(name, /^[\w.: ]+(\[N\][\w.: ]*)?$/, driver);
    }
  });

  it('knows when a driver changed where it counts', () => {
    const i40e = nicLossesOf('i40e');
    assert.ok(i40e !== undefined);
    assert.equal(ringLossIn(i40e, '5.10.0-30-amd64'), 'rx_dropped');
    assert.equal(ringLossIn(i40e, '6.7.12'), 'rx_dropped');
    assert.equal(ringLossIn(i40e, '6.8.0'), 'rx_missed_errors');
    assert.equal(ringLossIn(i40e, '7.3'), 'rx_missed_errors');
    assert.equal(ringLossIn(i40e, undefined), 'rx_dropped');
  });

  it('knows a driver by what `ethtool -i` calls it, and by what it was called', () => {
    const names = { mlx4_en: 'mlx4_core', 'rvu-nicpf': 'rvu_nicpf', 'rvu-nicvf': 'rvu_nicvf', gvnic: 'gve' };
    for (const [name, driver] of Object.entries(names)) {
      assert.ok(nicLossesOf(name) !== undefined, name);
      assert.equal(nicLossesOf(name), nicLossesOf(driver));
    }
  });

  it('knows LiquidIO by the name that its driver has, and nothing by the names of objects', () => {
    assert.equal(nicLossesOf('LiquidIO')?.ring, 'rx_dropped');
    for (const name of ['', 'constructor', '__proto__', 'toString']) assert.equal(nicLossesOf(name), undefined);
  });
});
