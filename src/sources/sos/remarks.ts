import type { Tree } from '../copy/tree.ts';
import { parseEthtoolChannels, parseEthtoolFeatures } from './links.ts';
import { cardsOf } from './nics.ts';
import { logOf } from './log.ts';
import { switchRemarks, unreadOfSwitch } from './openvswitch.ts';
import { ethtoolOf, namespacesIn, unreadInNamespaces } from './outputs.ts';
import { commands, namespaceCommands, otherCommands } from './reader.ts';

/** What dmesg says of losses: each kind of line once, with its number. */
function logRemarks(tree: Tree): readonly string[] {
  return (logOf(tree) ?? []).map(
    ({ lines, last }) =>
      `the kernel's log has ${lines === 1 ? 'a line' : `${lines} lines`} to it: ${last.trim().slice(0, 200)}`,
  );
}

/** What the settings of a device cost whoever has much to receive. */
function deviceRemarks(tree: Tree): readonly string[] {
  const said: string[] = [];
  for (const netns of [undefined, ...namespacesIn(tree)]) {
    const hardware = new Set(cardsOf(tree, netns).map(([device]) => device));
    if (hardware.size === 0) continue;
    const where = netns === undefined ? '' : ` in ${netns}`;
    for (const [device, output] of ethtoolOf(tree, '-l', netns)) {
      const queues = parseEthtoolChannels(output);
      if (hardware.has(device) && queues.ok && queues.value.used === 1 && queues.value.most > 1)
        said.push(`${device}${where} uses one of ${queues.value.most} queues (ethtool -l)`);
    }
    for (const [device, output] of ethtoolOf(tree, '-k', netns)) {
      const features = parseEthtoolFeatures(output);
      if (features.ok && !features.value.gro && hardware.has(device))
        said.push(`${device}${where} does not merge frames: GRO is off (ethtool -k)`);
    }
  }
  return said.slice(0, MOST_DEVICES);
}

const MOST_DEVICES = 10;

/** What is told by commands that no rule goes by: one line each. */
export function remarks(tree: Tree): readonly string[] {
  return [...logRemarks(tree), ...switchRemarks(tree), ...deviceRemarks(tree)];
}

/** Plugins that say something about packets, and that nothing here reads. */
const ABOUT_PACKETS =
  /^(?:firewall|iptables|nftables|ebpf|libvirt|docker|podman|kubernetes|microk8s|lxd|ovn|frr|bird|networkmanager|teamd|infiniband|tuned|cpupower|processor|pci|logs|cgroups|systemd|xdp)/;
const MOST_NAMED = 6;

/** One line about what commands left that nothing here reads; undefined without any. */
export function unreadCommands(tree: Tree): string | undefined {
  const plugins = tree.list('/sos_commands');
  if (!plugins.ok || plugins.value.length === 0) return undefined;
  const read = new Set([...commands.flatMap(({ names }) => names), ...otherCommands].map((name) => name.split('/')[0]));
  for (const plugin of ['openvswitch', 'namespaces', 'date', 'host', 'general']) read.add(plugin);
  const others = plugins.value
    .filter((name) => !read.has(name))
    .sort((a, b) => Number(ABOUT_PACKETS.test(b)) - Number(ABOUT_PACKETS.test(a)));
  const unread = [
    named('sos_commands of', others),
    named('of Open vSwitch', unreadOfSwitch(tree)),
    named('of namespaces', unreadInNamespaces(tree, namespaceCommands)),
  ].filter((words) => words !== undefined);
  return unread.length === 0 ? undefined : `not read: ${unread.join('; ')}`;
}

/** The first of them, and how many more there are. */
function named(what: string, names: readonly string[]): string | undefined {
  const more = names.length - MOST_NAMED;
  if (names.length === 0) return undefined;
  return `${what} ${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
