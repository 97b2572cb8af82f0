/**
 * What attaching native XDP does to a device, by driver: read in the kernel's sources (7.3 unless noted, the function is named),
 * not tried on each card. `detach` repeats the effect, so a native attach costs it twice.
 */

/** In rising order of harm. Only `none` is ever chosen without being asked for. */
export type NativeEffect = 'none' | 'offload' | 'pause' | 'reset' | 'unavailable';

/** Does a stamp in front of the packet survive the driver's way from XDP to sk_buff? Per release, since drivers learnt it. */
export type Metadata = 'kept' | 'refused' | 'lost';

export interface DriverRow {
  readonly driver: string;
  readonly source: string;
  readonly effect: NativeEffect;
  readonly does: string;
  /** From the first release of each pair on; before the first, native XDP is not offered or metadata is refused. */
  readonly metadata: readonly (readonly [string, Metadata])[];
  /** Largest MTU without XDP fragments, where the driver has such a limit. */
  readonly maxMtu?: number;
}

const ALWAYS: DriverRow['metadata'] = [['0', 'kept']];
const NEVER: DriverRow['metadata'] = [['0', 'refused']];

function row(
  driver: string,
  effect: NativeEffect,
  source: string,
  does: string,
  metadata: DriverRow['metadata'],
  maxMtu?: number,
): DriverRow {
  return { driver, effect, source, does, metadata, ...(maxMtu !== undefined && { maxMtu }) };
}

export const DRIVERS: readonly DriverRow[] = [
  row(
    'veth',
    'offload',
    'veth.c:veth_xdp_set',
    "turns the peer's segmentation offloads off and moves reception to NAPI",
    ALWAYS,
    3506,
  ),
  row(
    'virtio_net',
    'pause',
    'virtio_net.c:virtnet_xdp_set',
    'pauses reception for milliseconds and clears the guest offloads',
    ALWAYS,
    3506,
  ),
  row('tun', 'none', 'tun.c:tun_xdp_set', 'swaps a pointer', [
    ['0', 'refused'],
    ['7.3', 'kept'],
  ]),
  row(
    'hv_netvsc',
    'reset',
    'netvsc_bpf.c:netvsc_vf_setxdp',
    'swaps a pointer, and resets the virtual function where there is one',
    NEVER,
  ),
  row('sfc', 'none', 'efx_common.c:efx_xdp_setup_prog', 'swaps a pointer', NEVER),
  row('xen-netfront', 'pause', 'xen-netfront.c:xennet_xdp_set', 'renegotiates with the backend', NEVER, 3500),
  row(
    'mlx5_core',
    'reset',
    'en_main.c:mlx5e_xdp_set',
    'opens new channels and toggles the carrier',
    [
      ['0', 'refused'],
      ['6.1', 'kept'],
    ],
    3400,
  ),
  row(
    'mlx4_en',
    'reset',
    'en_netdev.c:mlx4_xdp_set',
    'stops and starts the port',
    [
      ['0', 'refused'],
      ['7.3', 'lost'],
    ],
    3400,
  ),
  row(
    'ixgbe',
    'reset',
    'ixgbe_main.c:ixgbe_xdp_setup',
    'closes and opens the device: the link flaps for seconds',
    ALWAYS,
  ),
  row('ixgbevf', 'reset', 'ixgbevf_main.c:ixgbevf_xdp_setup', 'closes and opens the device', ALWAYS),
  row(
    'i40e',
    'reset',
    'i40e_main.c:i40e_xdp_setup',
    'resets the physical function and all its virtual ones',
    ALWAYS,
    3000,
  ),
  row(
    'ice',
    'reset',
    'ice_main.c:ice_xdp_setup_prog',
    'takes the carrier down and up and drains the rings',
    ALWAYS,
    3000,
  ),
  row('idpf', 'reset', 'xdp.c:idpf_xdp_setup_prog', 'takes the port down and up', NEVER),
  row('igb', 'reset', 'igb_main.c:igb_xdp_setup', 'closes and opens the device: the link flaps for 2 to 4 s', ALWAYS),
  row('igc', 'pause', 'igc_xdp.c:igc_xdp_set_prog', 'stops the rings for milliseconds', ALWAYS, 1500),
  row(
    'bnxt_en',
    'reset',
    'bnxt_xdp.c:bnxt_xdp_set',
    'makes the rings anew: hundreds of milliseconds',
    [
      ['0', 'refused'],
      ['6.12', 'kept'],
    ],
    3500,
  ),
  row('ena', 'reset', 'ena_xdp.c:ena_xdp_set', 'takes the carrier down and up', NEVER, 3498),
  row(
    'gve',
    'reset',
    'gve_main.c:gve_set_xdp',
    'closes and opens the queues',
    [
      ['0', 'refused'],
      ['7.3', 'kept'],
    ],
    2048,
  ),
  row(
    'mana',
    'reset',
    'mana_bpf.c:mana_xdp_set',
    'destroys the queues and makes them anew',
    [
      ['0', 'refused'],
      ['7.3', 'kept'],
    ],
    3500,
  ),
  row('vmxnet3', 'reset', 'vmxnet3_xdp.c:vmxnet3_xdp_set', 'resets the device', NEVER, 3500),
  row('nfp', 'reset', 'nfp_net_common.c:nfp_net_xdp_setup_drv', 'takes the port down and up', ALWAYS),
  row('qede', 'reset', 'qede_filter.c:qede_xdp_set', 'unloads and loads the device', NEVER),
  row(
    'stmmac',
    'reset',
    'stmmac_xdp.c:stmmac_xdp_set_prog',
    'stops DMA and toggles the carrier',
    [
      ['0', 'refused'],
      ['6.12', 'lost'],
    ],
    1500,
  ),
  row('atlantic', 'reset', 'aq_main.c:aq_xdp_setup', 'closes and opens the device', NEVER, 2048),
  row('ionic', 'reset', 'ionic_lif.c:ionic_xdp_config', 'stops the queues', NEVER),
  row(
    'bonding',
    'reset',
    'bond_main.c:bond_xdp_set',
    'gives the program to every slave, each with its own effect',
    NEVER,
  ),
  row('netkit', 'unavailable', 'netkit.c:netkit_xsk', 'refuses programs', NEVER),
  ...[
    'e1000e',
    'e1000',
    'r8169',
    'tg3',
    'iavf',
    'bridge',
    '802.1Q VLAN Support',
    'macvlan',
    'ipvlan',
    'vxlan',
    'team',
    'lo',
    'dummy',
  ].map((driver) => row(driver, 'unavailable', 'no ndo_bpf for XDP_SETUP_PROG', 'has no native XDP', NEVER)),
];

const BY_NAME = new Map(DRIVERS.map((entry) => [entry.driver, entry]));

export function driverRow(driver: string | undefined): DriverRow | undefined {
  return driver === undefined ? undefined : BY_NAME.get(driver);
}

function release(text: string): readonly [number, number] {
  const [, major = '0', minor = '0'] = /^(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return [Number(major), Number(minor)];
}

export function kernelAtLeast(kernel: string, wanted: string): boolean {
  const [a, b] = release(kernel);
  const [c, d] = release(wanted);
  return a > c || (a === c && b >= d);
}

export function metadataOf(entry: DriverRow, kernel: string): Metadata {
  let answer: Metadata = 'refused';
  for (const [since, kept] of entry.metadata) if (kernelAtLeast(kernel, since)) answer = kept;
  return answer;
}
