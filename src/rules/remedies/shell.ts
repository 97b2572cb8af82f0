import { OWN_NETNS } from '../../metrics/snapshot.ts';

/** A word for a POSIX shell: quoted unless it is plain. Names from the host go into commands only through this. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The command as typed on the host for the namespace: by a process that lives there where one is known, else by name. */
export function inNetns(netns: string, command: string, pid?: string): string {
  if (netns === OWN_NETNS) return command;
  const enter = pid !== undefined && /^\d+$/.test(pid) ? `nsenter -t ${pid} -n` : `ip netns exec ${shellQuote(netns)}`;
  return /[;&|<>$]/.test(command) ? `${enter} sh -c ${shellQuote(command)}` : `${enter} ${command}`;
}
