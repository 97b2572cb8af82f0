import type { Result } from '../../base/result.ts';
import { utf8Text } from '../../collectors/cursor.ts';
import type { Tree } from '../copy/tree.ts';
import { parseEthtoolChannels, parseEthtoolDriver, parseEthtoolFeatures } from './links.ts';
import { ethtoolOf } from './nics.ts';
import { commands, otherCommands, outputOf } from './reader.ts';
import { parseCoverageCommand, parseDatapathCommand, parsePmdCommand, parseVsctlCommand } from './switch.ts';

/** Lines of the kernel's log that go with a loss. */
const signs = [
  /nf_conntrack: (?:nf_conntrack: )?(?:expectation )?table full, dropping packet/,
  /Possible SYN flooding on port/,
  /TCP: (?:out of memory|too many orphaned sockets)/,
  /Out of memory: Kill|page allocation failure/,
  /neighbou?r: \w+: neighbou?r table overflow|Neighbour table overflow/,
  /NETDEV WATCHDOG/,
] as const;

const logs = ['kernel/dmesg', 'kernel/dmesg_-T', 'general/dmesg', 'general/dmesg_now', 'process/dmesg'];

/** What dmesg says to that: each kind of line once, with its number. */
function kernelLog(tree: Tree): readonly string[] {
  const output = outputOf(tree, logs);
  if (output === undefined) return [];
  const lines = utf8Text(output).split('\n');
  return signs.flatMap((sign) => {
    const found = lines.filter((line) => sign.test(line));
    const last = found.at(-1);
    return last === undefined
      ? []
      : [
          `the kernel's log has ${found.length === 1 ? 'a line' : `${found.length} lines`} to it: ${last.trim().slice(0, 200)}`,
        ];
  });
}

/** What the commands of Open vSwitch are called: by sos 3.x, by 4.x, with a time limit, and from a snap. */
const switchCommands: readonly (readonly [RegExp, (bytes: Uint8Array) => Result<readonly string[]>])[] = [
  [/^(?:[\w-]+\.)?ovs-(?:appctl_dpctl\.show_-s_|dpctl_-s_show)/, parseDatapathCommand],
  [/^(?:[\w-]+\.)?ovs-appctl_coverage\.show$/, parseCoverageCommand],
  [/^(?:[\w-]+\.)?ovs-appctl_dpif-netdev\.pmd-rxq-show$/, parsePmdCommand],
  [/^(?:[\w-]+\.)?ovs-vsctl_(?:-t_\d+_)?show$/, parseVsctlCommand],
];
const MOST_DATAPATHS = 20;

function switchRemarks(tree: Tree): readonly string[] {
  const folder = '/sos_commands/openvswitch';
  const names = tree.list(folder);
  return switchCommands.flatMap(([pattern, parse]) =>
    (names.ok ? names.value : [])
      .filter((name) => pattern.test(name))
      .slice(0, MOST_DATAPATHS)
      .flatMap((name) => {
        const output = tree.read(`${folder}/${name}`);
        const said = output.ok ? parse(output.value) : output;
        return said.ok ? said.value : [];
      }),
  );
}

/** What the settings of a device cost whoever has much to receive. */
function deviceRemarks(tree: Tree): readonly string[] {
  const hardware = new Set(
    ethtoolOf(tree, '-i').flatMap(([device, output]) => {
      const driver = parseEthtoolDriver(output);
      return driver.ok && !SOFTWARE.test(driver.value) ? [device] : [];
    }),
  );
  const channels = ethtoolOf(tree, '-l').flatMap(([device, output]) => {
    if (!hardware.has(device)) return [];
    const queues = parseEthtoolChannels(output);
    return queues.ok && queues.value.used === 1 && queues.value.most > 1
      ? [`${device} uses one of ${queues.value.most} queues (ethtool -l)`]
      : [];
  });
  const features = ethtoolOf(tree, '-k').flatMap(([device, output]) => {
    const said = parseEthtoolFeatures(output);
    return said.ok && !said.value.gro && hardware.has(device)
      ? [`${device} does not merge frames: GRO is off (ethtool -k)`]
      : [];
  });
  return [...channels, ...features].slice(0, MOST_DEVICES);
}

const MOST_DEVICES = 10;
/** Drivers of devices that are no hardware. */
const SOFTWARE =
  /^(?:veth|bridge|tun|bonding|team|802\.1Q VLAN Support|vxlan|geneve|openvswitch|dummy|ifb|macvlan|ipvlan|gre|wireguard)$/;

/** What is told by commands that no rule goes by: one line each. */
export function remarks(tree: Tree): readonly string[] {
  return [...kernelLog(tree), ...switchRemarks(tree), ...deviceRemarks(tree)];
}

/** Plugins that say something about packets, and that nothing here reads. */
const ABOUT_PACKETS =
  /^(?:firewall|iptables|nftables|ebpf|libvirt|docker|podman|kubernetes|microk8s|lxd|ovn|frr|bird|networkmanager|teamd|infiniband|tuned|cpupower|processor|pci|logs|cgroups|systemd|xdp)/;
const MOST_PLUGINS = 6;

/** One line about what commands left that nothing here reads; undefined without any. */
export function unreadCommands(tree: Tree): string | undefined {
  const plugins = tree.list('/sos_commands');
  if (!plugins.ok || plugins.value.length === 0) return undefined;
  const read = new Set([...commands.flatMap(({ names }) => names), ...otherCommands].map((name) => name.split('/')[0]));
  for (const plugin of ['openvswitch', 'date', 'host', 'general']) read.add(plugin);
  const others = plugins.value
    .filter((name) => !read.has(name))
    .sort((a, b) => Number(ABOUT_PACKETS.test(b)) - Number(ABOUT_PACKETS.test(a)));
  if (others.length === 0) return undefined;
  const more = others.length - MOST_PLUGINS;
  return `not read: sos_commands of ${others.slice(0, MOST_PLUGINS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
