import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, createReadStream, fstatSync, openSync, realpathSync, statSync, ReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

import { ifAllowed } from '../base/errno.ts';
import { fail, ok, type Result } from '../base/result.ts';

export type Packing = 'gzip' | 'xz' | 'none';

export interface RatioLimit {
  /** Unpacked bytes for one packed byte, once more than a little is unpacked. */
  readonly ratio: number;
  /** Bytes below which a high ratio is harmless. */
  readonly ratioFrom: number;
}

/** xz of the machine, where it has one that only root can have put there: some four times as fast as WebAssembly. */
const XZ = ['/usr/bin/xz', '/bin/xz'];
const BATCH = 256 * 1024;

/**
 * Unpacks a file, or one that is in memory, piece by piece, to its end or until `take` has enough.
 * @param programs where xz may be, to be preferred to the slower WebAssembly
 */
export async function unpack(
  packed: string | Uint8Array,
  packing: Packing,
  { ratio, ratioFrom }: RatioLimit,
  take: (bytes: Uint8Array) => Result<'more' | 'enough'>,
  programs: readonly string[] = XZ,
): Promise<Result<undefined>> {
  const source = (packing === 'xz' ? unxz(packed, programs) : undefined) ?? (await within(packed, packing));
  const pieces = source.pieces[Symbol.asyncIterator]();
  let unpacked = 0;
  try {
    for (;;) {
      const piece = await nextOf(pieces, packing);
      if (!piece.ok) return piece;
      if (piece.value === undefined) return ok(undefined);
      unpacked += piece.value.length;
      if (unpacked > ratioFrom && unpacked > source.packedBytes() * ratio)
        return fail(`unpacks to more than ${ratio} times its size`);
      const taken = take(piece.value);
      if (!taken.ok) return taken;
      if (taken.value === 'enough') return ok(undefined);
    }
  } finally {
    await pieces.return?.();
    source.close();
  }
}

async function nextOf(pieces: AsyncIterator<Uint8Array>, packing: Packing): Promise<Result<Uint8Array | undefined>> {
  try {
    const next = await pieces.next();
    return ok(next.done === true ? undefined : next.value);
  } catch (error) {
    return fail(broken(error, packing));
  }
}

function broken(error: unknown, packing: Packing): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'Z_BUF_ERROR') return 'cut short: the compressed data has no end';
  if (code.startsWith('Z_')) return `not a gzip archive, or damaged (${message})`;
  if (code === '' && packing === 'xz') return `damaged, or cut short (${message.replace(/\s+/g, ' ').slice(0, 120)})`;
  return `cannot be read: ${message.replace(/, \w+ '.*$/, '').replace(/\s+/g, ' ')}`;
}

/** What an archive holds, piece by piece. */
interface Source {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Packed bytes that were read so far, or at most. */
  packedBytes(): number;
  close(): void;
}

/** Read and unpacked by this very process. */
async function within(packed: string | Uint8Array, packing: Packing): Promise<Source> {
  const file =
    typeof packed === 'string' ? createReadStream(packed, { highWaterMark: BATCH }) : Readable.from([packed]);
  return {
    pieces: await unpacker(file, packing),
    packedBytes: () => (file instanceof ReadStream ? file.bytesRead : packed.length),
    close: () => file.destroy(),
  };
}

async function unpacker(file: Readable, packing: Packing): Promise<AsyncIterable<Uint8Array>> {
  if (packing === 'none') return file as AsyncIterable<Uint8Array>;
  if (packing === 'xz') return withWasm(file);
  const gunzip = createGunzip({ chunkSize: BATCH });
  pipeline(file, gunzip, () => undefined);
  return gunzip;
}

/** The presets of xz need 65 MiB at most to unpack, and sos uses the middle one; what asks for more is no report. */
const XZ_MEMORY = '--memlimit-decompress=128MiB';

/**
 * An archive of many blocks, as xz itself makes since 5.6, is unpacked by a thread each, of as many as that memory is enough for;
 * to what cannot, before 5.4, the number says nothing.
 */
const XZ_THREADS = '--threads=0';

function unxz(packed: string | Uint8Array, programs: readonly string[]): Source | undefined {
  const xz = programs.find((path) => ifAllowed(() => isRoots(path)) === true);
  const file = typeof packed === 'string' && xz !== undefined ? ifAllowed(() => openSync(packed, 'r')) : undefined;
  if (xz === undefined || file === undefined) return undefined;
  const child = spawn(
    xz,
    ['--decompress', '--stdout', '--quiet', '--no-warn', '--format=xz', XZ_MEMORY, XZ_THREADS],
    // It reads the file itself: nothing is handed on.
    { stdio: [file, 'pipe', 'pipe'], env: {}, cwd: '/' },
  );
  const size = fstatSync(file).size;
  return {
    pieces: unpackedBy(child),
    packedBytes: () => size,
    close: () => {
      closeSync(file);
    },
  };
}

/** What it writes, and its complaint as an error; it is ended with the reading. */
async function* unpackedBy(child: ChildProcess): AsyncGenerator<Uint8Array> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('xz was started without pipes');
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, 1000)));
  const ended = new Promise<unknown>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  try {
    for await (const chunk of stdout) yield chunk as Uint8Array;
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

async function withWasm(file: Readable): Promise<AsyncIterable<Uint8Array>> {
  const { XzReadableStream } = (await import('xz-decompress')).default;
  return new XzReadableStream(Readable.toWeb(file) as ReadableStream<Uint8Array>);
}
