import { readdirSync, statSync } from 'node:fs';

import { ifAllowed, systemRefusal } from '../base/errno.ts';
import { readStart } from '../base/file.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { folderTree, memoryTree, type Tree } from '../sources/copy/tree.ts';
import { archiveKind, isBundleManifest } from './archive.ts';
import { unpackReport } from './sos-archive.ts';
import type { Packing } from './unpack.ts';

const parts = ['proc', 'sys', 'sos_commands'];

/** Whether a tree is a copy of a host, or what sos collected there. */
export function isCopy(tree: Tree): boolean {
  return parts.some((name) => tree.folder(`/${name}`).ok);
}

/** A copy of one host as a tree, whatever it is packed in: a folder, or an archive of one. */
export async function openTree(path: string): Promise<Result<Tree>> {
  try {
    if (statSync(path).isDirectory()) return folderOf(path);
  } catch (error) {
    return systemRefusal(error);
  }
  const packing = packingOf(path);
  if (!packing.ok) return packing;
  if ((await archiveKind(path, packing.value)) === 'bundle') return fail(A_BUNDLE);
  const files = await unpackReport(path, packing.value);
  if (!files.ok) return files;
  const tree = memoryTree(files.value);
  return isCopy(tree) ? ok(tree) : fail(NOTHING);
}

const NOTHING = 'nothing to judge: no proc/, sys/ or sos_commands/ in it';
const A_BUNDLE = 'a bundle, which holds two samples already: `pktcost compare` tells one from another';

function folderOf(path: string): Result<Tree> {
  const tree = folderTree(path);
  const manifest = tree.read('/manifest.json');
  if (manifest.ok && isBundleManifest(manifest.value)) return fail(A_BUNDLE);
  if (isCopy(tree)) return ok(tree);
  const folders = (ifAllowed(() => readdirSync(path, { withFileTypes: true })) ?? []).filter((each) =>
    each.isDirectory(),
  );
  const [only] = folders;
  const inside = only === undefined || folders.length > 1 ? undefined : folderTree(`${path}/${only.name}`);
  return inside !== undefined && isCopy(inside) ? ok(inside) : fail(NOTHING);
}

const refused: readonly (readonly [hex: string, name: string])[] = [
  ['425a68', 'a bzip2 archive'],
  ['28b52ffd', 'a zstd archive'],
  ['504b0304', 'a zip archive'],
];

/** How a file is packed, by its first bytes. */
export function packingOf(path: string): Result<Packing> {
  const start = readStart(path, 512);
  if (!start.ok) return start;
  const bytes = Buffer.from(start.value);
  const hex = bytes.toString('hex', 0, 6);
  const known = refused.find(([magic]) => hex.startsWith(magic));
  if (known !== undefined) return fail(`${known[1]}: unpack it first, and give the folder`);
  if (hex === 'fd377a585a00') return ok('xz');
  if (bytes.toString('latin1', 257, 262) === 'ustar') return ok('none');
  if (bytes.length > 0 && !hex.startsWith('1f8b'.slice(0, hex.length)))
    return fail('neither a bundle nor a report, a sosreport or a page of metrics');
  return ok('gzip');
}
