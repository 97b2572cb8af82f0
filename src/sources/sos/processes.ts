import { fail, ok, type Result } from '../../base/result.ts';
import type { SocketOwners } from '../../collectors/dumps.ts';
import { wholeOutputLines } from './output.ts';

type Owners = SocketOwners['owners'];

/** What lsof calls sockets of which the column DEVICE is the inode. */
const SOCKETS = new Set(['IPv4', 'IPv6', 'pack', 'raw', 'raw6']);
/** The kernel's TASK_COMM_LEN without the NUL. */
const COMM = 15;

/**
 * Parses lsof for sockets: `COMMAND PID [TID TASKCMD] USER FD TYPE DEVICE SIZE/OFF NODE NAME`, of which COMMAND may be cut to
 * nine characters. Threads say the same as their process. Source: lsof, lib/dialects/linux/dsock.c:process_proc_sock.
 */
export function parseLsofCommand(bytes: Uint8Array): Result<Owners> {
  const owners = new Map<string, Owners[number]>();
  let rows = 0;
  for (const line of wholeOutputLines(bytes)) {
    const words = line.split(/ +/);
    const [comm = '', pid = ''] = words;
    if (!/^\d{1,9}$/.test(pid) || comm === '') continue;
    rows += 1;
    const type = words.findIndex((word) => SOCKETS.has(word));
    const inode = words[type + 1] ?? '';
    // Before the type stands the descriptor: `4u`, `12r`.
    if (type < 3 || !/^\d{1,15}$/.test(inode) || !/^\d+[rwu-]/.test(words[type - 1] ?? '')) continue;
    owners.set(`${inode} ${pid}`, { inode: Number(inode), pid: Number(pid), comm: comm.slice(0, COMM) });
  }
  return rows === 0 ? fail('no line of a process') : ok([...owners.values()]);
}

/**
 * Parses ps for the names of processes by pid: of `ps axo ...,comm,...` the column COMMAND as it is, of `ps aux` the last part of
 * the first word of the command line. Lines of threads (`-` for the pid) are passed over.
 */
export function parsePsCommand(bytes: Uint8Array): Result<ReadonlyMap<number, string>> {
  const lines = wholeOutputLines(bytes);
  const header = lines[0]?.trim().split(/ +/) ?? [];
  const pidColumn = header.indexOf('PID');
  const nameColumn = ['COMMAND', 'CMD'].map((name) => header.indexOf(name)).find((column) => column >= 0);
  if (pidColumn < 0 || nameColumn === undefined) return fail('no header with PID and COMMAND', 0);
  // Behind it stands another column, as CGROUP: the name is comm, and what has a blank in it is cut.
  const isComm = nameColumn < header.length - 1;
  const names = new Map<number, string>();
  for (const line of lines.slice(1)) {
    const words = line.trim().split(/ +/);
    const [pid = '', command = ''] = [words[pidColumn], words[nameColumn]];
    if (!/^\d{1,9}$/.test(pid) || command === '' || command === '-') continue;
    const name = isComm ? command : (command.replace(/:$/, '').split('/').at(-1) ?? '');
    if (name !== '' && !names.has(Number(pid))) names.set(Number(pid), name.slice(0, COMM));
  }
  return names.size === 0 ? fail('no line of a process') : ok(names);
}

/** Owners with the names in full where lsof cut them: ps goes on where it ends. */
export function withNames(owners: Owners, names: ReadonlyMap<number, string>): Owners {
  return owners.map((owner) => {
    const name = names.get(owner.pid);
    return name?.startsWith(owner.comm) === true ? { ...owner, comm: name } : owner;
  });
}
