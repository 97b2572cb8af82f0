import type { Tokens } from './tokens.ts';

const ROOT = '/sys/fs/cgroup';

/** Names that say nothing of anybody; the others are those of containers, services and people. */
const plain: readonly RegExp[] = [
  /^\.{0,2}$/,
  /^(?:system|user|machine|kubepods(?:-besteffort|-burstable)?|user-\d+)\.slice$/,
  /^(?:init\.scope|user@\d+\.service|session-\d+\.scope|docker|kubepods|besteffort|burstable)$/,
  // Files of a group, and what version 1 mounts for each controller.
  /^(?:cgroup|cpu|cpuacct|cpuset|memory|io|pids|irq)\.(?!service$|scope$|slice$)[\w.]+$/,
  /^(?:unified|systemd|(?:cpu|cpuacct|cpuset|memory|blkio|pids|devices|freezer|net_cls|net_prio|perf_event|hugetlb|rdma|misc)(?:,[a-z_]+)*)$/,
];

/** What kind of unit of systemd it is stays: remedies go by it. */
const UNIT = /\.(?:service|scope|slice)$/;

/** Path of a control group below its mount, each name that says something of somebody by its token. */
export function redactedGroup(path: string, tokens: Tokens): string {
  return path
    .split('/')
    .map((name) =>
      plain.some((pattern) => pattern.test(name)) ? name : `${tokens.group(name)}${UNIT.exec(name)?.[0] ?? ''}`,
    )
    .join('/');
}

/** The same of what stands below /sys/fs/cgroup; other paths are as they were. */
export function redactedGroupFile(path: string, tokens: Tokens): string {
  return path.startsWith(`${ROOT}/`) ? `${ROOT}/${redactedGroup(path.slice(ROOT.length + 1), tokens)}` : path;
}

/** A name in the list of a folder. */
export function redactedEntry(folder: string, name: string, tokens: Tokens): string {
  return folder === ROOT || folder.startsWith(`${ROOT}/`) ? redactedGroup(name, tokens) : name;
}
