/**
 * Where the driver of a card counts the frames that it lost, from the drivers of Linux 6.12 (drivers/net): the statistics of the
 * device are filled as each driver likes, and `ethtool -S` has names of the driver's own.
 */
import { isSince } from '../base/release.ts';

/** The statistic of the device that rises when a receive ring was full. `ethtool` and `host`: none does. */
export type RingLossIn = 'rx_missed_errors' | 'rx_fifo_errors' | 'rx_dropped' | 'ethtool' | 'host';

/**
 * ring: the host did not take frames in time. waited: the ring was full, and the frame may have waited in the card. port: the card itself had no room, or its bus. memory: no memory for a buffer.
 * bad: spoilt on the way. policed: whoever runs the host under this guest allows no more.
 */
export type NicLossKind = 'ring' | 'waited' | 'port' | 'memory' | 'bad' | 'policed';

export interface NicLosses {
  readonly ring: RingLossIn;
  /** Kernel since which it is rx_missed_errors. */
  readonly since?: string;
  /** The driver fetches its counters only every second or two. */
  readonly slow?: true;
  /** Patterns of the names in `ethtool -S`, extended regular expressions for the whole name. */
  readonly ethtool: readonly (readonly [name: string, kind: NicLossKind])[];
  /** One of them that has losses which no statistic of the device has, and that every kernel prints. */
  readonly only?: string;
  /** Below drivers/net. */
  readonly source: string;
}

const intel = 'ethernet/intel';
const missed = [
  ['rx_missed_errors', 'ring'],
  ['rx_no_buffer_count', 'waited'],
] as const;

/** By the name of the driver, as the link `device/driver` of a card has it; `ethtool -i` may have another. */
const drivers: Readonly<Record<string, NicLosses>> = {
  alx: { ring: 'rx_dropped', ethtool: [], source: 'ethernet/atheros/alx/main.c:alx_get_stats64 (rx_ov_rrd)' },
  atl1c: { ring: 'rx_dropped', ethtool: [], source: 'ethernet/atheros/atl1c/atl1c_main.c:atl1c_get_stats (rx_rrd_ov)' },
  atlantic: {
    ring: 'rx_dropped',
    ethtool: [
      ['InDroppedDma', 'ring'],
      ['Queue\\[[0-9]+\\] (Skb)?AllocFails', 'memory'],
    ],
    source: 'ethernet/aquantia/atlantic/aq_nic.c:aq_nic_update_ndev_stats (dpc)',
  },
  be2net: {
    ring: 'rx_fifo_errors',
    ethtool: [
      ['rx_drops_no_pbuf', 'ring'],
      ['(rxq[0-9]+: )?rx_drops_no_frags', 'ring'],
      ['(rxq[0-9]+: )?rx_drops_no_skbs', 'memory'],
      ['rxpp_fifo_overflow_drop|rx_input_fifo_overflow_drop', 'port'],
    ],
    only: 'rx_drops_no_frags',
    source: 'ethernet/emulex/benet/be_main.c:be_get_stats64 (rx_drops_no_frags in rx_dropped), be_ethtool.c',
  },
  bnx2x: {
    ring: 'rx_fifo_errors',
    ethtool: [
      ['(\\[[0-9]+\\]: )?rx_discards', 'ring'],
      ['rx_brb_discard', 'port'],
      ['(\\[[0-9]+\\]: )?rx_skb_alloc_discard', 'memory'],
    ],
    source: 'ethernet/broadcom/bnx2x/bnx2x_stats.c:bnx2x_net_stats_update (no_buff_discard)',
  },
  bnxt_en: {
    ring: 'rx_missed_errors',
    slow: true,
    ethtool: [
      ['(\\[[0-9]+\\]: )?rx_discards|rx_total_ring_discards', 'ring'],
      ['rx_total_oom_discards', 'memory'],
    ],
    source: 'ethernet/broadcom/bnxt/bnxt.c:bnxt_get_ring_stats (rx_discard_pkts)',
  },
  cxgb4: {
    ring: 'rx_dropped',
    ethtool: [['rx_bg[0-3]_frames_(dropped|trunc)', 'ring']],
    source: 'ethernet/chelsio/cxgb4/cxgb4_main.c:cxgb_get_stats (rx_ovflow, rx_trunc)',
  },
  e1000: { ring: 'rx_missed_errors', ethtool: missed, source: `${intel}/e1000/e1000_main.c:e1000_update_stats (mpc)` },
  e1000e: { ring: 'rx_missed_errors', ethtool: missed, source: `${intel}/e1000e/netdev.c:e1000e_get_stats64 (mpc)` },
  ena: {
    ring: 'rx_dropped',
    ethtool: [
      ['rx_drops', 'ring'],
      ['queue_[0-9]+_rx_(page_alloc_fail|skb_alloc_fail|refil_partial|empty_rx_ring)', 'memory'],
      ['(bw_in|bw_out|pps|conntrack|linklocal)_allowance_exceeded', 'policed'],
    ],
    source: 'ethernet/amazon/ena/ena_netdev.c:ena_get_stats64 (rx_drops; rx_missed_errors is 0)',
  },
  enic: {
    ring: 'rx_dropped',
    ethtool: [
      ['rx_no_bufs', 'ring'],
      ['rx_drop', 'port'],
    ],
    source: 'ethernet/cisco/enic/enic_main.c:enic_get_stats (rx_no_bufs, rx_drop)',
  },
  fm10k: {
    ring: 'rx_dropped',
    ethtool: [
      ['nodesc_drop', 'ring'],
      ['rx_overrun_(pf|vf)', 'port'],
    ],
    source: `${intel}/fm10k/fm10k_pci.c:fm10k_update_stats (nodesc_drop)`,
  },
  gve: {
    ring: 'ethtool',
    ethtool: [
      ['rx_queue_drop_cnt\\[[0-9]+\\]|rx_no_buffers_posted\\[[0-9]+\\]', 'ring'],
      ['(rx_)?(skb|buf|page)_alloc_fail', 'memory'],
    ],
    source: 'ethernet/google/gve/gve_ethtool.c (RX_QUEUE_DROP_CNT, told by the host)',
  },
  hv_netvsc: { ring: 'host', ethtool: [], source: 'hyperv/netvsc_drv.c:netvsc_get_stats64' },
  i40e: {
    ring: 'rx_dropped',
    since: '6.8',
    ethtool: [
      ['rx_missed_errors|port\\.rx_(discards|dropped)', 'ring'],
      ['rx_(pg_)?alloc_fail', 'memory'],
      ['port\\.rx_crc_errors', 'bad'],
    ],
    source: `${intel}/i40e/i40e_main.c:i40e_update_pf_stats (GLPRT_RDPC)`,
  },
  iavf: { ring: 'rx_dropped', ethtool: [['rx_discards', 'ring']], source: `${intel}/iavf/iavf_virtchnl.c (GLV_RDPC)` },
  ice: {
    ring: 'rx_missed_errors',
    ethtool: [
      ['rx_dropped\\.nic', 'ring'],
      ['rx_(pg_)?alloc_fail', 'memory'],
      ['rx_crc_errors\\.nic', 'bad'],
    ],
    source: `${intel}/ice/ice_main.c:ice_update_vsi_stats (rx_discards)`,
  },
  idpf: { ring: 'rx_dropped', ethtool: [], source: `${intel}/idpf/idpf_virtchnl.c (rx_discards)` },
  igb: {
    ring: 'rx_missed_errors',
    ethtool: [...missed, ['rx_queue_[0-9]+_drops', 'ring'], ['rx_queue_[0-9]+_alloc_failed', 'memory']],
    source: `${intel}/igb/igb_main.c:igb_update_stats (mpc; rqdpc in rx_fifo_errors)`,
  },
  igc: {
    ring: 'rx_missed_errors',
    ethtool: [...missed, ['rx_queue_[0-9]+_drops', 'ring'], ['rx_queue_[0-9]+_alloc_failed', 'memory']],
    source: `${intel}/igc/igc_main.c:igc_update_stats (mpc; rqdpc in rx_fifo_errors)`,
  },
  ionic: {
    ring: 'ethtool',
    ethtool: [
      ['rx_queue_empty|hw_rx_dropped', 'ring'],
      ['frames_rx_dropped', 'port'],
      ['rx_[0-9]+_alloc_err', 'memory'],
    ],
    source: 'ethernet/pensando/ionic/ionic_lif.c:ionic_get_stats64 (rx_queue_empty, in rx_over_errors)',
  },
  ixgbe: {
    ring: 'rx_missed_errors',
    slow: true,
    ethtool: [
      ...missed,
      ['rx_no_dma_resources', 'ring'],
      ['alloc_rx_(page|buff)_failed', 'memory'],
      ['rx_crc_errors', 'bad'],
    ],
    only: 'rx_no_dma_resources',
    source: `${intel}/ixgbe/ixgbe_main.c:ixgbe_update_stats (mpc; qprdc in rx_no_dma_resources only)`,
  },
  ixgbevf: { ring: 'host', ethtool: [], source: `${intel}/ixgbevf: the physical function counts them` },
  liquidio: {
    ring: 'rx_dropped',
    ethtool: [['(rx-[0-9]+-)?dropped_(toomany|nomem)', 'ring']],
    source: 'ethernet/cavium/liquidio/lio_main.c:liquidio_get_stats64 (dropped_toomany)',
  },
  mana: {
    ring: 'ethtool',
    since: '6.18',
    ethtool: [['hc_rx_discards_no_wqe', 'ring']],
    source: 'ethernet/microsoft/mana/mana_ethtool.c',
  },
  mlx4_core: {
    ring: 'rx_dropped',
    ethtool: [
      ['rx_dropped|rx[0-9]+_dropped', 'ring'],
      ['rx_fifo_errors', 'port'],
    ],
    source: 'ethernet/mellanox/mlx4/en_port.c:mlx4_en_DUMP_ETH_STATS (RDROP)',
  },
  mlx5_core: {
    ring: 'rx_missed_errors',
    slow: true,
    ethtool: [
      ['rx_out_of_buffer', 'ring'],
      ['rx_discards_phy|rx_prio[0-9]_(buf_)?discards?|outbound_pci_buffer_overflow', 'port'],
      ['rx_crc_errors_phy|rx_symbol_err_phy', 'bad'],
    ],
    source: 'ethernet/mellanox/mlx5/core/en_main.c:mlx5e_get_stats (rx_out_of_buffer)',
  },
  nfp: {
    ring: 'rx_dropped',
    ethtool: [
      ['dev_rx_discards|rx_drop_events', 'ring'],
      ['rx_replace_buf_alloc_fail', 'memory'],
    ],
    source: 'ethernet/netronome/nfp/nfp_net_common.c:nfp_net_stat64 (RX_DISCARDS)',
  },
  nicvf: {
    ring: 'rx_dropped',
    ethtool: [['rx_drops|rx_drop_(red|overrun)', 'ring']],
    source: 'ethernet/cavium/thunder/nicvf_main.c:nicvf_get_stats64 (rx_drops)',
  },
  qede: {
    ring: 'rx_fifo_errors',
    ethtool: [
      ['no_buff_discards', 'ring'],
      ['brb_discards', 'port'],
    ],
    source: 'ethernet/qlogic/qede/qede_main.c:qede_get_stats64 (no_buff_discards)',
  },
  r8169: {
    ring: 'rx_missed_errors',
    ethtool: [['rx_missed', 'ring']],
    source: 'ethernet/realtek/r8169_main.c:rtl8169_get_stats64 (rx_missed)',
  },
  rvu_nicpf: {
    ring: 'rx_dropped',
    ethtool: [['rx_drops', 'ring']],
    source: 'ethernet/marvell/octeontx2/nic/otx2_common.c:otx2_get_stats64 (rx_drops)',
  },
  rvu_nicvf: {
    ring: 'rx_dropped',
    ethtool: [['rx_drops', 'ring']],
    source: 'ethernet/marvell/octeontx2/nic/otx2_common.c:otx2_get_stats64 (rx_drops)',
  },
  sfc: {
    ring: 'rx_dropped',
    ethtool: [
      ['(port_)?rx_nodesc_drops|rx_nodesc_trunc', 'ring'],
      ['(port_)?rx_overflow|port_rx_pm_(trunc|discard)_(bb_overflow|vfifo_full)', 'port'],
      ['rx_noskb_drops', 'memory'],
      ['port_rx_bad', 'bad'],
    ],
    source: 'ethernet/sfc/ef10.c:efx_ef10_update_stats_pf (port_rx_nodesc_drops)',
  },
  tg3: {
    ring: 'rx_missed_errors',
    ethtool: [
      ['rx_discards', 'ring'],
      ['rxbds_empty', 'waited'],
    ],
    source: 'ethernet/broadcom/tg3.c:tg3_get_nstats (rx_discards)',
  },
  vif: { ring: 'host', ethtool: [], source: 'xen-netfront.c: the backend counts them' },
  virtio_net: {
    ring: 'host',
    ethtool: [
      ['rx[0-9]+_hw_drop_overruns', 'ring'],
      ['rx[0-9]+_hw_drop_ratelimits', 'policed'],
      ['rx[0-9]+_drops', 'memory'],
    ],
    source:
      'virtio_net.c: the device counts them, and tells drivers since 6.11 if it likes (VIRTIO_NET_F_DEVICE_STATS)',
  },
  vmxnet3: {
    ring: 'ethtool',
    ethtool: [
      [' *pkts rx OOB', 'ring'],
      [' *drv dropped rx total| *rx buf alloc fail', 'memory'],
    ],
    source:
      'vmxnet3/vmxnet3_ethtool.c:vmxnet3_rq_dev_stats (pktsRxOutOfBuf, told by the host; in no statistic of the device)',
  },
};

/** What drivers call themselves elsewhere: to `ethtool -i`, or in older kernels. */
const otherNames: ReadonlyMap<string, string> = new Map([
  // ethernet/mellanox/mlx4/mlx4_en.h:DRV_NAME, en_ethtool.c:mlx4_en_get_drvinfo
  ['mlx4_en', 'mlx4_core'],
  // ethernet/marvell/octeontx2/nic/otx2_ethtool.c:DRV_NAME, DRV_VF_NAME
  ['rvu-nicpf', 'rvu_nicpf'],
  ['rvu-nicvf', 'rvu_nicvf'],
  // ethernet/google/gve/gve_main.c:gvnic_driver, of kernels of before July 2023
  ['gvnic', 'gve'],
]);

/** What is known of a driver; undefined for others, which are taken to keep to the meaning of the statistics. */
export function nicLossesOf(driver: string): NicLosses | undefined {
  return [otherNames.get(driver) ?? driver, driver.toLowerCase()].flatMap((name) =>
    Object.hasOwn(drivers, name) ? (drivers[name] ?? []) : [],
  )[0];
}

export const nicDrivers: readonly string[] = Object.keys(drivers);

/** Where ring loss is counted under a kernel of that release; an unknown one counts as old. */
export function ringLossIn({ ring, since }: NicLosses, release: string | undefined): RingLossIn {
  if (since === undefined) return ring;
  return isSince(release, since) === true ? 'rx_missed_errors' : ring;
}

/** One extended regular expression for the names of these kinds, for grep on `ethtool -S`; undefined where it has none. */
export function namesIn({ ethtool }: NicLosses, kinds: readonly NicLossKind[]): string | undefined {
  const names = ethtool.filter(([, kind]) => kinds.includes(kind)).map(([name]) => name);
  return names.length === 0 ? undefined : names.join('|');
}
