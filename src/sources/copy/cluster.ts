import { errnoReason } from '../../base/errno.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { below, type Tree } from './tree.ts';

/** Where cilium's bugtool keeps what each command printed: `cmd/sysctl--a.md` for `sysctl -a`. */
const CLUSTER_COMMANDS = '/cmd';

/** Commands of sos of which bugtool runs the same or a near relative. */
const relatives: readonly (readonly [sos: string, bugtool: RegExp])[] = [
  ['/sos_commands/kernel/sysctl_-a', /^sysctl--a\.md$/],
  ['/sos_commands/kernel/uname_-a', /^uname--a\.md$/],
  ['/sos_commands/kernel/dmesg', /^dmesg\b.*\.md$/],
  ['/sos_commands/host/uptime', /^uptime\.md$/],
  ['/sos_commands/networking/tc_-s_qdisc_show', /^tc(?:--d)?--s-qdisc-show\.md$/],
  ['/sos_commands/networking/nstat_-zas', /^nstat-.*\.md$/],
  ['/hostname', /^hostname\.md$/],
];

/** Programs have a folder cmd/ too. */
const OF_A_NODE = /^(?:sysctl--a|uname--a|cat--(?:proc|sys)-.*)\.md$/;

const notThere = fail(errnoReason(2));

/** What bugtool writes around the output: a title with the command, and a fence before and behind. */
function unfenced(bytes: Uint8Array): Uint8Array {
  const written = Buffer.from(bytes).toString('latin1');
  const [, output] = /^# [^\n]*\n+```[^\n]*\n([\s\S]*?)\n?```\s*$/.exec(written) ?? [];
  return output === undefined ? bytes : Buffer.from(`${output}\n`, 'latin1');
}

/** The output of bugtool on one node as a copy of it: files that were shown with cat, and commands where sos has them. */
function bugtoolTree(tree: Tree, names: readonly string[]): Tree {
  const read = (name: string | undefined): Result<Uint8Array> => {
    const got = name === undefined ? notThere : tree.read(`${CLUSTER_COMMANDS}/${name}`);
    return got.ok ? ok(unfenced(got.value)) : got;
  };
  const files = new Set(names);
  return {
    read: (path) => {
      const relative = relatives.find(([sos]) => sos === path);
      if (relative !== undefined) return read(names.find((name) => relative[1].test(name)));
      const shown = `cat-${path.replaceAll('/', '-')}.md`;
      return files.has(shown) ? read(shown) : notThere;
    },
    list: () => notThere,
    folder: () => notThere,
    link: () => notThere,
  };
}

const hosts = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;

function commandsIn(tree: Tree): readonly string[] {
  const listed = tree.list(CLUSTER_COMMANDS);
  const names = listed.ok ? listed.value.filter((name) => name.endsWith('.md')) : [];
  return names.some((name) => OF_A_NODE.test(name)) ? names : [];
}

/**
 * What was collected of a Kubernetes cluster, where it is that: the one node of a cilium-sysdump, or why there is nothing to
 * judge. Undefined for any other tree.
 */
export function clusterDump(tree: Tree): Result<Tree> | undefined {
  const own = commandsIn(tree);
  if (own.length > 0) return ok(bugtoolTree(tree, own));
  const listed = tree.list('/');
  const names = listed.ok ? listed.value : [];
  const nodes = names.filter((name) => commandsIn(below(tree, name)).length > 0);
  const [only] = nodes;
  if (nodes.length > 1) return fail(`a dump of ${nodes.length} nodes: give the folder of one (${hosts(nodes)})`);
  if (only !== undefined) return ok(bugtoolTree(below(tree, only), commandsIn(below(tree, only))));
  const gathered = names.flatMap((name) => {
    const inside = below(tree, name).list('/');
    return [name, ...(inside.ok ? inside.value : [])];
  });
  if (gathered.includes('cluster-scoped-resources') || names.some((name) => /^cilium-|^must-gather/.test(name)))
    return fail(
      'a dump of a cluster, without /proc, /sys or sysctl of any node: take a sosreport of the node (oc debug node/NODE, chroot /host, sos report)',
    );
  return undefined;
}
