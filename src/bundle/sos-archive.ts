import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createReadStream, realpathSync, statSync, type ReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { Readable, pipeline, type Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import { ifAllowed } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Kept } from '../sources/copy/tree.ts';
import { TarReader, type ArchiveLimits, type Selection } from './tar/read.ts';

/** What a report may ask of the machine it is read on: it may be long, but little of it is kept. */
const LIMITS: ArchiveLimits & { readonly keptBytes: number; readonly ratio: number } = {
  totalBytes: 16 * 1024 * 1024 * 1024,
  memberBytes: 16 * 1024 * 1024,
  members: 1_000_000,
  keptBytes: 128 * 1024 * 1024,
  ratio: 250,
};
const RATIO_FROM = 64 * 1024 * 1024;
const BATCH = 256 * 1024;

/** The parts of a report that anything here reads; logs and configuration are passed over unread. */
const WANTED = new RegExp(
  '^(?:(?:before|after)/)?(?:' +
    [
      'proc/(?:stat|uptime|softirqs|interrupts|meminfo|zoneinfo|modules|cmdline)$',
      'proc/(?:net|self)$',
      'proc/(?:net|\\d+/net|pressure|irq|sys/net|sys/kernel|sys/vm)/',
      'proc/\\d+/(?:stat|status|task/\\d+/(?:stat|status))$',
      'sys/(?:class/net|devices|bus/pci|kernel/mm/hugepages|firmware/dmi)(?:/|$)',
      'sos_commands/(?:networking|kernel|conntrack|process|host|date|general|openvswitch|lstopo|hardware|numa|memory|namespaces)/',
      '(?:date|uptime|hostname|uname|version\\.txt)$',
      '(?:[^/]+/)?cmd/[^/]+\\.md$',
    ].join('|') +
    ')',
);

/** xz of the machine, where it has one that only root can have put there: some four times as fast as WebAssembly. */
const XZ = ['/usr/bin/xz', '/bin/xz'];
export type Packing = 'gzip' | 'xz' | 'none';

/**
 * A report as an archive, unpacked into memory as far as it is wanted: names below its top folder.
 * @param programs where xz may be, to be preferred to the slower WebAssembly
 */
export async function unpackReport(
  path: string,
  packing: Packing,
  programs: readonly string[] = XZ,
): Promise<Result<ReadonlyMap<string, Kept>>> {
  const file = createReadStream(path, { highWaterMark: BATCH });
  let unpacked = 0;
  let kept = 0;
  const below = (name: string): string =>
    /^(?:proc|sys|sos_commands|before|after)\//.test(name) ? name : name.replace(/^[^/]+\//, '');
  const selection: Selection = {
    wanted: (name, size) => {
      if (!WANTED.test(below(name)) || size > LIMITS.memberBytes) return false;
      kept += size;
      return true;
    },
  };
  const tar = new TarReader(LIMITS, selection);
  try {
    for await (const bytes of await unpacker(file, packing, programs)) {
      unpacked += bytes.length;
      if (unpacked > RATIO_FROM && unpacked > file.bytesRead * LIMITS.ratio)
        return fail(`unpacks to more than ${LIMITS.ratio} times its size`);
      const taken = tar.push(bytes);
      if (!taken.ok) return taken;
      if (kept > LIMITS.keptBytes) return fail(`more than ${LIMITS.keptBytes / 1024 / 1024} MiB of what is read`);
    }
  } catch (error) {
    return fail(brokenReport(error));
  } finally {
    file.destroy();
  }
  const members = tar.end();
  if (!members.ok) return members;
  const files = new Map<string, Kept>();
  for (const [name, bytes] of members.value) files.set(below(name), bytes);
  for (const [name, target] of tar.links) if (!files.has(below(name))) files.set(below(name), { link: target });
  return ok(files);
}

async function unpacker(
  file: ReadStream,
  packing: Packing,
  programs: readonly string[],
): Promise<AsyncIterable<Uint8Array>> {
  if (packing === 'none') return file as AsyncIterable<Uint8Array>;
  if (packing === 'gzip') {
    const gunzip = createGunzip({ chunkSize: BATCH });
    pipeline(file, gunzip, () => undefined);
    return gunzip;
  }
  return unxz(file, programs) ?? withWasm(file);
}

/** The presets of xz need 65 MiB at most to unpack, and sos uses the middle one; what asks for more is no report. */
const XZ_MEMORY = '--memlimit-decompress=128MiB';

function unxz(file: ReadStream, programs: readonly string[]): AsyncIterable<Uint8Array> | undefined {
  const xz = programs.find((path) => ifAllowed(() => isRoots(path)) === true);
  if (xz === undefined) return undefined;
  const child = spawn(xz, ['--decompress', '--stdout', '--quiet', '--no-warn', '--format=xz', XZ_MEMORY], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {},
    cwd: '/',
  });
  // It may end before it has read all: what it says is why.
  pipeline(file, child.stdin, () => undefined);
  return unpackedBy(child);
}

/** What it writes, and its complaint as an error; it is ended with the reading. */
async function* unpackedBy(child: ChildProcessByStdio<Writable, Readable, Readable>): AsyncGenerator<Uint8Array> {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, 1000)));
  const ended = new Promise<unknown>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    const status = await ended;
    if (status instanceof Error) throw status;
    if (status !== 0) throw new Error(said.trim().replace(/^.*?xz: (?:\(stdin\): )?/, '') || 'xz did not end well');
  } finally {
    child.kill('SIGKILL');
  }
}

/** A program that nobody but root can have changed. */
function isRoots(path: string): boolean {
  const real = realpathSync(path);
  const folder = statSync(dirname(real));
  const program = statSync(real);
  return [folder, program].every(({ uid, mode }) => uid === 0 && (mode & 0o022) === 0) && program.isFile();
}

async function withWasm(file: ReadStream): Promise<AsyncIterable<Uint8Array>> {
  const { XzReadableStream } = (await import('xz-decompress')).default;
  return new XzReadableStream(Readable.toWeb(file) as ReadableStream<Uint8Array>);
}

function brokenReport(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `damaged, or cut short (${message.replace(/\s+/g, ' ').slice(0, 120)})`;
}
