import { OWN_NETNS } from '../../metrics/snapshot.ts';

/** A word for a POSIX shell: quoted unless it is plain. Names from the host go into commands only through this. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command as typed on the host for the namespace: entered by a process that lives there where one is known, which is
 * also what a namespace without a name is called after (`pid:4711 (nginx)`), else by the name in /run/netns.
 */
export function inNetns(netns: string, command: string, pid?: string): string {
  if (netns === OWN_NETNS) return command;
  const [, lives] = /^pid:(\d+)\b/.exec(netns) ?? [];
  const by = pid !== undefined && /^\d+$/.test(pid) ? pid : lives;
  const enter = by === undefined ? `ip netns exec ${shellQuote(netns)}` : `nsenter -t ${by} -n`;
  return /[;&|<>$]/.test(command) ? `${enter} sh -c ${shellQuote(command)}` : `${enter} ${command}`;
}
