import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isAlive } from './hosts.ts';
import { PREFIX } from './programs.ts';
import { programNames } from './programs.ts';

/** Processes in network namespaces, which are told by their inodes: they outlast their names. */
export function programsIn(namespaces: ReadonlySet<number>): string[] {
  return processes().filter((pid) => namespaces.has(unlessGone(() => statSync(`/proc/${pid}/ns/net`).ino) ?? -1));
}

/** Traffic makers whose test no longer runs. */
export function leftPrograms(): string[] {
  return processes().filter((pid) => {
    const status = ofProcess(pid, 'status');
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    return programNames.some((name) => name === field('Name')) && field('PPid') === '1';
  });
}

/** Folders of scenarios whose test no longer runs; they are removed. */
export function leftFolders(): string[] {
  const left = readdirSync(tmpdir()).filter((name) => {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  for (const name of left) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  return left;
}

/** eBPF programs of the probe that no process holds: a run of pktcost that is going on holds its own. */
export function leftProbes(): string[] {
  const { status, stdout, stderr } = spawnSync('bpftool', ['prog', 'list', '--json'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const programs = JSON.parse(stdout) as { readonly id: number; readonly name?: string }[];
  const ours = programs.filter(({ name = '' }) => name.startsWith('pktcost_'));
  if (ours.length === 0) return [];
  const held = new Set(processes().flatMap(heldBy));
  return ours.filter(({ id }) => !held.has(id)).map(({ id, name = '' }) => `${id} ${name}`);
}

/** Ids of the eBPF programs behind the file descriptors of a process, links included (kernel/bpf/syscall.c). */
function heldBy(pid: string): number[] {
  return filesOf(pid)
    .filter((fd) => /^anon_inode:.*bpf/.test(linkOf(pid, fd)))
    .flatMap((fd) => /^prog_id:\s*(\d+)$/m.exec(ofProcess(pid, `fdinfo/${fd}`))?.[1] ?? [])
    .map(Number);
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function filesOf(pid: string): string[] {
  return unlessGone(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
}

function linkOf(pid: string, fd: string): string {
  return unlessGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '';
}

function ofProcess(pid: string, file: string): string {
  return unlessGone(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? '';
}

/** What a process that ended since the listing no longer tells, or tells nobody. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
