import { Readable, pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';

import { ok, type Result } from '../base/result.ts';
import { REPORT_LIMITS, Top } from './sos-archive.ts';
import { TarReader, type ArchiveLimits } from './tar/read.ts';
import { padding, type Member } from './tar/format.ts';
import { tarHeader } from './tar/write.ts';
import { unpack, type Packing, type RatioLimit } from './unpack.ts';

export type BundleLimits = ArchiveLimits & RatioLimit;

export const BUNDLE_LIMITS: BundleLimits = {
  totalBytes: 512 * 1024 * 1024,
  memberBytes: 65 * 1024 * 1024,
  members: 200_000,
  // Real bundles have 10 to 60.
  ratio: 250,
  ratioFrom: 32 * 1024 * 1024,
};

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
 * Everything in an archive, in memory. Stops at the first thing a bundle cannot have in it, and at the limits, whatever
 * the archive says of itself.
 */
export async function unpackArchive(
  packed: string | Uint8Array,
  limits: BundleLimits = BUNDLE_LIMITS,
  packing: Packing = 'gzip',
): Promise<Result<ReadonlyMap<string, Uint8Array>>> {
  const tar = new TarReader(limits);
  const unpacked = await unpack(packed, packing, limits, (bytes) => {
    const taken = tar.push(bytes);
    return taken.ok ? ok('more') : taken;
  });
  return unpacked.ok ? tar.end() : unpacked;
}

/**
 * What an archive is, by what lies in it and in whatever order: a bundle by its manifest, a report or a copy by the folders
 * of a host. Undefined where it cannot be read that far, or holds neither.
 */
export async function archiveKind(path: string, packing: Packing): Promise<'bundle' | 'report' | undefined> {
  const top = new Top();
  const seen = { manifests: 0, report: false };
  const tar = new TarReader(
    { ...REPORT_LIMITS, memberBytes: BUNDLE_LIMITS.memberBytes },
    {
      wanted: (name, size) => {
        seen.report ||= OF_A_REPORT.test(top.below(name));
        const isManifest = MANIFEST.test(name) && size <= BUNDLE_LIMITS.memberBytes && seen.manifests < MOST_MANIFESTS;
        if (isManifest) seen.manifests += 1;
        return isManifest;
      },
    },
  );
  const bundle = (): boolean => manifestOf(tar.taken) !== undefined;
  await unpack(path, packing, REPORT_LIMITS, (bytes) => {
    const taken = tar.push(bytes);
    if (!taken.ok) return taken;
    return ok(seen.report || bundle() ? 'enough' : 'more');
  });
  return bundle() ? 'bundle' : seen.report ? 'report' : undefined;
}

/** A bundle has copies of /proc and /sys too, below before/ and after/. */
const OF_A_REPORT = /^(?:(?:(?:before|after)\/)?sos_commands|proc|sys|(?:[^/]+\/)?cmd)\//;
const MANIFEST = /^(?:[^/]+\/)?manifest\.json$/;
const MOST_MANIFESTS = 10;

/** The name of a bundle's manifest, which lies beside all else. */
export function manifestOf(members: ReadonlyMap<string, Uint8Array>): string | undefined {
  return [...members.keys()].find((name) => MANIFEST.test(name) && isBundleManifest(members.get(name)));
}

/** Others have a manifest.json of another kind. */
export function isBundleManifest(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && Buffer.from(bytes.subarray(0, 4096)).includes('pktcost-bundle');
}
