import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** The repository: this file runs from build/test/scenarios/kit. */
export const repository = join(import.meta.dirname, '..', '..', '..', '..');

/** The built pktcost. */
export const command = process.env['PKTCOST_BIN'] ?? join(repository, 'bin', 'pktcost.js');

/** Every namespace of the scenarios is called pktc-<pid of the test>-<n>: a dead pid marks what was left behind. */
export const PREFIX = 'pktc-';

const sources = join(repository, 'test', 'scenarios', 'kit', 'programs');

export const programNames = [
  'bpf-spin',
  'clash',
  'connect',
  'craft',
  'listener',
  'members',
  'packet-tap',
  'raw-hold',
  'syn-flood',
  'tcp-proxy',
  'tcp-read',
  'tcp-send',
  'tun-hold',
  'udp-receive',
  'udp-send',
] as const;

export type ProgramName = (typeof programNames)[number];

export function compiler(): string | undefined {
  return ['clang', 'cc', 'gcc'].find((name) => onPath(name));
}

export function onPath(name: string): boolean {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':').some((folder) => existsSync(join(folder, name)));
}

export interface CompileOptions {
  readonly cc?: string | undefined;
  readonly folder?: string;
}

/**
 * Path of a traffic maker, compiled when its source changed. Two runs at once both end with a whole file.
 * @param options another compiler and place, for a machine of another kind
 */
export function compiled(name: ProgramName, options: CompileOptions = {}): string {
  const source = join(sources, `${name}.c`);
  const hash = createHash('sha256')
    .update(readFileSync(source))
    .update(readFileSync(join(sources, 'program.h')))
    .digest('hex');
  const folder = join(options.folder ?? join(repository, 'build', 'programs'), hash.slice(0, 12));
  const program = join(folder, name);
  if (existsSync(program)) return program;
  const cc = options.cc ?? compiler();
  if (cc === undefined) throw new Error('no C compiler (clang, cc or gcc)');
  mkdirSync(folder, { recursive: true });
  const draft = `${program}.${process.pid}`;
  const { status, stderr } = spawnSync(cc, ['-O2', '-o', draft, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${source} does not compile: ${stderr}`);
  renameSync(draft, program);
  return program;
}
