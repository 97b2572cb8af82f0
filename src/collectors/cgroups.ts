import { ok, type Result } from '../base/result.ts';
import type { Host } from './collector.ts';
import { utf8Text } from './cursor.ts';

/** A tree of control groups: of some controllers in version 1, of all in version 2. */
export interface CgroupMount {
  readonly version: 1 | 2;
  readonly at: string;
  /** The options of version 1, controllers among them. */
  readonly options: readonly string[];
}

/** Parses /proc/PID/mountinfo for where control groups are. Source: fs/proc_namespace.c:show_mountinfo. */
export function parseCgroupMounts(bytes: Uint8Array): Result<readonly CgroupMount[]> {
  const found: CgroupMount[] = [];
  for (const line of utf8Text(bytes).split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const at = before.split(' ')[4];
    const [type, , options = ''] = after.split(' ');
    if (at === undefined || !at.startsWith('/sys/')) continue;
    if (type === 'cgroup2') found.push({ version: 2, at, options: [] });
    else if (type === 'cgroup') found.push({ version: 1, at, options: options.split(',') });
  }
  return ok(found);
}

/**
 * Parses /proc/PID/cgroup, `id:controllers:path`: the group of a process by controller, '' for that of version 2, which has id 0 and
 * names none. Source: kernel/cgroup/cgroup.c:proc_cgroup_show.
 */
export function parseCgroupPaths(bytes: Uint8Array): Result<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  for (const line of utf8Text(bytes).split('\n')) {
    const [, id, controllers = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    if (id === '0' && controllers === '') paths.set('', path);
    else for (const controller of controllers.split(',')) if (controller !== '') paths.set(controller, path);
  }
  return ok(paths);
}

export interface CgroupPlace {
  readonly version: CgroupMount['version'];
  readonly at: string;
  /** Below `at`; undefined where the process is in no group there. */
  readonly path: string | undefined;
}

/** Where a controller may bound a process: its tree of version 1, and that of version 2. */
export function placesOf(
  controller: string,
  mounts: readonly CgroupMount[],
  paths: ReadonlyMap<string, string>,
): readonly CgroupPlace[] {
  return mounts
    .filter(({ version, options }) => version === 2 || options.includes(controller))
    .map(({ version, at }) => ({ version, at, path: paths.get(version === 2 ? '' : controller) }));
}

/** A group and those above it but the root, the innermost first; none of a path that leads out of what this namespace sees. */
export function groupsAbove(path: string | undefined): readonly string[] {
  if (path === undefined || path.includes('/..')) return [];
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`);
}

/** The control groups of one process. */
export interface ProcessGroups {
  /** By controller, '' for that of version 2. */
  readonly paths: ReadonlyMap<string, string>;
  readonly placesOf: (controller: string) => readonly CgroupPlace[];
}

/** Looks processes up, each in the mounts that were read with the first; undefined for one that is gone. */
export function groupsOfProcesses(host: Host): (pid: string) => ProcessGroups | undefined {
  let mounts: readonly CgroupMount[] | undefined;
  return (pid) => {
    mounts ??= host.parseIfPresent('/proc/self/mountinfo', parseCgroupMounts) ?? [];
    const paths = host.parseIfPresent(`/proc/${pid}/cgroup`, parseCgroupPaths);
    const seen = mounts;
    return paths === undefined ? undefined : { paths, placesOf: (controller) => placesOf(controller, seen, paths) };
  };
}
