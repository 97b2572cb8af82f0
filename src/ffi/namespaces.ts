import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

import { fail, ok, type Result } from '../base/result.ts';
import { errnoReason, refusal, systemRefusal } from '../base/errno.ts';
import { libc, type Libc } from './libc.ts';

const CLONE_NEWNET = 0x40000000;
const OURS = '/proc/thread-self/ns/net';

/** The number in `net:[4026531840]`, which names a network namespace as long as it lives. */
export function netnsInode(path = '/proc/self/ns/net'): Result<number> {
  try {
    const inode = /^net:\[(\d{1,15})\]$/.exec(readlinkSync(path))?.[1];
    return inode === undefined ? fail('not a network namespace') : ok(Number(inode));
  } catch (error) {
    return systemRefusal(error);
  }
}

/**
 * Runs `look` with this thread in the namespace at `path`, and comes back whatever happens. /proc/net, /proc/sys/net and
 * sockets then are that namespace's; /sys/class/net is not, since a sysfs mount stays with the namespace it was mounted
 * in. `look` must do its work before it returns: libuv's other threads stay where they are, and an await would let other
 * code run in the wrong namespace.
 */
export function inNamespace<T>(path: string, look: () => T): Result<T> {
  const target = open(path, 'the network namespace');
  if (!target.ok) return target;
  try {
    const enter = ({ setns }: Libc): number => setns(target.value, CLONE_NEWNET);
    return away('cannot enter the network namespace', enter, () => ok(look()));
  } finally {
    closeSync(target.value);
  }
}

/** The same for what can fail by itself; without a path it stays where it is. */
export function askInNamespace<T>(path: string | undefined, ask: () => Result<T>): Result<T> {
  if (path === undefined) return ask();
  const asked = inNamespace(path, ask);
  return asked.ok ? asked.value : asked;
}

/** A network namespace of our own, alive while the returned descriptor is open; dies with the process. */
export function privateNamespace(): Result<number> {
  const leave = ({ unshare }: Libc): number => unshare(CLONE_NEWNET);
  return away('cannot make a network namespace', leave, () => open(OURS, 'the network namespace just made'));
}

/** Does `there` in the namespace that `leave` went to, and comes back to our own whatever happens. */
function away<T>(refused: string, leave: (library: Libc) => number, there: () => Result<T>): Result<T> {
  // /proc/net is that of the main thread (fs/proc/proc_net.c:get_proc_task_net).
  if (!isMainThread) throw new Error('namespaces can only be entered on the main thread');
  const library = libc();
  if (!library.ok) return library;
  const { setns, errno } = library.value;
  const home = open(OURS, 'our own network namespace');
  if (!home.ok) return home;
  try {
    if (leave(library.value) < 0) return refusal(errno(), refused);
    try {
      return there();
    } finally {
      if (setns(home.value, CLONE_NEWNET) < 0) lost(errno());
    }
  } finally {
    closeSync(home.value);
  }
}

/** Going on in somebody else's namespace would report its numbers as this one's, and change its devices. */
function lost(errno: number): never {
  throw new Error(`cannot return to our own network namespace: ${errnoReason(errno)}`);
}

function open(path: string, what: string): Result<number> {
  try {
    // Under a given root it may be anything: a FIFO would wait for somebody to write to it.
    return ok(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (error) {
    return systemRefusal(error, `cannot open ${what}`);
  }
}
