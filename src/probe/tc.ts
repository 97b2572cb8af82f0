/**
 * A TC program on one device: a TCX link where the kernel has it, else a filter of a clsact qdisc. A link goes with the process;
 * a filter stays after SIGKILL, so it carries a handle that nobody else has, by which `sweep` knows it.
 */
import { askInNamespace } from '../ffi/namespaces.ts';
import { isGone } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { NetnsTarget } from './facts.ts';
import { AttachType, BEFORE_ALL, TcHook, type LinkFd, type Libbpf, type ProgramFd, type TcFilter } from './libbpf.ts';
import { dumpClsact, dumpFilters, type Filter } from './rtnetlink.ts';

/** "pkt" and whether the clsact qdisc was made by us, so that a later sweep knows if it may go too. */
const HANDLE_OWN_QDISC = 0x706b7401;
const HANDLE_FOREIGN_QDISC = 0x706b7402;
/** Another classifier may hold a priority; the first that is free or holds BPF filters is taken. */
const PRIORITIES = [1, 2, 3, 7];
const PROGRAM_NAMES = { ingress: 'pktcost_in', egress: 'pktcost_out' } as const;

export type TcDirection = 'ingress' | 'egress';

export interface TcAttachment {
  readonly how: 'tcx' | 'clsact';
  readonly netns: NetnsTarget;
  readonly ifindex: number;
  readonly direction: TcDirection;
  readonly programId: number;
  readonly link?: LinkFd;
  readonly filter?: TcFilter;
}

export function attachTc(
  bpf: Libbpf,
  how: 'tcx' | 'clsact',
  netns: NetnsTarget,
  ifindex: number,
  direction: TcDirection,
  program: ProgramFd,
): Result<TcAttachment> {
  const runs = bpf.programRuns(program);
  if (!runs.ok) return runs;
  const base = { how, netns, ifindex, direction, programId: runs.value.id };
  return askInNamespace<TcAttachment>(netns.path, () => {
    if (how === 'tcx') {
      const link = bpf.linkCreate(program, ifindex, tcxType(direction), BEFORE_ALL);
      return link.ok ? ok({ ...base, link: link.value }) : link;
    }
    const filter = attachFilter(bpf, ifindex, direction, program);
    return filter.ok ? ok({ ...base, filter: filter.value }) : filter;
  });
}

function tcxType(direction: TcDirection): number {
  return direction === 'ingress' ? AttachType.tcxIngress : AttachType.tcxEgress;
}

/** Again what was detached: on a thread of libuv's where those are in the device's namespace, else on this one. */
export async function attachTcxAgain(
  bpf: Libbpf,
  attachment: TcAttachment,
  program: ProgramFd,
): Promise<Result<TcAttachment>> {
  const { netns, ifindex, direction } = attachment;
  if (netns.path !== undefined) return attachTc(bpf, 'tcx', netns, ifindex, direction, program);
  const link = await bpf.linkCreateAside(program, ifindex, tcxType(direction), BEFORE_ALL);
  return link.ok ? ok({ ...attachment, link: link.value }) : link;
}

function attachFilter(bpf: Libbpf, ifindex: number, direction: TcDirection, program: ProgramFd): Result<TcFilter> {
  const made = bpf.clsactCreate(ifindex);
  if (!made.ok) return made;
  // Our own ingress filter may have made the qdisc a moment ago, when this is the egress one.
  const ours = made.value || hasHandle(ifindex, HANDLE_OWN_QDISC);
  const handle = ours ? HANDLE_OWN_QDISC : HANDLE_FOREIGN_QDISC;
  let refused: Result<void> = fail('no priority tried');
  for (const priority of PRIORITIES) {
    const filter = { ifindex, hook: TcHook[direction], handle, priority };
    refused = bpf.filterAttach(filter, program);
    if (refused.ok) return ok(filter);
  }
  if (made.value) bpf.clsactDestroy(ifindex);
  return refused;
}

function hasHandle(ifindex: number, handle: number): boolean {
  return (['ingress', 'egress'] as const).some((direction) => {
    const filters = dumpFilters(ifindex, direction);
    return filters.ok && filters.value.some((filter) => filter.handle === handle && isOurs(filter, direction));
  });
}

function isOurs(filter: Filter, direction: TcDirection): boolean {
  return (
    filter.kind === 'bpf' &&
    (filter.handle === HANDLE_OWN_QDISC || filter.handle === HANDLE_FOREIGN_QDISC) &&
    PRIORITIES.includes(filter.priority) &&
    // libbpf names a filter "program:[id]".
    filter.bpfName?.startsWith(`${PROGRAM_NAMES[direction]}:`) === true
  );
}

/** Removes the filters; the qdisc too, if we made it and nobody else has put a filter there since. */
export function removeFilters(bpf: Libbpf, attachments: readonly TcAttachment[]): string[] {
  const problems: string[] = [];
  for (const { netns, ifindex, filter } of attachments) {
    if (filter === undefined) continue;
    const removed = askInNamespace(netns.path, () => {
      const detached = bpf.filterDetach(filter);
      return filter.handle === HANDLE_OWN_QDISC ? removeEmptyQdisc(bpf, ifindex, detached) : detached;
    });
    if (!removed.ok && !isGone(removed)) problems.push(`filter on device ${String(ifindex)}: ${removed.reason}`);
  }
  return problems;
}

function removeEmptyQdisc(bpf: Libbpf, ifindex: number, detached: Result<void>): Result<void> {
  const ingress = dumpFilters(ifindex, 'ingress');
  const egress = dumpFilters(ifindex, 'egress');
  if (!ingress.ok) return ingress;
  if (!egress.ok) return egress;
  if (ingress.value.length + egress.value.length > 0) return detached;
  const destroyed = bpf.clsactDestroy(ifindex);
  return destroyed.ok ? detached : destroyed;
}

/** True when nothing of ours is left where it was attached. */
export function verifyRemoved(bpf: Libbpf, attachments: readonly TcAttachment[]): string[] {
  const left: string[] = [];
  for (const { how, netns, ifindex, direction, programId } of attachments) {
    const still = askInNamespace(netns.path, () => {
      if (how === 'tcx') {
        const ids = bpf.tcxPrograms(ifindex, tcxType(direction));
        return ids.ok ? ok(ids.value.includes(programId)) : ids;
      }
      const filters = dumpFilters(ifindex, direction);
      return filters.ok ? ok(filters.value.some((filter) => filter.bpfId === programId)) : filters;
    });
    if (still.ok && still.value)
      left.push(`program ${String(programId)} is still on ${direction} of device ${String(ifindex)}`);
    if (!still.ok && !isGone(still)) left.push(`device ${String(ifindex)} could not be checked: ${still.reason}`);
  }
  return left;
}

export interface SweepReport {
  readonly removed: readonly { readonly netns: string; readonly ifindex: number; readonly direction: TcDirection }[];
  readonly problems: readonly string[];
}

/** Removes what a killed session left behind: filters with our handle, priority and program name, and nothing else. */
export function sweep(bpf: Libbpf, namespaces: readonly NetnsTarget[]): SweepReport {
  const removed: { netns: string; ifindex: number; direction: TcDirection }[] = [];
  const problems: string[] = [];
  for (const netns of namespaces) {
    const swept = askInNamespace(netns.path, () => {
      const devices = dumpClsact();
      if (!devices.ok) return devices;
      for (const ifindex of new Set(devices.value)) {
        for (const direction of ['ingress', 'egress'] as const) {
          const filters = dumpFilters(ifindex, direction);
          if (!filters.ok) return filters;
          for (const found of filters.value.filter((filter) => isOurs(filter, direction))) {
            const filter = { ifindex, hook: TcHook[direction], handle: found.handle, priority: found.priority };
            const problem = removeFilters(bpf, [
              { how: 'clsact', netns: { id: netns.id }, ifindex, direction, programId: 0, filter },
            ]);
            if (problem.length > 0) problems.push(...problem);
            else removed.push({ netns: netns.id, ifindex, direction });
          }
        }
      }
      return ok(undefined);
    });
    if (!swept.ok) problems.push(`namespace ${netns.id}: ${swept.reason}`);
  }
  return { removed, problems };
}
