import { closeSync, readdirSync } from 'node:fs';

import { utf8Text } from '../../collectors/cursor.ts';
import type { Holder, Holders } from '../../readings/programs.ts';
import { systemErrorCode, systemRefusal } from '../../base/errno.ts';
import { openFolder, readFileGuarded } from '../../base/file.ts';
import { ok, type Result } from '../../base/result.ts';
import { linkReader } from './descriptors.ts';
import { commOf } from './socket-owners.ts';

/** Of CPU time in the kernel, 2.5 us a descriptor: 40,000 of them. Who comes later is not looked at, and that is told. */
const MOST_MS = 100;

const A = 'a'.charCodeAt(0);
const TUN = '/dev/net/tun';
/** kernel/bpf/syscall.c and kernel/events/core.c: what the descriptors are called. */
const BPF = /^anon_inode:\[?bpf[-_](?:prog|link)\]?$/;
const PERF = 'anon_inode:[perf_event]';

/** Who holds descriptors of BPF programs, links, perf events, and tun and tap devices, by one pass over /proc. pktcost itself is left out. */
export function holders(procfs: string): Result<Holders> {
  const found: HeldFound = { programs: [], links: [], perfEvents: [], tuns: [], unreadable: 0, unlooked: 0 };
  try {
    const pids = readdirSync(procfs).map(Number).filter(Number.isInteger);
    const until = process.cpuUsage().system + MOST_MS * 1000;
    const links = linkReader();
    for (const [index, pid] of pids.entries()) {
      if (index % 16 === 0 && process.cpuUsage().system > until) {
        found.unlooked = pids.length - index;
        break;
      }
      if (pid !== process.pid) lookInto(procfs, pid, links, found);
    }
    return ok(found);
  } catch (error) {
    return systemRefusal(error);
  }
}

interface HeldFound {
  readonly programs: Holder[];
  readonly links: Holder[];
  readonly perfEvents: { pid: number; comm: string; count: number }[];
  readonly tuns: { device: string; pid: number; comm: string }[];
  unreadable: number;
  unlooked: number;
}

function lookInto(procfs: string, pid: number, links: ReturnType<typeof linkReader>, found: HeldFound): void {
  const directory = `${procfs}/${pid}/fd`;
  const held = new Map<string, Set<number>>([
    ['prog_id', new Set()],
    ['link_id', new Set()],
  ]);
  const tuns = new Set<string>();
  let perfEvents = 0;
  let open: number | undefined;
  try {
    open = openFolder(directory);
    for (const fd of readdirSync(directory)) {
      const length = links.read(open, directory, fd);
      if (length === TUN.length && utf8Text(links.bytes.subarray(0, length)) === TUN) {
        // Empty where no device is attached yet. Source: drivers/net/tun.c:tun_chr_show_fdinfo.
        const [, device] = /^iff:\s+(\S+)$/m.exec(infoOf(procfs, pid, fd)) ?? [];
        if (device !== undefined) tuns.add(device);
      }
      if (length === 0 || links.bytes[0] !== A) continue;
      const target = utf8Text(links.bytes.subarray(0, length));
      if (target === PERF) perfEvents += 1;
      if (!BPF.test(target)) continue;
      for (const [, what = '', id] of infoOf(procfs, pid, fd).matchAll(/^(prog_id|link_id):\s+(\d{1,10})$/gm))
        held.get(what)?.add(Number(id));
    }
  } catch (error) {
    // A process that ended meanwhile holds nothing any more.
    if (['EACCES', 'EPERM'].includes(systemErrorCode(error))) found.unreadable += 1;
  } finally {
    if (open !== undefined) closeSync(open);
  }
  const [programs, bpfLinks] = [held.get('prog_id')!, held.get('link_id')!];
  if (perfEvents + programs.size + bpfLinks.size + tuns.size === 0) return;
  const comm = commOf(procfs, pid);
  if (comm === undefined) return;
  // The descriptor of a link says which program it holds as well: that is the link's.
  for (const id of programs) found.programs.push({ id, pid, comm });
  for (const id of bpfLinks) found.links.push({ id, pid, comm });
  if (perfEvents > 0) found.perfEvents.push({ pid, comm, count: perfEvents });
  for (const device of tuns) found.tuns.push({ device, pid, comm });
}

function infoOf(procfs: string, pid: number, fd: string): string {
  const info = readFileGuarded(`${procfs}/${pid}/fdinfo/${fd}`, 1024 * 1024);
  return info.ok ? info.value.toString('latin1') : '';
}
