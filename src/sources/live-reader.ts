import { closeSync, constants, fstatSync, openSync, readSync, readdirSync, readlinkSync, statfsSync } from 'node:fs';

import type { DumpName, Reader } from '../collectors/reader.ts';
import { ifAllowed, systemRefusal } from '../base/errno.ts';
import { monotonicMs } from '../base/clock.ts';
import { kindOf } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { Allowance } from './allowance.ts';
import { bpfPrograms } from '../probe/programs.ts';
import { holders } from './dumps/holders.ts';
import { inetDiag } from './dumps/inet-diag.ts';
import { readLinks } from './dumps/links.ts';
import { readNetfilter } from './dumps/netfilter.ts';
import type { LiveOptions } from './dumps/modules.ts';
import { readRingLosses, readRings } from './dumps/nics.ts';
import { datapaths } from './dumps/openvswitch.ts';
import { packetDiag } from './dumps/packet-diag.ts';
import { qdiscs } from './dumps/qdisc.ts';
import { socketOwners } from './dumps/socket-owners.ts';
import { sysconf } from './sysconf.ts';

/** Where the host's trees are mounted: `/proc`, `/sys` and `/`, unless --path.* says otherwise. */
export interface Roots {
  readonly procfs: string;
  readonly sysfs: string;
  readonly rootfs: string;
  /** A sysfs with the devices of the namespace pktcost is in, where `sysfs` shows those of another one (own-devices.ts). */
  readonly deviceSysfs?: string;
  /** Why no devices can be read from any. */
  readonly devicesUnread?: string;
}

export const HOST_ROOTS: Roots = { procfs: '/proc', sysfs: '/sys', rootfs: '/' };

const PROC_SUPER_MAGIC = 0x9fa0;
const SYSFS_MAGIC = 0x62656572;
const LIMIT = 64 * 1024 * 1024;
const FIRST = 64 * 1024;
/** A sysfs attribute is one page at most and comes in one read; a binary one comes page by page. */
const SYSFS_PAGE = 4096;
/** A FIFO or a device under a given root must not hold us up. */
const OPEN = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const ofProcess = new Allowance();

/** Whether a directory is a mounted procfs, the host's own or one such as /host/proc, and not a copy of one. */
export function isProcfs(path: string): boolean {
  return ifAllowed(() => statfsSync(path).type) === PROC_SUPER_MAGIC;
}

export function isSysfs(path: string): boolean {
  return ifAllowed(() => statfsSync(path).type) === SYSFS_MAGIC;
}

/** CLOCK_MONOTONIC in seconds. */
export function monotonicSeconds(): number {
  return monotonicMs() / 1000;
}

/**
 * Reads the host's files under the given roots. One buffer serves all reads, since files of /proc do not say how long
 * they are; what is handed out is a copy. Measured here: 10 us a file where readFileSync takes 21.
 */
export function liveReader(roots: Roots, options: LiveOptions = {}, allowance = ofProcess): Reader {
  const live = isProcfs(roots.procfs);
  // Files of the kernel are files; a copy may have anything in their places, and an endless device is 64 MiB each time.
  const copied = !live || !isSysfs(roots.sysfs);
  const resolve = pathMapper(roots);
  const owners = socketOwners(roots.procfs);
  let buffer = new Uint8Array(FIRST);
  let lastReadAt = 0;

  const readWhole = (path: string): Result<Uint8Array> => {
    const paged = path.startsWith('/sys/');
    const meter = live ? allowance.meter(path) : undefined;
    const refused = meter?.(0);
    if (refused?.ok === false) return refused;
    const fd = openSync(resolve(path), OPEN);
    try {
      if (copied) {
        const status = fstatSync(fd);
        if (!status.isFile()) return fail(kindOf(status));
      }
      let length = 0;
      for (;;) {
        if (length === buffer.length) {
          if (length > LIMIT) return fail(`longer than ${LIMIT / 1024 / 1024} MiB`);
          const longer = new Uint8Array(Math.min(length * 4, LIMIT + 1));
          longer.set(buffer);
          buffer = longer;
        }
        const got = readSync(fd, buffer, length, buffer.length - length, null);
        length += got;
        // A record of /proc may end a read early, so only nothing more is the end there.
        if (got === 0 || (paged && got < SYSFS_PAGE)) return ok(buffer.slice(0, length));
        const dear = meter?.(length);
        if (dear?.ok === false) return dear;
      }
    } finally {
      closeSync(fd);
      if (buffer.length > LIMIT / 4) buffer = new Uint8Array(FIRST);
    }
  };
  const ask = <T>(path: string, how: () => Result<T>): Result<T> => {
    lastReadAt = monotonicSeconds();
    if (escapes(path)) return fail('not a path on the host');
    if (roots.devicesUnread !== undefined && isDevicePath(path)) return fail(roots.devicesUnread);
    try {
      return quickly(how);
    } catch (error) {
      return systemRefusal(error);
    }
  };
  const reader: Reader = {
    get lastReadAt() {
      return lastReadAt;
    },
    read: (path) => ask(path, () => readWhole(path)),
    list: (path) => ask(path, () => ok(readdirSync(resolve(path)).sort())),
    link: (path) => ask(path, () => ok(readlinkSync(resolve(path)))),
    dump: (name, inodes = []) => {
      lastReadAt = monotonicSeconds();
      return dump(name, inodes);
    },
  };
  const dump = (name: DumpName, inodes: readonly number[]): Result<unknown> => {
    if (name === 'sysconf') return sysconf();
    if (name === 'socket_owners') return owners(inodes);
    if (!live) return fail('needs the live host');
    if (name === 'packet_diag') return packetDiag(reader, options);
    if (name === 'inet_diag') return inetDiag(reader, options);
    if (name === 'links') return readLinks();
    if (name === 'bpf_programs') return bpfPrograms();
    if (name === 'bpf_holders') return holders(roots.procfs);
    if (name === 'netfilter') return readNetfilter(reader, options);
    if (name === 'qdisc') return qdiscs();
    if (name === 'openvswitch') return datapaths();
    if (name === 'rings') return readRings();
    if (name === 'ring_losses') return readRingLosses();
    return fail('the probe is not attached');
  };
  return reader;
}

function pathMapper(roots: Roots): (path: string) => string {
  const procfs = roots.procfs.replace(/\/+$/, '');
  const sysfs = roots.sysfs.replace(/\/+$/, '');
  const rootfs = roots.rootfs.replace(/\/+$/, '');
  const devices = roots.deviceSysfs ?? sysfs;
  return (path) => {
    if (path.startsWith('/proc/')) return procfs + path.slice(5);
    if (isDevicePath(path)) return devices + path.slice(4);
    if (path.startsWith('/sys/')) return sysfs + path.slice(4);
    if (path === '/proc') return procfs === '' ? '/' : procfs;
    return rootfs + path;
  };
}

/** What of sysfs depends on the network namespace. */
export function isDevicePath(path: string): boolean {
  return path === '/sys/class/net' || path.startsWith('/sys/class/net/');
}

/** Names in a path may come from the host's own directories: none may lead out of the root. */
function escapes(path: string): boolean {
  return !path.startsWith('/') || path.includes('\0') || /(?:^|\/)\.\.(?:\/|$)/.test(path);
}

/**
 * Absent files are ordinary here, and Node answers them with an exception: without its stack trace it costs a third
 * less.
 */
function quickly<T>(how: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return how();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
