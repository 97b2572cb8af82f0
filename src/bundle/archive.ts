import { createReadStream } from 'node:fs';
import { Readable, pipeline } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';

import { fail, type Result } from '../base/result.ts';
import { TarReader, type ArchiveLimits } from './tar/read.ts';
import { padding, type Member } from './tar/format.ts';
import { tarHeader } from './tar/write.ts';

export interface BundleLimits extends ArchiveLimits {
  /** Unpacked bytes for one packed byte, once more than a little is unpacked. Real bundles have 10 to 60. */
  readonly ratio: number;
}

export const BUNDLE_LIMITS: BundleLimits = {
  totalBytes: 512 * 1024 * 1024,
  memberBytes: 65 * 1024 * 1024,
  members: 200_000,
  ratio: 250,
};

/** Below this a high ratio is harmless. */
const RATIO_FROM = 32 * 1024 * 1024;
const BATCH = 256 * 1024;

/** The members as one .tar.gz, piece by piece. */
export async function* packArchive(members: Iterable<Member>, mtimeSeconds: number): AsyncGenerator<Buffer> {
  const gzip = createGzip({ level: 6, chunkSize: BATCH });
  // Should the source fail, pipeline destroys gzip with its error, and so ends the loop below.
  pipeline(Readable.from(tarBatches(members, mtimeSeconds), { objectMode: false }), gzip, () => undefined);
  for await (const chunk of gzip) yield chunk as Buffer;
}

/** Headers and contents are small: handed over one by one each would cost a turn of the event loop. */
function* tarBatches(members: Iterable<Member>, mtimeSeconds: number): Generator<Buffer> {
  let batch: Uint8Array[] = [];
  let length = 0;
  for (const { name, bytes } of members) {
    const header = tarHeader(name, bytes.length, mtimeSeconds);
    const fill = Buffer.alloc(padding(bytes.length));
    batch.push(header, bytes, fill);
    length += header.length + bytes.length + fill.length;
    if (length < BATCH) continue;
    yield Buffer.concat(batch);
    batch = [];
    length = 0;
  }
  yield Buffer.concat([...batch, Buffer.alloc(1024)]);
}

/**
 * Everything in a .tar.gz, in memory. Stops at the first thing a bundle cannot have in it, and at the limits, whatever
 * the archive says of itself.
 */
export async function unpackArchive(
  path: string,
  limits: BundleLimits = BUNDLE_LIMITS,
): Promise<Result<ReadonlyMap<string, Uint8Array>>> {
  const file = createReadStream(path, { highWaterMark: BATCH });
  const gunzip = createGunzip({ chunkSize: BATCH });
  const tar = new TarReader(limits);
  let packed = 0;
  let unpacked = 0;
  file.on('data', (chunk) => (packed += chunk.length));
  pipeline(file, gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) {
      const bytes = chunk as Buffer;
      unpacked += bytes.length;
      if (unpacked > RATIO_FROM && unpacked > packed * limits.ratio) {
        return fail(`unpacks to more than ${limits.ratio} times its size`);
      }
      const taken = tar.push(bytes);
      if (!taken.ok) return taken;
    }
  } catch (error) {
    return fail(brokenArchive(error));
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  return tar.end();
}

function brokenArchive(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
  if (error.code === 'Z_BUF_ERROR') return 'cut short: the compressed data has no end';
  if (error.code.startsWith('Z_')) return `not a gzip archive, or damaged (${error.message})`;
  return `cannot be read: ${error.message.replace(/, \w+ '.*$/, '')}`;
}
