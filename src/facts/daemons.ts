/** What a process that holds a packet socket is there for, by its comm: the first 15 bytes of the program's name. */
export interface Daemon {
  /** A person's capture, a sensor that wants all traffic, a control-plane protocol, or the data path itself. */
  readonly kind: 'capture' | 'sensor' | 'protocol' | 'datapath';
  /** Ethertypes that would do for a control-plane protocol, in hexadecimal. */
  readonly ethertypes?: readonly string[];
  /** How it is made to take less, one sentence. */
  readonly narrow?: string;
  /** What to look at or to type for that. */
  readonly command?: string;
}

const capture: Daemon = { kind: 'capture' };
const suricata: Daemon = {
  kind: 'sensor',
  narrow:
    'give each interface of af-packet one cluster-id with cluster-type cluster_flow, tpacket-v3 and a bpf-filter for traffic that needs no inspection',
  command: "grep -n -A 14 '^af-packet:' /etc/suricata/suricata.yaml",
};
const zeek: Daemon = {
  kind: 'sensor',
  narrow: 'let its workers share one fanout group (lb_method=custom, af_packet) and set a capture filter',
  command: 'zeekctl nodes',
};
const datapath: Daemon = {
  kind: 'datapath',
  narrow:
    'this is its data path (net_af_packet, af-packet interface), not a capture: move it to AF_XDP or to the poll-mode driver of the NIC instead of stopping it',
};

const daemons: ReadonlyMap<string, Daemon> = new Map<string, Daemon>([
  ...[
    'tcpdump',
    'dumpcap',
    'tshark',
    'wireshark',
    'termshark',
    'netsniff-ng',
    'ngrep',
    'tcpflow',
    'tcpick',
    'sniffit',
  ].map((comm): [string, Daemon] => [comm, capture]),
  ...['iftop', 'nethogs', 'jnettop', 'iptraf-ng', 'sngrep', 'ssldump', 'darkstat', 'bandwhich', 'p0f'].map(
    (comm): [string, Daemon] => [comm, capture],
  ),
  ['suricata', suricata],
  ['Suricata-Main', suricata],
  ['snort', { kind: 'sensor', narrow: 'use the afpacket DAQ with fanout_type=hash and a BPF file (-F)' }],
  ['snort3', { kind: 'sensor', narrow: 'use the afpacket DAQ with fanout_type=hash and a BPF file (--bpf)' }],
  ['zeek', zeek],
  ['bro', zeek],
  [
    'packetbeat',
    {
      kind: 'sensor',
      narrow: 'set packetbeat.interfaces.bpf_filter, snaplen and one device instead of any',
      command: 'grep -n "packetbeat.interfaces" /etc/packetbeat/packetbeat.yml',
    },
  ],
  ...['ntopng', 'nprobe', 'pmacctd', 'softflowd', 'fprobe', 'arkime-capture', 'stenotype'].map(
    (comm): [string, Daemon] => [comm, { kind: 'sensor', narrow: 'bind it to one device and give it a BPF filter' }],
  ),
  [
    'lldpd',
    {
      kind: 'protocol',
      ethertypes: ['88cc'],
      narrow: 'let it listen on the uplinks only (lldpcli configure system interface pattern NAMES)',
      command: "lldpcli show configuration | grep -i 'interface pattern'",
    },
  ],
  ['lldpad', { kind: 'protocol', ethertypes: ['88cc'] }],
  ['ladvd', { kind: 'protocol', ethertypes: ['88cc'] }],
  [
    'systemd-network',
    {
      kind: 'protocol',
      ethertypes: ['0800', '88cc'],
      narrow: 'switch off what the link does not need: LLDP=no, IPv4ACD=no, DHCP=no',
      command: 'networkctl list',
    },
  ],
  ['NetworkManager', { kind: 'protocol', ethertypes: ['0800', '0806', '88cc'] }],
  [
    'dhclient',
    {
      kind: 'protocol',
      ethertypes: ['0800'],
      narrow: 'use a DHCP client that binds to IPv4 (systemd-networkd, NetworkManager) or a static address',
    },
  ],
  [
    'dhcpcd',
    {
      kind: 'protocol',
      ethertypes: ['0800', '0806'],
      narrow: 'set noarp, or let it manage only the device that needs DHCP',
      command: 'grep -n interfaces /etc/dhcpcd.conf',
    },
  ],
  ['udhcpc', { kind: 'protocol', ethertypes: ['0800'] }],
  [
    'dhcpd',
    {
      kind: 'protocol',
      ethertypes: ['0800'],
      narrow: 'name the interfaces it serves',
      command: 'grep -n INTERFACES /etc/default/isc-dhcp-server',
    },
  ],
  ['dhcrelay', { kind: 'protocol', ethertypes: ['0800'] }],
  ['wpa_supplicant', { kind: 'protocol', ethertypes: ['888e'] }],
  ['hostapd', { kind: 'protocol', ethertypes: ['888e'] }],
  ['keepalived', { kind: 'protocol', ethertypes: ['0806'] }],
  ['arpwatch', { kind: 'protocol', ethertypes: ['0806'] }],
  ['arping', { kind: 'protocol', ethertypes: ['0806'] }],
  ['avahi-autoipd', { kind: 'protocol', ethertypes: ['0806'] }],
  ['ptp4l', { kind: 'protocol', ethertypes: ['88f7'] }],
  ['pppoe', { kind: 'protocol', ethertypes: ['8863', '8864'] }],
  ['mstpd', { kind: 'protocol', ethertypes: ['0004'] }],
  ...['dpdk-testpmd', 'testpmd', 'dpdk-l3fwd', 'vpp_main', 'vpp', 'ovs-vswitchd', 'trex', '_t-rex-64'].map(
    (comm): [string, Daemon] => [comm, datapath],
  ),
]);

export function daemonOf(comm: string): Daemon | undefined {
  return daemons.get(comm);
}
