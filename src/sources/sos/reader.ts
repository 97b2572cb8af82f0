import { fail, ok, type Result } from '../../base/result.ts';
import type { SocketOwners } from '../../collectors/dumps.ts';
import { parseNetdev } from '../../collectors/netdev.ts';
import type { QdiscRow } from '../../collectors/qdisc.ts';
import type { Reader } from '../../collectors/reader.ts';
import { hasAllConntrackRows } from '../copy/cut.ts';
import { copyReader, NOT_COPIED } from '../copy/reader.ts';
import { perTree, type Tree } from '../copy/tree.ts';
import { parseConntrackCommand, parseNetstatCommand, parseNstatCommand } from './counters.ts';
import { parseEthtoolStatistics, parseIpLinkCommand } from './links.ts';
import { logOf } from './log.ts';
import { cardsOf, ringLossesIn, ringLossesOf, ringsOf } from './nics.ts';
import { datapathsOf } from './openvswitch.ts';
import { askedByEthtool, ethtoolOf, namespacesIn, outputOf, unreadOutput } from './outputs.ts';
import { parseLsofCommand, parsePsCommand, withNames } from './processes.ts';
import { cutOff, notNamed, parseQdiscCommand, queueCommands } from './queues.ts';
import { parseLsmodCommand, parseSysctlCommand, parseUnameCommand, type Files } from './settings.ts';
import { parseNetstatSocketsCommand, parseSsCommand, type Sockets } from './sockets.ts';
import { parseLstopoCommand, parseNumactlCommand } from './topology.ts';

const CONNTRACK_STAT = '/proc/net/stat/nf_conntrack';

type Parse = (bytes: Uint8Array) => Result<Files>;

/**
 * What a command of sos says, as the files of the kernel that it read: the collectors cannot tell. Of several that say the
 * same the first that is there is taken. The names are those of sos 3.x and 4.x, as its plugins call the files.
 */
export const commands: readonly { readonly names: readonly string[]; readonly parse: Parse; readonly feeds: string }[] =
  [
    { names: ['kernel/sysctl_-a', 'networking/sysctl_-a'], parse: parseSysctlCommand, feeds: '/proc/sys' },
    {
      names: ['kernel/uname_-a', 'host/uname_-a'],
      parse: parseUnameCommand,
      feeds: '/proc/sys/kernel/{osrelease,hostname,version}',
    },
    { names: ['kernel/lsmod'], parse: parseLsmodCommand, feeds: '/proc/modules' },
    {
      names: ['networking/nstat_-zas', 'networking/nstat_-as'],
      parse: parseNstatCommand,
      feeds: '/proc/net/{snmp,netstat,snmp6}',
    },
    { names: ['networking/netstat_-s'], parse: parseNetstatCommand, feeds: '/proc/net/{snmp,netstat}' },
    {
      names: ['conntrack/conntrack_-S', 'networking/conntrack_-S'],
      parse: parseConntrackCommand,
      feeds: '/proc/net/stat/nf_conntrack',
    },
    {
      names: ['networking/ip_-s_-d_link', 'networking/ip_-s_-d_link_show', 'networking/ip_-d_-s_link'],
      parse: parseIpLinkCommand,
      feeds: '/proc/net/dev, /sys/class/net/*/{flags,mtu,operstate,statistics}',
    },
    {
      names: ['lstopo', 'lstopo-no-graphics'].flatMap((command) =>
        ['lstopo', 'hardware'].flatMap((plugin) => [
          `${plugin}/lstopo.txt`,
          `${plugin}/${command}_--whole-io_--of_console`,
        ]),
      ),
      parse: parseLstopoCommand,
      feeds: '/sys/devices/system/node/*/cpulist, /sys/class/net/*/device/numa_node',
    },
    {
      names: ['numa/numactl_--hardware', 'memory/numactl_--hardware'],
      parse: parseNumactlCommand,
      feeds: '/sys/devices/system/node/*/cpulist',
    },
  ];

const socketCommands = ['networking/ss_-peaonmi', 'networking/ss_-peaonmtui'];
/** With the flag for wide addresses, which older releases call -T; sos runs it whether or not the modules for ss are loaded. */
const netstatCommands = ['-W_-neopa', '-T_-neopa', '-neopa'].map((flags) => `networking/netstat_${flags}`);
/** Of processes, not of threads: those are many more lines that say the same. */
const lsofCommands = ['lsof_-b_M_-n_-l_-c', 'lsof_M_-n_-l_-c', 'lsof_-b_M_-n_-l', 'lsof_M_-n_-l'].map(
  (name) => `process/${name}`,
);
const psCommands = [
  'ps_axo_pid_ppid_user_group_lwp_nlwp_start_time_comm_cgroup',
  'ps_auxwww',
  'ps_auxwwwm',
  'ps_aux',
].map((name) => `process/${name}`);

/** Commands that are read for sockets, queues and processes. */
export const otherCommands: readonly string[] = [
  ...socketCommands,
  ...netstatCommands,
  ...queueCommands,
  ...lsofCommands,
  ...psCommands,
];

/** What is read of the commands in a namespace, by the name of the command. */
export const namespaceCommands: ReadonlySet<string> = new Set([
  ...[...commands.flatMap(({ names }) => names), ...socketCommands, ...netstatCommands, ...queueCommands].map(
    (name) => name.split('/')[1] ?? '',
  ),
  ...['-S', '-i', '-k'].map((flag) => `ethtool_${flag}`),
]);

/** Of the host's own namespace, which who is asked for its name and for a sample share. */
const ownFiles = perTree((tree) => filesOf(tree));

/** All that the commands of one namespace say, of the host's own where none is named. */
function filesOf(tree: Tree, netns?: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const { names, parse } of commands) {
    const output = outputOf(tree, names, netns);
    const parsed = output === undefined ? undefined : parse(output);
    if (parsed?.ok !== true) continue;
    for (const [path, content] of parsed.value) if (!files.has(path)) files.set(path, Buffer.from(content));
  }
  if (netns === undefined) addEthtool(tree, files);
  const hostname = tree.read('/hostname');
  if (netns === undefined && hostname.ok && !files.has('/proc/sys/kernel/hostname'))
    files.set('/proc/sys/kernel/hostname', hostname.value);
  return files;
}

function addEthtool(tree: Tree, files: Map<string, Uint8Array>): void {
  const losses = new Map<string, number>();
  for (const { device, kind, lost } of ringLossesOf(tree).rows)
    if (kind === 'ring') losses.set(device, Math.max(lost, losses.get(device) ?? 0));
  for (const [device, output] of ethtoolOf(tree, '-S')) {
    const path = `/sys/class/net/${device}/statistics/rx_missed_errors`;
    const counters = parseEthtoolStatistics(output);
    const same = counters.ok ? counters.value.get('rx_missed_errors') : undefined;
    // Where the statistics of the device were not copied, the driver's own names tell the same.
    const missed = same ?? losses.get(device);
    if (missed !== undefined && !files.has(path)) files.set(path, Buffer.from(`${missed}\n`));
  }
  for (const [device, driver] of cardsOf(tree))
    files.set(`/sys/class/net/${device}/device/driver`, Buffer.from(`../../drivers/${driver}`));
}

function socketsBy(
  tree: Tree,
  names: readonly string[],
  parse: (bytes: Uint8Array) => Result<Sockets>,
  netns?: string,
): Result<Sockets> {
  const answers = askedSockets(tree);
  const key = `${names[0] ?? ''} ${netns ?? ''}`;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const output = outputOf(tree, names, netns);
  const answer = output === undefined ? (unreadOutput(tree, names, netns) ?? NO_SOCKETS) : parse(output);
  answers.set(key, answer);
  return answer;
}

/** Who owns sockets is asked after all namespaces were. */
const askedSockets = perTree(() => new Map<string, Result<Sockets>>());

const NO_SOCKETS = fail('not in the copy: neither the kernel nor ss was asked for the sockets');

/**
 * Who holds a socket: as ss said in each namespace, netstat where ss was not run, and lsof where neither said anything, by the
 * names that ps has in full. The number of a socket is the same in all namespaces.
 */
function ownersOf(tree: Tree): Result<SocketOwners> {
  const asked = [undefined, ...namespacesIn(tree)].map((netns) => {
    const ss = socketsBy(tree, socketCommands, parseSsCommand, netns);
    return {
      ss,
      netstat:
        ss.ok && ss.value.owners.length > 0 ? ss : socketsBy(tree, netstatCommands, parseNetstatSocketsCommand, netns),
    };
  });
  const output = outputOf(tree, lsofCommands);
  const lsof = output === undefined ? undefined : parseLsofCommand(output);
  const listed = outputOf(tree, psCommands);
  const parsed = listed === undefined ? undefined : parsePsCommand(listed);
  const names = parsed?.ok === true ? parsed.value : new Map<number, string>();
  const [first] = asked;
  if (lsof?.ok !== true && !asked.some(({ netstat }) => netstat.ok))
    return first?.netstat.ok === false ? first.netstat : NO_SOCKETS;
  const owners = new Map<string, SocketOwners['owners'][number]>();
  const add = (of: SocketOwners['owners']): void => {
    for (const each of of) {
      const key = `${each.inode} ${each.pid}`;
      if (!owners.has(key)) owners.set(key, each);
    }
  };
  for (const { ss } of asked) if (ss.ok) add(ss.value.owners);
  for (const { netstat } of asked) if (netstat.ok) add(withNames(netstat.value.owners, names));
  if (lsof?.ok === true) add(withNames(lsof.value, names));
  return ok({ owners: [...owners.values()], unreadable: 0 });
}

/** Reads a copy, and what the copy lacks from the output of the commands that sos ran on the host. */
export function sosReader(tree: Tree, at: number, netns?: string): Reader {
  const copied = copyReader(tree, at);
  const own = netns === undefined;
  let known: ReadonlyMap<string, Uint8Array> | undefined;
  const files = (): ReadonlyMap<string, Uint8Array> => (known ??= own ? ownFiles(tree) : filesOf(tree, netns));
  let listed: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  const folders = (): ReadonlyMap<string, ReadonlySet<string>> => (listed ??= foldersOf(files().keys()));
  const isWhole = hasAllConntrackRows(tree);
  let asked: Result<Sockets> | undefined;
  const sockets = (): Result<Sockets> => {
    if (asked !== undefined) return asked;
    asked = socketsBy(tree, socketCommands, parseSsCommand, netns);
    // The files of the kernel have the drops of UDP sockets, which netstat does not tell.
    const inFiles = own && ['/proc/net/tcp', '/proc/net/udp'].some((path) => copied.read(path).ok);
    if (!asked.ok && !inFiles) {
      const listed = socketsBy(tree, netstatCommands, parseNetstatSocketsCommand, netns);
      if (listed.ok) asked = listed;
    }
    return asked;
  };
  const reader: Reader = {
    lastReadAt: at,
    read: (path) => {
      const got = own ? copied.read(path) : NOT_COPIED;
      const whole = path !== CONNTRACK_STAT || !got.ok || isWhole(got.value);
      if (whole && got.ok && got.value.length > 0) return got;
      const said = files().get(path);
      // Of two tables that were cut, the one of the kernel itself.
      return said === undefined || (!whole && !isWhole(said)) ? got : ok(said);
    },
    list: (path) => {
      const got = own ? copied.list(path) : NOT_COPIED;
      const told = folders().get(path);
      if (told === undefined) return got;
      return ok([...new Set([...(got.ok ? got.value : []), ...told])].sort());
    },
    link: (path) => {
      const got = own ? copied.link(path) : NOT_COPIED;
      const said = got.ok ? undefined : files().get(path);
      return said === undefined || !path.endsWith('/driver') ? got : ok(Buffer.from(said).toString('latin1'));
    },
    dump: (name) => {
      if (name === 'rings' && own) return ok(ringsOf(tree));
      if (name === 'ring_losses') {
        if (own) return ok(ringLossesOf(tree));
        // Which cards there are nobody knows where it was not run.
        const ran = askedByEthtool(tree, netns);
        return ran ? ok(ringLossesIn(tree, netns, files().has('/proc/net/dev'))) : NOT_COPIED;
      }
      if (name === 'openvswitch' && own) return datapathsOf(tree);
      if (name === 'kernel_log' && own) return logAnswer(tree);
      if (name === 'qdisc') {
        const output = outputOf(tree, queueCommands, netns);
        return output === undefined
          ? copied.dump(name)
          : queuesIn(output, own ? reader.read('/proc/net/dev') : NOT_COPIED);
      }
      if (name === 'socket_owners') return ownersOf(tree);
      if (name !== 'inet_diag') return copied.dump(name);
      const got = sockets();
      return got.ok ? ok(got.value.inet) : got;
    },
  };
  return reader;
}

const TRANSMITTED = 9;

/** The disciplines that tc printed; that there is none that counts is known only where it names every device that sent something. */
function queuesIn(output: Uint8Array, devices: Result<Uint8Array>): Result<readonly QdiscRow[]> {
  const said = parseQdiscCommand(output);
  if (!said.ok || said.value.length > 0) return said;
  const counted = devices.ok ? parseNetdev(devices.value) : devices;
  const senders = (counted.ok ? counted.value : []).filter(({ counters }) => (counters[TRANSMITTED] ?? 0) > 0);
  const unnamed = notNamed(
    output,
    senders.map(({ device }) => device),
  );
  return unnamed.length > 0 ? fail(cutOff(unnamed)) : said;
}

/** The names in each folder of these paths, and in those above it. */
function foldersOf(paths: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>();
  for (const path of paths) {
    for (let at = path.lastIndexOf('/'), name = path; at > 0; at = name.lastIndexOf('/')) {
      const folder = name.slice(0, at);
      const names = folders.get(folder) ?? new Set<string>();
      folders.set(folder, names.add(name.slice(at + 1)));
      name = folder;
    }
  }
  return folders;
}

function logAnswer(tree: Tree): Result<unknown> {
  const rows = logOf(tree);
  return rows === undefined ? NOT_COPIED : ok(rows.map(({ about, lines }) => ({ about, lines })));
}
