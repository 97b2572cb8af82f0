import type { Tree } from '../copy/tree.ts';

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

export function outputOf(tree: Tree, names: readonly string[], netns?: string): Uint8Array | undefined {
  for (const name of names.flatMap((each) => (netns === undefined ? [each] : namesIn(netns, each)))) {
    const got = tree.read(`/sos_commands/${name}`);
    if (got.ok && got.value.length > 0) return got.value;
  }
  return undefined;
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
      const command = netns === undefined ? name : name.slice(execIn(netns).length);
      // One command for all devices.
      return read.has(command) ? [] : [command.replace(/^(ethtool(?:_--?[a-zA-Z-]+)?)_[\w.-]{1,15}$/, '$1')];
    });
  });
  return [...new Set(unread)];
}
