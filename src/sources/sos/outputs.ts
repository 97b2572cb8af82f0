import { fail, type Failure } from '../../base/result.ts';
import { perTree, type Tree } from '../copy/tree.ts';

/** Where sos keeps the output of commands in a namespace: 3.x and 4.x beside the others, newer ones in a folder for each. */
function namesIn(netns: string, name: string): readonly string[] {
  const [plugin = '', command = ''] = name.split('/');
  const inside = `${execIn(netns)}${command}`;
  return [`${plugin}/${inside}`, `${plugin}/namespaces/${netns}/${inside}`, `namespaces/${netns}/${inside}`];
}

/** How the names of files begin that hold what was run in a namespace: for whatever is no name of a file sos writes `_`. */
function execIn(netns: string): string {
  return `ip_netns_exec_${netns.replace(/[^\w.-]+/g, '_')}_`;
}

/** The places of outputs, in the host's own namespace where none is named. */
function pathsOf(names: readonly string[], netns?: string): readonly string[] {
  const placed = netns === undefined ? names : names.flatMap((each) => namesIn(netns, each));
  return placed.map((name) => `/sos_commands/${name}`);
}

export function outputOf(tree: Tree, names: readonly string[], netns?: string): Uint8Array | undefined {
  for (const path of pathsOf(names, netns)) {
    const got = tree.read(path);
    if (got.ok && got.value.length > 0) return got.value;
  }
  return undefined;
}

/** Why an output that is there was not read, as one that is too long; undefined where there is none. */
export function unreadOutput(tree: Tree, names: readonly string[], netns?: string): Failure | undefined {
  for (const path of pathsOf(names, netns)) {
    const got = tree.read(path);
    if (!got.ok && got.errno !== 'ENOENT') return fail(`${path.slice(1)}: ${got.reason}`);
  }
  return undefined;
}

/** What a command printed that was run once for each device, and where it lies. */
interface OfDevice {
  readonly flag: string;
  readonly device: string;
  readonly path: string;
}

/** Where outputs of ethtool lie, by what stands in front of the command: nothing, or a namespace. Looked through once: there may be 10,000. */
const ethtoolOutputs = perTree((tree): ReadonlyMap<string, readonly OfDevice[]> => {
  const found = new Map<string, OfDevice[]>();
  for (const folder of ['/sos_commands/networking', ...foldersOfNamespaces(tree)]) {
    const names = tree.list(folder);
    for (const name of names.ok ? names.value : []) {
      const [, front = '', flag, device] = /^(ip_netns_exec_.+_)?ethtool_(-[a-zA-Z])_([\w.-]{1,15})$/.exec(name) ?? [];
      if (flag === undefined || device === undefined) continue;
      const same = found.get(front) ?? [];
      found.set(front, same);
      same.push({ flag, device, path: `${folder}/${name}` });
    }
  }
  return found;
});

/** What `ethtool FLAG` said of each device: of the host's own namespace, where none is named. */
export function ethtoolOf(
  tree: Tree,
  flag: string,
  netns?: string,
): readonly (readonly [device: string, output: Uint8Array])[] {
  const all = ethtoolOutputs(tree).get(netns === undefined ? '' : execIn(netns)) ?? [];
  return all.flatMap(({ flag: of, device, path }) => {
    const output = of === flag ? tree.read(path) : undefined;
    return output?.ok === true ? [[device, output.value] as const] : [];
  });
}

/** Whether ethtool was run in a namespace at all. */
export function askedByEthtool(tree: Tree, netns: string): boolean {
  return ethtoolOutputs(tree).has(execIn(netns));
}

function foldersOfNamespaces(tree: Tree): readonly string[] {
  return ['/sos_commands/networking/namespaces', '/sos_commands/namespaces'].flatMap((folder) => {
    const names = tree.list(folder);
    return (names.ok ? names.value : []).map((name) => `${folder}/${name}`);
  });
}

/** Names of the namespaces that commands were run in. */
export function namespacesIn(tree: Tree): readonly string[] {
  const list = tree.read('/sos_commands/networking/ip_netns');
  const named = list.ok
    ? Buffer.from(list.value.subarray(0, 1024 * 1024))
        .toString('utf8')
        .split('\n')
    : [];
  const names = named.flatMap((line) => /^([\w.@+:=,~-]{1,200})(?: \(id: \d+\))?$/.exec(line.trim())?.[1] ?? []);
  const folders = ['/sos_commands/networking/namespaces', '/sos_commands/namespaces'].flatMap((path) => {
    const got = tree.list(path);
    return got.ok ? got.value : [];
  });
  const files = ['conntrack', 'networking'].flatMap((plugin) => {
    const got = tree.list(`/sos_commands/${plugin}`);
    return (got.ok ? got.value : []).flatMap(
      (name) => /^ip_netns_exec_(.+?)_(?:conntrack|nstat|netstat|ss|ip|sysctl)_-/.exec(name)?.[1] ?? [],
    );
  });
  const listed = [...names, ...folders];
  const known = new Set(listed.map(execIn));
  const others = files.filter((name) => !known.has(execIn(name)));
  return [...new Set([...listed, ...others])].filter((name) => !name.startsWith('.')).slice(0, 10_000);
}

/** Files of commands in a namespace of which nothing is read, as their command. @param read by the name of the command */
export function unreadInNamespaces(tree: Tree, read: ReadonlySet<string>): readonly string[] {
  const namespaces = [...namespacesIn(tree)].sort((a, b) => b.length - a.length);
  const folders = [
    ...['conntrack', 'networking'].flatMap((plugin) => [
      `/sos_commands/${plugin}`,
      ...namespaces.map((name) => `/sos_commands/${plugin}/namespaces/${name}`),
    ]),
    ...namespaces.map((name) => `/sos_commands/namespaces/${name}`),
  ];
  const unread = folders.flatMap((folder) => {
    const names = tree.list(folder);
    const inside = folder.includes('/namespaces/');
    return (names.ok ? names.value : []).flatMap((name) => {
      if (!name.startsWith('ip_netns_exec_')) return inside ? [name] : [];
      const netns = namespaces.find((each) => name.startsWith(execIn(each)));
      const whole = netns === undefined ? name : name.slice(execIn(netns).length);
      // One command for all devices.
      const command = whole.replace(/^(ethtool(?:_--?[a-zA-Z-]+)?)_[\w.-]{1,15}$/, '$1');
      return read.has(command) ? [] : [command];
    });
  });
  return [...new Set(unread)];
}
