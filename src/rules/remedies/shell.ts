import { HOST_NETNS, OWN_NETNS } from '../../metrics/snapshot.ts';

/** A word for a POSIX shell: quoted unless it is plain. Names from the host go into commands only through this. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command as typed on the host for the namespace: entered by a process that lives there where one is known, which is
 * also what a namespace without a name is called after (`pid:4711 (nginx)`), else by the name in /run/netns. Each command of
 * a list is entered by itself, and only the first of a pipeline, so that nothing needs a second layer of quotes.
 */
export function inNetns(netns: string, command: string, pid?: string): string {
  if (netns === OWN_NETNS) return command;
  const [, lives] = /^pid:(\d+)\b/.exec(netns) ?? [];
  // Kernel threads live in the host's namespace: kthreadd, process 2, is always there.
  const by = pid !== undefined && /^\d+$/.test(pid) ? pid : netns === HOST_NETNS ? '2' : lives;
  const enter = by === undefined ? `ip netns exec ${shellQuote(netns)}` : `nsenter -t ${by} -n`;
  return commandsOf(command)
    .map((part) =>
      separators.has(part) ? `${part.trimStart() === part ? '' : ' '}${part.trim()} ` : `${enter} ${part}`,
    )
    .join('');
}

const separators: ReadonlySet<string> = new Set(['; ', ' && ', ' || ']);

/** The commands of a list and what stands between them; what is inside quotes is no separator. */
function commandsOf(list: string): string[] {
  const parts: string[] = [''];
  for (const [piece] of list.matchAll(/'[^']*'|"(?:[^"\\]|\\.)*"|; | && | \|\| |[^]/g)) {
    if (separators.has(piece)) parts.push(piece, '');
    else parts.push(`${parts.pop() ?? ''}${piece}`);
  }
  return parts;
}
